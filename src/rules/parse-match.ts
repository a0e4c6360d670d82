import type { Json, JsonObject } from '../model/json.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Condition } from './condition.ts'
import { isIndexable } from './indexable.ts'
import { parseBlock, parseBlocks, type Above } from './parse-condition.ts'
import type { TestContext } from './parse-operators.ts'

/**
 * The match of a rule, or of one of its cases: its `when`, and none of its `unless`; all of nothing
 * where neither is written. `null` after reporting what is wrong. For a case, `above` says what the
 * match of its rule is.
 */
export function parseMatch(
  source: JsonObject,
  at: At,
  context: TestContext,
  above: Above = { isIndexable: false },
): Condition | null {
  const { when, unless } = source
  const holds = when === undefined ? null : parseBlock(when, [...at, 'when'], context, above)
  const isIndexed = above.isIndexable || (holds !== null && isIndexable(holds))
  const none =
    unless === undefined
      ? null
      : parseNone(unless, [...at, 'unless'], context, { isIndexable: isIndexed })
  if ((when !== undefined && holds === null) || (unless !== undefined && none === null)) return null
  const parts = [holds, none].filter((part) => part !== null)
  const [only] = parts
  return only !== undefined && parts.length === 1 ? only : { kind: 'all', of: parts, at }
}

function parseNone(source: Json, at: At, context: TestContext, above: Above): Condition | null {
  const of = parseBlocks(source, at, context, above)
  return of === null ? null : { kind: 'none', of, at }
}
