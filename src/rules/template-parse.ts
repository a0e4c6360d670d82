import Mustache from 'mustache'

/*
 * Mustache text -> nodes. The `mustache` package finds the tags and nests the sections; what stands
 * inside a tag (path, pipes, arguments) is Sluice's own small language and is taken apart here.
 * Nothing is rendered by mustache: it escapes for HTML and turns what is missing into nothing.
 */

export type Node = TextNode | TagNode | SectionNode

interface TextNode {
  readonly kind: 'text'
  readonly text: string
}

export interface TagNode {
  readonly kind: 'tag'
  /** The tag as written, for messages. */
  readonly quote: string
  readonly path: string
  readonly pipes: readonly PipeCall[]
}

export interface SectionNode {
  readonly kind: 'section'
  readonly quote: string
  readonly path: string
  /** `{{^path}}`: stands where the path holds nothing. */
  readonly inverted: boolean
  readonly body: readonly Node[]
}

interface PipeCall {
  readonly name: string
  readonly args: readonly Argument[]
}

export interface Argument {
  readonly value: string | number | boolean | null
  /** Written without quotes: the name of a list or of a secret. */
  readonly bare: boolean
}

export type ReportTag = (message: string, hint?: string) => void

/** A template is written by a person; what is longer than this is a file that lost its way. */
const templateLengthMax = 64 * 1024

/** Sections within sections; far above what reads well, far below what a stack holds. */
const depthMax = 16

/** Parses `source`, or reports each thing that is wrong and gives `null`. */
export function parseTemplate(source: string, report: ReportTag): readonly Node[] | null {
  if (source.length > templateLengthMax) {
    report(`the template is longer than ${templateLengthMax} characters`)
    return null
  }
  if (/\p{Surrogate}/u.test(source)) {
    report('the template holds half of a character (a lone surrogate)')
    return null
  }
  if (!source.includes('{{')) return source === '' ? [] : [{ kind: 'text', text: source }]
  let tokens: readonly Token[]
  try {
    // as: typed as any by the package; the shape is that of mustache.js 4.2, parseTemplate.
    // A new writer each time, because a writer keeps every template it has seen for ever.
    tokens = new Mustache.Writer().parse(source) as readonly Token[]
  } catch (error) {
    report(...syntaxProblem(source, error))
    return null
  }
  let isSound = true
  const nodes = nodesOf(source, tokens, 0, (message, hint) => {
    isSound = false
    report(message, hint)
  })
  return isSound ? nodes : null
}

type Token = readonly [
  type: string,
  value: string,
  start: number,
  end: number,
  body?: readonly Token[],
  closesAt?: number,
]

function nodesOf(
  source: string,
  tokens: readonly Token[],
  depth: number,
  report: ReportTag,
): readonly Node[] {
  const nodes: Node[] = []
  for (const token of tokens) {
    const [type, value, start, end, body] = token
    const quote = source.slice(start, end)
    switch (type) {
      case 'text':
        nodes.push({ kind: 'text', text: value })
        break
      case 'name': {
        const tag = parseTag(value, (reason, hint) => report(`${quote}: ${reason}`, hint))
        if (tag !== null) nodes.push({ kind: 'tag', quote, ...tag })
        break
      }
      case '#':
      case '^':
        if (/[\s|]/.test(value) || value === '') {
          report(
            `${quote}: a section takes a path and nothing else`,
            helperHint(value) ?? 'put the pipe on a tag inside',
          )
        } else if (depth === depthMax) {
          report(`${quote}: sections are nested deeper than ${depthMax}`)
        } else {
          const inner = nodesOf(source, body ?? [], depth + 1, report)
          nodes.push({ kind: 'section', quote, path: value, inverted: type === '^', body: inner })
        }
        break
      case '!':
        break
      default:
        report(...refusal(type, quote))
    }
  }
  return nodes
}

function refusal(type: string, quote: string): [message: string, hint: string] {
  switch (type) {
    case '&':
      return [
        `${quote}: there is no unescaped form`,
        'write {{path}}; in a URL, {{path | raw}} inserts what is already encoded',
      ]
    case '>':
      return [`${quote}: there are no partials`, 'write the text out']
    case '=':
      return [`${quote}: the delimiters cannot be changed`, 'tags are always {{ and }}']
    default:
      return [`${quote}: not a tag that templates have`, 'write {{path}}']
  }
}

