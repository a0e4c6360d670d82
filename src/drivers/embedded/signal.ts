/** Wakes one loop. A call of `notify` while nobody waits is kept for the next `wait`. */
export class Signal {
  #pending = false
  #wake: (() => void) | null = null

  notify(): void {
    this.#pending = true
    this.#wake?.()
  }

  /** Resolves at the next `notify`, or at once if one came since the last `wait` resolved. */
  async wait(): Promise<void> {
    if (!this.#pending) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = null
    this.#pending = false
  }
}
