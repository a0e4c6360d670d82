/*
 * A JavaScript regex, as change-propagation writes them, in the syntax of RE2. Most of it is spelled
 * alike; what RE2 cannot do (look-around, back-references) is refused and never approximated.
 */

/** `/source/flags`, a text that change-propagation takes for a regex. */
export interface WrittenRegex {
  readonly source: string
  readonly flags: string
}

/** A capturing group, numbered from 1 as JavaScript does; 0 is the whole match. */
export interface RegexGroup {
  readonly index: number
  readonly name: string | null
  /** Whether it can capture a text with a `/`. */
  readonly holdsSlash: boolean
}

export interface ConvertedRegex {
  readonly regex: string
  readonly ci: boolean
  /** Begins with `^`: where it is not, the rule says `search: true`. */
  readonly isAnchored: boolean
}

interface PlainTest {
  readonly test: 'equals' | 'prefix' | 'suffix' | 'contains'
  readonly text: string
}

export interface RefusedRegex {
  readonly refused: string
}

/** Takes `/source/flags` apart; `null` for a text that is no regex there. */
export function readRegex(text: string): WrittenRegex | null {
  const parts = /^\/(.+)\/([gimuy]{0,5})$/s.exec(text)
  return parts === null ? null : { source: parts[1] ?? '', flags: parts[2] ?? '' }
}

/** What a regex without any choice asks of a text, or `null` for one that has some. */
export function plainTestOf({ source, flags }: WrittenRegex): PlainTest | null {
  const parts = /^(\^?)((?:[^\\^$.*+?()[\]{}|]|\\[^\w\s])+)(\$?)$/u.exec(source)
  if (parts === null || /[my]/.test(flags)) return null
  const [, start, body = '', end] = parts
  const text = body.replace(/\\(.)/gu, '$1')
  if (start !== '') return { test: end === '' ? 'prefix' : 'equals', text }
  return { test: end === '' ? 'contains' : 'suffix', text }
}

