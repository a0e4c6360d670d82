import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { invariant } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { depthMax, tooDeepAt } from './nesting.ts'
import type { SourceFile } from './source-files.ts'
import type { ProblemCode } from './problem-code.ts'

/*
 * YAML text to a JSON value whose every part knows where it was written. The tree of the `yaml`
 * package is turned into the value here and not by the package, because a config is narrower than
 * YAML: keys are texts, numbers are exact, and an alias may not make a small file large.
 */

/** Path of a value in a document: keys and indexes from the root. */
export type At = readonly (string | number)[]

export interface Complaint {
  readonly severity: Problem['severity']
  readonly code: ProblemCode
  readonly message: string
  readonly hint: string | null
}

/** A parsed file: its value, and the way back from any part of it to the text. */
export interface YamlDocument {
  readonly file: SourceFile
  /** `null` for a file that holds nothing. */
  readonly value: Json
  /** A complaint about the value at a path, or about its key; of what is not there, the parent. */
  problemAt(at: At, part: 'key' | 'value', complaint: Complaint): Problem
  /** The line of the key at a path, 1-based. */
  lineOf(at: At): number
}

/** Values that aliases may add to a file, all together: far above what people share, far below a bomb. */
const aliasedMax = 10_000

/** Parses one document. `document` is `null` when its syntax leaves nothing to look at. */
export function parseYaml(file: SourceFile): {
  readonly document: YamlDocument | null
  readonly problems: readonly Problem[]
} {
  const text = new Text(file)
  const control = forbidden.exec(file.text)
  if (control !== null) {
    return { document: null, problems: [text.problem(control.index, 1, noText(control[0]))] }
  }
  const deepAt = tooDeepAt(file.text)
  if (deepAt !== null) return { document: null, problems: [text.problem(deepAt, 1, tooDeep)] }
  const parsed = parseAll(file)
  const [first, second] = parsed
  if (second !== undefined) {
    const start = file.text.lastIndexOf('---', second.contents?.range?.[0] ?? second.range[0])
    const at = start === -1 ? second.range[0] : start
    const complaint = error(
      'yaml-documents',
      'a second document begins here, expected one a file',
      'put it into a file of its own',
    )
    return { document: null, problems: [text.problem(at, 3, complaint)] }
  }
  if (first === undefined) return { document: documentOf(text, null, null), problems: [] }
  const unreadable = firstError(first, text)
  if (unreadable !== null) return { document: null, problems: [unreadable] }
  const reader = new Reader(text)
  const value = first.contents === null ? null : reader.read(first.contents, 0).value
  const { problems } = reader
  // What could not be read stands as null in the value, and complaints about that would mislead.
  // Of a key that stands twice the first one is there: all else can be looked at.
  const isWhole = problems.every(({ code }) => code === 'duplicate-key')
  const document = documentOf(text, value, first.contents, reader.aliases)
  return { document: isWhole ? document : null, problems }
}

/** Source: YAML 1.2.2, 5.1, c-printable. */
// eslint-disable-next-line no-control-regex -- those are what it is about
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

function noText(character: string): Complaint {
  const name = unicodeName(character)
  const hint = 'remove it; in double quotes it can be written as an escape'
  return error('yaml-syntax', `a control character (${name}) stands here`, hint)
}

function unicodeName(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

function parseAll(file: SourceFile): readonly Document.Parsed[] {
  const parsed = parseAllDocuments(file.text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: false, // told by `Reader`, at the second key
    prettyErrors: false,
    logLevel: 'silent',
  })
  return 'empty' in parsed ? [] : parsed
}

/** One syntax error makes others behind it, so the first alone is told. */
function firstError(document: Document.Parsed, text: Text): Problem | null {
  const [found] = [...document.errors, ...document.warnings]
  if (found === undefined) return null
  const cause = causeOf(text.file.text, found)
  if (cause !== null) return text.problem(cause.at, cause.length, cause.complaint)
  const [, end] = found.pos
  const start = quoteNeverClosed(document, found) ?? behindBlanks(text, found.pos[0])
  const before = text.file.text.slice(0, start).trimEnd()
  const isAtEnd = text.file.text.slice(start).trim() === ''
  // What is never closed is missed at the end, where there is nothing to see: the last text is.
  return isAtEnd && before !== ''
    ? text.problem(before.length - 1, 1, complaintOf(found))
    : text.problem(start, end - start, complaintOf(found))
}

