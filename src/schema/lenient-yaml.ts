import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
} from 'yaml'
import type { Problem } from '../model/problem.ts'
import { depthMax, tooDeepAt } from './nesting.ts'
import type { SourceFile } from './source-files.ts'

/*
 * YAML that was written for another program, read for what it means there: merge keys are merged,
 * of a key that stands twice the last one counts, and tags are passed by. Our own files are read by
 * yaml-document.ts, which refuses all of that.
 */

/** A value that knows the line it is written on, 1-based. What aliases share is one object here. */
export type Sourced = SourcedMap | SourcedList | SourcedScalar

export interface SourcedMap {
  readonly kind: 'map'
  readonly line: number
  readonly entries: ReadonlyMap<string, SourcedEntry>
}

export interface SourcedEntry {
  /** Of the key; of a merged one, where it was written. */
  readonly line: number
  readonly value: Sourced
}

interface SourcedList {
  readonly kind: 'list'
  readonly line: number
  readonly items: readonly Sourced[]
}

export interface SourcedScalar {
  readonly kind: 'scalar'
  readonly line: number
  readonly value: null | boolean | number | string
}

export interface LenientYaml {
  /** One root per document that holds anything. */
  readonly roots: readonly Sourced[]
  /** Keys that stand twice in one map; the line is that of the one that does not count. */
  readonly repeated: readonly { readonly key: string; readonly line: number }[]
  /** Why the file cannot be read; `roots` is empty then. */
  readonly problem: Problem | null
}

/** Values of one file, those behind aliases counted each time: far above a config, far below a bomb. */
const valuesMax = 100_000

/** Reads a file leniently, or says what makes that impossible. */
export function parseLenientYaml(file: SourceFile): LenientYaml {
  const lines = new LineCounter()
  const fail = (offset: number, message: string): LenientYaml => ({
    roots: [],
    repeated: [],
    problem: problemAt(file, offset, message),
  })
  const deepAt = tooDeepAt(file.text)
  if (deepAt !== null) return fail(deepAt, `nests deeper than ${depthMax} levels`)
  const parsed = parseAllDocuments(file.text, {
    version: '1.2',
    schema: 'core',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
    lineCounter: lines,
  })
  const documents: readonly Document.Parsed[] = 'empty' in parsed ? [] : parsed
  const [error] = documents.flatMap(({ errors }) => errors)
  if (error !== undefined) return fail(error.pos[0], `not YAML: ${error.message}`)
  const reader = new Reader(lines)
  try {
    const roots = documents.flatMap(({ contents }) =>
      contents === null ? [] : [reader.readDocument(contents)],
    )
    return { roots, repeated: reader.repeated, problem: null }
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused
    return fail(refused.offset, refused.message)
  }
}

class Refused extends Error {
  readonly offset: number

  constructor(node: Node | null, message: string) {
    super(message)
    this.offset = node?.range?.[0] ?? 0
  }
}

interface Read {
  readonly value: Sourced
  readonly size: number
}

class Reader {
  readonly repeated: { readonly key: string; readonly line: number }[] = []
  readonly #lines: LineCounter
  readonly #anchors = new Map<string, Read>()
  #size = 0

  constructor(lines: LineCounter) {
    this.#lines = lines
  }

  readDocument(contents: Node): Sourced {
    this.#anchors.clear()
    return this.#read(contents, 0).value
  }

  #read(node: Node | null, depth: number): Read {
    if (depth > depthMax) throw new Refused(node, `nests deeper than ${depthMax} levels`)
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target === undefined)
        throw new Refused(node, `\`*${node.source}\` has no anchor before it`)
      this.#count(node, target.size)
      return target
    }
    this.#count(node, 1)
    const before = this.#size
    const value = this.#content(node, depth)
    const read = { value, size: this.#size - before + 1 }
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, read)
    return read
  }

  #count(node: Node | null, size: number): void {
    this.#size += size
    if (this.#size > valuesMax) throw new Refused(node, `holds more than ${valuesMax} values`)
  }

  #content(node: Node | null, depth: number): Sourced {
    const line = this.#lineOf(node)
    if (isSeq<Node>(node)) {
      return {
        kind: 'list',
        line,
        items: node.items.map((item) => this.#read(item, depth + 1).value),
      }
    }
    if (isMap<Node, Node | null>(node)) {
      return { kind: 'map', line, entries: this.#entries(node.items, depth) }
    }
    return { kind: 'scalar', line, value: isScalar(node) ? scalarOf(node) : null }
  }

  #entries(
    pairs: readonly Pair<Node, Node | null>[],
    depth: number,
  ): ReadonlyMap<string, SourcedEntry> {
    const own = new Map<string, SourcedEntry>()
    const merged = new Map<string, SourcedEntry>()
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? keyText(key) : null
      if (name === null) throw new Refused(key, 'a key is no text')
      const read = this.#read(value, depth + 1).value
      const line = this.#lineOf(key)
      if (name === '<<' && read.kind !== 'scalar') {
        // Of several sources the first that has a key counts; a map's own keys count before all.
        for (const source of read.kind === 'list' ? read.items : [read]) {
          if (source.kind !== 'map') continue
          for (const [inner, entry] of source.entries) {
            if (!merged.has(inner)) merged.set(inner, entry)
          }
        }
        continue
      }
      const earlier = own.get(name)
      if (earlier !== undefined) this.repeated.push({ key: name, line: earlier.line })
      own.delete(name) // so that it stands where it was written last
      own.set(name, { line, value: read })
    }
    return new Map([...merged, ...own])
  }

  #lineOf(node: Node | null): number {
    return node?.range == null ? 1 : Math.max(1, this.#lines.linePos(node.range[0]).line)
  }
}

function keyText({ value, source }: { value: unknown; source?: string }): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return source ?? String(value)
  return typeof value === 'symbol' ? '<<' : null // the package's own mark of a merge key
}

function scalarOf({ value, source }: { value: unknown; source?: string }): SourcedScalar['value'] {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return source ?? null
}

function problemAt(file: SourceFile, offset: number, message: string): Problem {
  const start = file.text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1
  const end = file.text.indexOf('\n', start)
  const text = file.text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '')
  return {
    file: file.name,
    line: file.text.slice(0, start).split('\n').length,
    column: Math.max(1, offset - start + 1),
    severity: 'error',
    code: 'yaml-syntax',
    message,
    hint: null,
    source: { text, length: 1 },
  }
}
