import type { Sourced } from '../../schema/lenient-yaml.ts'
import { globsOf } from './convert-topics.ts'
import { readRegex } from './convert-regex.ts'
import { convertTag, tagText, type ConvertedTag, type TemplateContext } from './convert-template.ts'
import { readTemplate, type TemplatePart } from './read-template.ts'
import { entryOf } from './sourced.ts'

export interface ConvertedUri {
  readonly url: string
  /** `null`: the host is written out. Empty: it comes from data and nobody knows which it may be. */
  readonly allowHosts: readonly string[] | null
}

export interface UriContext extends TemplateContext {
  /** The `match` of the rule, which may say which hosts there are. */
  readonly match: Sourced | null
  /** What the user says about hosts that the rule says nothing about. */
  readonly allowHosts: readonly string[]
}

type Tag = Extract<TemplatePart, { kind: 'tag' }>
type Piece = { readonly text: string } | { readonly tag: Tag; readonly converted: ConvertedTag }

/** The `url` of an action, or `null` after noting why there is none. */
export function convertUri(source: string, line: number, context: UriContext): ConvertedUri | null {
  // Its parts have names in braces as well, which are no templates: `/{api:sys}/links`.
  if (source.startsWith('/')) return noHost(source, line, context)
  const pieces = piecesOf(source, line, context)
  if (pieces === null) return null
  const origin = takeScheme(pieces, source, line, context)
  if (origin === null) return null
  const { scheme, rest } = origin
  const [host, after] = splitHost(rest)
  const hostTags = host.filter((piece) => 'tag' in piece)
  const url = [
    scheme,
    ...host.map((piece) =>
      'text' in piece ? piece.text : tagText(piece.converted, piece.tag, 'host'),
    ),
    ...after.map((piece) => afterHost(piece, line, context)),
  ].join('')
  if (hostTags.length === 0) return { url, allowHosts: null }
  const known = host.length === 1 ? hostsOf(hostTags[0], context) : []
  return { url, allowHosts: known.length > 0 ? known : context.allowHosts }
}

/** The parts, with what is known now written out; a constant may be a template itself, once. */
function piecesOf(source: string, line: number, context: UriContext): Piece[] | null {
  const pieces: Piece[] = []
  for (const part of readTemplate(source)) {
    if (part.kind === 'text') {
      pieces.push({ text: part.text })
      continue
    }
    const converted = convertTag(part, line, context)
    if (converted === null) return null
    if (converted.kind === 'tag') {
      pieces.push({ tag: part, converted })
      continue
    }
    const text = tagText(converted, part, 'url')
    const inner = text.includes('{')
      ? piecesOf(text, line, { ...context, options: null })
      : [{ text }]
    if (inner === null) return null
    pieces.push(...inner)
  }
  return pieces
}

const schemeForm = /^(https?):\/\//i

function takeScheme(
  pieces: readonly Piece[],
  source: string,
  line: number,
  context: UriContext,
): { readonly scheme: string; readonly rest: readonly Piece[] } | null {
  const [first, second, ...others] = pieces
  if (first !== undefined && 'text' in first) {
    const found = schemeForm.exec(first.text)
    if (found !== null) {
      const rest = [{ text: first.text.slice(found[0].length) }, ...pieces.slice(1)]
      return { scheme: found[0].toLowerCase(), rest }
    }
    return noHost(source, line, context)
  }
  const next = second !== undefined && 'text' in second ? second.text : ''
  if (first === undefined || !next.startsWith('://')) {
    context.note(
      line,
      `\`uri: ${source}\``,
      'the URL comes from data as a whole, and ours writes its parts out',
      'this step was left out; match the URL with a regex and write `url` with its groups',
    )
    return null
  }
  context.note(
    line,
    `\`${'tag' in first ? first.tag.written : ''}://\``,
    'the scheme of a URL cannot come from data',
    '`https` was written; change it where the target speaks http',
  )
  return { scheme: 'https://', rest: [{ text: next.slice(3) }, ...others] }
}

function noHost(source: string, line: number, { note }: UriContext): null {
  note(
    line,
    `\`uri: ${source}\``,
    'it names no host: the call went to a part of change-propagation itself',
    insteadOf(source),
  )
  return null
}

function insteadOf(source: string): string {
  if (/^\/(?:\{[^}]*\}|sys)\/purge/.test(source)) {
    return 'this step was left out; call the cache: `http: { method: PURGE, url: "http://<cache>/<path>", headers: { host: .. } }`'
  }
  if (/^\/(?:\{[^}]*\}|sys)\/links/.test(source)) {
    return 'this step was left out; what links where is not known here, so a service of its own has to fan out'
  }
  if (/^\/(?:\{[^}]*\}|sys)\/partition/.test(source)) {
    return 'this step was left out; `emit` with a literal topic and a `partition_key`, one rule per topic'
  }
  return 'this step was left out; write `url` with scheme and host'
}

/** Everything up to the first `/` or `?` of the text is the host. */
function splitHost(pieces: readonly Piece[]): readonly [readonly Piece[], readonly Piece[]] {
  const host: Piece[] = []
  for (const [index, piece] of pieces.entries()) {
    const end = 'text' in piece ? piece.text.search(/[/?#]/) : -1
    if (!('text' in piece) || end === -1) {
      if (!('text' in piece) || piece.text !== '') host.push(piece)
      continue
    }
    if (end > 0) host.push({ text: piece.text.slice(0, end) })
    return [host, [{ text: piece.text.slice(end) }, ...pieces.slice(index + 1)]]
  }
  return [host, []]
}

function afterHost(piece: Piece, line: number, { note, captures }: UriContext): string {
  if ('text' in piece) return piece.text
  const { tag, converted } = piece
  if (tag.insert === 'segment') {
    note(
      line,
      `\`${tag.written}\``,
      'the number of path segments is fixed: one cannot be optional',
      'written as a segment that must be there; make two rules, with `exists` in `when`',
    )
    return `/${tagText(converted, tag, 'url')}`
  }
  if (tag.insert === 'raw' && tag.expression.kind === 'path') {
    const value =
      tag.expression.steps[0] === 'match' ? captures.resolve(tag.expression.steps.slice(1)) : null
    if (value?.kind === 'capture' && value.holdsSlash) {
      note(
        line,
        `\`${tag.written}\``,
        'it may capture a `/`, and an encoded value of ours is one segment of the path',
        'events whose capture holds `/`, `?` or `#` become dead letters; narrow the group to `[^/?#]+`, or, where it is not encoded yet, write `| path` for `| raw`',
      )
    }
  }
  return tagText(converted, tag, 'url')
}

/** The hosts that the `match` leaves for the one field that the host comes from. */
function hostsOf(piece: Piece | undefined, { match }: UriContext): readonly string[] {
  if (piece === undefined || !('tag' in piece) || piece.converted.kind !== 'tag') return []
  const steps = piece.converted.path.split('.')
  if (steps[0] !== 'event' || piece.converted.pipes.length > 0) return []
  let node: Sourced | null = match
  for (const step of steps.slice(1)) node = entryOf(node, step)?.value ?? null
  if (node?.kind !== 'scalar' || typeof node.value !== 'string') return []
  const regex = readRegex(node.value)
  const hosts = regex === null ? [node.value] : (globsOf(regex.source) ?? [])
  return hosts.every((host) => /^(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host)) ? hosts : []
}
