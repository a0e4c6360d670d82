import type { Json } from '../model/json.ts'
import {
  compilePipe,
  PipeFailure,
  textOf,
  type Pipe,
  type PipeContext,
  type PipeProblem,
} from './pipes.ts'
import { EscapeFailure, IllFormedText } from './template-escape.ts'
import type { Argument, Node, SectionNode, TagNode } from './template-parse.ts'
import { compileRead, isArray, type Reader, type Run, type TemplateNames } from './template-read.ts'
import { RenderError, type TemplateProblemCode } from './template.ts'
import type { Scope } from './scope.ts'

/*
 * Nodes -> closures. Everything that can be decided is decided here, at load: paths are split, pipes
 * have their arguments, neighbours of literal text are joined. What is left per event is reading
 * own properties and joining strings.
 */

/** A piece of text. `element` is what `{{.}}` stands for. Throws RenderError. */
export type Part = (run: Run, element: Json | undefined) => string
/** A value with its type. */
export type Value = (run: Run, element: Json | undefined) => Json

export type Report = (code: TemplateProblemCode, message: string, hint?: string) => void

export interface TextOptions {
  readonly names: TemplateNames
  readonly pipes: PipeContext
  readonly report: Report
  /** The most that a section may make, in characters. */
  readonly lengthMax: number
  /** How literal text of the template enters; called at load. */
  readonly literal: (text: string) => string
  readonly escape: Escape
  /** Pipes that, at the end of a tag, take the place of `escape`: in a URL. */
  readonly lastPipes?: ReadonlyMap<string, LastPipe>
}

/** A pipe that says how a value enters, with its arguments filled in. */
export type LastPipe = (args: readonly Argument[]) => Escape | PipeProblem

/** How the text of a value enters. Throws EscapeFailure or IllFormedText. */
export type Escape = (text: string) => string

/** Elements that the sections of one template go through in one rendering, nested ones included. */
const elementsMax = 10_000

/** What a template makes of `scope`; the one place where a rendering starts. */
export function renderWith<Result>(
  render: (run: Run, element: undefined) => Result,
  scope: Scope,
  masked: boolean,
): Result {
  try {
    return render({ scope, masked, elementsLeft: elementsMax }, undefined)
  } catch (error) {
    // A text above V8's bound, or JSON nested deeper than its stack.
    if (error instanceof RangeError) throw new RenderError('too-large', 'the result is too large')
    throw error
  }
}

/** Joins the parts of `nodes`, or gives `null` after reporting. */
export function compileText(
  nodes: readonly Node[],
  inSection: boolean,
  options: TextOptions,
): Part | null {
  const parts: (Part | string)[] = []
  let isSound = true
  for (const node of nodes) {
    const part = partOf(node, inSection, options)
    if (part === null) isSound = false
    else parts.push(part)
  }
  return isSound ? joinParts(parts) : null
}

/** One part of many; strings are literal text. */
export function joinParts(pieces: readonly (Part | string)[]): Part {
  const parts: Part[] = []
  let literal = ''
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      literal += piece
      continue
    }
    if (literal !== '') parts.push(constant(literal))
    literal = ''
    parts.push(piece)
  }
  if (literal !== '' || parts.length === 0) parts.push(constant(literal))
  const [first, second] = parts
  if (parts.length === 1 && first !== undefined) return first
  if (parts.length === 2 && first !== undefined && second !== undefined) {
    return (run, element) => first(run, element) + second(run, element)
  }
  return (run, element) => {
    let text = ''
    for (const part of parts) text += part(run, element)
    return text
  }
}

function constant(text: string): Part {
  return () => text
}

function partOf(node: Node, inSection: boolean, options: TextOptions): Part | string | null {
  switch (node.kind) {
    case 'text':
      return options.literal(node.text)
    case 'tag':
      return compileTag(node, inSection, options)
    case 'section':
      return compileSection(node, inSection, options)
  }
}

/** A tag in text: its value as text, escaped. */
export function compileTag(tag: TagNode, inSection: boolean, options: TextOptions): Part | null {
  const { quote } = tag
  const last = tag.pipes.at(-1)
  const escapeAsked =
    last === undefined ? undefined : options.lastPipes?.get(last.name)?.(last.args)
  if (escapeAsked !== undefined && typeof escapeAsked !== 'function') {
    options.report(escapeAsked.code, `${quote}: ${escapeAsked.message}`, escapeAsked.hint)
    return null
  }
  const pipes = escapeAsked === undefined ? tag.pipes : tag.pipes.slice(0, -1)
  const value = compileValue({ ...tag, pipes }, inSection, options)
  if (value === null) return null
  const escape = escapeAsked ?? options.escape
  return (run, element) => {
    const found = value(run, element)
    try {
      return escape(textOf(found))
    } catch (error) {
      throw asRenderError(quote, error)
    }
  }
}

