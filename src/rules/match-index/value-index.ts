import type { Json } from '../../model/json.ts'
import { foldCase } from '../case-folding.ts'
import type { Scalar } from '../condition.ts'
import { AddressTrie } from './address-trie.ts'
import type { Candidates } from './candidates.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { IntervalTree } from './interval-tree.ts'
import { LengthIndex } from './length-index.ts'
import type { Key } from './key.ts'
import {
  give,
  newList,
  withRule,
  withShared,
  type Filing,
  type Posting,
  type PostingList,
} from './posting.ts'
import { hashOfNumber, type Sieve } from './sieve.ts'
import {
  asksOfOtherParts,
  passing,
  passingEqualOrPrefix,
  TextIndex,
  textAsksBits,
} from './text-index.ts'

/** The rules that are filed by the value at one path: for each kind of key what finds it fastest. */
export class ValueIndex {
  #texts: TextIndex | null = null
  #folded: TextIndex | null = null
  /** By null, boolean or number; a map takes 0 for -0 and 1 for 1.0, and never for "1". */
  #others: Map<Json, Posting> | null = null
  #numbers: IntervalTree | null = null
  #addresses: AddressTrie | null = null
  #present: Posting | undefined
  #absent: Posting | undefined
  #lengths: LengthIndex | null = null
  readonly #sets = new SharedSets()
  #sieve: Sieve | null = null
  #seed = 0

  get filesAbsent(): boolean {
    return this.#absent !== undefined
  }

  /** The keys need not come in any order; none may come after `finish`. */
  *file(key: Key, filing: Filing): Slices<void> {
    switch (key.kind) {
      case 'one-of':
        yield* this.#fileValues(key.values, key.ci, filing)
        return
      case 'prefix':
      case 'suffix':
      case 'contains':
        this.#textsFor(key.ci).add(key.kind, key.text, filing)
        return
      case 'range':
        this.#numbers ??= new IntervalTree()
        this.#numbers.add(key.interval, filing)
        return
      case 'cidr':
        this.#addresses ??= new AddressTrie()
        this.#addresses.add(key.source, filing)
        return
      case 'present':
        this.#present = withRule(this.#present, filing)
        return
      case 'absent':
        this.#absent = withRule(this.#absent, filing)
        return
      case 'too-long':
        this.#lengths ??= new LengthIndex()
        this.#lengths.add(key.unitsMax, filing)
    }
  }

