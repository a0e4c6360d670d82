import type { DeadReason, SkipReason } from '../model/outcome.ts'

/**
 * What became of each (rule, event) of one rule since this process started. It balances:
 * matched = done + skipped + dead + pending (delivery.md, 1). A task that another process put into
 * a retry topic enters the ladder as matched when it is picked up here; one of ours that another
 * process picks up stays pending here, since nobody tells us.
 */
export interface Ladder {
  matched: number
  done: number
  readonly skipped: Partial<Record<SkipReason, number>>
  /** Attempts that ended in a retry tier; a task may pass several times. */
  retried: number
  held: number
  readonly dead: Partial<Record<DeadReason, number>>
  readonly pending: { inFlight: number; queue: number; retry: number; backlog: number }
}

export function newLadder(): Ladder {
  return {
    matched: 0,
    done: 0,
    skipped: {},
    retried: 0,
    held: 0,
    dead: {},
    pending: { inFlight: 0, queue: 0, retry: 0, backlog: 0 },
  }
}

/** Matched less everything that it became: 0 as long as every count was kept. */
export function ladderRest(ladder: Ladder): number {
  const { inFlight, queue, retry, backlog } = ladder.pending
  const pending = inFlight + queue + retry + backlog
  return ladder.matched - ladder.done - sumOf(ladder.skipped) - sumOf(ladder.dead) - pending
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
