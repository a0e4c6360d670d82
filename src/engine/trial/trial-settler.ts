import { describeFailure } from '../../model/failure.ts'
import type { SkipReason } from '../../model/outcome.ts'
import type { AttemptResult } from '../attempt.ts'
import type { Settled, SettlerParts, Settling, WindowMark } from '../settle.ts'
import { Settler } from '../settle.ts'

/** What is told of a trial that no record says. */
export interface TrialTale {
  skipped(reason: SkipReason): void
  /** An attempt failed, and the next one is `afterMs` later. `false`: that one is not looked at. */
  retried(afterMs: number, why: string): boolean
}

/** The daemon's own way to settle, which also tells what leaves no record on the bus. */
export class TrialSettler extends Settler {
  readonly #tale: TrialTale

  constructor(parts: SettlerParts, tale: TrialTale) {
    super(parts)
    this.#tale = tale
  }

  override async afterAttempt(
    settling: Settling & { rule: NonNullable<Settling['rule']> },
    result: AttemptResult,
    run: WindowMark | null,
  ): Promise<Settled> {
    const settled = await super.afterAttempt(settling, result, run)
    if (settled.kind !== 'waits' || result.kind !== 'retry') return settled
    const isPlayed = this.#tale.retried(settled.waitMs, describeFailure(result.failure))
    return isPlayed ? settled : { ...settled, waitMs: Infinity }
  }

  override skipped(settling: Settling, reason: SkipReason): void {
    this.#tale.skipped(reason)
    super.skipped(settling, reason)
  }
}
