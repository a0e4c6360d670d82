import type { Event } from '../model/event.ts'
import type { Firing, Rule } from './rule.ts'

/** Topics remembered with their rules, per lane; above it they are looked up anew. */
const topicsRemembered = 10_000

/**
 * The rules of one load, and the way from an event to those of them that fire. Immutable: a reload
 * makes a new one. Today every rule of a topic is asked; the index of step 2 takes this place.
 */
export class RuleSet {
  readonly rules: readonly Rule[]
  readonly #byName: ReadonlyMap<string, Rule>
  readonly #lanes = new Map<string, LaneRules>()

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    this.#byName = new Map(rules.map((rule) => [rule.name, rule]))
    for (const [lane, ofLane] of groupedByLane(rules)) this.#lanes.set(lane, new LaneRules(ofLane))
  }

  byName(name: string): Rule | undefined {
    return this.#byName.get(name)
  }

  /** Of `existing`, and of the names that rules write out, those that rules of `lane` read. */
  topicsOf(lane: string, existing: readonly string[]): readonly string[] {
    const rules = this.rules.filter((rule) => rule.lane === lane)
    const topics = new Set(rules.flatMap((rule) => rule.topics.names))
    for (const topic of existing) {
      if (rules.some((rule) => rule.topics.matches(topic))) topics.add(topic)
    }
    return [...topics].sort()
  }

  /** The rules of `lane` whose match holds, disabled ones included: those are skips with a reason. */
  firing(lane: string, event: Event): readonly Firing[] {
    const rules = this.#lanes.get(lane)?.on(event.record.topic) ?? []
    return rules.flatMap((rule) => {
      const fired = rule.fire(event)
      return fired === null ? [] : [{ rule, ...fired }]
    })
  }
}

function groupedByLane(rules: readonly Rule[]): ReadonlyMap<string, readonly Rule[]> {
  const lanes = new Map<string, Rule[]>()
  for (const rule of rules) {
    const ofLane = lanes.get(rule.lane)
    if (ofLane === undefined) lanes.set(rule.lane, [rule])
    else ofLane.push(rule)
  }
  return lanes
}

/** The rules of one lane, by topic as topics turn up: globs are matched once per topic. */
class LaneRules {
  readonly #rules: readonly Rule[]
  readonly #byTopic = new Map<string, readonly Rule[]>()

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  on(topic: string): readonly Rule[] {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const rules = this.#rules.filter((rule) => rule.topics.matches(topic))
    if (this.#byTopic.size >= topicsRemembered) this.#byTopic.clear()
    this.#byTopic.set(topic, rules)
    return rules
  }
}
