import type { Json } from '../../model/json.ts'

/** Rules under one key that are filed by a second value, which may be read only later in a walk. */
interface PutOff {
  giveSplit(found: Candidates): void
}

/**
 * The rules that a walk has found, each once, by their number in the index. One of these is used
 * for all events, so that an event for which nothing is found makes no garbage.
 */
export class Candidates {
  readonly #numbers: Int32Array
  /** Per rule, the walk that last found it. Doubles, since 32 bits are used up within a day. */
  readonly #foundIn: Float64Array
  /** Per slot, the value that this walk has read; `undefined` where the event has none. */
  readonly #values: (Json | undefined)[]
  readonly #putOff: PutOff[] = []
  #putOffCount = 0
  #walk = 0
  #count = 0

  /**
   * @param rules - how many there are in the index
   * @param slots - values that are kept for the end of a walk
   */
  constructor(rules: number, slots: number) {
    this.#numbers = new Int32Array(rules)
    this.#foundIn = new Float64Array(rules)
    this.#values = new Array<Json | undefined>(slots).fill(undefined)
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
    this.#putOffCount = 0
    this.#walk++
    for (let i = 0; i < this.#values.length; i++) this.#values[i] = undefined
  }

  add(rule: number): void {
    if (this.#foundIn[rule] === this.#walk) return
    this.#foundIn[rule] = this.#walk
    this.#numbers[this.#count++] = rule
  }

  keep(slot: number, value: Json): void {
    this.#values[slot] = value
  }

  valueAt(slot: number): Json | undefined {
    return this.#values[slot]
  }

  putOff(list: PutOff): void {
    this.#putOff[this.#putOffCount++] = list
  }

  end(): void {
    for (let i = 0; i < this.#putOffCount; i++) this.#putOff[i]?.giveSplit(this)
  }
}
