import {
  anyChar,
  charRange,
  complement,
  digits,
  foldAscii,
  newline,
  spaces,
  union,
  wordChars,
  type CharSet,
} from './char-set.ts'

/*
 * The structure of a pattern that the linear engine has accepted already: what the analysis and the
 * search for literals look at. It decides nothing about the language. Where it does not know what a
 * piece stands for, it says so (`set: null`, `isOpaque`), and everybody who reads it then assumes
 * the worst.
 */

export type RegexNode =
  /** One character of the set; `null`: one character, of which nothing is known. */
  | { readonly kind: 'char'; readonly set: CharSet | null }
  /** `^` or `\A`, `$` or `\z`, and the word boundaries. */
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'other' }
  /** A capturing group; the others have no node of their own. */
  | { readonly kind: 'group'; readonly name: string | null; readonly of: RegexNode }
  | { readonly kind: 'cat' | 'alt'; readonly of: readonly RegexNode[] }
  | {
      readonly kind: 'repeat'
      readonly of: RegexNode
      readonly min: number
      /** Infinite where it has no bound. */
      readonly max: number
      readonly isLazy: boolean
    }

export interface ParsedRegex {
  readonly root: RegexNode
  readonly ci: boolean
  /** Flags change what some of the nodes mean: only the shape of the tree is to be trusted. */
  readonly isOpaque: boolean
  /** `(?m)` stands before everything, so that `^` also stands for the start of a line. */
  readonly isMultiline: boolean
}

/** `null` where the structure is not understood. `ci`: whether case is ignored from outside. */
export function parseRegex(source: string, ci: boolean): ParsedRegex | null {
  const leading = /^\(\?([imsU]+)\)/.exec(source)
  const flags = leading?.[1] ?? ''
  const parser = new RegexParser(source.slice(leading?.[0].length ?? 0), {
    ci: ci || flags.includes('i'),
    isDotAll: flags.includes('s'),
  })
  const root = parser.parse()
  if (root === null) return null
  const isMultiline = flags.includes('m')
  return {
    root,
    ci: ci || flags.includes('i'),
    isOpaque: parser.sawFlags || isMultiline || flags.includes('U'),
    isMultiline,
  }
}

const groupHead = /\((?:\?(?:P?<(?<name>\w+)>|(?<flags>[imsU-]*)(?<end>[:)])))?/y
const repetition =
  /(?:(?<sign>[*+?])|\{(?<min>0|[1-9]\d*)(?<comma>,(?<max>0|[1-9]\d*)?)?\})(?<lazy>\??)/y
const hexEscape = /x(?:\{(?<braced>[0-9a-fA-F]+)\}|(?<plain>[0-9a-fA-F]{2}))/y
const octalEscape = /[0-7]{1,3}/y
const unicodeClass = /[pP](?:\{[^}]*\}|.)/y
const posixClass = /\[:\^?\w+:\]/y

const controlChars: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
])

const namedSets: ReadonlyMap<string, CharSet> = new Map([
  ['d', digits],
  ['D', complement(digits)],
  ['s', spaces],
  ['S', complement(spaces)],
  ['w', wordChars],
  ['W', complement(wordChars)],
])

/** Keeps where it is in the pattern, counted in UTF-16 units. Gives up by `#isLost`, never throws. */
class RegexParser {
  readonly #source: string
  readonly #flags: { readonly ci: boolean; readonly isDotAll: boolean }
  #at = 0
  #isLost = false
  sawFlags = false

  constructor(source: string, flags: { readonly ci: boolean; readonly isDotAll: boolean }) {
    this.#source = source
    this.#flags = flags
  }

  parse(): RegexNode | null {
    const root = this.#alternation()
    return this.#isLost || this.#at < this.#source.length ? null : root
  }

