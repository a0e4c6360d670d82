/**
 * Bytes of events in memory over all lanes, bounded by `limits.memory`. Above the bound lanes stop
 * reading and give back what is not due yet; the rest goes on, so that there is always something
 * that gives way. A fetch that was under way when the bound was reached still comes in on top.
 */
export class MemoryBudget {
  readonly #bytesMax: number
  readonly #onPressure: (() => void)[] = []
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

  /** Calls `callback` each time that the bound is passed, from within `add`. */
  onPressure(callback: () => void): void {
    this.#onPressure.push(callback)
  }

  /** Calls `callback` each time that reading may go on, from within `remove`. */
  onRelief(callback: () => void): void {
    this.#onRelief.push(callback)
  }

  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#isOver || this.#bytes <= this.#bytesMax) return
    this.#isOver = true
    for (const callback of this.#onPressure) callback()
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    // Well below the bound, so that a lane does not pause and resume with every event.
    if (!this.#isOver || this.#bytes > this.#bytesMax * 0.8) return
    this.#isOver = false
    for (const callback of this.#onRelief) callback()
  }
}
