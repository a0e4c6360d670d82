import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { nearestName } from '../../schema/did-you-mean.ts'
import type { Condition } from '../condition.ts'
import type { RuleTest } from '../rule-test-schema.ts'
import { needsValue } from './implies-field.ts'
import type { Linted } from './linted.ts'

/**
 * Misspelt fields where nothing else shows them: what `not` and `unless` ask for holds, or fails to
 * stop the rule, when the field is absent. A test beside the rule knows better: its events have a
 * field of nearly that name and none of that one.
 */
export function unseenFields(
  { rule, document }: Linted,
  tests: readonly RuleTest[],
): readonly Problem[] {
  const bodies = tests.flatMap(({ events }) => events.map(({ body }) => body))
  const conditions = [rule.condition, ...rule.ways.flatMap(({ condition }) => condition ?? [])]
  return conditions.flatMap(silentTests).flatMap(({ path, at }) => {
    if (path.from !== 'event' || bodies.some((body) => hasField(body, path.steps))) return []
    const near = bodies.flatMap((body) => nearField(body, path.steps) ?? [])[0]
    if (near === undefined) return []
    return [
      document.problemAt(at, 'key', {
        severity: 'warning',
        code: 'unseen-field',
        message: `no event of its tests has \`${path.text}\`, and the test holds for what is absent`,
        hint: `did you mean \`${near}\`?`,
      }),
    ]
  })
}

type TestNode = Extract<Condition, { readonly kind: 'test' }>

/** Tests that say nothing when their field is not there. */
function silentTests(condition: Condition): readonly TestNode[] {
  switch (condition.kind) {
    case 'test':
      return needsValue(condition.test) ? [] : [condition]
    case 'none':
      return condition.of.flatMap(allTests)
    case 'all':
    case 'any':
      return condition.of.flatMap(silentTests)
    case 'some':
    case 'expr':
      return []
  }
}

function allTests(condition: Condition): readonly TestNode[] {
  if (condition.kind === 'test') return [condition]
  return 'of' in condition ? condition.of.flatMap(allTests) : []
}

/** Whether an event has a field, null included. */
export function hasField(body: Json, steps: readonly string[]): boolean {
  const { rest } = walk(body, steps)
  return rest.length === 0
}

/** As far as the names lead: the map at which they end, and the names that are left. */
function walk(
  body: Json,
  steps: readonly string[],
): { readonly map: JsonObject; readonly rest: readonly string[] } {
  let map: JsonObject = isJsonObject(body) ? body : {}
  for (const [i, step] of steps.entries()) {
    const below = Object.hasOwn(map, step) ? map[step] : undefined
    if (below === undefined) return { map, rest: steps.slice(i) }
    map = isJsonObject(below) ? below : {}
  }
  return { map, rest: [] }
}

/** The path with the one name that is not there replaced by one nearly like it. */
function nearField(body: Json, steps: readonly string[]): string | null {
  const { map, rest } = walk(body, steps)
  const [wrong = '', ...behind] = rest
  const near = nearestName(wrong, Object.keys(map))
  if (near === null) return null
  const path = [...steps.slice(0, steps.length - rest.length), near, ...behind]
  return hasField(body, path) ? path.map((step) => step.replaceAll('.', '\\.')).join('.') : null
}
