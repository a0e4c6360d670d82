import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { RuleShape } from './rule-schema.ts'
import type { WholeRule } from './inherit.ts'

/**
 * What `order`, `concurrency` and `dedup` need of one another and of the `key`: the schema sees each
 * alone, and one may be written where another is inherited.
 */
export function checkLimits(shape: RuleShape, { source }: WholeRule, reporter: Reporter): void {
  const { order, dedup, concurrency, key } = shape
  const perKey = typeof concurrency === 'object' ? concurrency.per_key : undefined
  const { at, name } = source.written
  // Its name, for what is written in `defaults`. As written: `for_each` makes many, told as one.
  const needsKey = (below: At, what: string): void => {
    const message = `${what}, and \`${name}\` has none`
    reporter.errorAtKey([...at, ...below], 'missing-key', message, 'write `key: "{{event.id}}"`')
  }
  if (order === 'key' && perKey !== undefined && perKey > 1) {
    const message = `\`per_key: ${perKey}\` beside \`order: key\`, which runs one at a time`
    const hint = 'leave `per_key` out, or `order`'
    reporter.errorAtKey([...at, 'concurrency', 'per_key'], 'bad-value', message, hint)
  }
  // One that only serves others may leave the key to them.
  if (key !== undefined || shape.abstract === true) return
  if (order === 'key') needsKey(['order'], '`order: key` needs the `key` of the rule')
  if (perKey !== undefined) {
    needsKey(['concurrency', 'per_key'], '`per_key` needs the `key` of the rule')
  }
  if (dedup !== undefined && dedup.key === undefined) {
    needsKey(['dedup'], '`dedup` needs a `key`, its own or that of the rule')
  }
}
