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

/** The first part that decided, in words; `null` where no part can be named. */
export function whyNot(whole: Inspected): string | null {
  const found = decidedLeaf(whole, '')
  return found === null ? null : `${found.within}${wordsOf(found.leaf)}`
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
}

function decidedLeaf(part: Inspected, within: string): DecidedLeaf | null {
  if (!part.decided) return null
  if (part.children.length === 0) return { leaf: part, within }
  const below = part.kind === 'element' ? `${within}of ${part.path ?? ''}: ` : within
  for (const child of part.children) {
    const found = decidedLeaf(child, below)
    if (found !== null) return found
  }
  return part.path === null ? null : { leaf: part, within }
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
