import type { Problem } from '../../model/problem.ts'
import { boundProblems, type LeftOut } from '../../schema/bound-problems.ts'
import type { CheckReport, TestCaseReport } from './check-report.ts'

/** What `check --format json` prints (docs/operations.md). */
export interface CheckDocument {
  /** The first hundred of each file. */
  readonly problems: readonly Omit<Problem, 'source'>[]
  /** How many more a file has; nothing of one that has no more. */
  readonly left_out: readonly LeftOut[]
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
  const { shown, leftOut } = boundProblems(problems)
  return {
    problems: shown.map(({ file, line, column, severity, code, message, hint }) => ({
      file,
      line,
      column,
      severity,
      code,
      message,
      hint,
    })),
    left_out: leftOut,
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
