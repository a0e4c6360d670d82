import { foldCase } from '../case-folding.ts'
import type { Scalar } from '../condition.ts'
import type { Key } from './key.ts'

/*
 * What the rules of one index ask of one path, and from that a guess in how many events a key is
 * found. There are no statistics of events; the rules are taken for a sample of them: if half of
 * the rules ask for `kind: edit`, so do half of the events hold it, and where 10,000 rules name
 * 10,000 titles, each title is rare. The guess only has to rank the keys of one rule, and to see
 * what many rules share, since that is what an index must not be built on.
 */

/** Counts for as many keys as this by what a key looks like, before those of rules outweigh it. */
const priorWeight = 10

/** Sets of up to this many values are counted by value, longer ones as a whole. */
const countedByValueMax = 16

/** Texts that are kept; each is compared with every text that a rule asks for a part of. */
const samplesMax = 32

/** Ends of ranges that are kept; more do not make the guess better. */
const endsMax = 4_096

export class Population {
  readonly #values = new Map<Scalar, number>()
  readonly #foldedValues = new Map<Scalar, number>()
  readonly #sets = new Map<ReadonlySet<Scalar>, number>()
  readonly #texts = new Map<string, number>()
  /** Some of the texts that rules ask to be equal to. */
  readonly #samples: string[] = []
  #samplesSeen = 0
  readonly #ends: number[] = []
  #endsSeen = 0
  #sortedEnds: Float64Array | null = null
  /** Keys but ranges. */
  #keys = 0
  readonly #keysOf = new Map<string, number>()

