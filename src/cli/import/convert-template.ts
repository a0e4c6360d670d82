import type { Json, JsonObject } from '../../model/json.ts'
import type { Sourced, SourcedMap } from '../../schema/lenient-yaml.ts'
import type { Captures } from './captures.ts'
import type { Note } from './findings.ts'
import { readTemplate, type Expression, type TemplatePart } from './read-template.ts'
import { entryOf } from './sourced.ts'

/**
 * Where a template stands, which decides what a tag there has to say about escaping: in a URL ours
 * encode by themselves, in the values of a query too, and elsewhere nothing is percent-encoded.
 */
export type Place = 'url' | 'host' | 'query' | 'text'

export interface TemplateContext {
  readonly note: Note
  readonly captures: Captures
  /** Options of their module, where names such as `hosts.api` are looked up. */
  readonly options: SourcedMap | null
}

type Tag = Extract<TemplatePart, { kind: 'tag' }>

/** What a tag becomes: text that is known now, or a tag of ours. */
export type ConvertedTag =
  | { readonly kind: 'constant'; readonly value: null | boolean | number | string }
  | { readonly kind: 'tag'; readonly path: string; readonly pipes: readonly string[] }

/** A text with tags; `null` after noting what could not be said. */
export function convertText(
  source: string,
  line: number,
  place: Place,
  context: TemplateContext,
): string | null {
  let text = ''
  for (const part of readTemplate(source)) {
    if (part.kind === 'text') {
      text += part.text
      continue
    }
    const converted = convertTag(part, line, context)
    if (converted === null) return null
    text += tagText(converted, part, place)
  }
  return text
}

/** A tree of values whose texts are templates. A text that is one tag keeps its type in both. */
export function convertTree(node: Sourced, context: TemplateContext): Json | undefined {
  if (node.kind === 'list') {
    const items = node.items.map((item) => convertTree(item, context))
    return items.includes(undefined) ? undefined : (items as readonly Json[]) // as: none is undefined
  }
  if (node.kind === 'map') return convertEntries(node, (value) => convertTree(value, context))
  if (typeof node.value !== 'string') return node.value
  const [first, ...others] = readTemplate(node.value)
  if (first?.kind === 'tag' && others.length === 0) {
    const converted = convertTag(first, node.line, context)
    if (converted === null) return undefined
    if (converted.kind === 'constant') return converted.value
  }
  return convertText(node.value, node.line, 'text', context) ?? undefined
}

/** A map with each value converted; `undefined` when one could not be. */
export function convertEntries(
  node: SourcedMap,
  convert: (value: Sourced, key: string) => Json | undefined,
): JsonObject | undefined {
  const entries: [string, Json][] = []
  for (const [key, { value }] of node.entries) {
    const converted = convert(value, key)
    if (converted === undefined) return undefined
    entries.push([key, converted])
  }
  return Object.fromEntries(entries)
}

/** The text of a tag in its place. */
export function tagText(converted: ConvertedTag, tag: Tag, place: Place): string {
  if (converted.kind === 'constant') {
    const text = converted.value === null ? '' : String(converted.value)
    return tag.insert === 'raw' || place === 'host' ? text : encodeURIComponent(text)
  }
  const pipes = [...converted.pipes, ...pipesFor(tag.insert, place)]
  return `{{${[converted.path, ...pipes].join(' | ')}}}`
}

function pipesFor(insert: Tag['insert'], place: Place): readonly string[] {
  const isRaw = insert === 'raw'
  switch (place) {
    case 'host':
      return []
    case 'url':
      return isRaw ? ['raw'] : []
    case 'query':
      // Theirs is encoded by the braces and once more as a value; the last pipe is ours' own.
      return isRaw ? [] : ['uri', 'uri']
    case 'text':
      return isRaw ? [] : ['uri']
  }
}

