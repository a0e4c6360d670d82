/**
 * Bytes of events in memory over all lanes, bounded by `limits.memory`. Above the bound lanes stop
 * reading; what is in memory already goes on, so that there is always something that gives way. A
 * fetch that was under way when the bound was reached still comes in on top.
 */
export class MemoryBudget {
  readonly #bytesMax: number
  readonly #onRelief: (() => void)[] = []
  #bytes = 0
  #isOver = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Calls `callback` each time that reading may go on. */
  onRelief(callback: () => void): void {
    this.#onRelief.push(callback)
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#bytesMax) this.#isOver = true
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    // Well below the bound, so that a lane does not pause and resume with every event.
    if (!this.#isOver || this.#bytes > this.#bytesMax * 0.8) return
    this.#isOver = false
    for (const callback of this.#onRelief) callback()
  }
}
