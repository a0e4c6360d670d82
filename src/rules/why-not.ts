import type { Json } from '../model/json.ts'
import { printable } from '../model/printable.ts'
import { shallow } from '../model/shallow.ts'
import { writeYaml } from '../schema/write-yaml.ts'
import type { Inspected } from './inspect-condition.ts'

/*
 * A condition that does not hold, in the words that `explain` and failing tests use.
 */

/** Characters of a value that are shown: enough to know it again. */
const shownMax = 60

/**
 * The part that decided, in words; `null` where no part can be named. Of alternatives it is the one
 * that the event came nearest to: that is the one it was meant for.
 */
export function whyNot(whole: Inspected): string | null {
  const found = decidedLeaf(whole, '')
  return found === null ? null : `${found.within}${wordsOf(found.leaf)}`
}

/**
 * Which of several alternatives the event came nearest to, 0-based, and what of it decided; `null`
 * where no part of any can be named.
 */
export function whyNone(
  alternatives: readonly Inspected[],
): { readonly nearest: number; readonly why: string } | null {
  const found = alternatives.flatMap((one, i) => {
    const leaf = decidedLeaf(one, '')
    return leaf === null ? [] : [{ i, leaf }]
  })
  const [first] = found
  if (first === undefined) return null
  const best = found.reduce((near, one) => (isNearer(one.leaf, near.leaf) ? one : near), first)
  return { nearest: best.i, why: `${best.leaf.within}${wordsOf(best.leaf.leaf)}` }
}

function wordsOf(leaf: Inspected): string {
  if (leaf.kind === 'expr') return leaf.doubt ?? `the expression is ${String(leaf.truth)}`
  const seen = `${leaf.path ?? ''} ${seenText(leaf.value)}`
  if (typeof leaf.truth !== 'boolean') return `${seen}: ${leaf.doubt ?? leaf.truth}`
  if (leaf.truth) return `${seen}, which it excepts`
  return leaf.kind === 'test' ? `${seen}, and the rule asks for ${testText(leaf.test)}` : seen
}

interface DecidedLeaf {
  readonly leaf: Inspected
  /** The elements that it stands in, whose fields its path begins with: `of links[3]: `. */
  readonly within: string
  /** Tests that would have to go otherwise, itself among them. */
  readonly tests: number
  /** Those of them that are no near miss. */
  readonly far: number
}

function decidedLeaf(part: Inspected, within: string): DecidedLeaf | null {
  if (!part.decided) return null
  const self = { leaf: part, within, tests: 1, far: part.nearMiss === null ? 1 : 0 }
  if (part.children.length === 0) return self
  const below = part.kind === 'element' ? `${within}of ${part.path ?? ''}: ` : within
  const found = part.children
    .map((child) => decidedLeaf(child, below))
    .filter((one) => one !== null)
  const [first] = found
  if (first === undefined) return part.path === null ? null : self
  if (part.truth === false && (part.kind === 'any' || part.kind === 'some')) {
    // One of them would have been enough; of those equally near, the one written first.
    return found.reduce((best, one) => (isNearer(one, best) ? one : best), first)
  }
  const sum = (of: 'tests' | 'far'): number => found.reduce((total, one) => total + one[of], 0)
  return { ...first, tests: sum('tests'), far: sum('far') }
}

function isNearer(one: DecidedLeaf, other: DecidedLeaf): boolean {
  return one.far === other.far ? one.tests < other.tests : one.far < other.far
}

/** What an event held: `is 1`, `is absent`. */
export function seenText(value: Json | undefined): string {
  return value === undefined ? 'is absent' : `is ${printable(cut(JSON.stringify(shallow(value))))}`
}

/** A test as one writes it in a rule, on one line. */
export function testText(test: Json): string {
  const yaml = writeYaml({ test }).trimEnd()
  return printable(cut(yaml.includes('\n') ? JSON.stringify(test) : yaml.slice('test: '.length)))
}

/** As much of a text as a line has room for. */
export function cut(text: string): string {
  const characters = [...text.slice(0, 2 * shownMax)]
  if (text.length <= shownMax || characters.length <= shownMax) return text
  return `${characters.slice(0, shownMax - 1).join('')}…`
}
