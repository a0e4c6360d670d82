import type { Config } from '../../config/config.ts'
import type { Rule } from '../../rules/rule.ts'

/**
 * Names of rules that rest on a store which the daemons of other machines do not see, although these
 * may read the same topics: on Kafka, with the embedded store. Empty: nothing to be told.
 */
export function rulesOfOneMachine(
  { bus, store }: Pick<Config, 'bus' | 'store'>,
  rules: readonly Rule[],
): readonly string[] {
  if (bus.kind !== 'kafka' || store.kind !== 'embedded') return []
  return rules
    .filter(({ dedup, order }) => dedup !== null || order === 'key')
    .map(({ name }) => name)
}
