/*
 * What is known of a run from outside the daemons. Times are milliseconds since 1970, by the clock
 * that the daemons have as well: they are processes of this machine.
 */

/** An event as the bus has it at the end. */
export interface LoggedEvent {
  /** `topic/partition/offset#n`: the number keeps topics apart that were deleted and made anew. */
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
  readonly n: number
  readonly page: string
  readonly account: string
  readonly dup: string
  readonly rev: number
  /** Of a derived event: the id of what it was derived from. */
  readonly from: string | null
}

/** A request as a target saw it, or a derived event. */
export interface Call {
  readonly rule: string
  readonly id: string
  /** Which process made it: `d1.3` is the third life of daemon 1. `null`: nobody can say. */
  readonly life: string | null
  readonly startMs: number
  /** When it was answered or cut off; `null`: it is open. */
  endMs: number | null
  /** It was answered, whole, with a 200. */
  isDone: boolean
}

export interface DeadLetter {
  readonly rule: string
  readonly id: string
  readonly reason: string
  readonly timeMs: number
}

/** Something that went wrong, as it came about. */
export interface Disturbance {
  readonly kind: string
  readonly fromMs: number
  /** When its cause had gone; `null`: it has not. */
  untilMs: number | null
  /** Whose; `null`: of all. */
  readonly life: string | null
}

export interface Ledger {
  readonly events: readonly LoggedEvent[]
  /** Origins of records that no rule can read. */
  readonly unreadable: readonly string[]
  readonly calls: readonly Call[]
  readonly dead: readonly DeadLetter[]
  readonly disturbances: readonly Disturbance[]
  /** Topics that were deleted in the run: what was in them may have gone with them. */
  readonly deletedTopics: ReadonlySet<string>
}
