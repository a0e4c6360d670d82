import { invariant } from '../model/invariant.ts'

/** Offsets `[from, to)` of one partition, all of them settled or never there. */
export interface Run {
  readonly from: bigint
  readonly to: bigint
}

/** In place of an event's time: no event is from before all time. */
const settled = -Infinity

/**
 * Turns out-of-order completions within one partition into an offset that is safe to commit.
 *
 * Rules finish events in any order, yet Kafka keeps one number per partition: everything below it
 * counts as done. So the committable offset moves past an event only when it and all earlier ones
 * are settled; what is settled above it, the islands, goes into the commit metadata
 * (commit-metadata.ts) and is not run again after a crash.
 */
export class OffsetTracker {
  // Insertion order is offset order. We never count from one offset to the next: compaction and
  // transaction markers leave holes, and a tracker waiting for a hole would commit nothing again.
  // The value is the time of an unsettled event, or `settled`.
  readonly #eventTimes = new Map<bigint, number>()
  #unsettled = 0
  #next: bigint

  /** @param position - the first offset that will be read */
  constructor(position: bigint) {
    this.#next = position
  }

  /** Events accepted and not settled. */
  get unsettled(): number {
    return this.#unsettled
  }

  /** The next offset to read in Kafka's sense: everything below it is settled or was never there. */
  get committable(): bigint {
    for (const offset of this.#eventTimes.keys()) return offset
    return this.#next
  }

  /** Event time of the lowest unsettled event, milliseconds since 1970; `null` when all are settled. */
  get oldestMs(): number | null {
    for (const timeMs of this.#eventTimes.values()) return timeMs
    return null
  }

  /** Offsets from the lowest unsettled event to the end of what was taken. */
  get span(): bigint {
    return this.#next - this.committable
  }

  /** Announces an offset as taken. Must be called in the order of the partition. */
  accept(offset: bigint, eventTimeMs: number): void {
    invariant(offset >= this.#next, `offset ${offset} accepted after ${this.#next}`)
    this.#eventTimes.set(offset, eventTimeMs)
    this.#unsettled += 1
    this.#next = offset + 1n
  }

  /** Says that there is nothing more below `offset`: the log has holes up to it. */
  skipTo(offset: bigint): void {
    if (offset > this.#next) this.#next = offset
  }

  /** Marks an accepted offset as done: acted on, skipped, dead-lettered or handed on. */
  settle(offset: bigint): void {
    const timeMs = this.#eventTimes.get(offset)
    invariant(timeMs !== undefined && timeMs !== settled, `offset ${offset} is not in flight`)
    this.#eventTimes.set(offset, settled)
    this.#unsettled -= 1
    for (const [candidate, time] of this.#eventTimes) {
      if (time !== settled) return
      this.#eventTimes.delete(candidate)
    }
  }

  /**
   * The runs of settled offsets above `committable`, in order. A hole between two settled offsets
   * belongs to the run: there is nothing in it that could be run again.
   */
  islands(): readonly Run[] {
    const runs: Run[] = []
    let from: bigint | null = null
    let to = 0n
    for (const [offset, time] of this.#eventTimes) {
      if (time === settled) {
        from ??= offset
        to = offset + 1n
      } else if (from !== null) {
        runs.push({ from, to })
        from = null
      }
    }
    if (from !== null) runs.push({ from, to })
    return runs
  }
}
