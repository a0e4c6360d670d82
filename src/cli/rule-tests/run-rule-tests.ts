import type { Config } from '../../config/config.ts'
import { runTrial, type TrialSettings } from '../../engine/trial/trial.ts'
import { invariant } from '../../model/invariant.ts'
import type { RuleTest } from '../../rules/rule-test-schema.ts'
import type { Rule } from '../../rules/rule.ts'
import type { TestsReport } from '../check/check-report.ts'
import { plainStyles } from '../styles.ts'
import { diffText } from './diff-text.ts'
import { judge, type Judgement } from './judge.ts'

/** What became of one case. */
export interface CaseResult extends Judgement {
  readonly test: RuleTest
}

/** Runs every case, in the order of the files, each on its own. */
export async function runRuleTests(
  rules: readonly Rule[],
  tests: readonly RuleTest[],
  settings: TrialSettings,
  breathe: () => Promise<void>,
): Promise<readonly CaseResult[]> {
  const byName = new Map(rules.map((rule) => [rule.name, rule]))
  const results: CaseResult[] = []
  for (const test of tests) {
    const rule = byName.get(test.rule)
    invariant(rule !== undefined, `the case ${test.name} has no rule ${test.rule}`)
    results.push({ test, ...judge(test.expect, await runTrial(rule, test, settings)) })
    await breathe()
  }
  return results
}

/** The bounds that the daemon would run under. */
export function trialSettingsOf({
  retry,
  limits,
}: Pick<Config, 'retry' | 'limits'>): TrialSettings {
  return { tiersMs: retry.tiersMs, hopsMax: limits.hopsMax }
}

/** The outcome as reports of CI servers tell it. */
export function testsReportOf(results: readonly CaseResult[]): TestsReport {
  const passed = results.filter(({ ok }) => ok).length
  return {
    passed,
    failed: results.length - passed,
    notRun: 0,
    cases: results.map((result) => ({
      file: result.test.file,
      line: result.test.line,
      rule: result.test.rule,
      name: result.test.name,
      failure: result.ok ? null : diffText(result, plainStyles),
    })),
  }
}
