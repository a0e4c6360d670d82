import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { RuleShape } from './rule-schema.ts'

/**
 * Refuses what is read in full and not carried out yet, once nothing else is wrong with it: a rule
 * that says it would otherwise do something else than it says.
 */
export function refuseNotBuiltYet(shape: RuleShape, at: At, reporter: Reporter): void {
  const { rate, breaker, concurrency } = shape
  const refuse = (below: At, what: string): void =>
    reporter.errorAtKey([...at, ...below], 'not-supported-yet', `\`${what}\` is not supported yet`)
  if (rate !== undefined) refuse(['rate'], 'rate')
  if (breaker !== undefined) refuse(['breaker'], 'breaker')
  if (typeof concurrency === 'object' && concurrency.scope === 'cluster') {
    refuse(['concurrency', 'scope'], 'scope: cluster')
  }
}

/** The template in it, which stands in the rule at `rate.key`; `null`: there is none. */
export function laterKeyOf({ rate }: RuleShape): string | null {
  return rate !== undefined && 'key' in rate ? (rate.key ?? null) : null
}
