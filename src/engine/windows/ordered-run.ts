import type { Task } from '../../model/task.ts'
import type { RuleMeters } from '../meters.ts'
import type { Leases } from './leases.ts'
import type { Begun, ReadyRun } from './window-host.ts'

/** How often a key that another process has is asked for again, growing from one to the other. */
const askAgainMsMin = 25
const askAgainMsMax = 1_000

/**
 * A task of a rule with `order: key` and no window. Its queue keeps the order of the key; the lease
 * keeps the runs of other processes away, which have the key from another partition, or had this
 * one before. Without the store it goes: what must never be lost is not in there.
 */
export class OrderedRun implements ReadyRun {
  readonly #task: Task
  readonly #key: string
  readonly #leases: Leases
  readonly #meters: Pick<RuleMeters, 'dedup' | 'skipped'>
  readonly #token: string
  #holdsLease = false
  #askAgainMs = askAgainMsMin

  constructor(
    task: Task,
    key: string,
    leases: Leases,
    meters: Pick<RuleMeters, 'dedup' | 'skipped'>,
  ) {
    this.#task = task
    this.#key = key
    this.#leases = leases
    this.#meters = meters
    this.#token = leases.newToken()
  }

  async begin(): Promise<Begun> {
    if (this.#holdsLease) return { kind: 'go' }
    const { rule, id: task, event } = this.#task
    const { topic, partition, offset, timestampMs: timeMs } = event.record
    const stamp = { version: null, source: `${topic}/${partition}`, offset, timeMs }
    const request = {
      rule,
      key: this.#key,
      token: this.#token,
      task,
      against: 'lease',
      stamp,
    } as const
    const answer = await this.#leases.claim(request, () => this.#meters.dedup('lost'))
    this.#meters.dedup(answer.kind)
    if (answer.kind === 'busy') {
      const waitMs = Math.min(this.#askAgainMs, answer.leftMs)
      this.#askAgainMs = Math.min(askAgainMsMax, this.#askAgainMs * 2)
      return { kind: 'again', waitMs }
    }
    this.#holdsLease = true // or may hold it, where the answer is unknown
    return { kind: 'go' }
  }

  acted(): Promise<void> {
    return Promise.resolve() // there is no window to mark
  }

  failed(): Promise<void> {
    return Promise.resolve() // it holds its key until it comes back
  }

  ended(): void {
    if (!this.#holdsLease) return
    this.#holdsLease = false
    this.#leases.forget(this.#token)
    const call = { rule: this.#task.rule, key: this.#key, token: this.#token }
    void this.#leases.store.release({ ...call, keepMs: 0 })
  }

  dropped(): void {
    this.ended()
    // In order nothing can be handed over: others of its key would pass it by. It is not settled, so
    // that the next owner of its partition begins there.
    this.#meters.skipped('reassigned')
  }
}
