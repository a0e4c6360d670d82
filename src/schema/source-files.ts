import { isUtf8 } from 'node:buffer'
import type { Dirent } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Problem } from '../model/problem.ts'
import { formatSize } from '../model/units.ts'
import type { ProblemCode } from './problem-code.ts'

/** A file that a person wrote, as text. */
export interface SourceFile {
  /** As the user named it, relative where they did; problems carry it. */
  readonly name: string
  readonly text: string
}

export interface SourceFiles {
  readonly files: readonly SourceFile[]
  readonly problems: readonly Problem[]
}

/** The largest file that is read. A thousand rules fit; more is a mistake or not ours. */
export const fileBytesMax = 2 ** 20

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
  const names = new Set<string>()
  for (const path of paths) {
    const found = await namesAt(path, problems)
    if (found === null) continue
    if (found.length === 0) {
      const hint = 'rule files end in .yaml or .yml'
      problems.push(fileProblem(path, 'no-rule-files', 'there is no rule file here', hint))
    }
    for (const name of found) names.add(name)
  }
  const files: SourceFile[] = []
  for (const name of names) {
    const { file, problem } = await readSourceFile(name)
    if (file !== null) files.push(file)
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
    bytes = await readBounded(name)
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
    return refuse('file-not-utf8', 'the file is not UTF-8 text', 'save it as UTF-8')
  }
  const text = bytes.toString('utf8')
  return { file: { name, text: text.startsWith('\uFEFF') ? text.slice(1) : text }, problem: null }
}

/** At most one byte more than is allowed: what is named need not be a file that ends. */
async function readBounded(name: string): Promise<Buffer> {
  const handle = await open(name, 'r')
  try {
    const buffer = Buffer.alloc(fileBytesMax + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  } finally {
    await handle.close()
  }
}

/** The files at a path, or `null` after reporting why there are none to be had. */
async function namesAt(path: string, problems: Problem[]): Promise<readonly string[] | null> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
  } catch (error) {
    problems.push(fileProblem(path, 'file-unreadable', reasonOf(error), null))
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
