import {
  areDisjoint,
  classSource,
  noChar,
  splitsSurrogates,
  union,
  type CharSet,
} from './char-set.ts'
import type { ParsedRegex, RegexNode } from './parse-regex.ts'

/*
 * Which patterns may run on JavaScript's own engine. It is several times faster than the linear one
 * and takes exponential time on the wrong pattern, so what is not proven here does not run on it.
 *
 * Time. An engine that backtracks tries choices one after the other. Two kinds of choice are allowed:
 *
 * 1. An unbounded repetition, of single characters only, whose characters can not also begin what
 *    comes after it (nor what comes after that, where something can be empty). Leaving the loop
 *    before its characters end fails at the very next character, so each such exit costs one look,
 *    and only the last one leads on.
 * 2. Alternatives, optional pieces and counted repetitions, which hold no choice of kind 1 below a
 *    repetition. They are finite: `ways` bounds how many series of such choices there are. Where
 *    the first character decides, a choice is none.
 *
 * Fix one series. What is left is a row of characters and loops of kind 1, and it is walked at most
 * once forth and once back. So the whole costs at most `ways` times the length of the text where the
 * pattern is anchored. Where it may begin anywhere, each place costs up to `ways` times the longest
 * match, and so there is no unbounded repetition in it at all.
 *
 * Meaning. The source given to JavaScript is not the pattern but written anew: every class as ranges
 * of code points, under the flag `u` (both engines then see code points, and a lone surrogate is
 * one), no flag else. `^` and `$` are the ends of the text in both then. Both prefer the left
 * alternative and the longer (or lazier) repetition. Captures differ in one thing, the groups
 * below a repetition, so a named group there is refused; others are written without capture. A
 * repetition of what can be empty is refused, for the engines stop such a loop at different places.
 */

/** Series of choices for a pattern with an unbounded repetition: each may walk the whole text. */
const waysMax = 16
/** The same where a match is short and the pattern anchored. */
const waysOfBoundedMax = 1_000
/** Steps from one place of the text, for a pattern that may begin at any of up to 65,536 places. */
const stepsPerPlaceMax = 256
/** Characters of the longest match beside unbounded repetitions: what V8 may have to unroll. */
const boundedCharsMax = 1_000

/** For JavaScript's engine, with the flag `u`. Names by number of the group, from 1 on. */
export interface Backtrackable {
  readonly source: string
  readonly groups: readonly string[]
}

interface Walk {
  readonly source: string
  readonly canBeEmpty: boolean
  readonly ways: number
  /** Longest match without what unbounded repetitions add. */
  readonly charsMax: number
  readonly hasLoop: boolean
}

/** The pattern for the built-in engine; `null` where nothing proves it quick and equal there. */
export function backtrackable({ root, isOpaque }: ParsedRegex): Backtrackable | null {
  if (isOpaque) return null
  const items = [...(root.kind === 'cat' ? root.of : [root])]
  const isAnchored = isAssert(items[0], 'start')
  if (isAnchored) items.shift()
  const isEnded = isAssert(items.at(-1), 'end')
  if (isEnded) items.pop()
  const groups: string[] = []
  const walk = walkOf({ kind: 'cat', of: items }, noChar, groups)
  if (walk === null || walk.charsMax > boundedCharsMax) return null
  if (isAnchored) {
    if (walk.ways > (walk.hasLoop ? waysMax : waysOfBoundedMax)) return null
  } else if (walk.hasLoop || walk.ways * walk.charsMax > stepsPerPlaceMax) return null
  return { source: `${isAnchored ? '^' : ''}${walk.source}${isEnded ? '$' : ''}`, groups }
}

/** `next`: the characters that can come behind. `null`: not proven. */
function walkOf(node: RegexNode, next: CharSet, groups: string[]): Walk | null {
  switch (node.kind) {
    case 'char': {
      const { set } = node
      if (set === null || set.length === 0 || splitsSurrogates(set)) return null
      const source = classSource(set)
      return { source, canBeEmpty: false, ways: 1, charsMax: 1, hasLoop: false }
    }
    case 'assert':
      return null
    case 'group': {
      if (node.name !== null) groups.push(node.name)
      const inner = walkOf(node.of, next, groups)
      if (inner === null) return null
      return { ...inner, source: `(${node.name === null ? '?:' : ''}${inner.source})` }
    }
    case 'cat':
      return walkOfRow(node.of, next, groups)
    case 'alt':
      return walkOfBranches(node.of, next, groups)
    case 'repeat':
      return walkOfRepeat(node, next, groups)
  }
}

