import type { Problem } from '../../model/problem.ts'
import { boundProblems } from '../../schema/bound-problems.ts'
import { placeOf, renderLeftOut, renderProblem } from '../../schema/render-problem.ts'
import type { Styles } from '../styles.ts'
import { summaryOf, type CheckReport, type TestCaseReport } from './check-report.ts'

/** For people: each problem with its line and a caret, and how many there are. */
export function textOf(report: CheckReport, styles: Styles): string {
  const { shown, leftOut } = boundProblems(report.problems)
  const parts = [
    ...shown.map((problem) => painted(problem, styles)),
    ...leftOut.map(renderLeftOut),
    ...report.tests.cases.flatMap((one) => failed(one, styles)),
  ]
  return `${parts.map((part) => `${part}\n\n`).join('')}${summaryOf(report)}\n`
}

/** The place stands out, and the severity has its colour. */
function painted(problem: Problem, styles: Styles): string {
  const { severity } = problem
  const text = renderProblem(problem)
  const place = placeOf(problem)
  const lead = `${place} ${severity}:`
  if (!text.startsWith(lead)) return text // a name that had to be made printable
  const color = severity === 'error' ? styles.red : styles.yellow
  return `${styles.bold(place)} ${color(`${severity}:`)}${text.slice(lead.length)}`
}

function failed(
  { file, line, rule, name, failure }: TestCaseReport,
  styles: Styles,
): readonly string[] {
  if (failure === null) return []
  return [
    `${styles.bold(`${file}:${line}:`)} ${styles.red('failed:')} ${rule}: ${name}\n${failure}`,
  ]
}