  *#fileValues(values: ReadonlySet<Scalar>, ci: boolean, filing: Filing): Slices<void> {
    if (values.size <= filedByValueMax) {
      for (const value of values)
        this.#setPosting(value, ci, (posting) => withRule(posting, filing))
      return
    }
    const { list, isNew } = this.#sets.listOf(values, ci, filing)
    list.push(filing.rule)
    if (!isNew) return
    const pause = pauseAfter(1_000)
    for (const value of values) {
      this.#setPosting(value, ci, (posting) => withShared(posting, list, filing))
      if (pause(1)) yield
    }
  }

  #setPosting(value: Scalar, ci: boolean, change: (posting: Posting | undefined) => Posting): void {
    if (typeof value === 'string') {
      this.#textsFor(ci).change(value, change)
    } else {
      this.#others ??= new Map()
      this.#others.set(value, change(this.#others.get(value)))
    }
  }

  #textsFor(ci: boolean): TextIndex {
    if (ci) return (this.#folded ??= new TextIndex())
    return (this.#texts ??= new TextIndex())
  }

  /** What `passingAsks` takes; once all is filed. */
  get asks(): number {
    return (
      (this.#present === undefined ? 0 : asksPresent) |
      (this.#others === null ? 0 : asksOthers) |
      (this.#numbers === null ? 0 : asksRanges) |
      (this.#addresses === null ? 0 : asksAddresses) |
      (this.#lengths === null ? 0 : asksLengths) |
      ((this.#texts?.asks ?? 0) << textsAt) |
      ((this.#folded?.asks ?? 0) << foldedAt)
    )
  }

  /** How many hashes go into the sieve. */
  get sieved(): number {
    return (this.#others?.size ?? 0) + (this.#texts?.sieved ?? 0) + (this.#folded?.sieved ?? 0)
  }

  *finish(sieve: Sieve, seed: number): Slices<void> {
    this.#sets.clear()
    this.#sieve = sieve
    this.#seed = seed
    if (this.#texts !== null) yield* this.#texts.finish(sieve, seed)
    if (this.#folded !== null) yield* this.#folded.finish(sieve, seed)
    if (this.#numbers !== null) yield* this.#numbers.finish()
    const pause = pauseAfter(10_000)
    for (const value of this.#others?.keys() ?? []) {
      if (typeof value === 'number') sieve.add(hashOfNumber(value) ^ seed)
      if (pause(1)) yield
    }
  }

  giveAbsent(found: Candidates): void {
    if (this.#absent !== undefined) give(this.#absent, found)
  }

  givePresent(found: Candidates): void {
    if (this.#present !== undefined) give(this.#present, found)
  }

  /** @param passed - of the asks, what `passingAsks` says for this value; not 0 */
  lookUp(value: Json, passed: number, found: Candidates): void {
    if (typeof value === 'string') {
      this.#lookUpText(value, passed, found)
      return
    }
    if ((passed & asksOthers) !== 0) {
      const posting = this.#others?.get(value)
      if (posting !== undefined) give(posting, found)
    }
    if ((passed & asksRanges) !== 0 && typeof value === 'number')
      this.#numbers?.lookUp(value, found)
  }

  #lookUpText(value: string, passed: number, found: Candidates): void {
    const texts = (passed >>> textsAt) & textsMask
    if (texts !== 0) this.#texts?.lookUp(value, texts, found)
    const folded = (passed >>> foldedAt) & textsMask
    if (folded !== 0) this.#lookUpFolded(foldCase(value), folded, found)
    if ((passed & asksAddresses) !== 0) this.#addresses?.lookUp(value, found)
    if ((passed & asksLengths) !== 0) this.#lengths?.read(value.length, found)
  }

  #lookUpFolded(value: string, asks: number, found: Candidates): void {
    if (this.#sieve === null) return
    const passed = passing(value, asks, this.#sieve, this.#seed)
    if (passed !== 0) this.#folded?.lookUp(value, passed, found)
  }
}

/* What an index has to be asked at all, in 24 bits, as `text-index.ts` has it for texts in eight. */

export const asksPresent = 1
const asksOthers = 2
const asksRanges = 4
const asksAddresses = 8
const asksLengths = 16
const textsAt = 8
const foldedAt = textsAt + textAsksBits
const textsMask = 2 ** textAsksBits - 1
const asksOfTexts = asksAddresses | asksLengths | (textsMask << textsAt) | (textsMask << foldedAt)
/** Of the asks, those that `passingText` and `passingNumber` do not know. */
export const asksOfOtherKinds =
  asksPresent |
  asksRanges |
  asksAddresses |
  asksLengths |
  (asksOfOtherParts << textsAt) |
  (textsMask << foldedAt)
/** Where a walk has room for bits of its own. */
export const asksBits = foldedAt + textAsksBits

/**
 * As `passingAsks`, of a text, for most paths: their rules ask what a text is or how it begins, and
 * nothing else but what other values are. Hot, as is `passingNumber`.
 */
export function passingText(text: string, asks: number, sieve: Sieve, seed: number): number {
  return passingEqualOrPrefix(text, asks >>> textsAt, sieve, seed) << textsAt
}

export function passingNumber(value: number, asks: number, sieve: Sieve, seed: number): number {
  return (asks & asksOthers) !== 0 && sieve.mayHave(hashOfNumber(value) ^ seed) ? asksOthers : 0
}

/**
 * Of the asks of an index, those that are worth a look-up for this value; 0: none. A list, whose
 * members are looked up one by one, and an object are no value. Hot: called for every event and path.
 */
export function passingAsks(value: Json, asks: number, sieve: Sieve, seed: number): number {
  if (typeof value === 'string') {
    return (asks & asksOfTexts) === 0 ? 0 : passingTexts(value, asks, sieve, seed)
  }
  if (typeof value !== 'number')
    return typeof value === 'object' && value !== null ? 0 : asks & asksOthers
  return (asks & asksRanges) | passingNumber(value, asks, sieve, seed)
}

function passingTexts(value: string, asks: number, sieve: Sieve, seed: number): number {
  let passed = asks & (asksAddresses | asksLengths)
  const texts = (asks >>> textsAt) & textsMask
  if (texts !== 0) passed |= passing(value, texts, sieve, seed) << textsAt
  const folded = (asks >>> foldedAt) & textsMask
  // Passes here: the sieve knows folded texts, and folding is left to where one is looked up.
  if (folded !== 0) passed |= folded << foldedAt
  return passed
}

/** A set of up to so many values is filed under each; of a longer one, the list of its rules is. */
const filedByValueMax = 4

/** Longer sets are the same only if they are one object, as those that a rule names with `in` are. */
const comparedMax = 10_000

/** One list for all rules that ask for the same set, so that its values are filed once. */
class SharedSets {
  readonly #byObject = new Map<ReadonlySet<Scalar>, PostingList>()
  readonly #byContent = new Map<string, PostingList>()

  listOf(
    values: ReadonlySet<Scalar>,
    ci: boolean,
    { lists }: Filing,
  ): { list: PostingList; isNew: boolean } {
    const seen = this.#byObject.get(values)
    if (seen !== undefined) return { list: seen, isNew: false }
    const content =
      values.size > comparedMax ? null : `${ci ? 'ci' : ''}${JSON.stringify([...values])}`
    const same = content === null ? undefined : this.#byContent.get(content)
    const list = same ?? newList(lists)
    this.#byObject.set(values, list)
    if (content !== null) this.#byContent.set(content, list)
    return { list, isNew: same === undefined }
  }

  clear(): void {
    this.#byObject.clear()
    this.#byContent.clear()
  }
}
