import type { Event } from '../model/event.ts'
import type { Rule } from './rule.ts'

/** Topics remembered with their rules; above it the oldest is looked up anew. */
const topicsRemembered = 10_000

/**
 * The rules of one load, and the way from an event to those of them that fire. Immutable: a reload
 * makes a new one. Today every rule of a topic is asked; the index of step 2 takes this place.
 */
export class RuleSet {
  readonly rules: readonly Rule[]
  readonly #byName: ReadonlyMap<string, Rule>
  readonly #byTopic = new Map<string, readonly Rule[]>()

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    this.#byName = new Map(rules.map((rule) => [rule.name, rule]))
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
  firing(lane: string, event: Event): readonly Rule[] {
    return this.#rulesOn(event.record.topic).filter(
      (rule) => rule.lane === lane && rule.matches(event),
    )
  }

  #rulesOn(topic: string): readonly Rule[] {
    const known = this.#byTopic.get(topic)
    if (known !== undefined) return known
    const rules = this.rules.filter((rule) => rule.topics.matches(topic))
    if (this.#byTopic.size >= topicsRemembered) this.#byTopic.clear()
    this.#byTopic.set(topic, rules)
    return rules
  }
}
