import type { Problem } from '../../model/problem.ts'
import type { CheckReport, TestCaseReport } from './check-report.ts'

/** What `check --format json` prints (docs/operations.md). */
export interface CheckDocument {
  readonly problems: readonly Omit<Problem, 'source'>[]
  readonly files: number
  readonly rules: number
  readonly tests: {
    readonly passed: number
    readonly failed: number
    readonly not_run: number
    /** Those that failed. */
    readonly cases: readonly TestCaseReport[]
  }
}

export function jsonOf(report: CheckReport): string {
  return `${JSON.stringify(documentOf(report), null, 2)}\n`
}

function documentOf({ problems, files, rules, tests }: CheckReport): CheckDocument {
  return {
    problems: problems.map(({ file, line, column, severity, code, message, hint }) => ({
      file,
      line,
      column,
      severity,
      code,
      message,
      hint,
    })),
    files: files.length,
    rules,
    tests: {
      passed: tests.passed,
      failed: tests.failed,
      not_run: tests.notRun,
      cases: tests.cases.filter(({ failure }) => failure !== null),
    },
  }
}