/** The groups of a regex, the whole match first. */
export function groupsOf({ source }: WrittenRegex): readonly RegexGroup[] {
  const groups: RegexGroup[] = [{ index: 0, name: null, holdsSlash: true }]
  const open: { readonly index: number; readonly name: string | null; readonly start: number }[] =
    []
  for (const { text, start, isClass } of tokensOf(source)) {
    if (isClass) continue
    if (text.startsWith('(')) {
      const name = /^\(\?<(\w+)>$/.exec(text)?.[1] ?? null
      const captures = text === '(' || name !== null
      const index = captures ? groups.length : -1
      if (captures) groups.push({ index, name, holdsSlash: true })
      open.push({ index, name, start: start + text.length })
    } else if (text === ')') {
      const group = open.pop()
      if (group === undefined || group.index < 0) continue
      const holdsSlash = canHoldSlash(source.slice(group.start, start))
      groups[group.index] = { index: group.index, name: group.name, holdsSlash }
    }
  }
  return groups
}

/** Of groups that are longer nothing is guessed: trying many of them takes long. */
const guessLengthMax = 1_000

/** A guess that is right for what titles and hosts are captured with: `.+`, `[^/]+`, `https?`. */
function canHoldSlash(body: string): boolean {
  if (body.length > guessLengthMax) return true
  try {
    return new RegExp(`^(?:${body})$`).test('a/b') || /\\?\//.test(body.replace(/\[[^\]]*\]/g, ''))
  } catch {
    return true // told where the regex is converted
  }
}

/**
 * Converts a regex. `nameOf` gives the name under which the group of that number is captured, or
 * `null` for one that is not.
 */
export function convertRegex(
  { source, flags }: WrittenRegex,
  nameOf: (index: number) => string | null,
): ConvertedRegex | RefusedRegex {
  try {
    new RegExp(source, flags)
  } catch {
    return { refused: 'it is not a regex that JavaScript accepts' }
  }
  let index = 0
  let depth = 0
  let hasAlternatives = false
  const pieces: string[] = []
  for (const token of tokensOf(source)) {
    const { text, isClass } = token
    if (isClass) {
      const converted = convertClass(text)
      if (typeof converted !== 'string') return converted
      pieces.push(converted)
    } else if (text.startsWith('\\')) {
      const converted = convertEscape(text, false)
      if (typeof converted !== 'string') return converted
      pieces.push(converted)
    } else if (/^\(\?<?[=!]/.test(text)) {
      return { refused: `look-around, \`${text}..)\`, is not part of RE2` }
    } else if (text.startsWith('(')) {
      depth++
      const own = /^\(\?<(\w+)>$/.exec(text)?.[1] ?? null
      if (text === '(' || own !== null) {
        index++
        const name = nameOf(index)
        pieces.push(name !== null ? `(?P<${name}>` : own === null ? '(' : '(?:')
      } else if (text === '(?:') {
        pieces.push(text)
      } else {
        return { refused: `\`${text}\` is not part of RE2` }
      }
    } else {
      if (text === ')') depth--
      if (text === '|' && depth === 0) hasAlternatives = true
      pieces.push(text)
    }
  }
  const whole = nameOf(0)
  const isMultiline = flags.includes('m')
  const isSticky = flags.includes('y')
  const body = pieces.join('')
  const held = whole === null ? (isSticky ? `(?:${body})` : body) : `(?P<${whole}>${body})`
  return {
    regex: `${isSticky ? '^' : isMultiline ? '(?m)' : ''}${held}`,
    ci: flags.includes('i'),
    isAnchored: isSticky || (!isMultiline && !hasAlternatives && held.startsWith('^')),
  }
}

interface Token {
  readonly text: string
  readonly start: number
  /** A whole `[..]`. */
  readonly isClass: boolean
}

const groupOpen = /\((?:\?(?:[:=!]|<[=!]|<\w+>))?/y
const escape =
  /\\(?:u\{[0-9a-f]+\}|u[0-9a-f]{4}|x[0-9a-f]{2}|c[a-z]|k<\w+>|[pP]\{[^}]*\}|\d+|[^])/iy

/** Group openings, escapes, classes and single characters, in order; nothing is left out. */
function* tokensOf(source: string): Generator<Token> {
  for (let at = 0; at < source.length;) {
    const text =
      matchAt(groupOpen, source, at) ??
      matchAt(escape, source, at) ??
      (source.charAt(at) === '[' ? classAt(source, at) : characterAt(source, at))
    yield { text, start: at, isClass: source.charAt(at) === '[' }
    at += text.length
  }
}

function matchAt(form: RegExp, source: string, at: number): string | null {
  form.lastIndex = at
  return form.exec(source)?.[0] ?? null
}

function classAt(source: string, at: number): string {
  let end = at + 1
  while (end < source.length && source.charAt(end) !== ']')
    end += source.charAt(end) === '\\' ? 2 : 1
  return source.slice(at, end + 1)
}

function characterAt(source: string, at: number): string {
  return String.fromCodePoint(source.codePointAt(at) ?? 0)
}

function convertClass(text: string): string | RefusedRegex {
  if (text === '[^]') return '(?s:.)'
  if (text === '[]') return '[^\\x00-\\x{10FFFF}]'
  const pieces: string[] = []
  for (let at = 1; at < text.length - 1;) {
    const escaped = matchAt(escape, text, at)
    if (escaped !== null) {
      const converted = convertEscape(escaped, true)
      if (typeof converted !== 'string') return converted
      pieces.push(converted)
      at += escaped.length
      continue
    }
    const character = characterAt(text, at)
    pieces.push(character === '[' ? '\\[' : character) // `[:` would begin the name of a class
    at += character.length
  }
  return `[${pieces.join('')}]`
}

const needsEscape = /^[\\^$.*+?()[\]{}|-]$/

function convertEscape(text: string, inClass: boolean): string | RefusedRegex {
  const body = text.slice(1)
  const kind = body.charAt(0)
  if (/^[dDwWsS]$/.test(body) || /^[tnrfv]$/.test(body) || /^x[0-9a-f]{2}$/i.test(body)) return text
  if (/^[bB]$/.test(body)) return inClass ? '\\x08' : text
  if (/^[pP]\{/.test(body)) return text
  if (body === '0') return '\\x00'
  if (/^\d/.test(body) || /^k</.test(body)) {
    return { refused: `the back-reference \`${text}\` is not part of RE2` }
  }
  if (/^u[0-9a-f{]/i.test(body) && body.length > 1) {
    const point = Number.parseInt(body.replace(/[u{}]/gi, ''), 16)
    if (point >= 0xd800 && point <= 0xdfff) {
      return { refused: `\`${text}\` is half of a character, which RE2 does not see` }
    }
    return `\\x{${point.toString(16).toUpperCase()}}`
  }
  if (/^c[a-z]$/i.test(body)) {
    return `\\x${(body.charCodeAt(1) % 32).toString(16).padStart(2, '0')}`
  }
  return needsEscape.test(kind) ? `\\${kind}` : body
}
