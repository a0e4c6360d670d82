import { diffLines } from 'diff'
import { printable } from '../../model/printable.ts'
import { writeYaml } from '../../schema/write-yaml.ts'
import type { Styles } from '../styles.ts'
import type { Judgement } from './judge.ts'

/** Lines of one difference; a body of thousands of lines is not read on a screen. */
const linesMax = 200

/** Notes of one case: of a burst, every event that was left out has one. */
const notesMax = 20

/** What a case that failed expected and what happened, line by line, as one writes it in a rule. */
export function diffText(
  { expected, actual, notes }: Judgement,
  { red, green, dim }: Styles,
): string {
  const lines = diffLines(yamlOf(expected), yamlOf(actual)).flatMap(
    ({ value, added, removed }): readonly string[] =>
      value
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => {
          const text = printable(line)
          if (removed) return red(`- ${text}`)
          return added ? green(`+ ${text}`) : dim(`  ${text}`)
        }),
  )
  const shown = lines.slice(0, linesMax)
  const left = lines.length - shown.length
  const untold = notes.length - notesMax
  return [
    `${red('- expected')}  ${green('+ what happened')}`,
    ...shown,
    ...(left > 0 ? [`  ... and ${left} lines more`] : []),
    ...notes.slice(0, notesMax).map((note) => `  note: ${printable(note)}`),
    ...(untold > 0 ? [`  ... and ${untold} notes more`] : []),
  ].join('\n')
}

function yamlOf(entries: Judgement['expected']): string {
  return entries.length === 0 ? 'nothing\n' : writeYaml(entries)
}
