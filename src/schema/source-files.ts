import { isUtf8 } from 'node:buffer'
import type { Dirent } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Problem } from '../model/problem.ts'
import { formatSize } from '../model/units.ts'
import type { ProblemCode } from './problem-code.ts'

/** A file that a person wrote, as text. */
export interface SourceFile {
  /** As the user named it, relative where they did; problems carry it. */
  readonly name: string
  readonly text: string
  /** The folder that was named when it was found; what it names lies in there. Left out: its own. */
  readonly folder?: string
}

/** What a file of `lists` holds, or why it cannot be had. */
export type ListFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fault'; readonly code: ProblemCode; readonly message: string }

export interface SourceFiles {
  readonly files: readonly SourceFile[]
  readonly problems: readonly Problem[]
}

/** The largest file that is read. A thousand rules fit; more is a mistake or not ours. */
export const fileBytesMax = 2 ** 20

/** The largest file of a list: a million members of 64 bytes each. */
const listBytesMax = 64 * 2 ** 20

/** Files of one walk. Above it a path was probably mistyped into a whole disk. */
const filesMax = 10_000

/** Folders below folders; links that go in circles end here. */
const depthMax = 32

/**
 * Reads rule files: each path is a file, or a folder whose `.yaml` and `.yml` files count, at any
 * depth; what begins with a dot is left out. In order of name, so that two runs say the same. What
 * cannot be read is a problem beside the files that can.
 */
export async function readRuleFiles(paths: readonly string[]): Promise<SourceFiles> {
  const problems: Problem[] = []
  const folders = new Map<string, string>()
  for (const path of paths) {
    const found = await namesAt(path, problems)
    if (found === null) continue
    if (found.length === 0) {
      const hint = 'rule files end in .yaml or .yml; `sluice new` writes a first one'
      problems.push(fileProblem(path, 'no-rule-files', 'there is no rule file here', hint))
    }
    const folder = found.length === 1 && found[0] === path ? dirname(path) : path
    for (const name of found) if (!folders.has(name)) folders.set(name, folder)
  }
  const files: SourceFile[] = []
  for (const [name, folder] of folders) {
    const { file, problem } = await readSourceFile(name)
    if (file !== null) files.push({ ...file, folder })
    if (problem !== null) problems.push(problem)
  }
  return { files, problems }
}

/** Reads one file, or says why not. A byte order mark is dropped. */
export async function readSourceFile(
  name: string,
): Promise<{ readonly file: SourceFile | null; readonly problem: Problem | null }> {
  const refuse = (code: ProblemCode, message: string, hint: string | null) => ({
    file: null,
    problem: fileProblem(name, code, message, hint),
  })
  let bytes: Buffer
  try {
    bytes = await readBounded(name, fileBytesMax)
  } catch (error) {
    return refuse('file-unreadable', reasonOf(error), null)
  }
  if (bytes.length > fileBytesMax) {
    return refuse(
      'file-too-large',
      `the file is larger than ${formatSize(fileBytesMax)}`,
      'split it into several files',
    )
  }
  if (!isUtf8(bytes)) {
    return { file: null, problem: notUtf8(name, bytes) }
  }
  return { file: { name, text: textOf(bytes) }, problem: null }
}

/** At the first byte that is none of UTF-8, or of the file as a whole where it is UTF-16. */
function notUtf8(name: string, bytes: Buffer): Problem {
  const isUtf16 = bytes.length > 1 && [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0))
  const message = isUtf16 ? 'the file is UTF-16 text' : 'from here on the file is not UTF-8 text'
  const whole = fileProblem(name, 'file-not-utf8', message, 'save it as UTF-8')
  const text = bytes.toString('utf8')
  const at = text.indexOf('\uFFFD') // what the decoder puts in the place of such a byte
  if (isUtf16 || at === -1) return whole
  const before = text.slice(0, at).split('\n')
  const line = text.split('\n', before.length).at(-1) ?? ''
  const column = (before.at(-1) ?? '').length + 1
  const source = { text: line.replace(/\r$/, ''), length: 1 }
  return { ...whole, line: before.length, column, source }
}

/** Reads a file that `lists` of a rule file name. */
export async function readListFile(name: string): Promise<ListFile> {
  const fault = (code: ProblemCode, message: string): ListFile => ({ kind: 'fault', code, message })
  let bytes: Buffer
  try {
    bytes = await readBounded(name, listBytesMax)
  } catch (error) {
    return fault('file-unreadable', reasonOf(error))
  }
  if (bytes.length > listBytesMax) {
    return fault('file-too-large', `the file is larger than ${formatSize(listBytesMax)}`)
  }
  if (!isUtf8(bytes)) return fault('file-not-utf8', 'the file is not UTF-8 text')
  return { kind: 'text', text: textOf(bytes) }
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** Read at once; a file is asked for in pieces of this size. */
const pieceBytes = 2 ** 20 + 1

/** At most a piece more than is allowed: what is named need not be a file that ends. */
async function readBounded(name: string, bytesMax: number): Promise<Buffer> {
  const handle = await open(name, 'r')
  try {
    const pieces: Buffer[] = []
    for (let length = 0; length <= bytesMax;) {
      const piece = Buffer.alloc(pieceBytes)
      const { bytesRead } = await handle.read(piece, 0, pieceBytes, null)
      if (bytesRead === 0) break
      pieces.push(piece.subarray(0, bytesRead))
      length += bytesRead
    }
    return Buffer.concat(pieces)
  } finally {
    await handle.close()
  }
}

const whereRulesAre = 'run it where `rules/` is, name a path, or start with `sluice new`'

/** The files at a path, or `null` after reporting why there are none to be had. */
async function namesAt(path: string, problems: Problem[]): Promise<readonly string[] | null> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const [reason, hint] = isMissing
      ? ['there is no such file or folder', whereRulesAre]
      : [reasonOf(error), null]
    problems.push(fileProblem(path, 'file-unreadable', reason, hint))
    return null
  }
  const names: string[] = []
  await walk(path, 0, names, problems)
  if (names.length > filesMax) {
    problems.push(fileProblem(path, 'too-many', `more than ${filesMax} rule files`, null))
    return null
  }
  return names
}

async function walk(
  folder: string,
  depth: number,
  names: string[],
  problems: Problem[],
): Promise<void> {
  if (depth > depthMax || names.length > filesMax) return
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    problems.push(fileProblem(folder, 'file-unreadable', reasonOf(error), null))
    return
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue // Kubernetes mounts keep their versions in dot folders
    const name = join(folder, entry.name)
    if (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(name)))) {
      await walk(name, depth + 1, names, problems)
    } else if (/\.ya?ml$/.test(entry.name)) {
      names.push(name)
    }
  }
}

async function isFolder(name: string): Promise<boolean> {
  try {
    return (await stat(name)).isDirectory()
  } catch {
    return false // a link to nothing: if it is called .yaml, reading it says so
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  switch (code) {
    case 'ENOENT':
      return 'there is no such file'
    case 'EACCES':
    case 'EPERM':
      return 'the file may not be read'
    case 'EISDIR':
      return 'this is a folder, not a file'
    default:
      return `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A problem of a file as a whole. */
export function fileProblem(
  file: string,
  code: ProblemCode,
  message: string,
  hint: string | null,
): Problem {
  return { file, line: 1, column: 1, severity: 'error', code, message, hint, source: null }
}