  #alternation(): RegexNode {
    const branches = [this.#concatenation()]
    while (this.#eat('|')) branches.push(this.#concatenation())
    const [only] = branches
    return branches.length === 1 && only !== undefined ? only : { kind: 'alt', of: branches }
  }

  #concatenation(): RegexNode {
    const items: RegexNode[] = []
    while (this.#at < this.#source.length && !this.#isLost) {
      const next = this.#source[this.#at]
      if (next === '|' || next === ')') break
      const atoms = this.#atoms()
      items.push(...atoms.slice(0, -1))
      const last = atoms.at(-1)
      if (last !== undefined) items.push(this.#repeated(last))
    }
    const [only] = items
    return items.length === 1 && only !== undefined ? only : { kind: 'cat', of: items }
  }

  /** Mostly one; a quoted text is many, of which a repetition takes the last. */
  #atoms(): readonly RegexNode[] {
    const char = this.#take()
    switch (char) {
      case '^':
        return [{ kind: 'assert', what: 'start' }]
      case '$':
        return [{ kind: 'assert', what: 'end' }]
      case '.':
        return [{ kind: 'char', set: this.#flags.isDotAll ? anyChar : complement(newline) }]
      case '[':
        return [{ kind: 'char', set: this.#class() }]
      case '(':
        this.#at -= 1
        return [this.#group()]
      case '\\':
        return this.#escape()
      default:
        return [this.#literal(char)]
    }
  }

  #group(): RegexNode {
    const head = this.#match(groupHead)
    if (head === null) return this.#lost()
    const { name, flags, end } = head
    if (flags !== undefined && flags !== '') this.sawFlags = true
    if (end === ')') return { kind: 'cat', of: [] }
    const of = this.#alternation()
    if (!this.#eat(')')) return this.#lost()
    return end === ':' ? of : { kind: 'group', name: name ?? null, of }
  }

  #repeated(atom: RegexNode): RegexNode {
    const found = this.#match(repetition)
    if (found === null) return atom
    const isLazy = found['lazy'] === '?'
    const repeat = (min: number, max: number): RegexNode => {
      return { kind: 'repeat', of: atom, min, max, isLazy }
    }
    const sign = found['sign']
    if (sign === '?') return repeat(0, 1)
    if (sign !== undefined) return repeat(sign === '+' ? 1 : 0, Infinity)
    const min = Number(found['min'])
    if (found['comma'] === undefined) return repeat(min, min)
    return repeat(min, found['max'] === undefined ? Infinity : Number(found['max']))
  }

  #escape(): readonly RegexNode[] {
    if (this.#eat('A')) return [{ kind: 'assert', what: 'start' }]
    if (this.#eat('z')) return [{ kind: 'assert', what: 'end' }]
    if (this.#eat('b') || this.#eat('B')) return [{ kind: 'assert', what: 'other' }]
    if (this.#eat('Q')) {
      const end = this.#source.indexOf('\\E', this.#at)
      const quoted = this.#source.slice(this.#at, end === -1 ? undefined : end)
      this.#at = end === -1 ? this.#source.length : end + 2
      return [...quoted].map((char) => this.#literal(char))
    }
    const set = this.#escapedSet()
    return [{ kind: 'char', set }]
  }

  /** What an escape stands for, inside of a class and outside, without regard to case if negated. */
  #escapedSet(): CharSet | null {
    const code = this.#escapedCode()
    if (code !== null) return this.#folded(charRange(code, code))
    if (this.#match(unicodeClass) !== null) return null
    const named = namedSets.get(this.#take())
    if (named === undefined) {
      this.#lost()
      return null
    }
    // A class of letters takes in their far cases as well; which, we leave to the engine.
    return this.#flags.ci && named !== digits && named !== spaces ? null : named
  }

  /** The code point of an escape that stands for one; `null` without having read anything. */
  #escapedCode(): number | null {
    const octal = this.#match(octalEscape)
    if (octal !== null) return Number.parseInt(octal['0'] ?? '', 8)
    const hex = this.#match(hexEscape)
    if (hex !== null) return Number.parseInt(hex['braced'] ?? hex['plain'] ?? '', 16)
    const char = this.#source[this.#at]
    if (char === undefined) return null
    const control = controlChars.get(char)
    if (control === undefined && /[A-Za-z0-9]/.test(char)) return null
    this.#at += 1
    return control ?? char.charCodeAt(0)
  }

  #class(): CharSet | null {
    const isNegated = this.#eat('^')
    let set: CharSet | null = []
    for (let isFirst = true; isFirst || !this.#eat(']'); isFirst = false) {
      if (this.#at >= this.#source.length || this.#isLost) {
        this.#lost()
        return null
      }
      const item = this.#classItem()
      set = set === null || item === null ? null : union(set, item)
    }
    return set !== null && isNegated ? complement(set) : set
  }

  #classItem(): CharSet | null {
    if (this.#match(posixClass) !== null) return null
    const from = this.#classChar()
    if (from === null) return this.#escapedSet()
    const isRange = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']'
    if (!isRange) return this.#folded(charRange(from, from))
    this.#at += 1
    const to = this.#classChar()
    if (to === null || to < from) {
      this.#lost()
      return null
    }
    return this.#folded(charRange(from, to))
  }

  /** `null` before an escape that is a set; its backslash is read. */
  #classChar(): number | null {
    if (this.#eat('\\')) return this.#escapedCode()
    return this.#take().codePointAt(0) ?? null
  }

  #literal(char: string): RegexNode {
    const code = char.codePointAt(0) ?? 0
    return { kind: 'char', set: this.#folded(charRange(code, code)) }
  }

  #folded(set: CharSet): CharSet | null {
    return this.#flags.ci ? foldAscii(set) : set
  }

  #lost(): RegexNode {
    this.#isLost = true
    return { kind: 'cat', of: [] }
  }

  /** The next code point. */
  #take(): string {
    const code = this.#source.codePointAt(this.#at)
    const char = code === undefined ? '' : String.fromCodePoint(code)
    this.#at += char.length
    return char
  }

  #eat(char: string): boolean {
    if (this.#source[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  /** The groups of a match at this place, `0` the whole; `null` without having read anything. */
  #match(pattern: RegExp): Readonly<Record<string, string | undefined>> | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)
    if (found === null) return null
    this.#at += found[0].length
    return { '0': found[0], ...found.groups }
  }
}
