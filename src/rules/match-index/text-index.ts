import type { Candidates } from './candidates.ts'
import { AffixTrie } from './affix-trie.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { LiteralAutomaton } from './literal-automaton.ts'
import { give, type Filing, type Posting } from './posting.ts'
import { hashOfAffix, hashOfText, type Sieve } from './sieve.ts'

/*
 * The rules that are filed by a text: that is it, that it begins or ends with, or that it contains.
 *
 * What such an index has to be asked at all is packed into eight bits, its asks, so that a walk can
 * keep them for all paths side by side, and does not even come near an index whose sieve lets
 * nothing pass.
 */

/** How many bits asks take. */
export const textAsksBits = 8

const asksEqual = 1
const asksLiterals = 2
/** Then three bits each: how many units of a beginning the sieve knows, and of an ending; 0: none. */
const prefixUnitsAt = 2
const suffixUnitsAt = 5
const unitsMask = 7
const asksPrefixes = unitsMask << prefixUnitsAt
const asksSuffixes = unitsMask << suffixUnitsAt

/** Of the asks, those that `passingEqualOrPrefix` does not know. */
export const asksOfOtherParts = asksLiterals | asksSuffixes

/**
 * Of `asks`, those that the sieve lets pass for a text, if they are no others than to be equal or to
 * begin. Small, so that it becomes part of the loop of a walk. Hot: called for every event and path.
 */
export function passingEqualOrPrefix(
  text: string,
  asks: number,
  sieve: Sieve,
  seed: number,
): number {
  let passed = 0
  if ((asks & asksEqual) !== 0 && sieve.mayHave(hashOfText(text) ^ seed)) passed = asksEqual
  const units = (asks >>> prefixUnitsAt) & unitsMask
  if (units !== 0 && mayHaveAffix(text, units, false, sieve, seed)) passed |= asks & asksPrefixes
  return passed
}

/** Of `asks`, those that the sieve lets pass for a text. Hot: called for every event and path. */
export function passing(text: string, asks: number, sieve: Sieve, seed: number): number {
  let passed = passingEqualOrPrefix(text, asks, sieve, seed) | (asks & asksLiterals)
  const units = (asks >>> suffixUnitsAt) & unitsMask
  if (units !== 0 && mayHaveAffix(text, units, true, sieve, seed)) passed |= asks & asksSuffixes
  return passed
}

function mayHaveAffix(
  text: string,
  units: number,
  fromEnd: boolean,
  sieve: Sieve,
  seed: number,
): boolean {
  return text.length >= units && sieve.mayHave(hashOfAffix(text, units, fromEnd) ^ seed)
}

export class TextIndex {
  #equal: Map<string, Posting> | null = null
  #prefixes: AffixTrie | null = null
  #suffixes: AffixTrie | null = null
  #literals: LiteralAutomaton | null = null

  change(text: string, change: (posting: Posting | undefined) => Posting): void {
    this.#equal ??= new Map()
    this.#equal.set(text, change(this.#equal.get(text)))
  }

  add(kind: 'prefix' | 'suffix' | 'contains', text: string, filing: Filing): void {
    switch (kind) {
      case 'prefix':
        this.#prefixes ??= new AffixTrie('prefix')
        this.#prefixes.add(text, filing)
        return
      case 'suffix':
        this.#suffixes ??= new AffixTrie('suffix')
        this.#suffixes.add(text, filing)
        return
      case 'contains':
        this.#literals ??= new LiteralAutomaton()
        this.#literals.add(text, filing)
    }
  }

  /** What `passing` takes; once all is filed. */
  get asks(): number {
    return (
      (this.#equal === null ? 0 : asksEqual) |
      (this.#literals === null ? 0 : asksLiterals) |
      ((this.#prefixes?.units ?? 0) << prefixUnitsAt) |
      ((this.#suffixes?.units ?? 0) << suffixUnitsAt)
    )
  }

  /** How many hashes go into the sieve. */
  get sieved(): number {
    return (this.#equal?.size ?? 0) + (this.#prefixes?.size ?? 0) + (this.#suffixes?.size ?? 0)
  }

  *finish(sieve: Sieve, seed: number): Slices<void> {
    const pause = pauseAfter(10_000)
    for (const text of this.#equal?.keys() ?? []) {
      sieve.add(hashOfText(text) ^ seed)
      if (pause(1)) yield
    }
    if (this.#prefixes !== null) yield* this.#prefixes.addTo(sieve, seed)
    if (this.#suffixes !== null) yield* this.#suffixes.addTo(sieve, seed)
    if (this.#literals !== null) yield* this.#literals.finish()
  }

  /** @param asks - what to look up, from `passing` */
  lookUp(text: string, asks: number, found: Candidates): void {
    if ((asks & asksEqual) !== 0) {
      const posting = this.#equal?.get(text)
      if (posting !== undefined) give(posting, found)
    }
    if ((asks & asksPrefixes) !== 0) this.#prefixes?.lookUp(text, found)
    if ((asks & asksSuffixes) !== 0) this.#suffixes?.lookUp(text, found)
    if ((asks & asksLiterals) !== 0) this.#literals?.lookUp(text, found)
  }
}
