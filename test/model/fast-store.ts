import type { ClaimAnswer } from '../../src/model/store-calls.ts'
import type { Store } from '../../src/ports/store.ts'
import type { FastClock } from './fast-clock.ts'
import { speed } from './fast-clock.ts'
import type { Stall, WorldStore } from './world.ts'

/** An answer that takes longer says that the machine is busy. */
export const stallMs = 40 * speed

export interface FastStoreOptions {
  readonly store: Store
  readonly clock: FastClock
  readonly outage: WorldStore['outage']
  /** A call took longer than `stallMs`, `delay` aside. */
  readonly onStall: (stall: Stall) => void
}

/** A store whose time is real, for an engine whose time goes by faster: all durations are. */
export class FastStore implements WorldStore {
  readonly outage: WorldStore['outage']
  readonly #store: Store
  readonly #clock: FastClock
  readonly #onStall: (stall: Stall) => void
  #delayMs = 0

  constructor({ store, clock, outage, onStall }: FastStoreOptions) {
    this.#store = store
    this.#clock = clock
    this.outage = outage
    this.#onStall = onStall
  }

  readonly claim: Store['claim'] = ({ leaseMs, ...request }) =>
    this.#timed<ClaimAnswer>(async () => {
      const answer = await this.#store.claim({ ...request, leaseMs: realMs(leaseMs) })
      return 'leftMs' in answer ? { ...answer, leftMs: answer.leftMs * speed } : answer
    })

  readonly renew: Store['renew'] = ({ leaseMs, ...request }) =>
    this.#timed(() => this.#store.renew({ ...request, leaseMs: realMs(leaseMs) }))

  readonly complete: Store['complete'] = ({ windowMs, keepMs, ...request }) =>
    this.#timed(() =>
      this.#store.complete({ ...request, windowMs: realMs(windowMs), keepMs: realMs(keepMs) }),
    )

  readonly release: Store['release'] = ({ keepMs, ...request }) =>
    this.#timed(() => this.#store.release({ ...request, keepMs: realMs(keepMs) }))

  readonly noteWaiting: Store['noteWaiting'] = ({ keepMs, ...request }) =>
    this.#timed(() => this.#store.noteWaiting({ ...request, keepMs: realMs(keepMs) }))

  get state(): Store['state'] {
    return this.#store.state
  }

  delay(ms: number): void {
    this.#delayMs = ms
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #timed<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const fromMs = this.#clock.monotonic()
    const answer = await ask()
    const toMs = this.#clock.monotonic()
    if (toMs - fromMs > stallMs) this.#onStall({ fromMs, toMs })
    if (this.#delayMs > 0) await this.#clock.sleep(this.#delayMs)
    return answer
  }
}

/** Whole milliseconds; none that is above zero becomes zero. */
function realMs(ms: number): number {
  return Math.ceil(ms / speed)
}
