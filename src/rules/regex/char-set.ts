/*
 * Sets of characters, as the analysis of regexes needs them: ranges of code points, sorted and apart.
 */

/** Ranges `from, to, from, to, ...`, both ends included, ascending, with a gap between any two. */
export type CharSet = readonly number[]

const codePointMax = 0x10_ffff

export const noChar: CharSet = []
export const anyChar: CharSet = [0, codePointMax]
export const newline: CharSet = [0x0a, 0x0a]
/** RE2's `\d`, `\s` and `\w` are ASCII only; JavaScript's `\s` is not, so none is passed on by name. */
export const digits: CharSet = [0x30, 0x39]
export const spaces: CharSet = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20]
export const wordChars: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]
const surrogates: CharSet = [0xd800, 0xdfff]

export function charRange(from: number, to: number): CharSet {
  return [from, to]
}

export function union(...sets: readonly CharSet[]): CharSet {
  const ranges = sets.flatMap(rangesOf).toSorted(([a], [b]) => a - b)
  const joined: [number, number][] = []
  for (const [from, to] of ranges) {
    const last = joined.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else joined.push([from, to])
  }
  return joined.flat()
}

export function complement(set: CharSet): CharSet {
  const gaps: number[] = []
  let next = 0
  for (const [from, to] of rangesOf(set)) {
    if (from > next) gaps.push(next, from - 1)
    next = to + 1
  }
  if (next <= codePointMax) gaps.push(next, codePointMax)
  return gaps
}

export function areDisjoint(a: CharSet, b: CharSet): boolean {
  return rangesOf(a).every(([from, to]) =>
    rangesOf(b).every(([low, high]) => to < low || high < from),
  )
}

/** Whether it tells one half of a surrogate pair from another. */
export function splitsSurrogates(set: CharSet): boolean {
  if (areDisjoint(set, surrogates)) return false
  return !areDisjoint(complement(set), surrogates)
}

/** The text of the only character of a set; `null` where there is not exactly one. */
export function onlyChar(set: CharSet): string | null {
  const [from, to] = set
  return set.length === 2 && from !== undefined && from === to ? String.fromCodePoint(from) : null
}

/**
 * The set and the other cases of its ASCII letters, by Unicode's simple folding: `k` folds with the
 * Kelvin sign and `s` with the long s. `null` where the set holds anything else than ASCII, or
 * either of these two: the rest of Unicode's cases is the engine's business.
 */
export function foldAscii(set: CharSet): CharSet | null {
  const folded: CharSet[] = [set]
  for (const [from, to] of rangesOf(set)) {
    if (to > 0x7f) return null
    for (let code = from; code <= to; code++) {
      const char = String.fromCharCode(code)
      for (const other of [char.toLowerCase(), char.toUpperCase(), farCases.get(char)]) {
        const otherCode = other?.codePointAt(0)
        if (otherCode !== undefined) folded.push([otherCode, otherCode])
      }
    }
  }
  return union(...folded)
}

const farCases: ReadonlyMap<string, string> = new Map([
  ['k', '\u212a'],
  ['K', '\u212a'],
  ['s', '\u017f'],
  ['S', '\u017f'],
])

/** A class of JavaScript's syntax, for the flag `u`, that is the set and nothing else. */
export function classSource(set: CharSet): string {
  const ranges = rangesOf(set).map(([from, to]) =>
    from === to ? escaped(from) : `${escaped(from)}-${escaped(to)}`,
  )
  return ranges.length === 1 && set[0] === set[1] ? ranges.join('') : `[${ranges.join('')}]`
}

function escaped(codePoint: number): string {
  return `\\u{${codePoint.toString(16)}}`
}

function rangesOf(set: CharSet): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = []
  for (let i = 0; i + 1 < set.length; i += 2) ranges.push([set[i] ?? 0, set[i + 1] ?? 0])
  return ranges
}
