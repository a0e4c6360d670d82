import type { Event } from '../../model/event.ts'
import type { Rule } from '../rule.ts'
import { Candidates } from './candidates.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { needOf, type Need } from './need.ts'
import type { PathPlan } from './path-plan.ts'
import { PathTree, type PathNode } from './path-tree.ts'
import type { PostingList, Second } from './posting.ts'

/** A rule that every event of its topics, or every one with some field, makes a candidate. */
export interface Residual {
  readonly rule: Rule
  /** For people: what the index would need. */
  readonly why: string
}

/**
 * Narrows an event to the rules that could fire for it or be in doubt; each of them then decides by
 * its own check. Why it is built as it is: docs/decisions/match-index.md.
 *
 * Immutable once built, but for marks that a walk leaves: one walk at a time.
 */
export class MatchIndex {
  readonly rules: readonly Rule[]
  /** Rules that are filed nowhere, or only by the presence of a field though they ask for more. */
  readonly residual: readonly Residual[]
  readonly #plan: PathPlan
  readonly #always: readonly number[]
  readonly #found: Candidates

  private constructor(rules: readonly Rule[], { plan, always, residual }: Filed) {
    this.rules = rules
    this.residual = residual
    this.#plan = plan
    this.#always = always
    this.#found = new Candidates(rules.length)
  }

  static *of(rules: readonly Rule[]): Slices<MatchIndex> {
    return new MatchIndex(rules, yield* fileRules(rules))
  }

  /** Numbers of rules, in no order; they are good until the next call. Hot: called for every event. */
  candidates(event: Event): Candidates {
    const found = this.#found
    const always = this.#always
    found.begin()
    for (let i = 0; i < always.length; i++) found.add(always[i] as number) // as: an index of it; hot
    this.#plan.walk(event, found)
    found.end(event)
    return found
  }
}

interface Filed {
  readonly plan: PathPlan
  readonly always: readonly number[]
  readonly residual: readonly Residual[]
}

/**
 * Files in three passes: the first counts what all rules ask for, the second finds paths that can be
 * spared, the third picks the cheapest keys of each. What rules need is found out in each anew, since
 * to keep it would take more memory than all the index.
 */
function* fileRules(rules: readonly Rule[]): Slices<Filed> {
  const tree = new PathTree()
  const pause = pauseAfter(200)
  for (const rule of rules) {
    const need = needOfRule(rule, tree)
    if (need !== null && pause(count(need))) yield
  }
  const spared = yield* sparedPaths(rules, tree)
  const always: number[] = []
  const lists: PostingList[] = []
  const seconds: (Second | null)[] = []
  const residual: Residual[] = []
  for (const [number, rule] of rules.entries()) {
    const need = needOfRule(rule, tree)
    const keys = need === null ? [] : cheapest(need, spared).keys
    for (const { key, node } of keys) yield* node.fileHere().file(key, { rule: number, lists })
    seconds.push(need === null ? null : secondOf(need, keys))
    if (keys.length === 0) always.push(number)
    const why = whyResidual(rule, keys)
    if (why !== null) residual.push({ rule, why })
    if (pause(1 + keys.length)) yield
  }
  for (const list of lists) {
    list.split((number) => seconds[number] ?? null)
    if (pause(1)) yield
  }
  const plan = yield* tree.plan()
  return { plan, always, residual }
}

/** `when` and none of `unless`, and then one of the ways. */
function needOfRule({ condition, ways }: Rule, tree: PathTree): Need | null {
  const conditions = ways.map((way) => way.condition)
  const ofWays = conditions.filter((one) => one !== null)
  if (ofWays.length < ways.length) return needOf(condition, tree)
  const { at } = condition
  return needOf({ kind: 'all', of: [condition, { kind: 'any', of: ofWays, at }], at }, tree)
}

/** How many keys there are. */
function count(need: Need): number {
  if (need.kind === 'key') {
    need.node.population.count(need.key)
    return 1
  }
  return need.of.reduce((keys, one) => keys + count(one), 0)
}

type PlacedKey = Extract<Need, { kind: 'key' }>

interface Choice {
  readonly cost: number
  /** Of the events that make the rule a candidate. */
  readonly share: number
  readonly keys: readonly PlacedKey[]
}

