import { memoryStore } from '../../src/drivers/memory/store.ts'
import type { Store } from '../../src/ports/store.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { HouseClock } from '../support/house.ts'

/** What stands below the engines of one schedule: time, and the store. */
export interface World {
  readonly clock: WorldClock
  /** What a busy machine may be late by; 0 where time moves only when it is told to. */
  readonly slackMs: number
  /** How long a store that comes back, or was emptied, may need until all clients know. */
  readonly healMs: number
  /** When the machine, or a store that nobody troubled, stood still for longer than the slack allows. */
  readonly stalls: readonly Stall[]
  /** Another client of the store, as another process has. */
  openStore(): Promise<WorldStore>
  /** Empties the store, as a restart without persistence does. */
  wipe(): Promise<void>
  /** Closes what was opened and removes what was written. */
  close(): Promise<void>
}

export interface Stall {
  readonly fromMs: number
  readonly toMs: number
}

export interface WorldClock extends HouseClock {
  /** Sets the wall time as an administrator would; no timer notices. */
  setWall(nowMs: number): void
}

export interface WorldStore extends Store {
  /**
   * From now on no answer comes (`true`), or comes again. With `isApplied` what is asked may happen
   * all the same. Others may be hit as well.
   */
  outage(isAway: boolean, options?: { readonly isApplied: boolean }): void
  /** How long each answer takes from now on, at least. */
  delay(ms: number): void
}

/** A memory store and a fake clock. */
export function fakeWorld(): World {
  const clock = new FakeClock()
  const store = memoryStore({ clock })
  return {
    clock,
    slackMs: 0,
    healMs: 0,
    stalls: [],
    openStore: () => Promise.resolve(store.beside()),
    wipe: () => Promise.resolve(store.wipe()),
    close: () => store.close(),
  }
}