/** A tag as a value. Null only where the template says so: `| default: null`. */
export function compileValue(
  tag: TagNode,
  inSection: boolean,
  { names, pipes: context, report }: Pick<TextOptions, 'names' | 'pipes' | 'report'>,
): Value | null {
  const { quote } = tag
  const read = compileRead(tag.path, inSection, names)
  if (typeof read !== 'function') report(read.code, `${quote}: ${read.message}`, read.hint)
  const steps: { pipe: Pipe; takesNothing: boolean }[] = []
  for (const { name, args } of tag.pipes) {
    if (name === 'raw') {
      report('template-pipe', `${quote}: \`raw\` is for the end of a tag in a URL`, 'leave it out')
      continue
    }
    const pipe = compilePipe(name, args, context)
    if (typeof pipe === 'function') steps.push({ pipe, takesNothing: name === 'default' })
    else {
      // The tag may hold a secret where the name of one belongs: it is not quoted.
      const isSecret = pipe.code === 'unknown-secret'
      report(pipe.code, isSecret ? pipe.message : `${quote}: ${pipe.message}`, pipe.hint)
    }
  }
  if (typeof read !== 'function' || steps.length < tag.pipes.length) return null
  const isSecret = tag.pipes.some(({ name }) => name === 'hmac')
  const mayBeNull = tag.pipes.some(
    ({ name, args }) => name === 'default' && args[0]?.value === null,
  )
  return (run, element) => {
    let value = read(run, element)
    for (const { pipe, takesNothing } of steps) {
      // Nothing goes past all pipes but `default`, wherever in the chain that stands.
      if (!takesNothing && (value === undefined || value === null)) continue
      try {
        value = pipe(value ?? null)
      } catch (error) {
        throw asRenderError(quote, error)
      }
    }
    if (value === undefined || (value === null && !mayBeNull)) throw missing(quote)
    return isSecret && run.masked ? '***' : value
  }
}

/**
 * `{{#path}}` stands once for a value, and once per element of an array. What counts as nothing is
 * absent, null, false, an empty text and an empty array; zero is a value. `{{^path}}` stands for
 * nothing.
 */
function compileSection(
  section: SectionNode,
  inSection: boolean,
  options: TextOptions,
): Part | null {
  const { quote, inverted } = section
  const read = readSection(section, inSection, options)
  // Within `{{^path}}` there is no new element: what `{{.}}` stood for outside, it stands for inside.
  const body = compileText(section.body, inverted ? inSection : true, options)
  if (read === null || body === null) return null
  if (inverted) {
    return (run, element) => (isNothing(read(run, element)) ? body(run, element) : '')
  }
  return (run, element) => {
    const value = read(run, element)
    if (value === undefined || isNothing(value)) return ''
    const elements = value !== null && isArray(value) ? value : [value]
    let text = ''
    for (const one of elements) {
      if (run.elementsLeft-- <= 0) {
        throw new RenderError(
          'too-large',
          `${quote}: goes through more than ${elementsMax} elements`,
        )
      }
      text += body(run, one)
      if (text.length > options.lengthMax) {
        throw new RenderError(
          'too-large',
          `${quote}: makes more than ${options.lengthMax} characters`,
        )
      }
    }
    return text
  }
}

/** The reader of a section's path, or `null` after reporting. */
function readSection(
  section: SectionNode,
  inSection: boolean,
  { names, report }: TextOptions,
): Reader | null {
  const read = compileRead(section.path, inSection, names)
  if (typeof read === 'function') return read
  report(read.code, `${section.quote}: ${read.message}`, read.hint)
  return null
}

function isNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return isArray(value) && value.length === 0
}

function missing(quote: string): RenderError {
  return new RenderError('template', `${quote} is missing: absent, null, or nothing found`)
}

/** Puts the tag before what a pipe or an escape says; anything else is a bug and stays what it is. */
function asRenderError(quote: string, error: unknown): unknown {
  if (error instanceof PipeFailure) return new RenderError(error.kind, `${quote} ${error.message}`)
  if (error instanceof EscapeFailure || error instanceof IllFormedText) {
    return new RenderError('template', `${quote} ${error.message}`)
  }
  return error
}
