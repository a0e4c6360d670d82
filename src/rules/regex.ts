import { RE2JS, RE2JSSyntaxException } from 're2js'
import type { Regex } from './condition.ts'
import { backtrackable } from './regex/backtrackable.ts'
import { parseRegex } from './regex/parse-regex.ts'
import { refusalOf, type RegexRefusal } from './regex/refusal.ts'
import { isAnchoredAtStart, requiredLiteral } from './regex/required-literal.ts'

/*
 * Regexes of rules: RE2's syntax, and linear time whatever the pattern and the text. The language is
 * what `re2js` accepts. What it accepts runs on it, unless `backtrackable` proves that JavaScript's
 * own engine says the same, as fast as one walk over the text. docs/decisions/regex-and-expr.md
 */

/**
 * UTF-16 units that a regex may see of one value, all texts of a list together; the caller checks
 * it, and is in doubt above. 64 KiB is far above any title or address, and keeps the worst pattern below a second.
 */
export const valueCharsMax = 65_536

/**
 * UTF-16 units of a pattern. The longest of Wikimedia's public rules have some 300; a longer one is a
 * list written as a pattern, and `in` looks it up at once.
 */
export const patternCharsMax = 1_000

/**
 * Instructions of a program for the linear engine. Each may cost a step at each character: with 500
 * and a value of the longest kind, the worst that we found took 0.4 s on one core.
 */
const instructionsMax = 500

/**
 * Bytes of remembered states, a regex. The engine builds its automaton while it reads and would keep
 * 8 MiB; hostile values could make thousands of rules fill that. Above it begins anew.
 */
const stateBytesMax = 1_048_576

export interface CompiledRegex extends Regex {
  /** `builtin`: JavaScript's engine, proven harmless; `linear`: RE2's automata. */
  readonly engine: 'builtin' | 'linear'
}

export type RegexResult =
  { readonly ok: true; readonly regex: CompiledRegex } | ({ readonly ok: false } & RegexRefusal)

export interface RegexOptions {
  /** Ignore case, by Unicode's simple folding. */
  readonly ci: boolean
  /** Found anywhere in the text; else the pattern has to begin with `^`. */
  readonly search: boolean
}

/** Compiles a pattern of RE2's syntax, or says why it is refused. Never throws. */
export function compileRegex(source: string, { ci, search }: RegexOptions): RegexResult {
  if (source === '') return refused('an empty pattern', 'write `exists: true` for any value')
  if (source.length > patternCharsMax) {
    const message = `a pattern of ${source.length} characters, above ${patternCharsMax}`
    return refused(message, 'texts to compare with go in a list, and `in` looks them up')
  }
  const linear = compileLinear(source, ci)
  if (!(linear instanceof RE2JS)) return { ok: false, ...linear }
  const parsed = parseRegex(source, ci)
  if (!search) {
    const root = parsed?.root
    const isAnchored =
      root === undefined
        ? /^(\^|\\A)/.test(source)
        : isAnchoredAtStart(root) && !parsed?.isMultiline
    if (!isAnchored) return notAnchored(source, root?.kind === 'alt', parsed?.isMultiline === true)
  }
  const quick = parsed === null ? null : backtrackable(parsed)
  if (quick === null && linear.programSize() > instructionsMax) {
    const message = `the pattern has ${linear.programSize()} steps once its repetitions are written out, above ${instructionsMax}`
    return refused(message, 'texts to compare with go in a list, and `in` looks them up')
  }
  const matcher =
    quick === null ? linearMatcher(linear) : builtinMatcher(quick.source, quick.groups)
  const regex = {
    source,
    ci,
    groups: Object.keys(linear.namedGroups()),
    literal: parsed === null ? null : requiredLiteral(parsed),
    isPlainPrefix: plainPrefix.test(source),
    ...matcher,
  }
  return { ok: true, regex }
}

/** `^`, then characters without a meaning, or escaped. */
const plainPrefix = /^\^(?:[^\\^$.|?*+()[\]{}]|\\[^A-Za-z0-9])+$/su

type Matcher = Pick<CompiledRegex, 'engine' | 'test' | 'captures'>

function builtinMatcher(source: string, groups: readonly string[]): Matcher {
  const pattern = new RegExp(source, 'u')
  return {
    engine: 'builtin',
    test: (text) => pattern.test(text),
    captures: (text) => {
      const found = pattern.exec(text)
      return found === null ? null : capturesOf(groups, (i) => found[i + 1] ?? null)
    },
  }
}

function linearMatcher(linear: RE2JS): Matcher {
  const numbers = linear.namedGroups()
  const groups = Object.keys(numbers)
  return {
    engine: 'linear',
    test: (text) => linear.test(text),
    captures: (text) => {
      const matcher = linear.matcher(text)
      if (!matcher.find()) return null
      return capturesOf(groups, (i) => matcher.group(numbers[groups[i] ?? ''] ?? 0))
    },
  }
}

/** A group may be called `__proto__`: own properties, whatever the name. */
function capturesOf(
  groups: readonly string[],
  textAt: (index: number) => string | null,
): Readonly<Record<string, string>> {
  const found: (readonly [string, string])[] = []
  for (const [i, name] of groups.entries()) {
    const text = textAt(i)
    if (text !== null) found.push([name, text])
  }
  return Object.fromEntries(found)
}

function compileLinear(source: string, ci: boolean): RE2JS | RegexRefusal {
  try {
    const linear = RE2JS.compile(source, ci ? RE2JS.CASE_INSENSITIVE : 0)
    const { dfa } = linear.re2()
    dfa.maxMem = dfa.memBudget = dfa.stateBudget = stateBytesMax
    return linear
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    const piece = error.getPattern()
    // The engine writes the flag before the pattern, and may quote the whole of it.
    return refusalOf(source, error.getDescription(), piece?.replace(/^\(\?i\)/, '') ?? null)
  }
}

function notAnchored(source: string, isAlternation: boolean, isMultiline: boolean): RegexResult {
  const message = 'the pattern does not begin with `^`'
  if (isMultiline) {
    return refused(
      '`^` is the start of any line after `(?m)`',
      'write `\\A`, or add `search: true`',
    )
  }
  if (isAlternation && source.startsWith('^')) {
    const hint = `write \`^(?:${source.slice(1).replaceAll('|^', '|')})\``
    return refused('`^` stands for the first alternative only', hint)
  }
  return refused(message, 'write `^` before it, or add `search: true` to find it anywhere')
}

function refused(message: string, hint: string): RegexResult {
  return { ok: false, message, hint, offset: null }
}
