import { invariant } from '../../model/invariant.ts'
import type { StoreKey } from '../../model/store-calls.ts'
import type { Called, StoreEntry } from '../../model/store-entry.ts'
import {
  claimOn,
  completeOn,
  entryEndsMs,
  noteWaitingOn,
  releaseOn,
  renewOn,
} from '../../model/store-entry.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Store, StoreListener, StoreState } from '../../ports/store.ts'

export interface MemoryStoreOptions {
  /** Its monotonic time is the store's, so that setting the machine's clock changes no window. */
  readonly clock: Clock
  readonly listener?: StoreListener
}

/** A store for tests, which can also be as unpleasant as a real one. */
export interface MemoryStore extends Store {
  /** How many entries it holds, those that ran out and were not yet swept included. */
  readonly size: number
  /** Another client of the same entries, as another replica would be. Ends on its own. */
  beside(listener?: StoreListener): MemoryStore
  /**
   * From now on no answer comes (`true`), or comes again. With `isApplied` what is asked happens all
   * the same, as behind a connection that breaks on the way back.
   */
  outage(isAway: boolean, options?: { readonly isApplied: boolean }): void
  /** How long each answer takes from now on. What is asked happens at once. */
  delay(ms: number): void
  /** Empties it, as a restart without persistence does. */
  wipe(): void
}

/** Opens an empty store that lives in this process and ends with it. */
export function memoryStore({ clock, listener }: MemoryStoreOptions): MemoryStore {
  return new MemoryClient(new Entries(), clock, listener)
}

/** For each call that may add an entry this many are looked at, so that at most a third is over. */
const sweptPerCall = 4

/** What the clients share. Entries that ran out go as calls come, and without calls none are added. */
class Entries {
  readonly #entries = new Map<string, StoreEntry>()
  #sweep: MapIterator<[string, StoreEntry]> | null = null

  get size(): number {
    return this.#entries.size
  }

  change<Answer>(
    { rule, key }: StoreKey,
    nowMs: number,
    call: (entry: StoreEntry | null) => Called<Answer>,
  ): Answer {
    this.#sweepSome(nowMs)
    // The length in front: no rule and key can pass for another rule and key.
    const id = `${rule.length}:${rule}${key}`
    const { entry, answer } = call(this.#entries.get(id) ?? null)
    if (entry === null) this.#entries.delete(id)
    else this.#entries.set(id, entry)
    return answer
  }

  clear(): void {
    this.#entries.clear()
  }

  #sweepSome(nowMs: number): void {
    // A map's iterator goes on rightly when entries are removed or added behind it.
    const sweep = (this.#sweep ??= this.#entries.entries())
    for (let i = 0; i < sweptPerCall; i++) {
      const next = sweep.next()
      if (next.done === true) {
        this.#sweep = null
        return
      }
      const [id, entry] = next.value
      if (entryEndsMs(entry) <= nowMs) this.#entries.delete(id)
    }
  }
}

class MemoryClient implements MemoryStore {
  readonly #entries: Entries
  readonly #clock: Clock
  readonly #listener: StoreListener | undefined
  readonly #underWay = new Set<() => void>()
  #state: StoreState = { kind: 'ok' }
  #isAway = false
  #isApplied = false
  #delayMs = 0
  #isClosed = false

  constructor(entries: Entries, clock: Clock, listener: StoreListener | undefined) {
    this.#entries = entries
    this.#clock = clock
    this.#listener = listener
  }

  readonly claim: Store['claim'] = (request) => {
    invariant(request.leaseMs > 0, 'a lease lasts a while')
    return this.#ask(request, { kind: 'unknown' }, (entry, nowMs) => claimOn(entry, request, nowMs))
  }

  readonly renew: Store['renew'] = (request) => {
    invariant(request.leaseMs > 0, 'a lease lasts a while')
    return this.#ask(request, 'unknown', (entry, nowMs) => renewOn(entry, request, nowMs))
  }

  readonly complete: Store['complete'] = (request) =>
    this.#ask(request, 'unknown', (entry, nowMs) => done(completeOn(entry, request, nowMs)))

  readonly release: Store['release'] = (request) =>
    this.#ask(request, 'unknown', (entry, nowMs) => done(releaseOn(entry, request, nowMs)))

  readonly noteWaiting: Store['noteWaiting'] = (request) =>
    this.#ask(request, 'unknown', (entry, nowMs) => done(noteWaitingOn(entry, request, nowMs)))

  get state(): StoreState {
    return this.#state
  }

  get size(): number {
    return this.#entries.size
  }

  beside(listener?: StoreListener): MemoryStore {
    return new MemoryClient(this.#entries, this.#clock, listener)
  }

  outage(isAway: boolean, { isApplied } = { isApplied: false }): void {
    this.#isAway = isAway
    this.#isApplied = isApplied
    if (isAway === (this.#state.kind === 'degraded')) return
    this.#state = isAway
      ? { kind: 'degraded', trouble: 'unreachable', error: 'the store is away' }
      : { kind: 'ok' }
    this.#listener?.onState(this.#state)
  }

  delay(ms: number): void {
    this.#delayMs = ms
  }

  wipe(): void {
    this.#entries.clear()
    this.#listener?.onWiped()
  }

  close(): Promise<void> {
    this.#isClosed = true
    for (const cutOff of [...this.#underWay]) cutOff()
    return Promise.resolve()
  }

  #ask<Answer>(
    key: StoreKey,
    unknown: Answer,
    call: (entry: StoreEntry | null, nowMs: number) => Called<Answer>,
  ): Promise<Answer> {
    if (this.#isClosed) return Promise.resolve(unknown)
    const nowMs = this.#clock.monotonic()
    const isAway = this.#isAway
    const answer =
      isAway && !this.#isApplied
        ? unknown
        : this.#entries.change(key, nowMs, (entry) => call(entry, nowMs))
    return this.#after(this.#delayMs, isAway ? unknown : answer, unknown)
  }

  /** Answers `delayMs` later, or `unknown` when we are closed before. */
  #after<Answer>(delayMs: number, answer: Answer, unknown: Answer): Promise<Answer> {
    if (delayMs === 0) {
      this.#listener?.onRoundTrip(0, 1)
      return Promise.resolve(answer)
    }
    return new Promise((resolve) => {
      const finish = (given: Answer) => {
        cancel()
        this.#underWay.delete(cutOff)
        this.#listener?.onRoundTrip(delayMs, 1)
        resolve(given)
      }
      const cutOff = () => finish(unknown)
      const cancel = this.#clock.schedule(delayMs, () => finish(answer))
      this.#underWay.add(cutOff)
    })
  }
}

function done(entry: StoreEntry | null): Called<'done'> {
  return { entry, answer: 'done' }
}
