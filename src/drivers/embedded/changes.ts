import type { Clock } from '../../ports/clock.ts'
import type { Environment } from './environment.ts'

/*
 * Notices what was written. Our own commits tell at once; those of other processes are found by
 * looking at LMDB's transaction number: a few microseconds a look, and one timer for all of a bus.
 */

/** How late the write of another process may be noticed: below what a person takes for at once. */
const lookEveryMs = 40

export class Changes {
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #lastTxnId = -1
  #cancel: (() => void) | null = null

  constructor(environment: Environment, clock: Clock) {
    this.#environment = environment
    this.#clock = clock
  }

  /** Calls `listener` after each change until the returned function is called. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#cancel === null) this.#arm()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#cancel?.()
      this.#cancel = null
    }
  }

  /** Something was committed by ourselves. */
  tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #arm(): void {
    this.#cancel = this.#clock.schedule(lookEveryMs, () => {
      this.#arm()
      this.#look()
    })
  }

  #look(): void {
    // as: lmdb's own type says nothing about what its stats hold; see env.cpp, info()
    const { lastTxnId } = this.#environment.root.getStats() as { lastTxnId: number }
    if (lastTxnId === this.#lastTxnId) return
    this.#lastTxnId = lastTxnId
    // Reads of this turn may still be in a snapshot from before the change. Nobody would look again.
    this.#environment.root.resetReadTxn()
    this.tell()
  }
}
