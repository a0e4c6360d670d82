import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { sluice } from './command-line.ts'

/** A fenced block of a document. */
export interface Block {
  /** What the document calls it, in a line of its own above it; `null`: it is no file. */
  readonly path: string | null
  readonly language: string
  readonly text: string
}

export interface NamedFile {
  readonly path: string
  readonly text: string
}

/** The blocks of a document, in their order. */
export function blocksOf(markdown: string): readonly Block[] {
  const found = markdown.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$/gms)
  return [...found].map(([, path = null, language = '', text = '']) => ({ path, language, text }))
}

/** Writes a file of a document below `folder`. */
export async function place(folder: string, { path, text }: NamedFile): Promise<void> {
  await mkdir(join(folder, dirname(path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** A console block with what its commands really print, run in the folder of the process. */
export async function replayed(block: string): Promise<string> {
  const commands = block.split('\n').filter((line) => line.startsWith('$ '))
  const env: Record<string, string> = {}
  const shown: string[] = []
  for (const command of commands) {
    shown.push(`${command}\n${await printed(command.slice(2), env)}`)
  }
  return shown.join('')
}

/** What a line of a console prints. `export` is remembered in `env` for the lines that follow. */
async function printed(line: string, env: Record<string, string>): Promise<string> {
  const exported = /^export (\w+)=(\S+)$/.exec(line)
  if (exported !== null) {
    const [, name = '', value = ''] = exported
    env[name] = value
    return ''
  }
  const piped = /^echo '([^']*)' \| sluice (.*)$/.exec(line)
  const plain = /^sluice (.*)$/.exec(line)
  const args = piped?.[2] ?? plain?.[1]
  if (args === undefined) throw new Error(`a document shows what no test can run: ${line}`)
  const stdin = piped?.[1]
  const options = stdin === undefined ? { env } : { env, stdin: [`${stdin}\n`] }
  const { stdout, stderr } = await sluice(args.split(' '), options)
  expect(stderr, line).to.equal('')
  return stdout
}
