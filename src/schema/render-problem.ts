import { printable } from '../model/printable.ts'
import type { Problem } from '../model/problem.ts'
import { boundProblems, leftOutText, type LeftOut } from './bound-problems.ts'

/** Characters of a source line that are shown; a longer one is cut around the caret. */
const shownMax = 110

/** Characters shown before the caret when a line is cut. */
const leadMax = 40

/**
 * A problem as people read it: where, what, the line with a caret, and what to do.
 *
 * ```text
 * rules/cdn.yaml:4:5: error: unknown key `whem` [unknown-key]
 *   4 |     whem:
 *     |     ^^^^
 *   hint: did you mean `when`?
 * ```
 */
export function renderProblem(problem: Problem): string {
  const { line, column, severity, code, message, hint, source } = problem
  const lines = [printableLine(`${placeOf(problem)} ${severity}: ${message} [${code}]`)]
  if (source !== null) lines.push(...sourceLines(line, column, source))
  if (hint !== null) lines.push(printableLine(`  hint: ${hint}`))
  return lines.join('\n')
}

/** `file:line:column:`, or `file:` of a file as a whole, in which there is nothing to look at. */
export function placeOf({ file, line, column, source }: Problem): string {
  const isWhole = source === null && line === 1 && column === 1
  return isWhole ? `${file}:` : `${file}:${line}:${column}:`
}

/** Problems with an empty line between them: the first of each file, and how many more it has. */
export function renderProblems(problems: readonly Problem[]): string {
  const { shown, leftOut } = boundProblems(problems)
  return [...shown.map(renderProblem), ...leftOut.map(renderLeftOut)].join('\n\n')
}

/** `rules/cdn.yaml: and 9,900 more errors` */
export function renderLeftOut(leftOut: LeftOut): string {
  return printable(`${leftOut.file}: ${leftOutText(leftOut)}`)
}

function sourceLines(
  line: number,
  column: number,
  source: NonNullable<Problem['source']>,
): readonly string[] {
  const from = source.text.length > shownMax ? Math.max(0, column - 1 - leadMax) : 0
  const shown = source.text.slice(from, from + shownMax)
  const lead = shown.slice(0, column - 1 - from)
  const length = Math.max(1, Math.min(source.length, shown.length - lead.length))
  const marked = shown.slice(lead.length, lead.length + length)
  const gutter = String(line)
  return [
    `  ${gutter} | ${printableLine(shown)}`,
    `  ${' '.repeat(gutter.length)} | ${blank(lead)}${'^'.repeat(Math.max(1, [...marked].length))}`,
  ]
}

/** Tabs stay, so that the caret stands below its character however wide they are shown. */
function blank(lead: string): string {
  return [...lead].map((character) => (character === '\t' ? '\t' : ' ')).join('')
}

/** Tabs stay: the caret's line has them too. */
function printableLine(text: string): string {
  return text.split('\t').map(printable).join('\t')
}