interface Cause {
  readonly at: number
  readonly length: number
  readonly complaint: Complaint
}

/** What people do not see, or take for something else, and what then makes the syntax break. */
function causeOf(text: string, { code, pos: [at] }: YAMLError): Cause | null {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end === -1 ? undefined : end)
  const marker = /^(<{7}|={7}|>{7})(?= |\r?$)/.exec(line)
  if (marker !== null) {
    const hint = 'keep one of the two sides, and remove the lines of git'
    const complaint = error('yaml-syntax', 'a merge was left with its conflict', hint)
    return { at: start, length: 7, complaint }
  }
  const blank = /^[ \t]*([\u00A0\u2000-\u200B\u202F\u205F\u3000\uFEFF])/m.exec(text)
  if (blank?.[1] !== undefined && blank.index <= at) {
    const character = blank[1]
    const message = `a blank that is no space (${unicodeName(character)}) indents this line`
    const complaint = error('yaml-syntax', message, 'YAML is indented with plain spaces only')
    return { at: blank.index + blank[0].length - 1, length: 1, complaint }
  }
  const quote = /[\u201C\u201D\u201E\u2018\u2019]/.exec(line)
  if (quote !== null) {
    const hint = 'write " or \' instead; word processors put such quotes in'
    const message = `not YAML: ${quote[0]} is no quote to YAML`
    return { at: start + quote.index, length: 1, complaint: error('yaml-syntax', message, hint) }
  }
  if (code === 'UNEXPECTED_TOKEN' && text.charAt(at) === ',') {
    const hint = 'commas stand between the entries of `[..]` and `{..}` only'
    return { at, length: 1, complaint: error('yaml-syntax', 'not YAML: a comma too many', hint) }
  }
  return null
}

/** The package counts the indentation to what it indents; people look at the latter. */
function behindBlanks({ file }: Text, offset: number): number {
  let start = offset
  while (file.text.charAt(start) === ' ') start++
  return start
}

/** The package misses a closing quote at the end of the file; people look for where it opens. */
function quoteNeverClosed(document: Document.Parsed, found: YAMLError): number | null {
  if (found.code !== 'MISSING_CHAR') return null
  let last: Scalar | null = null
  visit(document, {
    Scalar: (_key, node) => {
      last = node
    },
  })
  const { type, range } = (last as Scalar | null) ?? {} // as: assigned in a callback that types do not see
  const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE'
  return isQuoted && range != null && range[1] >= found.pos[0] ? range[0] : null
}

function complaintOf(found: YAMLError): Complaint {
  return (
    plainWords[found.code] ??
    error('yaml-syntax', `not YAML: ${lowerFirst(found.message)}`, hints[found.code] ?? null)
  )
}

const tooDeep = error('yaml-too-deep', `nests deeper than ${depthMax} levels`, null)

const plainWords: Readonly<Partial<Record<YAMLError['code'], Complaint>>> = {
  TAG_RESOLVE_FAILED: error(
    'yaml-tag',
    'tags are not allowed',
    'write the plain value, quoted for a text',
  ),
  TAB_AS_INDENT: error('yaml-tab', 'a tab indents this line', 'YAML is indented with spaces only'),
}

const hints: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_INDENT: 'look at the indentation, and whether a `[`, `{` or quote above is closed',
  UNEXPECTED_TOKEN:
    'quote the whole of a text that holds braces, brackets or quotes, with single quotes around ' +
    `double ones: '{{event.title | default: "none"}}'`,
  MISSING_CHAR: 'is a quote, bracket or colon missing?',
  BLOCK_AS_IMPLICIT_KEY: 'look at the indentation, and quote a text that holds `: `',
  BAD_SCALAR_START: 'quote the text',
  MULTILINE_IMPLICIT_KEY: 'is a colon missing at the end of the key?',
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function error(code: ProblemCode, message: string, hint: string | null): Complaint {
  return { severity: 'error', code, message, hint }
}

/** The text of a file: offsets to lines, columns and carets. */
class Text {
  readonly file: SourceFile
  readonly #lines = new LineCounter()

  constructor(file: SourceFile) {
    this.file = file
    this.#lines.addNewLine(0)
    for (let i = file.text.indexOf('\n'); i !== -1; i = file.text.indexOf('\n', i + 1)) {
      this.#lines.addNewLine(i + 1)
    }
  }

