import type { ClaimAnswer, ClaimRequest, StoreKey } from '../../model/store-calls.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { every } from '../every.ts'

/**
 * How long a run keeps its key without renewing: the time after which the work of a daemon that
 * died is taken over. Above what a pause of the process may last, and no operator waits for it.
 */
export const leaseMs = 10_000

/** Two renewals may fail before a lease runs out. */
const renewEveryMs = 3_000

/** The leases of this process, renewed while their runs last. */
export class Leases {
  readonly store: Store
  readonly #clock: Clock
  readonly #processId: string
  readonly #held = new Map<string, StoreKey & { readonly lost: () => void }>()
  #tokens = 0
  #stop: () => void = () => {}

  /** @param processId - unique to this process; the last 48 characters of it are used */
  constructor(store: Store, clock: Clock, processId: string) {
    this.store = store
    this.#clock = clock
    this.#processId = processId.slice(-48)
  }

  start(): void {
    this.#stop = every(this.#clock, renewEveryMs, () => this.#renewAll())
  }

  stop(): void {
    this.#stop()
  }

  /** What one run claims and gives back under. */
  newToken(): string {
    this.#tokens += 1
    return `${this.#processId}.${this.#tokens.toString(36)}`
  }

  /**
   * Renews what it claims until it is forgotten; also where there was no answer: the claim may have been
   * made, and a run that goes without the store is to have its key once that is back.
   *
   * @param lost - called when another run has the lease by now; this one goes on to its end
   */
  async claim(request: Omit<ClaimRequest, 'leaseMs'>, lost: () => void): Promise<ClaimAnswer> {
    const { rule, key, token, task, against, stamp } = request
    const answer = await this.store.claim({ rule, key, token, leaseMs, task, against, stamp })
    if (answer.kind === 'new' || answer.kind === 'unknown')
      this.#held.set(token, { rule, key, lost })
    return answer
  }

  /** The run under `token` is over, or is not to be: its lease is renewed no more. */
  forget(token: string): void {
    this.#held.delete(token)
  }

  async #renewAll(): Promise<void> {
    const renewals = [...this.#held].map(async ([token, { rule, key, lost }]) => {
      const answer = await this.store.renew({ rule, key, token, leaseMs })
      if (answer === 'lost' && this.#held.delete(token)) lost()
    })
    await Promise.all(renewals)
  }
}
