import type { Event } from '../../model/event.ts'

/** Rules that another value of the event tells apart, which is read once the walk is over. */
export interface Deferred {
  giveFor(event: Event, found: Candidates): void
}

/** So many are told from a new one by comparing; the marks of rules lie nowhere near the processor. */
const comparedMax = 8

/**
 * The rules that a walk has found, each once, by their number in the index. One of these is used
 * for all events, so that an event for which nothing is found makes no garbage. The event itself is
 * not kept here: to write it into what is older has to be noted for the collector.
 */
export class Candidates {
  readonly #numbers: Int32Array
  /**
   * Per rule, the last walk that found it among more than are compared. Doubles, since 32 bits are
   * used up within a day.
   */
  readonly #foundIn: Float64Array
  readonly #deferred: Deferred[] = []
  #deferredCount = 0
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

  begin(): void {
    this.#count = 0
    this.#deferredCount = 0
    this.#walk++
  }

  add(rule: number): void {
    const numbers = this.#numbers
    const count = this.#count
    if (count < comparedMax) {
      for (let i = 0; i < count; i++) if (numbers[i] === rule) return
    } else {
      if (count === comparedMax) this.#markAll()
      if (this.#foundIn[rule] === this.#walk) return
      this.#foundIn[rule] = this.#walk
    }
    numbers[count] = rule
    this.#count = count + 1
  }

  #markAll(): void {
    for (let i = 0; i < this.#count; i++) this.#foundIn[this.at(i)] = this.#walk
  }

  defer(rules: Deferred): void {
    this.#deferred[this.#deferredCount++] = rules
  }

  /** Adds what was deferred. Hot: called for every event, mostly with nothing to do. */
  end(event: Event): void {
    for (let i = 0; i < this.#deferredCount; i++) this.#deferred[i]?.giveFor(event, this)
  }
}
