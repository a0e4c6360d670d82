/*
 * The text tests of the naive interpreter, letter by letter. A letter is a code point, a text is a
 * list of them, and whether two letters are the same is asked in one place.
 */

type SameLetter = (a: string, b: string) => boolean

export function equalsText(value: string, text: string, ci: boolean): boolean {
  const letters = lettersOf(value)
  return letters.length === lettersOf(text).length && standsAt(letters, 0, lettersOf(text), ci)
}

export function startsWithText(value: string, text: string, ci: boolean): boolean {
  return standsAt(lettersOf(value), 0, lettersOf(text), ci)
}

export function endsWithText(value: string, text: string, ci: boolean): boolean {
  const letters = lettersOf(value)
  const wanted = lettersOf(text)
  return standsAt(letters, letters.length - wanted.length, wanted, ci)
}

export function containsText(value: string, text: string, ci: boolean): boolean {
  const letters = lettersOf(value)
  const wanted = lettersOf(text)
  return letters.some((_letter, at) => standsAt(letters, at, wanted, ci)) || wanted.length === 0
}

/**
 * Whether a text fits a glob as a whole. Keeps every place to which the pattern read so far can
 * have come: a star leads from each place to all behind it, a letter to the next one.
 */
export function fitsGlob(value: string, glob: string, ci: boolean): boolean {
  const letters = lettersOf(value)
  let places = [0]
  for (const part of glob.match(/\\[*\\]|\*|[^*]/gsu) ?? []) {
    if (part === '*') {
      const first = places[0]
      places = first === undefined ? [] : Array.from(letters.keys(), Number).slice(first)
      if (first !== undefined) places.push(letters.length)
    } else {
      const letter = part.length === 2 && part.startsWith('\\') ? part.slice(1) : part
      const after = places.filter((at) => standsAt(letters, at, [letter], ci))
      places = after.map((at) => at + 1)
    }
  }
  return places.includes(letters.length)
}

function standsAt(
  letters: readonly string[],
  at: number,
  wanted: readonly string[],
  ci: boolean,
): boolean {
  const same = ci ? sameFolded : sameExactly
  return at >= 0 && wanted.every((letter, i) => same(letters[at + i] ?? '', letter))
}

function lettersOf(text: string): readonly string[] {
  return Array.from(text)
}

const sameExactly: SameLetter = (a, b) => a === b

/** The ignoreCase flag of a Unicode regex is simple case folding (ECMA-262, Canonicalize). */
const sameFolded: SameLetter = (a, b) =>
  a === b || (a !== '' && b !== '' && new RegExp(`^\\u{${codeOf(a)}}$`, 'iu').test(b))

function codeOf(letter: string): string {
  return (letter.codePointAt(0) ?? 0).toString(16)
}
