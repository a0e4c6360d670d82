import type { Problem } from '../../model/problem.ts'
import type { RuleTest } from '../../rules/rule-test-schema.ts'
import type { Rule } from '../../rules/rule.ts'
import type { CheckPlaces } from './places.ts'

/**
 * Rules that lack a case that fires or one that does not. A condition that is only ever seen to hold
 * might hold for everything. Whether the cases are true is not looked at here: they are run for that.
 */
export function untestedProblems(
  rules: readonly Rule[],
  tests: readonly RuleTest[],
  places: CheckPlaces,
): readonly Problem[] {
  const fires = new Set<string>()
  const skips = new Set<string>()
  for (const { rule, expect } of tests) {
    ;(expect.some(({ kind }) => kind !== 'skip') ? fires : skips).add(rule)
  }
  return rules.flatMap((rule) => {
    const lacks = [
      fires.has(rule.name) ? '' : 'a test in which it fires',
      skips.has(rule.name) ? '' : 'one in which it does not fire',
    ].filter((part) => part !== '')
    if (lacks.length === 0) return []
    const complaint = {
      severity: 'error',
      code: 'untested',
      message: `\`${rule.name}\` lacks ${lacks.join(' and ').replace(/^one in/, 'a test in')}`,
      hint: 'write it below `tests`; --require-tests asks for both',
    } as const
    return [places.ofRule(rule, complaint)]
  })
}

/**
 * Rules whose tests show no event that meets the condition. Told without --require-tests as well: who
 * writes tests and only such as skip has perhaps a condition that nothing meets.
 */
export function exampleProblems(
  rules: readonly Rule[],
  tests: readonly RuleTest[],
  places: CheckPlaces,
): readonly Problem[] {
  const tested = new Set<string>()
  const meets = new Set<string>()
  for (const { rule, expect } of tests) {
    tested.add(rule)
    if (expect.some((one) => one.kind !== 'skip' || one.reason !== 'no-match')) meets.add(rule)
  }
  return rules.flatMap((rule) => {
    if (!tested.has(rule.name) || meets.has(rule.name)) return []
    const complaint = {
      severity: 'error',
      code: 'no-example',
      message: `no test of \`${rule.name}\` has an event that meets its condition`,
      hint: 'add one that expects what the rule does',
    } as const
    return [places.ofRule(rule, complaint)]
  })
}
