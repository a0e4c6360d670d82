import type { Event } from '../model/event.ts'
import {
  pauseAfter,
  runAtOnce,
  runInSlices,
  type Breathe,
  type Slices,
} from './match-index/in-slices.ts'
import type { Residual } from './match-index/match-index.ts'
import { Positions } from './match-index/positions.ts'
import { RuleGroup, type PositionOf } from './match-index/rule-group.ts'
import type { Firing, Rule } from './rule.ts'

/** Topics remembered with their groups, per lane; above it they are looked up anew. */
const topicsRemembered = 10_000

/**
 * The rules of one load, and the way from an event to those of them that fire: by lane and topic to
 * groups of rules, by the index of each group to the few that could fire, and those are asked.
 *
 * Immutable: a change makes a new one, which shares with this what has not changed.
 */
export class RuleSet {
  readonly rules: readonly Rule[]
  readonly #filed: Filed
  readonly #found: Positions
  #lastLane: string | null = null
  #lastTopic: string | null = null
  #lastGroups: readonly RuleGroup[] = []

  /** Builds all in one go; what has to let others go first in between calls `build`. */
  constructor(rules: readonly Rule[], filed: Filed = runAtOnce(fileRules(rules, null))) {
    this.rules = rules
    this.#filed = filed
    this.#found = new Positions(rules.length)
  }

  /** Calls `breathe` every millisecond or so. */
  static async build(rules: readonly Rule[], breathe: Breathe): Promise<RuleSet> {
    return new RuleSet(rules, await runInSlices(fileRules(rules, null), breathe))
  }

  /**
   * The set without `dropped` and with `added`. A rule that has the name of a dropped one takes its
   * place, the others come last. What is neither stays filed as it is. This set remains as it was.
   *
   * A rule whose selector has come to mean other topics, as `unclaimed` does when another rule names
   * one, is both dropped and added.
   */
  async changed(
    { added, dropped }: { readonly added: readonly Rule[]; readonly dropped: readonly Rule[] },
    breathe: Breathe,
  ): Promise<RuleSet> {
    const rules = changedRules(this.rules, added, dropped)
    const before = { filed: this.#filed, added }
    return new RuleSet(rules, await runInSlices(fileRules(rules, before), breathe))
  }

  byName(name: string): Rule | undefined {
    return this.#filed.byName.get(name)
  }

  /** Of `existing`, and of the names that rules write out, those that rules of `lane` read. */
  topicsOf(lane: string, existing: readonly string[]): readonly string[] {
    return this.#filed.lanes.get(lane)?.topics(existing) ?? []
  }

  /** The rules of `lane` whose match holds, disabled ones included: those are skips with a reason. */
  firing(lane: string, event: Event): readonly Firing[] {
    const groups = this.#groupsFor(lane, event.record.topic)
    if (groups.length === 0) return none
    const found = this.#found
    found.clear()
    for (let i = 0; i < groups.length; i++) groups[i]?.find(event, found)
    if (found.count === 0) return none
    found.sort()
    return this.#fire(event, found)
  }

  /** Events of one topic mostly come in a row. */
  #groupsFor(lane: string, topic: string): readonly RuleGroup[] {
    if (lane === this.#lastLane && topic === this.#lastTopic) return this.#lastGroups
    this.#lastGroups = this.#filed.lanes.get(lane)?.on(topic) ?? []
    this.#lastLane = lane
    this.#lastTopic = topic
    return this.#lastGroups
  }

  #fire(event: Event, found: Positions): readonly Firing[] {
    let firings: Firing[] | null = null
    for (let i = 0; i < found.count; i++) {
      const rule = this.rules[found.at(i)] as Rule // as: positions are those of this list; hot
      const fired = rule.fire(event)
      if (fired === null) continue
      const firing: Firing = { rule, way: fired.way, doubt: fired.doubt }
      // One is the rule: a list that is made empty gets room for seventeen with the first.
      if (firings === null) firings = [firing]
      else firings.push(firing)
    }
    return firings ?? none
  }

  /** The rules that every event of their topics makes candidates, and why; for `check`. */
  get residual(): readonly Residual[] {
    const byRule = new Map<Rule, Residual>()
    for (const lane of this.#filed.lanes.values()) {
      for (const residual of lane.residual()) byRule.set(residual.rule, residual)
    }
    return this.rules.flatMap((rule) => byRule.get(rule) ?? [])
  }
}

/** One list for all events for which nothing fires. */
const none: readonly Firing[] = []

function changedRules(
  rules: readonly Rule[],
  added: readonly Rule[],
  dropped: readonly Rule[],
): readonly Rule[] {
  const gone = new Set(dropped)
  const coming = new Map(added.map((rule) => [rule.name, rule]))
  const staying = rules.flatMap((rule) => {
    if (!gone.has(rule)) return [rule]
    const successor = coming.get(rule.name)
    coming.delete(rule.name)
    return successor ?? []
  })
  return [...staying, ...coming.values()]
}

interface Filed {
  readonly byName: ReadonlyMap<string, Rule>
  readonly lanes: ReadonlyMap<string, LaneRules>
}

