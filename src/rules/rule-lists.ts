import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import type { ProblemCode } from '../schema/problem-code.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { SourceFile } from '../schema/source-files.ts'
import type { At } from '../schema/yaml-document.ts'
import type { RuleContext } from './rule-context.ts'
import { versionOf } from './rule-version.ts'

/*
 * `lists` of a rule file: written out, or in a file of their own. A file is read once a load,
 * however many rule files name it, and its value is one object, so that what is made of it can be
 * shared as well.
 */

/** Members of a list that is written out; a longer one has a file of its own. */
const membersMax = 10_000

/** Members of a list in a file: ids of pages or users, some 100 MB of memory at most. */
const fileMembersMax = 1_000_000

/** Lines that are taken apart between two looks at the clock: well below a millisecond. */
const linesAtOnce = 4_096

export interface NamedList {
  /** A list of values, or a map of them. `null`: it is wrong, and that has been told. */
  readonly value: Json
  /** Equal for equal lists: it stands for the value where a rule's version is made. */
  readonly digest: string
}

/** The files of lists of one load, by path. */
export type ListFiles = Map<string, Promise<ReadList>>

type ReadList = { readonly kind: 'list'; readonly list: NamedList } | ListFault

interface ListFault {
  readonly kind: 'fault'
  readonly code: ProblemCode
  readonly message: string
}

interface ListContext {
  readonly reporter: Reporter
  readonly file: SourceFile
  readonly rules: RuleContext
  readonly listFiles: ListFiles
}

/** Stands for a list that is wrong: what reads it is not wrong as well. */
const unread: NamedList = { value: null, digest: '' }

/** The lists of a file by name; what is wrong with them is reported. */
export async function readLists(
  source: Json | undefined,
  context: ListContext,
): Promise<ReadonlyMap<string, NamedList>> {
  const lists = new Map<string, NamedList>()
  if (!isJsonObject(source)) return lists
  for (const [name, value] of Object.entries(source)) {
    const list = await readList(value, ['lists', name], context)
    lists.set(name, list ?? unread)
  }
  return lists
}

async function readList(value: Json, at: At, context: ListContext): Promise<NamedList | null> {
  const { reporter } = context
  const fileName = fileNameIn(value)
  if (fileName !== null) return readFromFile(fileName, [...at, 'file'], context)
  if (!isList(value) && !isJsonObject(value)) {
    const message = `found ${describeValue(value)}, expected a list, a map, or \`{ file }\``
    reporter.error(at, 'wrong-type', message)
    return null
  }
  const size = sizeOf(value)
  if (size > membersMax) {
    const message = `a list of ${size} members, above ${membersMax}`
    reporter.error(at, 'too-many', message, 'put it into a file: `{ file: lists/name.txt }`')
    return null
  }
  const nested = nestedIn(value)
  if (nested !== null) {
    const message = `found ${nested.what} in a list of values, expected ${scalar}`
    reporter.error([...at, nested.index], 'wrong-type', message)
    return null
  }
  return { value, digest: versionOf(value) }
}

/** What `in` can compare a value with. */
const scalar = 'a text, a number, true, false or null'

/** The first member of a list that is a list or a map itself. What a map holds may be anything. */
function nestedIn(value: ListValue): { readonly index: number; readonly what: string } | null {
  if (!isList(value)) return null
  const index = value.findIndex((one) => one !== null && typeof one === 'object')
  return index === -1 ? null : { index, what: describeValue(value[index]) }
}

/** A map with `file` and nothing else names one. */
function fileNameIn(value: Json): Json | null {
  if (!isJsonObject(value) || Object.keys(value).length !== 1) return null
  return value['file'] ?? null
}

async function readFromFile(
  written: Json,
  at: At,
  context: ListContext,
): Promise<NamedList | null> {
  const { reporter, listFiles, rules } = context
  const path = pathOf(written, at, context)
  if (path === null) return null
  const read = listFiles.get(path) ?? readListFile(path, rules)
  listFiles.set(path, read)
  const found = await read
  if (found.kind === 'list') return found.list
  reporter.error(at, found.code, `${path}: ${found.message}`)
  return null
}

/** From where the process stands; a file of lists lies with the rules that it belongs to. */
function pathOf(written: Json, at: At, { reporter, file }: ListContext): string | null {
  const refuse = (message: string, hint: string): null => {
    reporter.error(at, 'bad-value', message, hint)
    return null
  }
  const hint = 'the path starts at the folder of this file: `lists/name.txt`'
  if (typeof written !== 'string' || written === '') {
    return refuse(`found ${describeValue(written)}, expected the path of a file`, hint)
  }
  if (posix.isAbsolute(written) || /^[A-Za-z]:|[\\\0]/.test(written)) {
    return refuse(`${JSON.stringify(written)} is not a path within the rules`, hint)
  }
  const path = posix.join(posix.dirname(file.name), written)
  const folder = file.folder ?? posix.dirname(file.name)
  if (/^\.\.(?:\/|$)/.test(posix.relative(folder, path))) {
    return refuse(`${JSON.stringify(written)} leads out of the folder of the rules`, hint)
  }
  return path
}

async function readListFile(path: string, rules: RuleContext): Promise<ReadList> {
  const read = await rules.readListFile(path)
  if (read.kind === 'fault') return read
  const isJson = path.endsWith('.json')
  const value = isJson ? parseJson(read.text) : await linesOf(read.text, rules)
  if (typeof value === 'string') return { kind: 'fault', code: 'bad-value', message: value }
  const size = sizeOf(value)
  if (size > fileMembersMax) {
    const message = `a list of ${size} members, above ${fileMembersMax}`
    return { kind: 'fault', code: 'too-many', message }
  }
  const nested = nestedIn(value)
  if (nested !== null) {
    const message = `found ${nested.what} as member ${nested.index + 1}, expected ${scalar}`
    return { kind: 'fault', code: 'wrong-type', message }
  }
  const hash = createHash('sha256')
    .update(isJson ? 'json' : 'text')
    .update(read.text)
  return { kind: 'list', list: { value, digest: hash.digest('hex').slice(0, 12) } }
}

type ListValue = readonly Json[] | JsonObject

/** The value, or why there is none. */
function parseJson(text: string): ListValue | string {
  let value: Json
  try {
    value = JSON.parse(text) as Json // as: what JSON.parse gives
  } catch (error) {
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
  if (isJsonObject(value) || isList(value)) return value
  return `found ${describeValue(value)}, expected a list or a map`
}

/** One text a line, without blanks at its ends; empty lines and those of `#` are left out. */
async function linesOf(text: string, { breathe }: RuleContext): Promise<readonly string[]> {
  const lines: string[] = []
  let count = 0
  for (let from = 0; from <= text.length && lines.length <= fileMembersMax;) {
    const end = text.indexOf('\n', from)
    const to = end === -1 ? text.length : end
    const line = text.slice(from, to).trim()
    if (line !== '' && !line.startsWith('#')) lines.push(line)
    from = to + 1
    if (++count % linesAtOnce === 0) await breathe()
  }
  return lines
}

function sizeOf(value: ListValue): number {
  return isList(value) ? value.length : Object.keys(value).length
}

/** `Array.isArray` does not tell readonly arrays from objects. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
