import type { Candidates } from './candidates.ts'

/*
 * What is filed under one key. Most keys have one rule, so that one is kept as its bare number:
 * an object for each would be most of the memory of an index.
 */

export type Posting = number | PostingList

/** Several rules under one key, and lists that keys share: those of all who ask for one set. */
export class PostingList {
  readonly #rules: number[] = []
  #shared: PostingList[] | null = null

  push(rule: number): void {
    this.#rules.push(rule)
  }

  share(list: PostingList): void {
    this.#shared ??= []
    this.#shared.push(list)
  }

  giveTo(found: Candidates): void {
    const rules = this.#rules
    for (let i = 0; i < rules.length; i++) found.add(rules[i] as number) // as: an index of it; hot
    const shared = this.#shared
    if (shared === null) return
    for (let i = 0; i < shared.length; i++) (shared[i] as PostingList).giveTo(found) // as: likewise
  }
}

/** The posting with `rule` in it as well. */
export function withRule(posting: Posting | undefined, rule: number): Posting {
  if (posting === undefined) return rule
  const list = listOf(posting)
  list.push(rule)
  return list
}

/** The posting with all of `shared` in it as well, those that are filed there later included. */
export function withShared(posting: Posting | undefined, shared: PostingList): PostingList {
  const list = posting === undefined ? new PostingList() : listOf(posting)
  list.share(shared)
  return list
}

function listOf(posting: Posting): PostingList {
  if (typeof posting !== 'number') return posting
  const list = new PostingList()
  list.push(posting)
  return list
}

export function give(posting: Posting, found: Candidates): void {
  if (typeof posting === 'number') found.add(posting)
  else posting.giveTo(found)
}