  count(key: Key): void {
    const structure = structureOf(key)
    this.#keysOf.set(structure, this.#sharers(key) + 1)
    switch (key.kind) {
      case 'one-of':
        this.#keys++
        if (key.values.size > countedByValueMax) increment(this.#sets, key.values)
        else for (const value of key.values) this.#countValue(value, key.ci)
        return
      case 'prefix':
      case 'suffix':
      case 'contains':
        this.#keys++
        increment(this.#texts, structure + key.text)
        return
      case 'cidr':
        this.#keys++
        increment(this.#texts, structure + key.source)
        return
      case 'range':
        this.#countEnd(key.interval.min)
        this.#countEnd(key.interval.max)
        return
      case 'present':
      case 'absent':
      case 'too-long':
    }
  }

  #countValue(value: Scalar, ci: boolean): void {
    increment(this.#valuesOf(ci), value)
    if (typeof value !== 'string') return
    this.#samplesSeen++
    if (this.#samples.length < samplesMax) this.#samples.push(value)
    else if (this.#samplesSeen % 7 === 0)
      this.#samples[(this.#samplesSeen / 7) % samplesMax] = value
  }

  #valuesOf(ci: boolean): Map<Scalar, number> {
    return ci ? this.#foldedValues : this.#values
  }

  #sharers(key: Key): number {
    return this.#keysOf.get(structureOf(key)) ?? 0
  }

  /** Every so many of them once there are more than are kept: no end is preferred to another. */
  #countEnd(end: number): void {
    if (!Number.isFinite(end)) return
    this.#endsSeen++
    if (this.#ends.length < endsMax) this.#ends.push(end)
    else if (this.#endsSeen % 7 === 0) this.#ends[(this.#endsSeen / 7) % endsMax] = end
  }

  /** What filing a rule under `key` costs an event, in checks of a rule. */
  costOf(key: Key): number {
    return this.shareOf(key) + lookUpCost[key.kind] / Math.max(1, this.#sharers(key))
  }

  /**
   * The same for a value that is looked up among rules that share another key. What shares a key is
   * often alike in other ways too, as titles in `User:` are all of one namespace: a path where rules
   * ask for many values tells more rules apart than one with few.
   */
  costAsSecond(key: Key): number {
    return this.shareOf(key) + 1 / (1 + this.#values.size)
  }

  /** The share of the events in which the key is found, from 0 to 1. */
  shareOf(key: Key): number {
    switch (key.kind) {
      case 'one-of':
        return this.#shareOfValues(key.values, key.ci)
      case 'prefix':
      case 'suffix':
        return this.#shareOfText(key, 0.05, 0.2 * 0.4 ** key.text.length)
      case 'contains':
        return this.#shareOfText(key, 0.1, Math.min(0.9, 4 * 0.4 ** key.text.length))
      case 'cidr': {
        const bits = Number(key.source.slice(key.source.indexOf('/') + 1))
        return this.#smoothed(
          this.#texts.get(structureOf(key) + key.source),
          0.05,
          0.2 * 0.5 ** bits,
        )
      }
      case 'range':
        return this.#shareOfRange(key.interval.min, key.interval.max)
      case 'present':
        return 0.9
      case 'absent':
        return 0.5
      case 'too-long':
        return 0
    }
  }

  #shareOfValues(values: ReadonlySet<Scalar>, ci: boolean): number {
    if (values.size > countedByValueMax) {
      const prior = Math.min(0.5, values.size * 0.000_5)
      return this.#smoothed(this.#sets.get(values), prior, prior)
    }
    let share = 0
    for (const value of values) {
      share += this.#smoothed(this.#valuesOf(ci).get(value), priorOf(value), 0)
    }
    return Math.min(1, share)
  }

  /** A text that many of the values have that rules name is as common, though few rules ask for it. */
  #shareOfText(key: TextKey, prior: number, least: number): number {
    const having = this.#samples.filter((value) => has(value, key)).length
    const known = Math.max(least, having / samplesMax)
    return this.#smoothed(this.#texts.get(structureOf(key) + key.text), prior, known)
  }

  #smoothed(count = 0, prior: number, least: number): number {
    return Math.max(least, (count + priorWeight * prior) / (this.#keys + priorWeight))
  }

  #shareOfRange(min: number, max: number): number {
    this.#sortedEnds ??= Float64Array.from(this.#ends).sort()
    const ends = this.#sortedEnds
    const within = countUpTo(ends, max, true) - countUpTo(ends, min, false)
    return (within + priorWeight * 0.3) / (ends.length + priorWeight)
  }
}

type TextKey = Extract<Key, { text: string }>

function has(value: string, { kind, text, ci }: TextKey): boolean {
  const seen = ci ? foldCase(value) : value
  switch (kind) {
    case 'prefix':
      return seen.startsWith(text)
    case 'suffix':
      return seen.endsWith(text)
    case 'contains':
      return seen.includes(text)
  }
}

/** Of a look-up of each kind, in checks of a rule: measured, and rounded. */
const lookUpCost: Readonly<Record<Key['kind'], number>> = {
  'one-of': 0.3,
  prefix: 0.5,
  suffix: 0.5,
  contains: 0.7,
  range: 0.5,
  cidr: 0.7,
  present: 0.1,
  absent: 0.1,
  'too-long': 0.1,
}

/** How often a value is seen in events, as its type alone tells. */
function priorOf(value: Scalar): number {
  if (typeof value === 'boolean') return 0.5
  if (typeof value === 'number') return 0.1
  return value === null ? 0.3 : 0.05
}

/** What keys are looked up together in. */
function structureOf(key: Key): string {
  return 'ci' in key && key.ci ? `${key.kind} ci ` : `${key.kind} `
}

function increment<Of>(counts: Map<Of, number>, of: Of): void {
  counts.set(of, (counts.get(of) ?? 0) + 1)
}

/** How many of the sorted `ends` lie below `limit`, or at it. */
function countUpTo(ends: Float64Array, limit: number, withLimit: boolean): number {
  let start = 0
  let end = ends.length
  while (start < end) {
    const middle = (start + end) >>> 1
    const value = ends[middle] ?? 0
    if (value < limit || (withLimit && value === limit)) start = middle + 1
    else end = middle
  }
  return start
}
