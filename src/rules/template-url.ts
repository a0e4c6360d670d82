import {
  checkRawQuery,
  checkRawSegment,
  encodeQueryValue,
  encodeUnreserved,
  EscapeFailure,
} from './template-escape.ts'
import { compileOrigin, splitAuthority, textOptions, type UrlOptions } from './template-origin.ts'
import { compileEncoder } from './pipes.ts'
import { parseTemplate, type Node, type SectionNode } from './template-parse.ts'
import {
  compileText,
  joinParts,
  type Escape,
  type LastPipe,
  type Part,
  type Report,
  type TextOptions,
} from './template-text.ts'
import { RenderError } from './template.ts'

/*
 * A templated URL whose shape is decided at load. The literal text is taken apart into scheme, host,
 * port, path segments and query, so each tag knows where it stands; a value can then only fill its
 * place. Whatever an event holds, scheme, host, port, the number of path segments and the names in
 * the query are those of the template, or the task is refused. The one exception is asked for tag by
 * tag: `| path` lets a value be several segments.
 *
 * What is rendered is what a WHATWG URL parser would make of it, so that the client below has nothing
 * left to normalise (test/unit/rules/template-url.test.ts holds the two against each other).
 */

/** Compiles the URL and the further query values, or gives `null` after reporting. */
export function compileUrl(
  source: string,
  query: Readonly<Record<string, string>>,
  options: UrlOptions,
): Part | null {
  if (/[\r\n]/.test(source)) {
    const hint = 'a text below `>` or `|` keeps its last one: write it behind `url:`, in quotes'
    options.report('template-url', 'an end of line cannot stand in a URL', hint)
    return null
  }
  const further = compileFurtherQuery(query, options)
  const nodes = parseTemplate(source, (message, hint) =>
    options.report('template-syntax', message, hint),
  )
  if (nodes === null) return null
  const split = splitAuthority(nodes, options.report)
  if (split === null) return null
  const origin = compileOrigin(split, options)
  const rest = new AfterAuthority(options).compile(split.rest)
  if (origin === null || rest === null || further === null) return null
  const join = further.length === 0 ? '' : rest.hasQuery ? (rest.endsOpen ? '' : '&') : '?'
  return joinParts([origin, rest.part, join, ...further])
}

interface CompiledRest {
  readonly part: Part
  readonly hasQuery: boolean
  /** The query ends with `?` or `&`: the next pair needs no `&`. */
  readonly endsOpen: boolean
}

/** Where in a query literal text stands. */
type QueryPlace = 'name' | 'value'

/**
 * Path and query of one URL, from left to right. `compile` is called once.
 */
class AfterAuthority {
  readonly #options: UrlOptions
  #isSound = true
  readonly #pieces: (Part | string)[] = []
  #segment: Node[] = []
  #query: QueryPlace | null = null
  #endsOpen = false

  constructor(options: UrlOptions) {
    this.#options = options
  }

