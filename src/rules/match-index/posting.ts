import type { Event } from '../../model/event.ts'
import type { Json } from '../../model/json.ts'
import type { Scalar } from '../condition.ts'
import type { Candidates, Deferred } from './candidates.ts'

/*
 * What is filed under one key. Most keys have one rule, so that one is kept as its bare number:
 * an object for each would be most of the memory of an index.
 *
 * Where many rules share a key, as all that ask for `kind: edit` or for a title in `User:` do, they
 * are filed once more within it, by a value that they ask for at another path. Two keys together
 * are nearly always rare.
 */

export type Posting = number | PostingList

/** The rule that is being filed, and the lists made so far. */
export interface Filing {
  readonly rule: number
  readonly lists: PostingList[]
}

/** A path with one value at most. */
interface Readable {
  read(event: Event): Json | undefined
}

/** A value that a rule asks for beside the key that it is filed under. */
export interface Second {
  readonly node: Readable
  readonly value: Scalar
}

/** So many rules under one key are asked one by one. */
const unsplitMax = 6

/** Several rules under one key, and lists that keys share: those of all who ask for one set. */
export class PostingList implements Deferred {
  #rules: number[] = []
  #shared: PostingList[] | null = null
  /** By second path, and the value there. */
  #split: readonly Split[] | null = null
  #givenIn = 0

  push(rule: number): void {
    this.#rules.push(rule)
  }

  share(list: PostingList): void {
    this.#shared ??= []
    this.#shared.push(list)
  }

  /** Files the rules by their second keys, if they are many. Once, when all are filed. */
  split(secondOf: (rule: number) => Second | null): void {
    if (this.#rules.length <= unsplitMax) return
    const byNode = new Map<Readable, Map<Json, number[]>>()
    const others: number[] = []
    for (const rule of this.#rules) {
      const second = secondOf(rule)
      if (second === null) {
        others.push(rule)
        continue
      }
      let byValue = byNode.get(second.node)
      if (byValue === undefined) byNode.set(second.node, (byValue = new Map<Json, number[]>()))
      const list = byValue.get(second.value)
      if (list === undefined) byValue.set(second.value, [rule])
      else list.push(rule)
    }
    if (byNode.size === 0) return
    this.#rules = others
    this.#split = [...byNode].map(([node, byValue]) => ({ node, byValue }))
  }

  /** Hot. Once in a walk, however often the key is met in it. */
  giveTo(found: Candidates): void {
    if (this.#givenIn === found.walk) return
    this.#givenIn = found.walk
    const rules = this.#rules
    for (let i = 0; i < rules.length; i++) found.add(rules[i] as number) // as: an index of it; hot
    if (this.#split !== null) found.defer(this)
    const shared = this.#shared
    if (shared === null) return
    for (let i = 0; i < shared.length; i++) (shared[i] as PostingList).giveTo(found) // as: likewise
  }

  /** Gives the rules whose second value the event holds. Few keys are split, and fewer of those found. */
  giveFor(event: Event, found: Candidates): void {
    for (const { node, byValue } of this.#split ?? []) {
      const value = node.read(event)
      if (Array.isArray(value)) {
        // Any of its members may be asked for; rules sort that out, so seldom is a list there.
        for (const rules of byValue.values()) for (const rule of rules) found.add(rule)
      } else if (value !== undefined) {
        const rules = byValue.get(value)
        if (rules === undefined) continue
        for (let i = 0; i < rules.length; i++) found.add(rules[i] as number) // as: an index of it; hot
      }
    }
  }
}

interface Split {
  readonly node: Readable
  readonly byValue: ReadonlyMap<Json, readonly number[]>
}

/** The posting with the rule in it as well. */
export function withRule(posting: Posting | undefined, { rule, lists }: Filing): Posting {
  if (posting === undefined) return rule
  const list = listOf(posting, lists)
  list.push(rule)
  return list
}

/** The posting with all of `shared` in it as well, those that are filed there later included. */
export function withShared(
  posting: Posting | undefined,
  shared: PostingList,
  { lists }: Filing,
): PostingList {
  const list = posting === undefined ? newList(lists) : listOf(posting, lists)
  list.share(shared)
  return list
}

function listOf(posting: Posting, lists: PostingList[]): PostingList {
  if (typeof posting !== 'number') return posting
  const list = newList(lists)
  list.push(posting)
  return list
}

export function newList(lists: PostingList[]): PostingList {
  const list = new PostingList()
  lists.push(list)
  return list
}

export function give(posting: Posting, found: Candidates): void {
  if (typeof posting === 'number') found.add(posting)
  else posting.giveTo(found)
}
