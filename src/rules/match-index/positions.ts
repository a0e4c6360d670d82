/** Positions in a rule set, which are sorted in place. One of these is used for all events. */
export class Positions {
  readonly #values: Int32Array
  #count = 0

  /** @param max - how many there can be at most */
  constructor(max: number) {
    this.#values = new Int32Array(max)
  }

  get count(): number {
    return this.#count
  }

  at(i: number): number {
    return this.#values[i] as number // as: callers stay below `count`; hot
  }

  clear(): void {
    this.#count = 0
  }

  push(position: number): void {
    this.#values[this.#count++] = position
  }

  /** Few are the rule; insertion sort needs no view of the list then, and makes no garbage. */
  sort(): void {
    if (this.#count > insertedMax) {
      this.#values.subarray(0, this.#count).sort()
      return
    }
    const values = this.#values
    for (let i = 1; i < this.#count; i++) {
      const value = values[i] as number // as, here and below: within `count`; hot
      let at = i
      while (at > 0 && (values[at - 1] as number) > value) {
        values[at] = values[at - 1] as number
        at--
      }
      values[at] = value
    }
  }
}

const insertedMax = 24