  lineAt(offset: number): number {
    return Math.max(1, this.#lines.linePos(offset).line)
  }

  problem(offset: number, length: number, complaint: Complaint): Problem {
    const { line, col } = this.#lines.linePos(offset)
    const start = offset - Math.max(0, col - 1)
    const end = this.file.text.indexOf('\n', start)
    const before = end === -1 ? this.file.text.length : end
    const isCrLf = this.file.text[before - 1] === '\r'
    const source = this.file.text.slice(start, isCrLf ? before - 1 : before)
    return {
      file: this.file.name,
      line: Math.max(1, line),
      column: Math.max(1, col),
      ...complaint,
      source: {
        text: source,
        length: Math.max(1, Math.min(length, source.trimEnd().length - (col - 1))),
      },
    }
  }
}

interface Read {
  readonly value: Json
  /** Values in it, itself included, those behind aliases counted each time. */
  readonly size: number
}

/** Turns nodes into values, keeps what anchors stand for, and collects what is not allowed. */
class Reader {
  readonly problems: Problem[] = []
  readonly aliases = new Map<Alias, Node>()
  readonly #text: Text
  readonly #anchors = new Map<string, Read & { readonly node: Node }>()
  #aliased = 0

  constructor(text: Text) {
    this.#text = text
  }

  read(node: Node, depth: number): Read {
    if (depth > depthMax) {
      return this.#refuse(node, tooDeep.code, tooDeep.message)
    }
    if (isAlias(node)) return this.#readAlias(node)
    const read = this.#readContent(node, depth)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, { ...read, node })
    return read
  }

  #readContent(node: Node, depth: number): Read {
    if (isScalar(node)) return { value: this.#scalar(node, node.value), size: 1 }
    let size = 1
    if (isSeq<Node>(node)) {
      const value = node.items.map((item) => {
        const read = this.read(item, depth + 1)
        size += read.size
        return read.value
      })
      return { value, size }
    }
    invariant(isMap<Node, Node | null>(node), 'a YAML node is a scalar, a list or a map')
    const value: Record<string, Json> = {}
    for (const pair of node.items) {
      const key = this.#key(pair)
      if (key === null) continue
      // `{ kind:edit }` is a key of that name and nothing else: the colon of a map has a space behind it.
      if (pair.value === null) {
        const hint = key.includes(':')
          ? `a colon has a space behind it: \`${key.replace(':', ': ')}\``
          : 'write `name: value`'
        this.#refuse(pair.key, 'yaml-key', `the key \`${key}\` has no value`, hint)
        continue
      }
      if (Object.hasOwn(value, key)) {
        const hint = 'remove one of the two'
        this.#refuse(pair.key, 'duplicate-key', `\`${key}\` stands twice in one map`, hint)
        continue
      }
      const read = this.read(pair.value, depth + 1)
      size += read.size
      value[key] = read.value
    }
    return { value, size }
  }

  #key({ key }: Pair<Node, Node | null>): string | null {
    const name = isScalar(key) ? keyText(key) : null
    if (name === null && isMap(key) && this.#text.file.text.startsWith('{', key.range?.[0] ?? 0)) {
      const written = this.#text.file.text.slice(...rangeOf(key))
      const hint = `put it in quotes: ${quoted(`{${written}}`)}`
      this.#refuse(key, 'yaml-key', 'YAML takes `{{` for two maps, one in the other', hint)
      return null
    }
    if (name === null) {
      this.#refuse(key, 'yaml-key', 'a key must be a text', 'write `name: value`')
      return null
    }
    if (name !== name.trim() && isScalar(key) && key.type === 'PLAIN') {
      const blank = unicodeName(/^\s/u.test(name) ? name : name.slice(-1))
      const message = `a blank that is no space (${blank}) belongs to this key`
      this.#refuse(key, 'yaml-key', message, 'YAML is indented with plain spaces only')
      return null
    }
    // Assigning to `__proto__` of an object does something else than making a property.
    if (name === '__proto__') {
      this.#refuse(key, 'yaml-key', '`__proto__` cannot be a key')
      return null
    }
    return name
  }