/** Of endless cost if a rule cannot do without the paths that are `spared`. */
function cheapest(need: Need, spared: ReadonlySet<PathNode>): Choice {
  if (need.kind === 'key') {
    const { key, node } = need
    if (spared.has(node)) return { cost: Infinity, share: Infinity, keys: [need] }
    return { cost: node.population.costOf(key), share: node.population.shareOf(key), keys: [need] }
  }
  const choices = need.of.map((one) => cheapest(one, spared))
  if (need.kind === 'all') return choices.reduce((best, one) => (one.cost < best.cost ? one : best))
  return {
    cost: choices.reduce((cost, one) => cost + one.cost, 0),
    share: choices.reduce((share, one) => share + one.share, 0),
    keys: choices.flatMap(({ keys }) => keys),
  }
}

/** What it takes to file the rules elsewhere that are cheapest at one path. */
interface Detour {
  /** Candidates more an event. */
  candidates: number
  readonly over: Set<PathNode>
}

/** Candidates more an event that a path less is worth: it costs as much as half a check at least. */
const detourMax = 0.1

/**
 * Paths that the index does without: those of rules that are hardly dearer at another path, as a
 * rule for a user of some domain is found by either. Measured: 40 of 580 ns an event.
 */
function* sparedPaths(rules: readonly Rule[], tree: PathTree): Slices<ReadonlySet<PathNode>> {
  const pause = pauseAfter(200)
  const detours = new Map<PathNode, Detour>()
  for (const rule of rules) {
    const need = needOfRule(rule, tree)
    if (need === null) continue
    const best = cheapest(need, new Set())
    for (const node of new Set(best.keys.map((key) => key.node))) {
      let detour = detours.get(node)
      if (detour === undefined) detours.set(node, (detour = { candidates: 0, over: new Set() }))
      if (detour.candidates > detourMax) continue
      const other = cheapest(need, new Set([node]))
      detour.candidates += other.keys.some(isPresence) ? Infinity : other.share - best.share
      for (const key of other.keys) detour.over.add(key.node)
    }
    if (pause(1 + best.keys.length)) yield
  }
  const spared = new Set<PathNode>()
  const kept = new Set<PathNode>()
  const byCost = [...detours].sort(([, a], [, b]) => a.candidates - b.candidates)
  for (const [node, { candidates, over }] of byCost) {
    // Nothing is won by a path instead of another one.
    if (![...over].every((one) => detours.has(one))) continue
    if (candidates > detourMax || kept.has(node) || [...over].some((one) => spared.has(one)))
      continue
    spared.add(node)
    for (const one of over) kept.add(one)
  }
  return spared
}

/** Common, whatever the guess is. */
function isPresence({ key }: PlacedKey): boolean {
  return key.kind === 'present' || key.kind === 'absent'
}

/** The rarest single value that a rule asks for beside the keys that it is filed under. */
function secondOf(need: Need, keys: readonly PlacedKey[]): Second | null {
  let best: { readonly second: Second; readonly cost: number } | null = null
  for (const { key, node } of neededKeys(need)) {
    if (key.kind !== 'one-of' || key.ci || key.values.size > 1 || !node.isSingle) continue
    if (keys.some((one) => one.node === node)) continue
    const cost = node.population.costAsSecond(key)
    const [value] = key.values
    if (value === undefined || (best !== null && best.cost <= cost)) continue
    best = { second: { node, value }, cost }
  }
  return best?.second ?? null
}

/** Those that are all needed. */
function neededKeys(need: Need): readonly PlacedKey[] {
  switch (need.kind) {
    case 'key':
      return [need]
    case 'all':
      return need.of.flatMap(neededKeys)
    case 'any':
      return []
  }
}

function whyResidual({ condition, ways }: Rule, keys: readonly PlacedKey[]): string | null {
  if (keys.length === 0) {
    const asks = !isEmpty(condition) || ways.some((way) => way.condition !== null)
    return asks ? 'nothing that it asks for can be looked up' : 'it asks for nothing'
  }
  for (const { key } of keys) if (key.kind === 'present' && key.beyond !== null) return key.beyond
  return null
}

function isEmpty(condition: Rule['condition']): boolean {
  return condition.kind === 'all' && condition.of.every(isEmpty)
}
