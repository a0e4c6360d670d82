import { isMapped, parseAddress } from '../cidr.ts'
import type { Candidates } from './candidates.ts'
import { give, withRule, type Filing, type Posting } from './posting.ts'

/*
 * Finds the blocks that hold an IP address: a tree with one step a bit, in one flat list. IPv4 has a
 * root of its own, so that the 96 bits that all of its addresses share in IPv6 are not walked.
 */

const ipv4Root = 0
const ipv6Root = 1

/** Where the bits of an IPv4 address begin in four words. */
const mappedBits = 96

const words = new Uint32Array(4)

export class AddressTrie {
  /** Two a node, for a 0 and for a 1; 0 where there is none, since no step leads to a root. */
  readonly #next: number[] = [0, 0, 0, 0]
  readonly #postings = new Map<number, Posting>()

  /** @param source - a block that is known to be one: `10.0.0.0/8`, `2001:db8::/32` */
  add(source: string, filing: Filing): void {
    const [base = '', length = ''] = source.split('/')
    parseAddress(base, words)
    const end = Number(length) + (base.includes(':') ? 0 : mappedBits)
    const isIpv4 = end >= mappedBits && isMapped(words)
    let node = isIpv4 ? ipv4Root : ipv6Root
    for (let bit = isIpv4 ? mappedBits : 0; bit < end; bit++) {
      const at = 2 * node + bitAt(bit)
      if (this.#next[at] === 0) {
        this.#next[at] = this.#next.length / 2
        this.#next.push(0, 0)
      }
      node = this.#next[at] ?? 0
    }
    this.#postings.set(node, withRule(this.#postings.get(node), filing))
  }

  /** Hot: called for every event and path. */
  lookUp(value: string, found: Candidates): void {
    if (!parseAddress(value, words)) return
    const isIpv4 = isMapped(words)
    let node = isIpv4 ? ipv4Root : ipv6Root
    let bit = isIpv4 ? mappedBits : 0
    do {
      const posting = this.#postings.get(node)
      if (posting !== undefined) give(posting, found)
      if (bit === 128) return
      node = this.#next[2 * node + bitAt(bit)] ?? 0
      bit++
    } while (node !== 0)
  }
}

function bitAt(bit: number): 0 | 1 {
  return (((words[bit >>> 5] ?? 0) >>> (31 - (bit & 31))) & 1) === 1 ? 1 : 0
}
