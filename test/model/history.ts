import type { Stamp } from '../../src/model/stamp.ts'

/*
 * What was seen from outside while a schedule ran: events, attempts, and what was done to the
 * machinery. Times are milliseconds by the monotonic clock that all processes share.
 */

export interface Arrival {
  /** `edits/0/7`. */
  readonly id: string
  readonly key: string
  readonly stamp: Stamp
  /** When the bus had it. */
  readonly atMs: number
}

/** `cut`: the process died or gave up in the middle; whether the target acted is unknown. */
export type Ending = 'done' | 'retry' | 'dead' | 'cut'

export interface Attempt {
  readonly event: string
  readonly key: string
  readonly process: number
  readonly startMs: number
  /** `null`: it is under way. */
  endMs: number | null
  ending: Ending | null
}

export interface Fault {
  /**
   * `membership`: partitions changed hands. `store`: a process had no answers, or late ones, or all
   * was forgotten; `toMs` is when it was over. `bus`: it took no retries. `stall`: in real time,
   * the machine did something else.
   */
  readonly kind: 'crash' | 'membership' | 'store' | 'bus' | 'wall-clock' | 'stall'
  readonly fromMs: number
  toMs: number
}

export interface History {
  readonly arrivals: readonly Arrival[]
  readonly attempts: readonly Attempt[]
  readonly faults: readonly Fault[]
  /** Ids of the events among the dead letters. */
  readonly dead: ReadonlySet<string>
  /** The longest that the store took to answer. */
  readonly storeDelayMs: number
  /** What anything may be late by besides: above 0 where time is real, whose speed proves nothing. */
  readonly slackMs: number
  /** No lane was ever full: what the bus had was taken at once. */
  readonly isRoomy: boolean
  /** What did not come to rest, or did not balance; in words. */
  readonly complaints: readonly string[]
}
