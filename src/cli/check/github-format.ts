import { printable } from '../../model/printable.ts'
import type { Problem } from '../../model/problem.ts'
import { boundProblems, leftOutText, type LeftOut } from '../../schema/bound-problems.ts'
import { summaryOf, type CheckReport, type TestCaseReport } from './check-report.ts'

/**
 * For GitHub Actions: a workflow command per problem, which GitHub shows beside the line of the pull
 * request. It shows the first ten errors and the first ten warnings of a step; all are in the log.
 *
 * Source: "Workflow commands for GitHub Actions", setting an error message; escapes as in
 * @actions/core, command.ts, because the page does not name them.
 */
export function githubOf(report: CheckReport): string {
  const { shown, leftOut } = boundProblems(report.problems)
  const commands = [
    ...shown.map(commandOf),
    ...leftOut.map(commandOfLeftOut),
    ...report.tests.cases.flatMap(commandOfCase),
  ]
  return `${[...commands, printable(summaryOf(report))].join('\n')}\n`
}

function commandOf({ file, line, column, severity, code, message, hint, source }: Problem): string {
  const properties: Readonly<Record<string, string>> = {
    file: fileInRepository(file),
    line: String(line),
    col: String(column),
    ...(source === null ? {} : { endColumn: String(column + source.length) }),
    title: code,
  }
  const lines = [printable(message), ...(hint === null ? [] : [`hint: ${printable(hint)}`])]
  return command(severity, properties, lines.join('\n'))
}

function commandOfLeftOut(leftOut: LeftOut): string {
  const name = leftOut.errors > 0 ? 'error' : 'warning'
  const properties = { file: fileInRepository(leftOut.file), title: 'left-out' }
  return command(name, properties, leftOutText(leftOut))
}

function commandOfCase({ file, line, rule, name, failure }: TestCaseReport): readonly string[] {
  if (failure === null) return []
  const properties = { file: fileInRepository(file), line: String(line), title: 'test-failed' }
  return [command('error', properties, `${printable(`${rule}: ${name}`)}\n${failure}`)]
}

function command(
  name: string,
  properties: Readonly<Record<string, string>>,
  message: string,
): string {
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)}`)
  return `::${name} ${list.join(',')}::${escapeData(message)}`
}

/** GitHub finds a file by its path from the root of the repository, and `./` is not part of one. */
function fileInRepository(file: string): string {
  return printable(file).replace(/^(\.\/)+/, '')
}

/** An end of line would end the command, and what follows could be another one. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
