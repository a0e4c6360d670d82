import type {
  ClaimRequest,
  CompleteRequest,
  LeaseRequest,
  ReleaseRequest,
  WaitingRequest,
} from '../../model/store-calls.ts'
import type { Store, StoreState } from '../../ports/store.ts'
import type { ScriptCall } from './calls.ts'
import { claimCall, completeCall, noteWaitingCall, releaseCall, renewCall } from './calls.ts'
import { passwordsOf } from './client.ts'
import { epochNameOf, nameOf, tagOf, tags } from './keys.ts'
import { Lane } from './lane.ts'
import { RedisLink } from './link.ts'
import type { RedisStoreOptions } from './options.ts'
import { troubleOf } from './trouble.ts'

/** Calls that wait for an answer. Above it they are `unknown` at once: about 10 MB of them. */
const waitingMax = 10_000

/** The lanes of one emptied server notice within so long that it was: that is one loss, told once. */
const sameWipeMs = 2_000

/**
 * Opens a store in Redis 6.2 or later, at once and whether Redis is there or not: one that is away
 * is a degraded state, and is found when it is back. docs/decisions/redis-ioredis.md has the rights
 * that it needs, and what it keeps.
 *
 * @throws PortError `invalid` when the URL is not one
 */
export function openRedisStore(options: RedisStoreOptions): Store {
  return new RedisStore(options)
}

class RedisStore implements Store {
  readonly #options: RedisStoreOptions
  readonly #link: RedisLink
  readonly #lanes: readonly Lane[]
  readonly #epochs: (string | null)[]
  #state: StoreState = { kind: 'ok' }
  #waiting = 0
  #lastWipe: { readonly lane: number; readonly noticedMs: number } | null = null

  constructor(options: RedisStoreOptions) {
    this.#options = options
    const probeAll = () => this.#lanes.forEach((lane) => lane.probe())
    this.#link = new RedisLink(options, {
      onReady: () => this.#lanes.forEach((lane) => lane.onReady()),
      onLost: probeAll,
    })
    // One script may carry all tags where one server has all slots.
    const count = options.server.kind === 'cluster' ? tags.length : 1
    this.#lanes = Array.from({ length: count }, (_, at) => this.#newLane(at))
    this.#epochs = this.#lanes.map(() => null)
    probeAll()
  }

  get state(): StoreState {
    return this.#state
  }

  claim(request: ClaimRequest) {
    return this.#ask(claimCall(request))
  }

  renew(request: LeaseRequest) {
    return this.#ask(renewCall(request))
  }

  complete(request: CompleteRequest) {
    return this.#ask(completeCall(request))
  }

  release(request: ReleaseRequest) {
    return this.#ask(releaseCall(request))
  }

  noteWaiting(request: WaitingRequest) {
    return this.#ask(noteWaitingCall(request))
  }

  async close(): Promise<void> {
    for (const lane of this.#lanes) lane.close()
    await this.#link.close()
  }

  #ask<Answer>({ on, text, read, unknown }: ScriptCall<Answer>): Promise<Answer> {
    const tag = tagOf(on)
    const lane = this.#lanes[this.#lanes.length === 1 ? 0 : tag]
    if (lane === undefined || this.#waiting >= waitingMax) return Promise.resolve(unknown)
    this.#waiting++
    return new Promise((resolve) => {
      const answer = (given: Answer) => {
        this.#waiting--
        resolve(given)
      }
      lane.ask({
        name: nameOf(this.#options.prefix, tag, on),
        text,
        answered: (code, leftMs) => answer(read(code, leftMs)),
        unanswered: () => answer(unknown),
      })
    })
  }

  #newLane(at: number): Lane {
    const { clock, prefix, timeoutMs, listener } = this.#options
    const passwords = passwordsOf(this.#options)
    return new Lane({
      link: this.#link,
      clock,
      epochName: epochNameOf(prefix, at),
      timeoutMs,
      troubleOf: (error) => troubleOf(error, passwords),
      listener: {
        onTrouble: () => this.#tellState(),
        onEpoch: (epoch) => this.#compareEpoch(at, epoch),
        onRoundTrip: (tookMs, calls) => listener.onRoundTrip(tookMs, calls),
      },
    })
  }

  /** In trouble is who has a lane in trouble. Of several troubles the one that was told stays. */
  #tellState(): void {
    const was = this.#state
    const troubles = this.#lanes.flatMap(({ trouble }) => (trouble === null ? [] : [trouble]))
    const same = troubles.find(({ trouble }) => was.kind === 'degraded' && was.trouble === trouble)
    if (same !== undefined) return
    const [first] = troubles
    if (first === undefined && was.kind === 'ok') return
    this.#state = first === undefined ? { kind: 'ok' } : { kind: 'degraded', ...first }
    this.#options.listener.onState(this.#state)
  }

  #compareEpoch(lane: number, epoch: string): void {
    const known = this.#epochs[lane] ?? null
    this.#epochs[lane] = epoch
    if (known === epoch || known === null) return
    const nowMs = this.#options.clock.monotonic()
    const last = this.#lastWipe
    if (last !== null && last.lane !== lane && nowMs - last.noticedMs < sameWipeMs) return
    this.#lastWipe = { lane, noticedMs: nowMs }
    for (const other of this.#lanes) other.probe()
    this.#options.listener.onWiped()
  }
}
