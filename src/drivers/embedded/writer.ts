import type { Clock } from '../../ports/clock.ts'
import { PortError } from '../../ports/port-error.ts'
import { caughtUp, throwIfBehind } from './catch-up.ts'
import type { Environment, PartitionState } from './environment.ts'
import { environmentError } from './environment.ts'

/*
 * All writes of this client, one transaction at a time. While one is being committed (and synced,
 * on lmdb's own thread) the next jobs gather, so the busier we are the more of them share a sync:
 * group commit without a timer.
 */

/** What a job sees of the transaction that it runs in. */
export interface Transaction {
  /** The state of a partition, to be changed in place; it is stored once, after the last job. */
  partition(id: number): PartitionState | null
  /** Removes the state of a partition, for this transaction's later jobs as well. */
  dropPartition(id: number): void
}

/**
 * Runs inside a write transaction. It must check before it writes: a PortError that it throws
 * rejects this job alone, and what it wrote before would be committed with the others.
 */
type Job<T> = (transaction: Transaction) => T

interface Queued {
  readonly bytes: number
  readonly run: (transaction: Transaction) => void
  readonly settle: () => void
  readonly fail: (error: PortError) => void
}

/** One transaction holds the event loop while it puts its records: about 10 ms for this much. */
const batchBytesMax = 2 * 2 ** 20
const batchJobsMax = 1_000
/** What may wait in memory for its commit; producers above it wait outside. */
const queueBytesMax = 64 * 2 ** 20

export class Writer {
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #onCommit: () => void
  readonly #waitingForRoom: (() => void)[] = []
  #queue: Queued[] = []
  #queueBytes = 0
  #running: Promise<void> | null = null
  #isHoldingAppends = false
  #isClosed = false

  constructor(environment: Environment, clock: Clock, onCommit: () => void) {
    this.#environment = environment
    this.#clock = clock
    this.#onCommit = onCommit
  }

  /** As `write`, for a job that adds `bytes` to the log, near enough. */
  async append<T>(job: Job<T>, bytes: number): Promise<T> {
    while (this.#isHoldingAppends && !this.#isClosed) await this.#roomAgain()
    return this.write(job, bytes)
  }

  /**
   * Resolves with what `job` returned once its transaction is on the disk; rejects with a PortError
   * when nothing of it is.
   */
  async write<T>(job: Job<T>, bytes = 256): Promise<T> {
    while (this.#queueBytes > queueBytesMax && !this.#isClosed) await this.#roomAgain()
    if (this.#isClosed) throw new PortError('bus', 'closed', 'the embedded bus is closed')
    return new Promise<T>((resolve, reject) => {
      let outcome: { value: T } | { error: PortError } | null = null
      this.#queueBytes += bytes
      this.#queue.push({
        bytes,
        run: (transaction) => {
          try {
            outcome = { value: job(transaction) }
          } catch (error) {
            if (!(error instanceof PortError)) throw error
            outcome = { error }
          }
        },
        settle: () => {
          if (outcome !== null && 'value' in outcome) resolve(outcome.value)
          else reject(outcome?.error ?? new Error('the job did not run'))
        },
        fail: reject,
      })
      this.#running ??= this.#run()
    })
  }

  /** Lets appends wait while `work` makes room on the disk. Those under way have ended before. */
  async withoutAppends(work: () => Promise<void>): Promise<void> {
    this.#isHoldingAppends = true
    try {
      await this.#running
      await work()
    } finally {
      this.#isHoldingAppends = false
      this.#wakeWaiting()
    }
  }

  #roomAgain(): Promise<void> {
    return new Promise((resolve) => this.#waitingForRoom.push(resolve))
  }

  #wakeWaiting(): void {
    for (const wake of this.#waitingForRoom.splice(0)) wake()
  }

  /** Resolves when everything queued is on the disk; what comes later is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#wakeWaiting()
    await this.#running
  }

  async #run(): Promise<void> {
    // Jobs of one turn of the loop share the first transaction.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#nextBatch()
      const error = await this.#commit(batch)
      this.#queueBytes -= batch.reduce((sum, { bytes }) => sum + bytes, 0)
      this.#wakeWaiting()
      if (error === null) {
        for (const job of batch) job.settle()
        this.#onCommit()
      } else if (error instanceof JobFailed && batch.length > 1) {
        await this.#commitOneByOne(batch)
      } else {
        this.#failAll(batch, error)
        // Whoever tries again at once would only burn the processor while the disk stays full.
        await this.#clock.sleep(failurePauseMs)
      }
    }
    this.#running = null
  }

  #nextBatch(): readonly Queued[] {
    let bytes = 0
    let count = 0
    for (const job of this.#queue) {
      if (count > 0 && bytes + job.bytes > batchBytesMax) break
      bytes += job.bytes
      if (++count >= batchJobsMax) break
    }
    const batch = this.#queue.slice(0, count)
    this.#queue = this.#queue.slice(count)
    return batch
  }

  /** One of them broke the transaction for all. Alone, it breaks its own only. */
  async #commitOneByOne(batch: readonly Queued[]): Promise<void> {
    for (const job of batch) {
      const error = await this.#commit([job])
      if (error === null) job.settle()
      else this.#failAll([job], error)
    }
    this.#onCommit()
  }

  #failAll(batch: readonly Queued[], error: unknown): void {
    const reason = error instanceof JobFailed ? error.cause : error
    for (const job of batch) job.fail(environmentError(reason, this.#environment.path))
  }

  /** Returns what went wrong, or `null` when the batch is on the disk. */
  async #commit(batch: readonly Queued[]): Promise<unknown> {
    const { root, path } = this.#environment
    try {
      // A child transaction, because only such a one can be aborted: an exception in a plain one
      // would leave half of the batch to be committed.
      const transact = () =>
        root.childTransaction(() => {
          throwIfBehind(root)
          this.#apply(batch)
        })
      await caughtUp(path, transact, causeOf)
      return null
    } catch (error) {
      return await causeOf(error)
    }
  }

  #apply(batch: readonly Queued[]): void {
    const states = new Map<number, PartitionState | null>()
    const partition = (id: number): PartitionState | null => {
      let state = states.get(id)
      if (state === undefined) {
        state = this.#environment.partitions.get(id) ?? null
        states.set(id, state)
      }
      return state
    }
    const dropPartition = (id: number): void => {
      states.set(id, null)
      void this.#environment.partitions.remove(id)
    }
    try {
      for (const job of batch) job.run({ partition, dropPartition })
      for (const [id, state] of states) {
        if (state !== null) void this.#environment.partitions.put(id, state)
      }
    } catch (error) {
      throw new JobFailed(error)
    }
  }
}

/** Something inside the transaction threw, rather than the commit. */
class JobFailed extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** What gathers meanwhile is tried together. lmdb writes a few lines to stderr at each failure. */
const failurePauseMs = 250

/** lmdb rejects with a general error that holds a promise, which rejects with the real one. */
export async function causeOf(error: unknown): Promise<unknown> {
  if (error instanceof Error && 'commitError' in error) {
    try {
      await error.commitError
    } catch (cause) {
      return cause
    }
  }
  return error
}