function walkOfRow(items: readonly RegexNode[], next: CharSet, groups: string[]): Walk | null {
  let row: Walk = { source: '', canBeEmpty: true, ways: 1, charsMax: 0, hasLoop: false }
  for (const [i, item] of items.entries()) {
    const walk = walkOf(item, firstOfRow(items.slice(i + 1), next), groups)
    if (walk === null) return null
    row = {
      source: row.source + walk.source,
      canBeEmpty: row.canBeEmpty && walk.canBeEmpty,
      ways: row.ways * walk.ways,
      charsMax: row.charsMax + walk.charsMax,
      hasLoop: row.hasLoop || walk.hasLoop,
    }
  }
  return row
}

function walkOfBranches(
  branches: readonly RegexNode[],
  next: CharSet,
  groups: string[],
): Walk | null {
  const walks: Walk[] = []
  for (const branch of branches) {
    const walk = walkOf(branch, next, groups)
    if (walk === null) return null
    walks.push(walk)
  }
  const firsts = branches.map((branch) => firstOfRow([branch], next))
  const isDecidedByFirst =
    walks.filter(({ canBeEmpty }) => canBeEmpty).length <= 1 &&
    firsts.every((first, i) => firsts.slice(i + 1).every((other) => areDisjoint(first, other)))
  const ways = walks.map((walk) => walk.ways)
  return {
    source: `(?:${walks.map(({ source }) => source).join('|')})`,
    canBeEmpty: walks.some(({ canBeEmpty }) => canBeEmpty),
    ways: isDecidedByFirst ? Math.max(...ways) : ways.reduce((sum, each) => sum + each, 0),
    charsMax: Math.max(...walks.map(({ charsMax }) => charsMax)),
    hasLoop: walks.some(({ hasLoop }) => hasLoop),
  }
}

function walkOfRepeat(
  { of, min, max, isLazy }: RegexNode & { kind: 'repeat' },
  next: CharSet,
  groups: string[],
): Walk | null {
  const first = firstOfRow([of], noChar)
  const namedBefore = groups.length
  const body = walkOf(of, max > 1 ? union(next, first) : next, groups)
  if (body === null || body.canBeEmpty) return null
  if (max > 1 && (body.hasLoop || groups.length > namedBefore)) return null
  const isDecidedByFirst = areDisjoint(first, next)
  const times = `{${min},${max === Infinity ? '' : max}}${isLazy ? '?' : ''}`
  const source = `(?:${body.source})${times}`
  if (max === Infinity) {
    if (of.kind !== 'char' || !isDecidedByFirst) return null
    return { source, canBeEmpty: min === 0, ways: 1, charsMax: min, hasLoop: true }
  }
  const ways = isDecidedByFirst ? body.ways ** max : waysOfCounted(body.ways, min, max)
  return {
    source,
    canBeEmpty: min === 0,
    ways,
    charsMax: body.charsMax * max,
    hasLoop: body.hasLoop && max > 0,
  }
}

/** Any number of rounds from `min` to `max`, each in any of its ways. */
function waysOfCounted(waysOfOne: number, min: number, max: number): number {
  let ways = 0
  for (let rounds = min; rounds <= max && ways <= waysOfBoundedMax; rounds++) {
    ways += waysOfOne ** rounds
  }
  return ways
}

/** The characters that can come first in a row with `next` behind it. Too many rather than too few. */
function firstOfRow(items: readonly RegexNode[], next: CharSet): CharSet {
  let first: CharSet = noChar
  for (const item of items) {
    const { chars, canBeEmpty } = firstOf(item)
    first = union(first, chars)
    if (!canBeEmpty) return first
  }
  return union(first, next)
}

function firstOf(node: RegexNode): { readonly chars: CharSet; readonly canBeEmpty: boolean } {
  switch (node.kind) {
    case 'char':
      return { chars: node.set ?? noChar, canBeEmpty: false }
    case 'assert':
      return { chars: noChar, canBeEmpty: true }
    case 'group':
      return firstOf(node.of)
    case 'cat': {
      const firsts = node.of.map(firstOf)
      const solid = firsts.findIndex(({ canBeEmpty }) => !canBeEmpty)
      const reached = solid === -1 ? firsts : firsts.slice(0, solid + 1)
      return { chars: union(...reached.map(({ chars }) => chars)), canBeEmpty: solid === -1 }
    }
    case 'alt': {
      const firsts = node.of.map(firstOf)
      return {
        chars: union(...firsts.map(({ chars }) => chars)),
        canBeEmpty: firsts.some(({ canBeEmpty }) => canBeEmpty),
      }
    }
    case 'repeat': {
      const inner = firstOf(node.of)
      return node.min === 0 ? { chars: inner.chars, canBeEmpty: true } : inner
    }
  }
}

function isAssert(node: RegexNode | undefined, what: 'start' | 'end'): boolean {
  return node?.kind === 'assert' && node.what === what
}
