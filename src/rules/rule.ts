import type { Event } from '../model/event.ts'
import type { Action } from './action-kind.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** A rule as the engine needs it: compiled once at load, nothing left to parse or look up. */
export interface Rule {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly description: string | null
  readonly owner: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Hash of the rule as loaded, 12 hex digits: which text made a dead letter. */
  readonly version: string
  readonly enabled: boolean
  readonly lane: string
  readonly topics: TopicSelector
  /** Whether the rule's `when` and `unless` hold. Total: no event makes it throw. */
  readonly matches: (event: Event) => boolean
  readonly actions: readonly Action[]
  /** Attempts at once in this process. */
  readonly concurrency: number
  /** Bound of one attempt, from connect to last byte. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy
}

export interface TopicSelector {
  /** Names without a wildcard. */
  readonly names: readonly string[]
  /** As written: `mediawiki.job.*`. */
  readonly globs: readonly string[]
  readonly matches: (topic: string) => boolean
}
