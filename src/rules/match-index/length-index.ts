import type { Candidates } from './candidates.ts'
import { give, withRule, type Filing, type Posting } from './posting.ts'

/**
 * The rules whose regexes are in doubt once the texts at one path are too long: all those that a
 * walk reads there together, since below the elements of a list a path has many values.
 */
export class LengthIndex {
  /** By the units that may be read; one or two bounds at most paths. */
  readonly #byBound = new Map<number, Posting>()
  #least = Infinity
  /** The walk that `#units` were counted in. */
  #walk = 0
  #units = 0

  add(unitsMax: number, filing: Filing): void {
    this.#byBound.set(unitsMax, withRule(this.#byBound.get(unitsMax), filing))
    this.#least = Math.min(this.#least, unitsMax)
  }

  /** Counts a text of a walk. Hot. */
  read(units: number, found: Candidates): void {
    if (this.#walk !== found.walk) {
      this.#walk = found.walk
      this.#units = 0
    }
    const before = this.#units
    this.#units += units
    if (this.#units <= this.#least) return
    for (const [unitsMax, posting] of this.#byBound) {
      if (before <= unitsMax && this.#units > unitsMax) give(posting, found)
    }
  }
}
