import type { Event } from '../../model/event.ts'

/**
 * The rules that a walk has found, each once, by their number in the index. One of these is used
 * for all events, so that an event for which nothing is found makes no garbage.
 */
export class Candidates {
  readonly #numbers: Int32Array
  /** Per rule, the walk that last found it. Doubles, since 32 bits are used up within a day. */
  readonly #foundIn: Float64Array
  #event: Event | null = null
  #walk = 0
  #count = 0

  /** @param rules - how many there are in the index */
  constructor(rules: number) {
    this.#numbers = new Int32Array(rules)
    this.#foundIn = new Float64Array(rules)
  }

  get count(): number {
    return this.#count
  }

  /** In the order in which they were found. */
  at(i: number): number {
    return this.#numbers[i] as number // as: callers stay below `count`; hot
  }

  /** Which walk this is: other parts of the index mark what they have given in it. */
  get walk(): number {
    return this.#walk
  }

  /** The event that is walked; before the first walk there is none. */
  get event(): Event | null {
    return this.#event
  }

  begin(event: Event): void {
    this.#event = event
    this.#count = 0
    this.#walk++
  }

  add(rule: number): void {
    if (this.#foundIn[rule] === this.#walk) return
    this.#foundIn[rule] = this.#walk
    this.#numbers[this.#count++] = rule
  }
}
