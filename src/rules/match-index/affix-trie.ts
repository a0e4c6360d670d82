import type { Candidates } from './candidates.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { give, withRule, type Filing, type Posting } from './posting.ts'
import { hashOfAffix, type Sieve } from './sieve.ts'

/*
 * Finds which of many prefixes (or suffixes) a text has, in steps that follow the places where the
 * prefixes part, not their number and hardly their length. A radix tree: a node stands for what all
 * prefixes below it share, and they part at the unit behind that. On the way down only those units
 * are compared, and each prefix that is met is then compared as a whole, so that what lies between
 * need not be.
 */

/** Units that the sieve knows, if all prefixes have so many: enough to tell words apart. Three bits. */
const sievedUnitsMax = 6

interface TrieNode {
  /** Begins with what all below share. */
  text: string
  /** How many units of `text` that is. */
  depth: number
  /** Rules that ask for just that; `text` is then of this length. */
  posting: Posting | undefined
  /** By the unit behind `depth`. */
  children: Map<number, TrieNode> | null
}

export class AffixTrie {
  readonly #fromEnd: boolean
  readonly #root: TrieNode = { text: '', depth: 0, posting: undefined, children: null }

  #size = 0
  #shortest = Infinity

  constructor(kind: 'prefix' | 'suffix') {
    this.#fromEnd = kind === 'suffix'
  }

  /** @param text - not empty */
  add(text: string, filing: Filing): void {
    this.#size++
    this.#shortest = Math.min(this.#shortest, text.length)
    let node = this.#root
    for (;;) {
      if (text.length === node.depth) {
        node.text = text
        node.posting = withRule(node.posting, filing)
        return
      }
      const unit = this.#unitAt(text, node.depth)
      node.children ??= new Map()
      const child = node.children.get(unit)
      if (child === undefined) {
        node.children.set(unit, { text, depth: text.length, posting: filing.rule, children: null })
        return
      }
      const shared = this.#shared(text, child, node.depth + 1)
      if (shared === child.depth) {
        node = child
        continue
      }
      const children = new Map([[this.#unitAt(child.text, shared), child]])
      const parting: TrieNode = { text, depth: shared, posting: undefined, children }
      node.children.set(unit, parting)
      node = parting
    }
  }

  /** How many were added, the same one more than once included. */
  get size(): number {
    return this.#size
  }

  /** How many units of each the sieve knows. */
  get units(): number {
    return Math.min(this.#shortest, sievedUnitsMax)
  }

  /** Most texts have none of the prefixes, and their first units tell. */
  *addTo(sieve: Sieve, seed: number): Slices<void> {
    const pause = pauseAfter(2_000)
    const { units } = this
    const nodes = [this.#root]
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      if (node.posting !== undefined) sieve.add(hashOfAffix(node.text, units, this.#fromEnd) ^ seed)
      if (node.children !== null) nodes.push(...node.children.values())
      if (pause(1)) yield
    }
  }

  /** Called for what has passed the sieve. */
  lookUp(value: string, found: Candidates): void {
    const fromEnd = this.#fromEnd
    let node = this.#root
    for (;;) {
      const { depth, children } = node
      if (children === null || value.length <= depth) return
      const unit = value.charCodeAt(fromEnd ? value.length - 1 - depth : depth)
      const child = children.get(unit)
      if (child === undefined) return
      if (child.posting !== undefined) {
        if (!(fromEnd ? value.endsWith(child.text) : value.startsWith(child.text))) return
        give(child.posting, found)
      }
      node = child
    }
  }

  #unitAt(text: string, i: number): number {
    return text.charCodeAt(this.#fromEnd ? text.length - 1 - i : i)
  }

  /** How many units `text` shares with what the node stands for; `from` of them are known to be. */
  #shared(text: string, node: TrieNode, from: number): number {
    const end = Math.min(text.length, node.depth)
    let i = from
    while (i < end && this.#unitAt(text, i) === this.#unitAt(node.text, i)) i++
    return i
  }
}