  #scalar(node: Node, value: unknown): Json {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value !== 'number')
      return this.#refuse(node, 'yaml-tag', 'tags are not allowed').value
    const zero = isScalar(node) && /^[-+]?0\d+$/.test(node.source ?? '') ? node.source : null
    if (zero !== null) {
      const hint = `write ${value}, or "${zero}" for a text`
      return this.#refuse(node, 'yaml-number', `YAML reads ${zero} as the number ${value}`, hint)
        .value
    }
    const isExact =
      Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    if (isExact) return value
    return this.#refuse(
      node,
      'yaml-number',
      'this number cannot be kept exactly',
      `numbers lie within ±${Number.MAX_SAFE_INTEGER}; quote it if it is meant as a text`,
    ).value
  }

  #readAlias(node: Alias): Read {
    const target = this.#anchors.get(node.source)
    if (target === undefined) {
      const message = `\`*${node.source}\` refers to no anchor before it`
      const hint = `a text that begins with \`*\` goes in quotes: "*${node.source}"`
      return this.#refuse(node, 'yaml-alias', message, hint)
    }
    if (this.#aliased > aliasedMax) return { value: null, size: 1 } // already told
    this.#aliased += target.size
    if (this.#aliased > aliasedMax) {
      const message = `aliases make the file larger than ${aliasedMax} values`
      return this.#refuse(node, 'yaml-alias', message)
    }
    this.aliases.set(node, target.node)
    return target
  }

  #refuse(node: Node | null, code: ProblemCode, message: string, hint: string | null = null): Read {
    const [start, end] = node?.range ?? [0, 1]
    this.problems.push(this.#text.problem(start, end - start, error(code, message, hint)))
    return { value: null, size: 1 }
  }
}

/** As a YAML text; what holds double quotes stands in single ones. */
function quoted(text: string): string {
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`
}

/** Keys such as `404` and `true` are the texts that they are written as. */
function keyText(key: { readonly value: unknown; readonly source?: string }): string | null {
  if (typeof key.value === 'string') return key.value
  if (typeof key.value === 'number' || typeof key.value === 'boolean') {
    return key.source ?? String(key.value)
  }
  return null
}

function documentOf(
  text: Text,
  value: Json,
  contents: Node | null,
  aliases: ReadonlyMap<Alias, Node> = new Map(),
): YamlDocument {
  return {
    file: text.file,
    value,
    problemAt(at, part, complaint) {
      const [start, end] = rangeAt(contents, at, part, aliases)
      return text.problem(start, end - start, complaint)
    },
    lineOf(at) {
      return text.lineAt(rangeAt(contents, at, 'key', aliases)[0])
    },
  }
}

/** Where the value or its key is written; where the path leaves the document, the last key on it. */
function rangeAt(
  contents: Node | null,
  at: At,
  part: 'key' | 'value',
  aliases: ReadonlyMap<Alias, Node>,
): readonly [number, number] {
  let node = contents
  let key: Node | null = null
  for (const step of at) {
    const container: Node | null = isAlias(node) ? (aliases.get(node) ?? null) : node
    const found = stepInto(container, step)
    if (found === null) return rangeOf(key ?? node)
    key = found.key
    node = found.value
  }
  return part === 'key' || node === null ? rangeOf(key ?? node) : rangeOf(node)
}

function stepInto(
  container: Node | null,
  step: string | number,
): { readonly key: Node | null; readonly value: Node | null } | null {
  if (isSeq<Node>(container)) {
    const item = typeof step === 'number' ? container.items[step] : undefined
    return item === undefined ? null : { key: null, value: item }
  }
  if (!isMap<Node, Node | null>(container)) return null
  const pair = pairsOf(container).get(String(step))
  return pair === undefined ? null : { key: pair.key, value: pair.value }
}

/** By key: a file of 40,000 rules with a mistake in each asks for every one of them. */
const pairsOfMaps = new WeakMap<
  YAMLMap<Node, Node | null>,
  ReadonlyMap<string, Pair<Node, Node | null>>
>()

function pairsOf(map: YAMLMap<Node, Node | null>): ReadonlyMap<string, Pair<Node, Node | null>> {
  const known = pairsOfMaps.get(map)
  if (known !== undefined) return known
  const pairs = new Map<string, Pair<Node, Node | null>>()
  for (const pair of map.items) {
    const name = isScalar(pair.key) ? keyText(pair.key) : null
    if (name !== null && !pairs.has(name)) pairs.set(name, pair) // of a key that stands twice the first
  }
  pairsOfMaps.set(map, pairs)
  return pairs
}

function rangeOf(node: Node | null): readonly [number, number] {
  return node?.range == null ? [0, 1] : [node.range[0], node.range[1]]
}