  compile(nodes: readonly Node[]): CompiledRest | null {
    const [first] = nodes
    // `http://host` and `http://host?a=1` have the path `/`.
    const starts = first?.kind === 'text' && first.text.startsWith('/')
    this.#pieces.push('/')
    const rest = starts ? [{ ...first, text: first.text.slice(1) }, ...nodes.slice(1)] : nodes
    for (const node of rest) {
      if (this.#query === null) this.#addToPath(node)
      else this.#addToQuery(node)
    }
    if (this.#query === null) this.#endSegment()
    if (!this.#isSound) return null
    const part = joinParts(this.#pieces)
    return { part, hasQuery: this.#query !== null, endsOpen: this.#endsOpen }
  }

  #fail(message: string, hint?: string): void {
    this.#isSound = false
    this.#options.report('template-url', message, hint)
  }

  #addToPath(node: Node): void {
    if (node.kind !== 'text') {
      this.#segment.push(node)
      return
    }
    const queryAt = node.text.indexOf('?')
    const path = queryAt === -1 ? node.text : node.text.slice(0, queryAt)
    for (const [index, text] of path.split('/').entries()) {
      if (index > 0) {
        this.#endSegment()
        this.#pieces.push('/')
      }
      if (text !== '') this.#segment.push({ kind: 'text', text })
    }
    if (queryAt === -1) return
    this.#endSegment()
    this.#query = 'name'
    this.#pieces.push('?')
    this.#endsOpen = true
    this.#addToQuery({ kind: 'text', text: node.text.slice(queryAt + 1) })
  }

  #endSegment(): void {
    const nodes = this.#segment
    this.#segment = []
    for (const section of nodes.filter((node) => node.kind === 'section')) {
      if (/[/?#]/.test(literalOf(section))) {
        this.#fail(
          `${section.quote}: a section in a path cannot hold / or ?`,
          'the number of path segments is fixed; an optional query is written ?{{#path}}a={{.}}{{/path}}',
        )
        return
      }
    }
    const part = this.#compileSegment(nodes)
    if (part !== null) this.#pieces.push(part)
  }

  #compileSegment(nodes: readonly Node[]): Part | string | null {
    const parts = nodes.map((node) => this.#compilePathNode(node))
    if (parts.includes(null)) {
      this.#isSound = false
      return null
    }
    const sound = parts.filter((part) => part !== null)
    if (sound.every((part) => typeof part === 'string')) {
      const text = sound.join('')
      if (holdsDots(text)) this.#fail(`a path cannot hold the segment ${JSON.stringify(text)}`)
      return text
    }
    const segment = joinParts(sound)
    // A segment of sections alone was written to be optional; one with a tag was written to be there.
    const mayBeEmpty = nodes.every((node) => node.kind === 'section')
    const written = nodes.map((node) => (node.kind === 'text' ? node.text : node.quote)).join('')
    return (run, element) => {
      const text = segment(run, element)
      if (text === '' && !mayBeEmpty) {
        throw new RenderError('template', `the path segment ${written} would be empty`)
      }
      if (holdsDots(text)) {
        throw new RenderError('template', `the path segment ${written} would be . or ..`)
      }
      return text
    }
  }

  #compilePathNode(node: Node): Part | string | null {
    if (node.kind === 'text') return this.#literal(node.text, 'path')
    return compileText([node], false, this.#nodeOptions('path'))
  }

  #nodeOptions(place: 'path' | 'query'): TextOptions {
    const { report } = this.#options
    return {
      ...textOptions(this.#options, report),
      literal: (text) => this.#literal(text, place),
      escape: place === 'path' ? encodeUnreserved : encodeQueryValue,
      lastPipes: place === 'path' ? pathPipes : queryPipes,
    }
  }

  #literal(text: string, place: 'path' | 'query'): string {
    const encoded = encodeLiteral(text, place)
    if (encoded !== null) return encoded
    this.#fail(
      `${JSON.stringify(text)} holds what cannot stand in a URL (white space, control characters, \\, #, or % without two hex digits)`,
      'write a space as %20; a fragment (#) is never sent',
    )
    return text
  }

