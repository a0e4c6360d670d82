import type { Event } from '../../model/event.ts'
import type { Rule } from '../rule.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { MatchIndex, type Residual } from './match-index.ts'
import type { Positions } from './positions.ts'

/*
 * Rules that are asked for the same topics, and the index of them. An index is never changed: what
 * comes is put into a second, small one, and what goes is struck out, until that is so much that one
 * new index is made of all. So a change costs what it changes, an event meets two indexes at most,
 * and the set before it stays whole while it is made.
 */

/** Where rules stand in the whole set. */
export type PositionOf = ReadonlyMap<Rule, number>

/** So many rules are always put into the small index: making it anew for each change is nothing. */
const freshAlways = 64

/** A share of the large index: above it, all is made anew. */
const freshShareMax = 0.25
const liveShareMin = 0.5

export class RuleGroup {
  readonly #main: Segment
  readonly #fresh: Segment | null

  private constructor(main: Segment, fresh: Segment | null) {
    this.#main = main
    this.#fresh = fresh
  }

  static *of(rules: readonly Rule[], positionOf: PositionOf): Slices<RuleGroup> {
    return new RuleGroup(yield* segmentOf(rules, positionOf), null)
  }

  /** The group of the rules that are in `positionOf` still, and of `added`; `null`: it has no rules. */
  *changed(added: readonly Rule[], positionOf: PositionOf): Slices<RuleGroup | null> {
    const main = yield* moved(this.#main, positionOf)
    const old = this.#fresh === null ? [] : yield* liveRules(this.#fresh, positionOf)
    const fresh = yield* notIn(main, [...old, ...added])
    if (fresh.length + main.live === 0) return null
    const size = main.index.rules.length
    const isTooMuch =
      fresh.length > Math.max(freshAlways, size * freshShareMax) || main.live < size * liveShareMin
    if (!isTooMuch) {
      return new RuleGroup(main, fresh.length === 0 ? null : yield* segmentOf(fresh, positionOf))
    }
    return yield* RuleGroup.of([...(yield* liveRules(main, positionOf)), ...fresh], positionOf)
  }

  /** Puts the positions of all rules that could fire into `found`, in no order. Hot. */
  find(event: Event, found: Positions): void {
    findIn(this.#main, event, found)
    if (this.#fresh !== null) findIn(this.#fresh, event, found)
  }

  /** Of the rules that are in the group still. */
  get residual(): readonly Residual[] {
    const { residual } = this.#main.index
    const live = new Set(
      this.#main.index.rules.filter((_rule, i) => this.#main.positions[i] !== gone),
    )
    const ofMain = residual.filter(({ rule }) => live.has(rule))
    return [...ofMain, ...(this.#fresh?.index.residual ?? [])]
  }
}

/** An index, and where its rules stand in the set. */
interface Segment {
  readonly index: MatchIndex
  readonly positions: Int32Array
  /** How many are not gone. */
  readonly live: number
}

/** The position of a rule that is in the index and no longer in the set. */
const gone = -1

function* segmentOf(rules: readonly Rule[], positionOf: PositionOf): Slices<Segment> {
  const index = yield* MatchIndex.of(rules)
  return yield* placed(index, positionOf)
}

function moved({ index }: Segment, positionOf: PositionOf): Slices<Segment> {
  return placed(index, positionOf)
}

function* placed(index: MatchIndex, positionOf: PositionOf): Slices<Segment> {
  const pause = pauseAfter(5_000)
  const positions = new Int32Array(index.rules.length)
  let live = 0
  for (const [i, rule] of index.rules.entries()) {
    const position = positionOf.get(rule) ?? gone
    positions[i] = position
    if (position !== gone) live++
    if (pause(1)) yield
  }
  return { index, positions, live }
}

function* liveRules({ index }: Segment, positionOf: PositionOf): Slices<readonly Rule[]> {
  const pause = pauseAfter(5_000)
  const live: Rule[] = []
  for (const rule of index.rules) {
    if (positionOf.has(rule)) live.push(rule)
    if (pause(1)) yield
  }
  return live
}

/**
 * Those of `rules` that are not in the index, each once. A rule that comes back is in it still, and
 * no longer struck out: filed anew as well, it would fire twice.
 */
function* notIn({ index }: Segment, rules: readonly Rule[]): Slices<readonly Rule[]> {
  const pause = pauseAfter(5_000)
  const left = new Set(rules)
  for (const rule of index.rules) {
    left.delete(rule)
    if (pause(1)) yield
  }
  return [...left]
}

function findIn({ index, positions }: Segment, event: Event, found: Positions): void {
  const candidates = index.candidates(event)
  const { count } = candidates
  for (let i = 0; i < count; i++) {
    const position = positions[candidates.at(i)] as number // as: the index numbers its own rules; hot
    if (position !== gone) found.push(position)
  }
}
