import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { RuleShape } from './rule-schema.ts'

/**
 * Refuses what is read in full and not carried out yet, once nothing else is wrong with it: a rule
 * that says it would otherwise do something else than it says.
 */
export function refuseNotBuiltYet(shape: RuleShape, at: At, reporter: Reporter): void {
  const { order, dedup, rate, breaker, concurrency, key } = shape
  const refuse = (below: At, what: string): void =>
    reporter.errorAtKey([...at, ...below], 'not-supported-yet', `\`${what}\` is not supported yet`)
  const lacksKey = (below: At, message: string): void =>
    reporter.errorAtKey([...at, ...below], 'missing-key', message, 'write `key: "{{event.id}}"`')
  if (order === 'key') {
    if (key !== undefined) refuse(['order'], 'order: key')
    else lacksKey(['order'], '`order: key` needs the `key` of the rule')
  }
  if (dedup !== undefined) {
    if (key !== undefined || dedup.key !== undefined) refuse(['dedup'], 'dedup')
    else lacksKey(['dedup'], '`dedup` needs a `key`, its own or that of the rule')
  }
  if (rate !== undefined) refuse(['rate'], 'rate')
  if (breaker !== undefined) refuse(['breaker'], 'breaker')
  if (concurrency === undefined || typeof concurrency === 'number') return
  if (concurrency.per_key !== undefined) {
    if (key !== undefined) refuse(['concurrency', 'per_key'], 'per_key')
    else lacksKey(['concurrency', 'per_key'], '`per_key` needs the `key` of the rule')
  }
  if (concurrency.scope === 'cluster') refuse(['concurrency', 'scope'], 'scope: cluster')
}

/** The templates in it, with where they stand in the rule. */
export function laterTemplatesOf({ dedup, rate }: RuleShape): readonly (readonly [At, string])[] {
  const texts: readonly (readonly [At, string | undefined])[] = [
    [['dedup', 'key'], dedup?.key],
    [['dedup', 'version'], dedup?.version],
    [['rate', 'key'], rate !== undefined && 'key' in rate ? rate.key : undefined],
  ]
  return texts.flatMap(([below, text]) => (text === undefined ? [] : [[below, text] as const]))
}