/** Converts one tag, or gives `null` after noting what ours cannot say. */
export function convertTag(tag: Tag, line: number, context: TemplateContext): ConvertedTag | null {
  const refuse = (why: string, instead: string): null => {
    context.note(line, `\`${tag.written}\``, why, instead)
    return null
  }
  return convertExpression(tag.expression, refuse, context)
}

type Refuse = (why: string, instead: string) => null

const byHand = 'this step was left out; write it by hand'

function convertExpression(
  expression: Expression,
  refuse: Refuse,
  context: TemplateContext,
): ConvertedTag | null {
  switch (expression.kind) {
    case 'literal':
      return { kind: 'constant', value: expression.value }
    case 'unknown':
      return refuse('a template of ours holds a path and pipes', byHand)
    case 'call':
      return convertCall(expression, refuse, context)
    case 'path':
      return convertPath(expression.steps, refuse, context)
  }
}

function convertPath(
  given: readonly (string | number)[],
  refuse: Refuse,
  { captures, options }: TemplateContext,
): ConvertedTag | null {
  const isGlobal = ['globals', 'global', '$'].includes(String(given[0]))
  const [root, ...steps] = isGlobal ? given.slice(1) : given
  if (root === 'message') {
    const path = ['event', ...steps.map((step) => String(step).replace(/[\\.]/g, '\\$&'))].join('.')
    if (/[\s|{}]/.test(path) || path.endsWith('.')) {
      return refuse('a path of ours cannot hold that name', byHand)
    }
    return { kind: 'tag', path, pipes: [] }
  }
  if (root === 'match') {
    const value = captures.resolve(steps)
    if (value?.kind === 'capture') return { kind: 'tag', path: `match.${value.name}`, pipes: [] }
    if (value !== null) return value
    return refuse(
      'the `match` of the rule captures no such thing',
      'this step was left out; name a group in `when` and read `match.<group>`',
    )
  }
  const constant = constantAt(options, root === undefined ? [] : [root, ...steps])
  if (constant !== null) return { kind: 'constant', value: constant }
  const name = given.map(String).join('.')
  return refuse(
    `\`${name}\` is neither the event nor what was matched, and the options do not say what it is`,
    'this step was left out; write the value out in its place',
  )
}

function constantAt(
  options: SourcedMap | null,
  steps: readonly (string | number)[],
): null | boolean | number | string {
  let node: Sourced | null = options
  for (const step of steps) node = entryOf(node, String(step))?.value ?? null
  return steps.length > 1 && node?.kind === 'scalar' ? node.value : null
}

function convertCall(
  { name, args }: Extract<Expression, { kind: 'call' }>,
  refuse: Refuse,
  context: TemplateContext,
): ConvertedTag | null {
  const [first, second] = args
  if (first === undefined) return refuse(`\`${name}\` without an argument says nothing`, byHand)
  const pipe = pipeOf(name, second)
  if (pipe === null) {
    return refuse(
      `there is no pipe that does what \`${name}\` does`,
      name === 'strip' || name === 'merge' || name === 'filter'
        ? 'this step was left out; write the fields that are sent as a `json:` tree'
        : byHand,
    )
  }
  const value = convertExpression(first, refuse, context)
  if (value === null) return null
  if (value.kind === 'constant') {
    return refuse('a function of a constant', 'this step was left out; write the value out')
  }
  return { ...value, pipes: [...value.pipes, pipe] }
}

function pipeOf(name: string, argument: Expression | undefined): string | null {
  const value = argument?.kind === 'literal' ? argument.value : undefined
  switch (name) {
    case 'decode':
    case 'decodeURIComponent':
      return argument === undefined ? 'decode_uri' : null
    case 'default':
      return value === undefined ? null : `default: ${JSON.stringify(value)}`
    case 'date':
      if (argument === undefined || value === 'rfc822') return 'http_date'
      return value === 'iso' ? 'iso_date' : null
    default:
      return null
  }
}
