import { invariant } from '../model/invariant.ts'

/** Offsets `[from, to)` of one partition, all of them settled or never there. */
export interface Run {
  readonly from: bigint
  readonly to: bigint
}

/** An unsettled event, between its neighbours in the order of the partition. */
interface Unsettled {
  readonly offset: bigint
  readonly eventTimeMs: number
  before: Unsettled | null
  after: Unsettled | null
  /** What is settled between this event and the next unsettled one; `null`: nothing. */
  island: Run | null
}

/**
 * Turns out-of-order completions within one partition into an offset that is safe to commit.
 *
 * Rules finish events in any order, yet Kafka keeps one number per partition: everything below it
 * counts as done. So the committable offset moves past an event only when it and all earlier ones
 * are settled; what is settled above it, the islands, goes into the commit metadata
 * (commit-metadata.ts) and is not run again after a crash.
 *
 * Only unsettled events are kept, in a list in the order of the partition, each with the one island
 * behind it: an event that hangs for days costs no more memory than any other, whatever passes by.
 */
export class OffsetTracker {
  readonly #byOffset = new Map<bigint, Unsettled>()
  #first: Unsettled | null = null
  #last: Unsettled | null = null
  #next: bigint

  /** @param position - the first offset that will be read */
  constructor(position: bigint) {
    this.#next = position
  }

  /** Events accepted and not settled. */
  get unsettled(): number {
    return this.#byOffset.size
  }

  /** The next offset to read in Kafka's sense: everything below it is settled or was never there. */
  get committable(): bigint {
    return this.#first?.offset ?? this.#next
  }

  /** Event time of the lowest unsettled event, milliseconds since 1970; `null` when all are settled. */
  get oldestMs(): number | null {
    return this.#first?.eventTimeMs ?? null
  }

  /** Offsets from the lowest unsettled event to the end of what was taken. */
  get span(): bigint {
    return this.#next - this.committable
  }

  /** Announces an offset as taken. Must be called in the order of the partition. */
  accept(offset: bigint, eventTimeMs: number): void {
    // We never count from one offset to the next: compaction and transaction markers leave holes,
    // and a tracker waiting for a hole would commit nothing again.
    invariant(offset >= this.#next, `offset ${offset} accepted after ${this.#next}`)
    const event = { offset, eventTimeMs, before: this.#last, after: null, island: null }
    if (this.#last === null) this.#first = event
    else this.#last.after = event
    this.#last = event
    this.#byOffset.set(offset, event)
    this.#next = offset + 1n
  }

  /** Says that there is nothing more below `offset`: the log has holes up to it. */
  skipTo(offset: bigint): void {
    if (offset > this.#next) this.#next = offset
  }

  /** Marks an accepted offset as done: acted on, skipped, dead-lettered or handed on. */
  settle(offset: bigint): void {
    const event = this.#byOffset.get(offset)
    invariant(event !== undefined, `offset ${offset} is not in flight`)
    this.#byOffset.delete(offset)
    const { before, after, island } = event
    if (before === null) this.#first = after
    else {
      before.after = after
      before.island = { from: before.island?.from ?? offset, to: island?.to ?? offset + 1n }
    }
    if (after === null) this.#last = before
    else after.before = before
  }

  /**
   * The runs of settled offsets above `committable`, in order. A hole between two settled offsets
   * belongs to the run: there is nothing in it that could be run again.
   */
  islands(): readonly Run[] {
    const runs: Run[] = []
    for (let event = this.#first; event !== null; event = event.after) {
      if (event.island !== null) runs.push(event.island)
    }
    return runs
  }
}
