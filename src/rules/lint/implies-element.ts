import { foldCase } from '../case-folding.ts'
import { compileElementTest } from '../compile-test.ts'
import type { Cidr, ElementTest, Interval } from '../condition.ts'
import { fitsPieces } from '../glob.ts'

/** Values that are tried one by one; of a longer set it is not asked. */
const valuesMax = 10_000

/**
 * Whether every value that satisfies `a` satisfies `b` as well, or leaves it in doubt. False where
 * that is not certain.
 */
export function impliesElement(a: ElementTest, b: ElementTest): boolean {
  if (b.kind === 'every') return b.tests.every((one) => impliesElement(a, one))
  if (a.kind === 'every') return a.tests.some((one) => impliesElement(one, b))
  if (a.kind === 'one-of') return everyValueSatisfies(a, b)
  if (b.kind === 'not') return a.kind === 'not' && impliesElement(b.test, a.test)
  switch (a.kind) {
    case 'range':
      return b.kind === 'range' && isWithin(a.interval, b.interval)
    case 'cidr':
      return b.kind === 'cidr' && isBlockWithin(a.cidr, b.cidr)
    case 'regex':
      return b.kind === 'regex' && a.regex.source === b.regex.source && a.regex.ci === b.regex.ci
    case 'prefix':
    case 'suffix':
    case 'contains':
    case 'glob':
      return impliesText(a, b)
    case 'not':
      return false
  }
}

type TextTest = Extract<ElementTest, { readonly kind: 'prefix' | 'suffix' | 'contains' | 'glob' }>

function everyValueSatisfies(a: Extract<ElementTest, { kind: 'one-of' }>, b: ElementTest): boolean {
  if (a.values.size > valuesMax) return false
  // A folded text stands for all its spellings, and only what folds as well treats them alike.
  const standsForMore = a.ci && [...a.values].some((value) => typeof value === 'string')
  if (standsForMore && !('ci' in b && b.ci)) return false
  const check = compileElementTest(b)
  return [...a.values].every((value) => check(value) !== false)
}

/** Stands for "any run of characters" in a text; a noncharacter, which no text has to hold. */
const anyRun = '\uFFFF'

/**
 * `b` as a glob against `a` as a text in which a character of its own stands for each star: where it
 * fits, only a star of `b` can have taken that character, and would take any run of others as well.
 */
function impliesText(a: TextTest, b: ElementTest): boolean {
  const asked = piecesOf(b)
  const given = piecesOf(a)
  if (asked === null || given === null || (a.ci && !asked.ci)) return false
  const text = given.pieces.join(anyRun)
  if ([...given.pieces, ...asked.pieces].some((piece) => piece.includes(anyRun))) return false
  return fitsPieces(asked.pieces)(asked.ci ? foldCase(text) : text)
}

/** A test of texts as the pieces of a glob. */
function piecesOf(
  test: ElementTest,
): { readonly pieces: readonly string[]; readonly ci: boolean } | null {
  switch (test.kind) {
    case 'prefix':
      return { pieces: [test.text, ''], ci: test.ci }
    case 'suffix':
      return { pieces: ['', test.text], ci: test.ci }
    case 'contains':
      return { pieces: ['', test.text, ''], ci: test.ci }
    case 'glob':
      return { pieces: test.glob.pieces, ci: test.ci }
    case 'one-of': {
      const [only] = test.values
      return test.values.size === 1 && typeof only === 'string'
        ? { pieces: [only], ci: test.ci }
        : null
    }
    case 'regex':
    case 'range':
    case 'cidr':
    case 'not':
    case 'every':
      return null
  }
}

/** Whether each number in `a` is in `b`. */
export function isWithin(a: Interval, b: Interval): boolean {
  const isAboveMin = a.min > b.min || (a.min === b.min && (a.minOpen || !b.minOpen))
  const isBelowMax = a.max < b.max || (a.max === b.max && (a.maxOpen || !b.maxOpen))
  return isAboveMin && isBelowMax
}

/** A block lies within another that has its first address and is no smaller. */
function isBlockWithin(a: Cidr, b: Cidr): boolean {
  const [base = '', bits] = a.source.split('/')
  const [outer = '', outerBits] = b.source.split('/')
  const isSameFamily = base.includes(':') === outer.includes(':')
  return isSameFamily && bitsOf(base, bits) >= bitsOf(outer, outerBits) && b.contains(base)
}

/** An address alone is a block of one. */
function bitsOf(base: string, bits: string | undefined): number {
  return bits === undefined ? (base.includes(':') ? 128 : 32) : Number(bits)
}
