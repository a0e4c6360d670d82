import type { Config } from '../../config/config.ts'
import { ownTopics } from '../../engine/own-topics.ts'
import type { Problem } from '../../model/problem.ts'
import { actionsOf, type Rule } from '../../rules/rule.ts'
import { didYouMean } from '../../schema/did-you-mean.ts'
import type { CheckPlaces } from './places.ts'

export interface TopicParts {
  readonly config: Config
  /** Empty where the rules do not load. */
  readonly rules: readonly Rule[]
  readonly places: CheckPlaces
}

/**
 * Topics that rules read or emit to and that are not on the bus. `bus.ensure_topics` decides what that
 * means: with `create` the first start makes them, so that a name that nobody writes to stays a slip
 * to be warned of; with `check` the daemon does not start without them; with `off` a rule that reads
 * one never fires.
 */
export function topicProblems(
  existing: ReadonlySet<string>,
  { config, rules, places }: TopicParts,
): readonly Problem[] {
  const { ensureTopics } = config.bus
  const severity = ensureTopics === 'create' ? 'warning' : 'error'
  const meaning = {
    create: 'the first start makes it',
    check: 'with bus.ensure_topics: check the daemon does not start without it',
    off: 'with bus.ensure_topics: off nobody makes it',
  }[ensureTopics]
  const told = new Set<string>()
  const missing = (topic: string): boolean => {
    if (existing.has(topic) || told.has(topic)) return false
    told.add(topic)
    return true
  }
  const ofRules = rules.flatMap((rule) => {
    const { names, globs, matches } = rule.topics
    const emitted = actionsOf(rule).flatMap(({ emitsTo }) => emitsTo ?? [])
    const wanted = [
      ...names.map((topic) => ({ topic, does: 'reads' })),
      ...emitted.map((topic) => ({ topic, does: 'emits to' })),
    ]
    const absent = wanted
      .filter(({ topic }) => missing(topic))
      .map(({ topic, does }) =>
        places.ofRule(rule, {
          severity,
          code: 'topic-missing',
          message: `\`${rule.name}\` ${does} ${topic}, and there is no such topic; ${meaning}`,
          hint: didYouMean(topic, existing),
        }),
      )
    const fitsNone = names.length === 0 && globs.length > 0 && ![...existing].some(matches)
    if (!fitsNone) return absent
    const fitting = places.ofRule(rule, {
      severity: 'warning',
      code: 'topic-missing',
      message: `\`${rule.name}\` reads ${globs.join(', ')}, which no topic fits`,
      hint: 'one that is made later is read without a restart',
    })
    return [fitting, ...absent]
  })
  return [...ofRules, ...ownProblems(existing, config, places)]
}

/** Our own, without which `check` does not let the daemon start. */
function ownProblems(
  existing: ReadonlySet<string>,
  config: Config,
  places: CheckPlaces,
): readonly Problem[] {
  const { bus, retry } = config
  if (bus.ensureTopics !== 'check') return []
  const named = [...ownTopics(bus.prefix, retry.tiersMs).all, ...Object.keys(bus.topics)]
  const absent = named.filter((topic) => !existing.has(topic))
  if (absent.length === 0) return []
  const complaint = {
    severity: 'error',
    code: 'topic-missing',
    message: `topics that the config needs are not there: ${absent.join(', ')}`,
    hint: 'make them, or let Sluice do it with bus.ensure_topics: create',
  } as const
  return [places.ofConfig(['bus', 'ensure_topics'], complaint)]
}
