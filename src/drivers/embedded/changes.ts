import type { FSWatcher } from 'node:fs'
import { watch } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../ports/clock.ts'
import type { Environment } from './environment.ts'

/*
 * Notices what was written. Our own commits tell at once. Those of other processes show as writes
 * to the file, of which the operating system tells; whether it was a commit, LMDB's transaction
 * number says. Where nothing is told (a folder shared between machines' containers, watches used
 * up) a timer looks, often only while it has found something lately: idle must cost next to nothing.
 */

/** How late the write of another process may be noticed where nothing tells of it. */
const lookEveryMs = 40
/** How late, after nothing has changed for a while; and the file is watched besides. */
const idleLookEveryMs = 500
const idleAfterMs = 5_000
/** One look serves all writes within this: a busy log is written a thousand times a second. */
const gatherMs = 5

/**
 * `own` comes right after each commit of this client; `anyone` a moment after any commit, ours
 * included, but once for many. What is rare and dear to look at waits for the second.
 */
export type ChangeListener = (by: 'own' | 'anyone') => void

export class Changes {
  readonly #environment: Environment
  readonly #clock: Clock
  readonly #listeners = new Set<ChangeListener>()
  #lastTxnId = -1
  #changedMs = 0
  #watcher: FSWatcher | null = null
  #cancelTimer: (() => void) | null = null
  #cancelGather: (() => void) | null = null

  constructor(environment: Environment, clock: Clock) {
    this.#environment = environment
    this.#clock = clock
  }

  /** Calls `listener` after each change until the returned function is called. */
  listen(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#stop()
    }
  }

  /** Something was committed by ourselves: most likely records, a thousand times a second. */
  tellOwn(): void {
    this.#tell('own')
  }

  #tell(by: 'own' | 'anyone'): void {
    for (const listener of [...this.#listeners]) listener(by)
  }

  #start(): void {
    this.#changedMs = this.#clock.monotonic()
    try {
      this.#watcher = watch(join(this.#environment.path, 'data.mdb'), () => this.#gather())
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      this.#unwatch() // no watches left on this machine: the timer alone must do
    }
    this.#arm()
  }

  #stop(): void {
    this.#unwatch()
    this.#cancelTimer?.()
    this.#cancelGather?.()
    this.#cancelGather = null
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = null
  }

  #arm(): void {
    const isIdle = this.#clock.monotonic() - this.#changedMs > idleAfterMs
    const everyMs = isIdle && this.#watcher !== null ? idleLookEveryMs : lookEveryMs
    this.#cancelTimer = this.#clock.schedule(everyMs, () => {
      this.#look()
      this.#arm()
    })
  }

  #gather(): void {
    this.#cancelGather ??= this.#clock.schedule(gatherMs, () => {
      this.#cancelGather = null
      this.#look()
    })
  }

  #look(): void {
    // as: lmdb's own type says nothing about what its stats hold; see env.cpp, info()
    const { lastTxnId } = this.#environment.root.getStats() as { lastTxnId: number }
    if (lastTxnId === this.#lastTxnId) return
    this.#lastTxnId = lastTxnId
    this.#changedMs = this.#clock.monotonic()
    // Reads of this turn may still be in a snapshot from before the change. Nobody would look again.
    this.#environment.root.resetReadTxn()
    this.#tell('anyone')
  }
}