interface Before {
  readonly filed: Filed
  /** Those of the rules that are not filed in it. */
  readonly added: readonly Rule[]
}

/** Files all of `rules`; with a set before them, only what is not filed there. */
function* fileRules(rules: readonly Rule[], before: Before | null): Slices<Filed> {
  const pause = pauseAfter(5_000)
  const positionOf = new Map<Rule, number>()
  const byName = new Map<string, Rule>()
  for (const [position, rule] of rules.entries()) {
    positionOf.set(rule, position)
    byName.set(rule.name, rule)
    if (pause(1)) yield
  }
  const coming = yield* groupedByLane(before?.added ?? rules)
  const lanes = new Map<string, LaneRules>()
  for (const name of new Set([...(before?.filed.lanes.keys() ?? []), ...coming.keys()])) {
    const lane = before?.filed.lanes.get(name) ?? LaneRules.empty
    const changed = yield* lane.changed(coming.get(name) ?? [], positionOf)
    if (!changed.isEmpty) lanes.set(name, changed)
  }
  return { byName, lanes }
}

function* groupedByLane(rules: readonly Rule[]): Slices<ReadonlyMap<string, readonly Rule[]>> {
  const pause = pauseAfter(5_000)
  const lanes = new Map<string, Rule[]>()
  for (const rule of rules) {
    append(lanes, rule.lane, rule)
    if (pause(1)) yield
  }
  return lanes
}

/** Rules that read topics by wildcard, and which topics those are. */
interface SelectorGroup {
  readonly names: readonly string[]
  readonly matches: (topic: string) => boolean
  readonly group: RuleGroup
}

/**
 * The rules of one lane. A topic that a rule names has a group; rules with wildcards have one for
 * each selector, and which selectors match a topic is found out once, when it turns up.
 */
class LaneRules {
  static readonly empty = new LaneRules(new Map(), new Map())

  readonly #byName: ReadonlyMap<string, RuleGroup>
  readonly #bySelector: ReadonlyMap<string, SelectorGroup>
  readonly #byTopic = new Map<string, readonly RuleGroup[]>()

  private constructor(
    byName: ReadonlyMap<string, RuleGroup>,
    bySelector: ReadonlyMap<string, SelectorGroup>,
  ) {
    this.#byName = byName
    this.#bySelector = bySelector
  }

  get isEmpty(): boolean {
    return this.#byName.size === 0 && this.#bySelector.size === 0
  }

  /** The lane without the rules that have no position, and with `added`. */
  *changed(added: readonly Rule[], positionOf: PositionOf): Slices<LaneRules> {
    const pause = pauseAfter(5_000)
    const byName = new Map<string, Rule[]>()
    const bySelector = new Map<string, Rule[]>()
    for (const rule of added) {
      const { names, globs, text } = rule.topics
      if (globs.length > 0) append(bySelector, text, rule)
      else for (const name of new Set(names)) append(byName, name, rule)
      if (pause(1 + names.length)) yield
    }
    const groups = new Map<string, RuleGroup>()
    for (const name of new Set([...this.#byName.keys(), ...byName.keys()])) {
      const group = yield* changedGroup(this.#byName.get(name), byName.get(name) ?? [], positionOf)
      if (group !== null) groups.set(name, group)
    }
    const selectors = new Map<string, SelectorGroup>()
    for (const text of new Set([...this.#bySelector.keys(), ...bySelector.keys()])) {
      const before = this.#bySelector.get(text)
      const coming = bySelector.get(text) ?? []
      const group = yield* changedGroup(before?.group, coming, positionOf)
      const topics = coming[0]?.topics ?? before
      if (group === null || topics === undefined) continue
      selectors.set(text, { names: topics.names, matches: topics.matches, group })
    }
    return new LaneRules(groups, selectors)
  }

  on(topic: string): readonly RuleGroup[] {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const named = this.#byName.get(topic)
    const groups = named === undefined ? [] : [named]
    for (const { matches, group } of this.#bySelector.values()) {
      if (matches(topic)) groups.push(group)
    }
    if (this.#byTopic.size >= topicsRemembered) this.#byTopic.clear()
    this.#byTopic.set(topic, groups)
    return groups
  }

  topics(existing: readonly string[]): readonly string[] {
    const selectors = [...this.#bySelector.values()]
    const topics = new Set([...this.#byName.keys(), ...selectors.flatMap(({ names }) => names)])
    for (const topic of existing) {
      if (selectors.some(({ matches }) => matches(topic))) topics.add(topic)
    }
    return [...topics].sort()
  }

  residual(): readonly Residual[] {
    const groups = [
      ...this.#byName.values(),
      ...[...this.#bySelector.values()].map((one) => one.group),
    ]
    return groups.flatMap(({ residual }) => residual)
  }
}

function* changedGroup(
  before: RuleGroup | undefined,
  added: readonly Rule[],
  positionOf: PositionOf,
): Slices<RuleGroup | null> {
  if (before !== undefined) return yield* before.changed(added, positionOf)
  return added.length === 0 ? null : yield* RuleGroup.of(added, positionOf)
}

function append(lists: Map<string, Rule[]>, key: string, rule: Rule): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [rule])
  else list.push(rule)
}
