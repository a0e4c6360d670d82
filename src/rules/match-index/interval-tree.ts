import type { Interval } from '../condition.ts'
import type { Candidates } from './candidates.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import type { Filing } from './posting.ts'

/*
 * Finds the intervals that hold a number, in steps that follow the logarithm of their number and
 * how many are found. A balanced tree without pointers: intervals lie sorted by their lower end, the
 * middle one of a stretch is its root, and with it is kept the highest upper end of the stretch, so
 * that a stretch that ends too low is left out as a whole.
 *
 * Ends count as closed. A number that is an open end makes one candidate too many, which the rule's
 * own check refuses.
 */
export class IntervalTree {
  #added: { readonly min: number; readonly max: number; readonly rule: number }[] = []
  #mins = new Float64Array(0)
  #maxs = new Float64Array(0)
  #highest = new Float64Array(0)
  #rules = new Int32Array(0)

  add({ min, max }: Interval, { rule }: Filing): void {
    this.#added.push({ min, max, rule })
  }

  *finish(): Slices<void> {
    const pause = pauseAfter(10_000)
    const order = yield* sorted(this.#added.map(({ min }) => min))
    this.#mins = new Float64Array(order.length)
    this.#maxs = new Float64Array(order.length)
    this.#highest = new Float64Array(order.length)
    this.#rules = new Int32Array(order.length)
    for (let i = 0; i < order.length; i++) {
      const interval = this.#added[order[i] ?? 0]
      if (interval === undefined) continue
      this.#mins[i] = interval.min
      this.#maxs[i] = interval.max
      this.#rules[i] = interval.rule
      if (pause(1)) yield
    }
    this.#added = []
    this.#setHighest(0, order.length)
  }

  #setHighest(start: number, end: number): number {
    if (start === end) return -Infinity
    const middle = (start + end) >>> 1
    const highest = Math.max(
      this.#maxs[middle] ?? 0,
      this.#setHighest(start, middle),
      this.#setHighest(middle + 1, end),
    )
    this.#highest[middle] = highest
    return highest
  }

  /** Hot: called for every event and path. */
  lookUp(value: number, found: Candidates): void {
    this.#lookIn(0, this.#mins.length, value, found)
  }

  #lookIn(first: number, end: number, value: number, found: Candidates): void {
    let start = first
    while (start < end) {
      const middle = (start + end) >>> 1
      // as, here and below: `middle` is an index; hot
      if ((this.#highest[middle] as number) < value) return
      if ((this.#mins[middle] as number) > value) {
        end = middle
        continue
      }
      this.#lookIn(start, middle, value, found)
      if ((this.#maxs[middle] as number) >= value) found.add(this.#rules[middle] as number)
      start = middle + 1
    }
  }
}

const runLength = 2_048

/** The indices of `values` in the order of what they stand for: a merge sort that can be put aside. */
function* sorted(values: readonly number[]): Slices<Int32Array> {
  let from = Int32Array.from(values.keys())
  let to = new Int32Array(values.length)
  const valueAt = (order: Int32Array, i: number): number => values[order[i] ?? 0] ?? 0
  for (let start = 0; start < from.length; start += runLength) {
    from.subarray(start, start + runLength).sort((a, b) => compare(values[a] ?? 0, values[b] ?? 0))
    yield
  }
  const pause = pauseAfter(10_000)
  for (let length = runLength; length < from.length; length *= 2) {
    for (let start = 0; start < from.length; start += 2 * length) {
      const middle = Math.min(start + length, from.length)
      const end = Math.min(start + 2 * length, from.length)
      let left = start
      let right = middle
      for (let i = start; i < end; i++) {
        const isLeft =
          right === end || (left < middle && valueAt(from, left) <= valueAt(from, right))
        to[i] = from[isLeft ? left++ : right++] ?? 0
        if (pause(1)) yield
      }
    }
    const spare = from
    from = to
    to = spare
  }
  return from
}

/** Ends may be infinite, whose difference is no number. */
function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b)
}