  #addToQuery(node: Node): void {
    if (!this.#checkPlaces(node)) return
    const part = compileText([node], false, this.#nodeOptions('query'))
    if (part === null) this.#isSound = false
    else this.#pieces.push(part)
    if (node.kind !== 'text') this.#endsOpen = false
    else if (node.text !== '') this.#endsOpen = node.text.endsWith('&')
  }

  /** Follows names and values; `false` after reporting a tag that stands in a name. */
  #checkPlaces(node: Node): boolean {
    switch (node.kind) {
      case 'text':
        this.#query = placeAfter(node.text, this.#query ?? 'name')
        return true
      case 'tag':
        if (this.#query === 'value') return true
        this.#fail(
          `${node.quote}: the names in a query cannot come from data`,
          'write name={{path}}',
        )
        return false
      case 'section': {
        const before = this.#query
        if (!node.body.every((inner) => this.#checkPlaces(inner))) return false
        if (this.#query === before) return true
        this.#query = before
        this.#fail(
          `${node.quote}: a section in a query holds whole pairs, or a part of one value`,
          'write {{#path}}&name={{.}}{{/path}}',
        )
        return false
      }
    }
  }
}

/** Where the text after `text` stands in a query. */
function placeAfter(text: string, before: QueryPlace): QueryPlace {
  const pair = text.lastIndexOf('&')
  if (pair === -1) return before === 'value' || text.includes('=') ? 'value' : 'name'
  return text.includes('=', pair) ? 'value' : 'name'
}

function literalOf(section: SectionNode): string {
  return section.body
    .map((node) =>
      node.kind === 'text' ? node.text : node.kind === 'section' ? literalOf(node) : '',
    )
    .join('')
}

/** In a URL the last pipe says how the value enters; without one of these it is encoded. */
function lastPipesOf(place: 'path' | 'query', raw: Escape): ReadonlyMap<string, LastPipe> {
  return new Map<string, LastPipe>([
    ['raw', (args) => (args.length === 0 ? raw : { code: 'template-pipe', message: noArguments })],
    ['uri', (args) => compileEncoder('uri', args, place)],
    [
      'path',
      (args) => {
        const encode = compileEncoder('path', args, place)
        return typeof encode === 'function' && place === 'path' ? withoutFirstSlash(encode) : encode
      },
    ],
  ])
}

const noArguments = '`raw` takes no arguments'
const pathPipes = lastPipesOf('path', checkRawSegment)
const queryPipes = lastPipesOf('query', checkRawQuery)

function withoutFirstSlash(encode: Escape): Escape {
  return (text) => {
    if (!text.startsWith('/')) return encode(text)
    throw new EscapeFailure('begins with /, which would leave a segment empty')
  }
}

const dots = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i

/** Whether a segment is `.` or `..`, which a URL parser would resolve, or a server behind it. */
function holdsDots(text: string): boolean {
  return dots.test(text)
}

const plainPath = /^[\w.~!$&'()*+,;=:@-]*$/
const cannotStand = /[\p{Cc}\p{Cf}\s\\#]|%(?![0-9a-f]{2})/iu
const toEncode = {
  path: /[^\w.~!$&'()*+,;=:@%-]/gu,
  query: /[^\w.~!$&()*+,;=:@%/?-]/gu,
} as const

/** Literal text of a URL as a parser would leave it, or `null` if it cannot stand there. */
function encodeLiteral(text: string, place: 'path' | 'query'): string | null {
  if (place === 'path' && plainPath.test(text)) return text
  if (cannotStand.test(text)) return null
  return text.replace(toEncode[place], encodeUrlCharacter)
}

function encodeUrlCharacter(character: string): string {
  return character === "'" ? '%27' : encodeURIComponent(character)
}

/** `query:` beside `url:`. Names are literal; literal text in values is text, not URL. */
function compileFurtherQuery(
  query: Readonly<Record<string, string>>,
  options: UrlOptions,
): readonly (Part | string)[] | null {
  const pieces: (Part | string)[] = []
  let isSound = true
  for (const [name, source] of Object.entries(query)) {
    const report = options.reportQuery(name)
    const value = compileQueryValue(source, report, options)
    if (name === '' || name.includes('{{') || /\p{Cc}/u.test(name)) {
      report(
        'template-url',
        `${JSON.stringify(name)} cannot be a name in a query`,
        'names are literal',
      )
      isSound = false
    } else if (value === null) {
      isSound = false
    } else {
      pieces.push(`${pieces.length === 0 ? '' : '&'}${encodeQueryValue(name)}=`, value)
    }
  }
  return isSound ? pieces : null
}

function compileQueryValue(source: string, report: Report, options: UrlOptions): Part | null {
  const nodes = parseTemplate(source, (message, hint) => report('template-syntax', message, hint))
  if (nodes === null) return null
  return compileText(nodes, false, {
    ...textOptions(options, report),
    literal: encodeQueryValue,
    escape: encodeQueryValue,
    lastPipes: queryPipes,
  })
}
