import type { Problem } from '../../model/problem.ts'

/** All that one `sluice check` found. The formats only write it down. */
export interface CheckReport {
  /** In the order in which they are told: the config first, then file by file, then the network. */
  readonly problems: readonly Problem[]
  /** Files that were read, the config among them, as problems name them. */
  readonly files: readonly string[]
  /** Rules found, those with errors included. */
  readonly rules: number
  /** Rules without an error that have no test at all. */
  readonly untested: number
  readonly tests: TestsReport
}

/** What became of the cases beside the rules. */
export interface TestsReport {
  readonly passed: number
  readonly failed: number
  readonly notRun: number
  /** Those that ran, in the order of the files. */
  readonly cases: readonly TestCaseReport[]
}

export interface TestCaseReport {
  readonly file: string
  /** Of the case, 1-based. */
  readonly line: number
  readonly rule: string
  readonly name: string
  /** Why it failed, in lines for people; `null`: it passed. */
  readonly failure: string | null
}

function countOf(
  { problems }: Pick<CheckReport, 'problems'>,
  severity: Problem['severity'],
): number {
  return problems.filter((problem) => problem.severity === severity).length
}

/** `1 rule`, `2 rules`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** `3 errors, 1 warning in 4 files, 7 rules`: the last line of what people read. */
export function summaryOf(report: CheckReport): string {
  const { files, rules, untested, tests } = report
  const errors = countOf(report, 'error')
  const warnings = countOf(report, 'warning')
  const found = [
    errors > 0 ? counted(errors, 'error') : '',
    warnings > 0 ? counted(warnings, 'warning') : '',
  ].filter((part) => part !== '')
  const what = found.length === 0 ? 'no problems' : found.join(', ')
  const without = untested === 0 ? '' : ` (${untested} without tests)`
  return `${what} in ${counted(files.length, 'file')}, ${counted(rules, 'rule')}${without}${ofTests(tests)}`
}

function ofTests({ passed, failed, notRun }: TestsReport): string {
  const all = counted(passed + failed, 'test')
  const ran = failed > 0 ? `; ${failed} of ${all} failed` : passed > 0 ? `; ${all} passed` : ''
  const left = notRun === 0 ? '' : `; ${counted(notRun, 'test')} not run`
  return ran + left
}
