import { sluice } from './command-line.ts'
import { markdownTable } from './documents.ts'

/** A flag as the help of its command shows it. */
export interface Flag {
  readonly command: string
  /** `--line <n>`; with its short form where it has one. */
  readonly written: string
  /** Its name alone: `line`. */
  readonly name: string
  readonly meaning: string
  /** Its twin in the environment; `null`: there is none. */
  readonly twin: string | null
}

/** Every flag of every command but `--help`, in the order of the help. */
export async function flags(): Promise<readonly Flag[]> {
  const { stdout } = await sluice(['--help'])
  const [, list = ''] = stdout.split('\nCommands:\n')
  const commands = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name)
  const found: Flag[] = []
  for (const command of commands.filter((name) => name !== 'help')) {
    const { stdout: help } = await sluice([command, '--help'], { terminal: 100 })
    const [, options = ''] = help.split('\nOptions:\n')
    const [listed = ''] = options.split('\n\n')
    for (const entry of listed.split(/\n(?= {2}-)/)) found.push(flagOf(command, entry))
  }
  return found.filter(({ name }) => name !== 'help')
}

function flagOf(command: string, entry: string): Flag {
  const [written = '', ...rest] = entry.trim().split(/ {2,}|\n/)
  const text = rest
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ')
  const [, meaning = text, fallback, twin = null] =
    /^(.*) \((?:default: (.*), )?env: (SLUICE_\w+)\)$/.exec(text) ?? []
  return {
    command,
    written,
    name: /--([\w-]+)/.exec(written)?.[1] ?? '',
    meaning: fallback === undefined ? meaning : `${meaning} (default: ${fallback})`,
    twin,
  }
}

/** The table of docs/operations.md: a flag that several commands share, with all of them. */
export function flagsTable(all: readonly Flag[]): string {
  const bySpelling = new Map<string, Flag[]>()
  for (const flag of all) {
    const key = JSON.stringify([flag.written, flag.twin, flag.meaning])
    bySpelling.set(key, [...(bySpelling.get(key) ?? []), flag])
  }
  const rows = [...bySpelling.values()].map((same) => {
    const [first] = same
    const commands = same.map(({ command }) => `\`${command}\``).join(', ')
    return [
      `\`${first?.written ?? ''}\``,
      commands,
      first?.twin == null ? '-' : `\`${first.twin}\``,
      first?.meaning.replaceAll('<', '&lt;') ?? '', // else taken for HTML
    ]
  })
  return markdownTable(['flag', 'of', 'twin', 'meaning'], rows)
}
