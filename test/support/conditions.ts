import { invariant } from '../../src/model/invariant.ts'
import type { Json } from '../../src/model/json.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { Condition } from '../../src/rules/condition.ts'
import { parseMatch } from '../../src/rules/parse-match.ts'
import { createReporter } from '../../src/schema/reporter.ts'

/** The condition of a rule that says this, or what is wrong with it. */
export function parseRule(
  rule: { readonly when?: Json; readonly unless?: Json },
  lists: { readonly [name: string]: Json } = {},
): { readonly condition: Condition | null; readonly problems: readonly Problem[] } {
  const reporter = createReporter({
    problemAt: (_at, _part, complaint) => ({
      ...complaint,
      file: '',
      line: 1,
      column: 1,
      source: null,
    }),
  })
  const context = { lists: new Map(Object.entries(lists)), reporter }
  return { condition: parseMatch(rule, [], context), problems: reporter.problems }
}

/** The condition of a `when`, which has no mistake. */
export function conditionOf(when: Json, unless?: Json): Condition {
  const { condition, problems } = parseRule(unless === undefined ? { when } : { when, unless })
  invariant(condition !== null, problems.map(({ message }) => message).join('; '))
  return condition
}
