import { onlyChar } from './char-set.ts'
import type { ParsedRegex, RegexNode } from './parse-regex.ts'

/** What every text that matches equals, begins with or contains; for the index. */
export interface RequiredLiteral {
  readonly kind: 'equals' | 'prefix' | 'contains'
  readonly text: string
}

/** A repeated text is written out no further than this: an index needs no longer one. */
const charsMax = 256

/** A prefix of at least so many characters is taken even where a longer text is contained. */
const prefixCharsGood = 3

/**
 * The best text that a match has to hold, or `null` where none is proven. Always `null` where case
 * is ignored: such a match holds one of many texts.
 */
export function requiredLiteral({ root, ci, isOpaque }: ParsedRegex): RequiredLiteral | null {
  if (ci || isOpaque) return null
  const lead = leadOf(root)
  const isAnchored = isAnchoredAtStart(root)
  if (isAnchored && lead.isAll && isAnchoredAtEnd(root)) return { kind: 'equals', text: lead.text }
  const contained = containedIn(root)
  const isPrefixBest =
    lead.text.length >= Math.min(prefixCharsGood, contained.length) && lead.text.length > 0
  if (isAnchored && isPrefixBest) return { kind: 'prefix', text: lead.text }
  return contained === '' ? null : { kind: 'contains', text: contained }
}

/** Whether a match can begin at the start of the text only, whichever branch is taken. */
export function isAnchoredAtStart(node: RegexNode): boolean {
  switch (node.kind) {
    case 'assert':
      return node.what === 'start'
    case 'group':
      return isAnchoredAtStart(node.of)
    case 'cat':
      return node.of[0] !== undefined && isAnchoredAtStart(node.of[0])
    case 'alt':
      return node.of.every(isAnchoredAtStart)
    case 'char':
    case 'repeat':
      return false
  }
}

function isAnchoredAtEnd(node: RegexNode): boolean {
  const last = node.kind === 'cat' ? node.of.at(-1) : node
  return last?.kind === 'assert' && last.what === 'end'
}

/** What a match of the node begins with, and whether that is all of it. */
interface Lead {
  readonly text: string
  readonly isAll: boolean
}

function leadOf(node: RegexNode): Lead {
  switch (node.kind) {
    case 'char': {
      const char = node.set === null ? null : onlyChar(node.set)
      return { text: char ?? '', isAll: char !== null }
    }
    case 'assert':
      return { text: '', isAll: true }
    case 'group':
      return leadOf(node.of)
    case 'cat':
      return leadOfRow(node.of)
    case 'alt':
      return node.of.map(leadOf).reduce(shared)
    case 'repeat': {
      const { min, max } = node
      const once = leadOf(node.of)
      if (min === 0) return { text: '', isAll: false }
      if (!once.isAll) return once
      const times = Math.min(min, Math.ceil(charsMax / Math.max(once.text.length, 1)))
      return { text: once.text.repeat(times), isAll: times === max }
    }
  }
}

function leadOfRow(items: readonly RegexNode[]): Lead {
  let text = ''
  for (const item of items) {
    const lead = leadOf(item)
    text += lead.text
    if (!lead.isAll) return { text, isAll: false }
  }
  return { text, isAll: true }
}

/** By characters, never by halves of one. */
function shared(a: Lead, b: Lead): Lead {
  const charsOfB = [...b.text]
  const chars = [...a.text]
  const differing = chars.findIndex((char, i) => char !== charsOfB[i])
  const text = differing === -1 ? a.text : chars.slice(0, differing).join('')
  return { text, isAll: a.isAll && b.isAll && a.text === b.text }
}

/** The longest text that a match of the node contains, as far as it stands in one row. */
function containedIn(node: RegexNode): string {
  switch (node.kind) {
    case 'group':
      return containedIn(node.of)
    case 'repeat': {
      const lead = leadOf(node).text
      return node.min === 0 ? '' : longer(lead, containedIn(node.of))
    }
    case 'cat': {
      let longest = ''
      let run = ''
      for (const item of node.of) {
        const lead = leadOf(item)
        run += lead.text
        longest = longer(longer(longest, run), containedIn(item))
        if (!lead.isAll) run = ''
      }
      return longest
    }
    case 'char':
    case 'assert':
    case 'alt':
      return leadOf(node).text
  }
}

function longer(a: string, b: string): string {
  return b.length > a.length ? b : a
}
