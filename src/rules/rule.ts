import type { Event } from '../model/event.ts'
import type { Action } from './action-kind.ts'
import type { Condition, Doubt } from './condition.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { JsonTemplate, TextTemplate } from './template.ts'

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
  /** `shadow`: everything but the side effect. */
  readonly mode: 'live' | 'shadow'
  readonly lane: string
  readonly topics: TopicSelector
  /** `when` and none of `unless`: what has to hold before any way is looked at. */
  readonly condition: Condition
  /** What it does, by case; without `cases` a single one that always holds. At least one. */
  readonly ways: readonly Way[]
  /** Whether it fires for an event of its topics, and which way. Total: no event makes it throw. */
  readonly fire: (event: Event) => Fired | null
  /** The thing that a task is about; `null`: none is said. */
  readonly key: TextTemplate | null
  /** Events older than this are skipped, by their time and by that of their root; `null`: any age. */
  readonly maxAgeMs: number | null
  readonly maxRootAgeMs: number | null
  /** Attempts at once in this process. */
  readonly concurrency: number
  /** Attempts at once in this process for one value of `key`; `null`: no bound of its own. */
  readonly concurrencyPerKey: number | null
  /** `key`: tasks of one value of `key` run one at a time, in the order in which they arrived. */
  readonly order: 'none' | 'key'
  /** Windows in which events count as the same; `null`: none does. */
  readonly dedup: Dedup | null
  /** Bound of one attempt, from connect to last byte. */
  readonly timeoutMs: number
  readonly retry: RetryPolicy
}

/** Which events of a key are not acted on (docs/rules.md, 5). It has a window, a version, or both. */
export interface Dedup {
  /** What makes two events the same; the rule's `key` where `dedup` names none. */
  readonly key: TextTemplate
  /** `null`: there is no window, only versions. */
  readonly window: DedupWindow | null
  /** Renders to a number or an RFC 3339 time (`versionOf` in model/stamp.ts); `null`: none is named. */
  readonly version: TextTemplate | null
  /** Without the store: act without the window, or hold the task. */
  readonly onOutage: 'run' | 'wait'
}

export interface DedupWindow {
  readonly ms: number
  readonly keep: 'first' | 'last' | 'both'
  /** With `last`: the longest that the first event waits; at least `ms`. */
  readonly waitMaxMs: number
}

/** One of `cases`, or the whole of what a rule without them does. */
export interface Way {
  /** `null`: always. The first way whose condition holds is taken. */
  readonly condition: Condition | null
  /** `null`: every event. */
  readonly sample: Sample | null
  readonly steps: readonly Step[]
  /** Texts of the named groups of the regexes that held: for the steps, the key and `dedup`. */
  readonly captures: (event: Event) => Readonly<Record<string, string>>
}

/** One entry of `do`. */
export interface Step {
  readonly action: Action
  /** The name under which later steps read its result; `null`: it is not kept. */
  readonly as: string | null
  /** Renders to the list whose elements it runs for, one after the other; `null`: it runs once. */
  readonly each: JsonTemplate | null
  /**
   * Hash of what the steps before it say, and its own `each`: only while that stays as it is does a
   * retry know that what it leaves out has been done. `null`: nothing stands before it.
   */
  readonly place: string | null
}

/** A stable share of the events: those whose key hashes below it. */
export interface Sample {
  /** From 0, none, to 1, all. */
  readonly rate: number
  /** `null`: the id of the event. */
  readonly key: TextTemplate | null
}

/** That a rule fires, and how. */
export interface Fired {
  /** Index of the way taken; of no meaning in doubt. */
  readonly way: number
  /** Why it cannot be said whether it fires, which is a skip with this reason; `null`: it fires. */
  readonly doubt: Doubt | null
}

export interface Firing extends Fired {
  readonly rule: Rule
}

export interface TopicSelector {
  /** In one spelling: selectors of one load whose texts are equal match the same topics. */
  readonly text: string
  /** Names without a wildcard. */
  readonly names: readonly string[]
  /** As written: `mediawiki.job.*`. */
  readonly globs: readonly string[]
  readonly matches: (topic: string) => boolean
}

/** Every action of a rule, whichever way is taken. */
export function actionsOf({ ways }: Rule): readonly Action[] {
  return ways.flatMap(({ steps }) => steps.map(({ action }) => action))
}
