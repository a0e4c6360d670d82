import type { Json, JsonObject } from '../model/json.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Condition } from './condition.ts'
import { namesTwice } from './captures.ts'
import { isIndexable } from './indexable.ts'
import { parseBlock, parseBlocks, type Above } from './parse-condition.ts'
import { refuseContradiction } from './parse-contradiction.ts'
import type { TestContext } from './parse-operators.ts'

/**
 * The match of a rule, or of one of its cases: its `when`, and none of its `unless`; all of nothing
 * where neither is written. `null` after reporting what is wrong. For a case, `rule` is the match of
 * its rule, which has to hold before the case is asked; `null` where there is none, or it is wrong.
 */
export function parseMatch(
  source: JsonObject,
  at: At,
  context: TestContext,
  rule: Condition | null = null,
): Condition | null {
  const { when, unless } = source
  const isFiled = rule !== null && isIndexable(rule)
  const holds =
    when === undefined ? null : parseBlock(when, [...at, 'when'], context, { isIndexable: isFiled })
  const above = { isIndexable: isFiled || (holds !== null && isIndexable(holds)) }
  const none = unless === undefined ? null : parseNone(unless, [...at, 'unless'], context, above)
  if ((when !== undefined && holds === null) || (unless !== undefined && none === null)) return null
  const parts = [holds, none].filter((part) => part !== null)
  const [only] = parts
  const match: Condition =
    only !== undefined && parts.length === 1 ? only : { kind: 'all', of: parts, at }
  const whole: Condition = rule === null ? match : { kind: 'all', of: [rule, match], at: match.at }
  if (refuseContradiction(whole, context.reporter)) return null
  return capturesTwice(match, rule, context) ? null : match
}

function capturesTwice(
  match: Condition,
  rule: Condition | null,
  { reporter }: TestContext,
): boolean {
  const all: Condition = rule === null ? match : { kind: 'all', of: [rule, match], at: match.at }
  const before = rule === null ? [] : namesTwice(rule)
  // Names that the rule itself has twice have been told with the rule.
  const twice = namesTwice(all).slice(before.length)
  for (const { name, at } of twice) {
    const message = `\`${name}\` is captured by another regex that has to hold as well`
    reporter.error(at, 'bad-test', message, 'give each group a name of its own')
  }
  return twice.length > 0
}

function parseNone(source: Json, at: At, context: TestContext, above: Above): Condition | null {
  const of = parseBlocks(source, at, context, above)
  return of === null ? null : { kind: 'none', of, at }
}
