import { Fifo } from './fifo.ts'

interface Keyed {
  /** `null`: no limit by key applies. */
  readonly key: string | null
}

interface KeyLane<Item> {
  /** Items of the key that were let in and have not left. */
  inside: number
  readonly waiting: Fifo<Item>
}

/**
 * Lets in at most so many items of one key at a time, in the order in which they came; the others
 * wait for one to leave. A key is known only while it has an item.
 */
export class KeyLanes<Item extends Keyed> {
  readonly #insideMax: number
  readonly #lanes = new Map<string, KeyLane<Item>>()
  #waiting = 0

  constructor(insideMax: number) {
    this.#insideMax = insideMax
  }

  /** Items that wait for another of their key. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether the item is in; otherwise a later `leave` gives it. */
  enter(item: Item): boolean {
    if (item.key === null) return true
    let lane = this.#lanes.get(item.key)
    if (lane === undefined) {
      lane = { inside: 0, waiting: new Fifo() }
      this.#lanes.set(item.key, lane)
    }
    if (lane.inside < this.#insideMax) {
      lane.inside += 1
      return true
    }
    lane.waiting.push(item)
    this.#waiting += 1
    return false
  }

  /** An item that was in has left. Gives the one that is in now in its place; `null`: none waited. */
  leave(key: string | null): Item | null {
    const lane = key === null ? undefined : this.#lanes.get(key)
    if (key === null || lane === undefined) return null
    const next = lane.waiting.shift()
    if (next !== undefined) {
      this.#waiting -= 1
      return next
    }
    lane.inside -= 1
    if (lane.inside === 0) this.#lanes.delete(key)
    return null
  }

  /** Removes waiting items for which `isOut` holds, in the order of each key. */
  takeOut(isOut: (item: Item) => boolean): readonly Item[] {
    const out = [...this.#lanes.values()].flatMap(({ waiting }) => waiting.takeOut(isOut))
    this.#waiting -= out.length
    return out
  }
}
