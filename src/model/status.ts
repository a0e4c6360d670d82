/*
 * The documents of operations.md, 5. Other programs rely on them: a key may be added, none is renamed
 * or taken away. Times are RFC 3339, counts are since the process started.
 */

/** What became of each (rule, event). matched = done + skipped + dead + pending. */
export interface LadderDocument {
  readonly matched: number
  readonly done: number
  readonly skipped: Readonly<Record<string, number>>
  /** Attempts that ended in a retry tier; one task may pass several times. */
  readonly retried: number
  readonly held: number
  readonly dead: Readonly<Record<string, number>>
  readonly pending: {
    readonly in_flight: number
    readonly queue: number
    readonly retry: number
    readonly backlog: number
  }
}

type RuleState = 'live' | 'held' | 'draining' | 'closing' | 'disabled'

export interface RuleDocument {
  readonly name: string
  /** As the user named it. */
  readonly file: string
  readonly state: RuleState
  /** `shadow`: its tasks are rendered and not carried out. */
  readonly mode: 'live' | 'shadow'
  /** Names and globs, as written. */
  readonly topics: readonly string[]
  readonly ladder: LadderDocument
  /** `null`: no event has matched since the process started. */
  readonly last_match_at: string | null
  readonly paused: null | {
    readonly by: string
    readonly reason: string
    readonly at: string
    /** `null`: until someone resumes it. */
    readonly until: string | null
  }
}

export interface StatusDocument {
  readonly version: string
  readonly ready: boolean
  readonly uptime_s: number
  readonly bus: {
    readonly kind: 'embedded' | 'kafka'
    /** Not settled yet, over all partitions that are ours. */
    readonly lag_events: number
    /** Age of the oldest of them; 0 when there is none. */
    readonly lag_s: number
  }
  /** `none`: no rule needs one. */
  readonly store: {
    readonly kind: 'none' | 'embedded' | 'redis'
    /** It does not answer as it should: `on_outage` of each rule decides. */
    readonly degraded: boolean
    /** What is wrong with it; `null`: nothing is. */
    readonly trouble: null | {
      /** One of a closed set: `unreachable`, `slow`, `denied` ... */
      readonly reason: string
      /** One line for people. */
      readonly error: string
      readonly since: string
    }
  }
  /** By name. */
  readonly rules: readonly RuleDocument[]
}

/** What `demo --once --json` prints. */
export interface DemoDocument {
  readonly events: number
  readonly requests: number
  readonly derived: number
  readonly rules: readonly RuleDocument[]
  readonly elapsed_s: number
}

export interface TopicDocument {
  readonly name: string
  readonly partitions: number
  /** Names of the rules that read it. */
  readonly rules: readonly string[]
}
