import type { PipeContext } from './pipes.ts'
import { hostMatcher, isPlainHost } from './template-hosts.ts'
import type { Node, TagNode } from './template-parse.ts'
import type { TemplateNames } from './template-read.ts'
import { compileTag, joinParts, type Part, type Report, type TextOptions } from './template-text.ts'
import { RenderError } from './template.ts'

/*
 * Scheme, host and port of a templated URL. Scheme and port are always written out. A host may come
 * from data where `allow_hosts` says which it may be; it is checked as the name that it is, before a
 * URL parser could make another one of it (`0x7f.1`, `ａ.org`, `a@b`).
 */

export interface UrlOptions {
  readonly names: TemplateNames
  readonly pipes: PipeContext
  /** Entries that a templated host must fit: see template-hosts.ts. */
  readonly allowHosts: readonly string[]
  readonly lengthMax: number
  readonly report: Report
  readonly reportQuery: (name: string) => Report
}

/** What all parts of one URL have in common. */
export function textOptions(
  options: UrlOptions,
  report: Report,
): Pick<TextOptions, 'names' | 'pipes' | 'report' | 'lengthMax'> {
  const { names, pipes, lengthMax } = options
  return { names, pipes, report, lengthMax }
}

export interface Authority {
  readonly scheme: string
  readonly authority: readonly (string | TagNode)[]
  readonly rest: readonly Node[]
}

const schemeForm = /^(https?):\/\//i
const schemeHint = 'write it out: http:// or https://'

/** Takes a URL apart after its host: everything up to the first `/`, `?` or `#` of the literal text. */
export function splitAuthority(nodes: readonly Node[], report: Report): Authority | null {
  const [first, ...others] = nodes
  const scheme = first?.kind === 'text' ? schemeForm.exec(first.text) : null
  if (first?.kind !== 'text' || scheme === null || scheme[1] === undefined) {
    report('template-url', 'the scheme of a URL cannot come from data, or be left out', schemeHint)
    return null
  }
  const authority: (string | TagNode)[] = []
  const after: Node[] = [{ kind: 'text', text: first.text.slice(scheme[0].length) }, ...others]
  for (let node = after.shift(); node !== undefined; node = after.shift()) {
    if (node.kind === 'section') {
      report('template-url', `${node.quote}: the host cannot depend on a section`)
      return null
    }
    if (node.kind === 'tag') {
      authority.push(node)
      continue
    }
    const end = node.text.search(/[/?#\\]/)
    authority.push(end === -1 ? node.text : node.text.slice(0, end))
    if (end === -1) continue
    after.unshift({ kind: 'text', text: node.text.slice(end) })
    break
  }
  return { scheme: scheme[1].toLowerCase(), authority, rest: after }
}

/** The origin of a URL that has compiled, or `null` when its host comes from data. */
export function writtenOrigin(source: string): string | null {
  const text = /^https?:\/\/[^/?#\\]*/i.exec(source)?.[0] ?? ''
  return !text.includes('{{') && URL.canParse(text) ? new URL(text).origin : null
}

/** `http://host:port` without the port that the scheme has anyway, or `null` after reporting. */
export function compileOrigin(
  { scheme, authority }: Authority,
  options: UrlOptions,
): Part | string | null {
  const { report } = options
  const literal = authority.map((piece) => (typeof piece === 'string' ? piece : '')).join('')
  if (literal.includes('@')) {
    report('template-url', 'a URL holds no user and no password', 'write `auth:` beside `url:`')
    return null
  }
  if (authority.every((piece) => typeof piece === 'string')) {
    return literalOrigin(scheme, literal, report)
  }
  const last = authority.at(-1)
  const port = /:(\d{1,5})$/.exec(typeof last === 'string' ? last : '')
  const portText = port?.[0] ?? ''
  const host = [
    ...authority.slice(0, -1),
    typeof last === 'string' ? last.slice(0, last.length - portText.length) : last,
  ]
  if (host.some((piece) => typeof piece === 'string' && piece.includes(':'))) {
    report('template-url', 'the port of a URL cannot come from data', 'write the port out')
    return null
  }
  if (options.allowHosts.length === 0) {
    report(
      'template-url',
      'the host comes from data, and nothing says which hosts it may be',
      'list them: allow_hosts: ["cdn.internal", "*.example.org"]',
    )
    return null
  }
  const probe = literalOrigin(scheme, `host${portText}`, report)
  if (probe === null) return null
  return templatedOrigin(scheme, host, probe.slice(`${scheme}://host`.length), options)
}

function literalOrigin(scheme: string, authority: string, report: Report): string | null {
  const text = `${scheme}://${authority}`
  const url = URL.canParse(text) ? new URL(text) : null
  // A parser drops tabs and line ends without a word; nobody means to write them.
  if (authority === '' || url === null || /\s/.test(authority)) {
    report(
      'template-url',
      `${JSON.stringify(authority)} is not a host`,
      'for example cdn.internal:8080',
    )
    return null
  }
  return url.origin
}

function templatedOrigin(
  scheme: string,
  host: readonly (string | TagNode | undefined)[],
  port: string,
  options: UrlOptions,
): Part | null {
  const { report } = options
  const pieces = host.map((piece) => {
    if (piece === undefined || typeof piece === 'string') return (piece ?? '').toLowerCase()
    return compileTag(piece, false, {
      ...textOptions(options, report),
      literal: (text) => text,
      escape: (text) => text.toLowerCase(),
    })
  })
  if (pieces.includes(null)) return null
  const render = joinParts(pieces.filter((piece) => piece !== null))
  const allows = hostMatcher(options.allowHosts)
  const prefix = `${scheme}://`
  return (run, element) => {
    const name = render(run, element)
    if (!isPlainHost(name)) {
      throw new RenderError('guard', 'the host that the template gives is not the name of a host')
    }
    if (!allows(name)) throw new RenderError('guard', `the host ${name} is not in allow_hosts`)
    return prefix + name + port
  }
}