/** `if`, as other template languages have it: what to write instead, or `null`. */
function helperHint(section: string): string | null {
  const [, word = '', path = '', more = ''] =
    /^(if|unless|with)\s+([^\s|]+)\s*(.*)$/s.exec(section) ?? []
  if (word === '') return null
  const open = word === 'unless' ? '^' : '#'
  const how = `there is no \`${word}\`: write {{${open}${path}}}..{{/${path}}}`
  return more === '' ? how : `${how}; what a value is, is asked in \`when\``
}

/** Mustache's own message says what and where; we put the text of the template beside it. */
function syntaxProblem(source: string, error: unknown): [message: string, hint: string] {
  const reason = error instanceof Error ? error.message : String(error)
  const isTag = reason.startsWith('Unclosed tag')
  const unclosed = /^Unclosed section "([^"]*)"/.exec(reason)?.[1] ?? ''
  // An unclosed tag is told with the end of the text; what a person looks for is where it opens.
  const at = isTag ? source.lastIndexOf('{{') : Number(/ at (\d+)$/.exec(reason)?.[1] ?? 0)
  const near = JSON.stringify(source.slice(Math.max(0, at - 10), at + 30))
  return [
    `${reason.replace(/ at \d+$/, '').toLowerCase()}, near ${near}`,
    isTag
      ? 'a tag ends with }}'
      : (helperHint(unclosed) ?? 'every {{#path}} and {{^path}} needs its {{/path}}'),
  ]
}

const pathForm = /[^\s|]+/y
const pipeForm = /\s*\|\s*([A-Za-z_][\w-]*)\s*/y
const argumentForm =
  /\s*(?:("(?:[^"\\]|\\.)*")|'([^']*)'|(-?\d+(?:\.\d+)?)(?![\w.-])|([A-Za-z][\w.-]*))\s*/y

/** `path | pipe: argument, argument | pipe`. */
function parseTag(
  text: string,
  report: ReportTag,
): { path: string; pipes: readonly PipeCall[] } | null {
  const scan = scannerOf(text)
  const path = scan(pathForm)?.[0]
  if (path === undefined) {
    report('a tag holds a path', 'for example {{event.page.page_title}}')
    return null
  }
  const pipes: PipeCall[] = []
  while (scan.rest().trim() !== '') {
    const name = scan(pipeForm)?.[1]
    if (name === undefined) {
      report(`cannot read ${quoted(scan.rest())}`, 'pipes are written {{path | pipe: "argument"}}')
      return null
    }
    const args: Argument[] = []
    if (scan.rest().startsWith(':')) {
      do {
        scan.skip()
        const argument = argumentOf(scan(argumentForm))
        if (argument === null) {
          report(
            `cannot read the argument ${quoted(scan.rest())} of ${name}`,
            'arguments are "texts", numbers, true, false, null, or the name of a list or a secret',
          )
          return null
        }
        args.push(argument)
      } while (scan.rest().startsWith(','))
    }
    pipes.push({ name, args })
  }
  return { path, pipes }
}

const words: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

function argumentOf(found: RegExpExecArray | null): Argument | null {
  if (found === null) return null
  const [, double, single, number, word] = found
  if (double !== undefined) return textArgument(double)
  if (single !== undefined) return { value: single, bare: false }
  if (number !== undefined) return { value: Number(number), bare: false }
  if (word === undefined) return null
  const known = words.get(word)
  return known === undefined ? { value: word, bare: true } : { value: known, bare: false }
}

/** A text in double quotes has JSON's escapes. */
function textArgument(literal: string): Argument | null {
  try {
    const value: unknown = JSON.parse(literal)
    return typeof value === 'string' ? { value, bare: false } : null
  } catch {
    return null // a bad escape: told as an argument that cannot be read
  }
}

interface Scanner {
  (form: RegExp): RegExpExecArray | null
  rest(): string
  /** Passes one character by. */
  skip(): void
}

function scannerOf(text: string): Scanner {
  let position = 0
  const scan = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = position
    const found = form.exec(text)
    if (found !== null) position = form.lastIndex
    return found
  }
  return Object.assign(scan, { rest: () => text.slice(position), skip: () => void position++ })
}

function quoted(text: string): string {
  return JSON.stringify(text.trim().slice(0, 40))
}
