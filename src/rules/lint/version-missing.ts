import type { Event } from '../../model/event.ts'
import { lineageOf } from '../../model/lineage.ts'
import type { Problem } from '../../model/problem.ts'
import { versionOf } from '../../model/stamp.ts'
import { quote } from '../../schema/describe.ts'
import type { RuleTest, TestEvent } from '../rule-test-schema.ts'
import type { Rule } from '../rule.ts'
import { RenderError, type TextTemplate } from '../template.ts'
import type { Linted } from './linted.ts'

/**
 * A `version` that some topic's events do not have, as far as the tests beside the rule show them:
 * such an event is a dead letter, and rules of several topics are written with one of them in mind.
 * Told once for each topic.
 */
export function versionMissing(
  { rule, at, document }: Linted,
  tests: readonly RuleTest[],
): readonly Problem[] {
  const version = rule.dedup?.version ?? null
  if (version === null) return []
  const told = new Set<string>()
  // A case that expects a dead letter shows that this is known.
  const isMeant = ({ expect }: RuleTest): boolean => expect.some(({ kind }) => kind === 'dead')
  return tests
    .filter((test) => !isMeant(test))
    .flatMap(({ name, events }) => events.map((given) => ({ name, given })))
    .flatMap(({ name, given }) => {
      const why = told.has(given.topic) ? null : whyNone(rule, version, eventOf(given))
      if (why === null) return []
      told.add(given.topic)
      return [
        document.problemAt([...at, 'dedup', 'version'], 'value', {
          severity: 'warning',
          code: 'version-missing',
          message: `an event of ${given.topic} has no version, as in the test ${quote(name)}: ${why}`,
          hint: 'it would be a dead letter: read what it has in a section, `{{^event.rev}}..{{/event.rev}}`, or give such events a rule of their own',
        }),
      ]
    })
}

/** Why an event on which the rule acts has no version; `null`: it has one. */
function whyNone(rule: Rule, version: TextTemplate, event: Event): string | null {
  const fired = rule.topics.matches(event.record.topic) ? rule.fire(event) : null
  if (fired === null || fired.doubt !== null) return null
  const match = rule.ways[fired.way]?.captures(event) ?? {}
  const { lineage } = event
  const scope = { event, rule, match, item: undefined, steps: null, nowMs: 0, lineage }
  try {
    const text = version(scope)
    return versionOf(text) === null
      ? `${quote(text)} is neither a number nor an RFC 3339 time`
      : null
  } catch (error) {
    if (!(error instanceof RenderError)) throw error
    return error.message
  }
}

/** When the events of tests happen, which no version should hang on. */
const startMs = Date.UTC(2026, 0, 1)

function eventOf({ body, topic, key, headers, atMs, ageMs }: TestEvent): Event {
  const record = {
    topic,
    partition: 0,
    offset: 0n,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(JSON.stringify(body)),
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
    timestampMs: startMs + atMs - ageMs,
  }
  const id = `${topic}/0/0`
  return { id, record, body, lineage: lineageOf(record.headers, id, record.timestampMs) }
}
