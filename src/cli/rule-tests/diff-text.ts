import { diffLines } from 'diff'
import { printable } from '../../model/printable.ts'
import { writeYaml } from '../../schema/write-yaml.ts'
import type { Styles } from '../styles.ts'
import type { Judgement } from './judge.ts'

/** Lines of one difference; a body of thousands of lines is not read on a screen. */
const linesMax = 200

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
  return [
    `${red('- expected')}  ${green('+ what happened')}`,
    ...shown,
    ...(left > 0 ? [`  ... and ${left} lines more`] : []),
    ...notes.map((note) => `  note: ${printable(note)}`),
  ].join('\n')
}

function yamlOf(entries: Judgement['expected']): string {
  return entries.length === 0 ? 'nothing\n' : writeYaml(entries)
}
