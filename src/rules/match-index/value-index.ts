import type { Json } from '../../model/json.ts'
import { foldCase } from '../case-folding.ts'
import type { Scalar } from '../condition.ts'
import { AddressTrie } from './address-trie.ts'
import { AffixTrie } from './affix-trie.ts'
import type { Candidates } from './candidates.ts'
import { pauseAfter, type Slices } from './in-slices.ts'
import { IntervalTree } from './interval-tree.ts'
import { LengthIndex } from './length-index.ts'
import { LiteralAutomaton } from './literal-automaton.ts'
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
import { hashOfNumber, hashOfText, Sieve } from './sieve.ts'

/** The rules that are filed by the value at one path: for each kind of key what finds it fastest. */
export class ValueIndex {
  #texts: TextIndex | null = null
  #folded: TextIndex | null = null
  /** By null, boolean or number; a map takes 0 for -0 and 1 for 1.0, and never for "1". */
  #others: Map<Json, Posting> | null = null
  #othersSieve: Sieve | null = null
  #numbers: IntervalTree | null = null
  #addresses: AddressTrie | null = null
  #present: Posting | undefined
  #absent: Posting | undefined
  #lengths: LengthIndex | null = null
  readonly #sets = new SharedSets()

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

  *finish(): Slices<void> {
    this.#sets.clear()
    if (this.#texts !== null) yield* this.#texts.finish()
    if (this.#folded !== null) yield* this.#folded.finish()
    if (this.#numbers !== null) yield* this.#numbers.finish()
    if (this.#others !== null) {
      this.#othersSieve = yield* sieveOf(this.#others, (one) => hashOfNumber(Number(one)))
    }
  }

  lookUpAbsent(found: Candidates): void {
    if (this.#absent !== undefined) give(this.#absent, found)
  }

  /** Hot: called for every event and path. A list stands for each of its members. */
  lookUp(value: Json, found: Candidates): void {
    if (this.#present !== undefined) give(this.#present, found)
    if (Array.isArray(value))
      for (const member of value as readonly Json[]) this.#lookUpOne(member, found) // as: an array of a Json value
    else this.#lookUpOne(value, found)
  }

  #mayHave(value: Json): boolean {
    if (typeof value !== 'number' || this.#othersSieve === null) return true
    return this.#othersSieve.mayHave(hashOfNumber(value))
  }

  #lookUpOne(value: Json, found: Candidates): void {
    if (typeof value === 'string') {
      if (this.#texts !== null) this.#texts.lookUp(value, found)
      if (this.#folded !== null) this.#folded.lookUp(foldCase(value), found)
      if (this.#addresses !== null) this.#addresses.lookUp(value, found)
      if (this.#lengths !== null) this.#lengths.read(value.length, found)
      return
    }
    if (this.#others !== null && this.#mayHave(value)) {
      const posting = this.#others.get(value)
      if (posting !== undefined) give(posting, found)
    }
    if (this.#numbers !== null && typeof value === 'number') this.#numbers.lookUp(value, found)
  }
}

/** The rules that are filed by a text: that is it, that it begins or ends with, or that it contains. */
class TextIndex {
  #exact: Map<string, Posting> | null = null
  #sieve: Sieve | null = null
  #prefixes: AffixTrie | null = null
  #suffixes: AffixTrie | null = null
  #literals: LiteralAutomaton | null = null

  change(text: string, change: (posting: Posting | undefined) => Posting): void {
    this.#exact ??= new Map()
    this.#exact.set(text, change(this.#exact.get(text)))
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

  *finish(): Slices<void> {
    if (this.#exact !== null) this.#sieve = yield* sieveOf(this.#exact, hashOfText)
    if (this.#prefixes !== null) yield* this.#prefixes.finish()
    if (this.#suffixes !== null) yield* this.#suffixes.finish()
    if (this.#literals !== null) yield* this.#literals.finish()
  }

  lookUp(text: string, found: Candidates): void {
    if (this.#sieve !== null && this.#exact !== null && this.#sieve.mayHave(hashOfText(text))) {
      const posting = this.#exact.get(text)
      if (posting !== undefined) give(posting, found)
    }
    if (this.#prefixes !== null) this.#prefixes.lookUp(text, found)
    if (this.#suffixes !== null) this.#suffixes.lookUp(text, found)
    if (this.#literals !== null) this.#literals.lookUp(text, found)
  }
}

function* sieveOf<Of>(
  values: ReadonlyMap<Of, unknown>,
  hashOf: (value: Of) => number,
): Slices<Sieve> {
  const pause = pauseAfter(10_000)
  const sieve = new Sieve(values.size)
  for (const value of values.keys()) {
    sieve.add(hashOf(value))
    if (pause(1)) yield
  }
  return sieve
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
