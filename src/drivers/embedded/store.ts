import { invariant } from '../../model/invariant.ts'
import type { ClaimAnswer, StoreDone, StoreKey } from '../../model/store-calls.ts'
import type { Called, StoreEntry } from '../../model/store-entry.ts'
import { claimOn, completeOn, noteWaitingOn, releaseOn, renewOn } from '../../model/store-entry.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { PortError } from '../../ports/port-error.ts'
import type { Store, StoreListener, StoreState, StoreTrouble } from '../../ports/store.ts'
import type { MachineTime } from './machine-time.ts'
import { machineTime } from './machine-time.ts'
import type { StoreFile } from './store-file.ts'
import { openStoreFile, removeStoreFile, troubleOf } from './store-file.ts'
import { changeEntry, keyOf, sweepEntries, writeProbe } from './store-entries.ts'
import { causeOf } from './writer.ts'

export interface EmbeddedStoreOptions {
  /** The folder of the embedded log; the store lies in `store` below it. Made if it is not there. */
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  readonly listener: StoreListener
  /** The longest that a call waits for its answer. */
  readonly timeoutMs: number
}

/**
 * Opens the store that all Sluices of this machine share which use the folder `path`. Rejects with a
 * PortError when the folder cannot be used; a file that is damaged is replaced by an empty one.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const time = machineTime(options.clock)
  const store = new EmbeddedStore(options, time, openStoreFile(options.path, time.era))
  return Promise.resolve(store)
}

/** One call, from being asked until it is answered. */
interface Queued {
  readonly key: Buffer
  readonly askedMs: number
  /** Whether it still has to happen when it has been answered with `unknown`: a mark, not a claim. */
  readonly isMark: boolean
  /** Does it to the entry; `lateMs` after it was asked. */
  readonly run: (entry: StoreEntry | null, nowMs: number, lateMs: number) => StoreEntry | null
  readonly answer: () => void
  readonly cutOff: () => void
  isAnswered: boolean
}

/** One transaction holds the event loop while it runs: about 3 ms for this many. */
const batchCallsMax = 500
/** Calls that wait for a transaction. Above it they are answered at once: a second of them is here. */
const queueCallsMax = 20_000
/** For each entry made this many are looked at, so that at most a third of all has run out. */
const sweptPerEntry = 4
/** Looked at every second besides, below a millisecond: what ran out goes while nobody calls, too. */
const sweptPerTick = 500
const tickMs = 1_000
/** After a failed transaction. Whoever tries again at once would only burn the processor. */
const failurePauseMs = 250
/** A timer that fires later than that tells of a busy event loop, not of a store that is slow. */
const lagMs = 10
/** What the event loop, once it is free again, gets to fetch the answers that are there. */
const secondLookMs = 50

/*
 * Calls gather while a transaction waits for the writers' lock or commits, and share the next one.
 * The waiting and the commit are on lmdb's own thread: another process that is stopped inside its
 * transaction keeps our calls waiting, never our event loop.
 */
class EmbeddedStore implements Store {
  readonly #options: EmbeddedStoreOptions
  readonly #time: MachineTime
  #file: StoreFile | null
  #state: StoreState = { kind: 'ok' }
  /** Not yet in a transaction, in the order in which they were asked. */
  #queue: Queued[] = []
  /** In the transaction that is under way. */
  #batch: readonly Queued[] = []
  #running: Promise<void> | null = null
  /** A transaction outlasted the time-box and has not ended: nothing can be answered until it does. */
  #isStuck = false
  #isTickDue = false
  #isReplaced = false
  #isClosed = false
  #pausedUntilMs = 0
  #sweepFrom: Buffer | null = null
  #cancelTick: () => void = () => undefined
  #cancelTimeBox: (() => void) | null = null

  constructor(options: EmbeddedStoreOptions, time: MachineTime, file: StoreFile) {
    this.#options = options
    this.#time = time
    this.#file = file
    this.#tellReplaced(file)
    this.#scheduleTick()
  }

  get state(): StoreState {
    return this.#state
  }

  readonly claim: Store['claim'] = (request) => {
    invariant(request.leaseMs > 0, 'a lease lasts a while')
    const run = (entry: StoreEntry | null, nowMs: number) => claimOn(entry, request, nowMs)
    return this.#ask<ClaimAnswer>(request, { kind: 'unknown' }, false, run)
  }

  readonly renew: Store['renew'] = (request) => {
    invariant(request.leaseMs > 0, 'a lease lasts a while')
    const run = (entry: StoreEntry | null, nowMs: number) => renewOn(entry, request, nowMs)
    return this.#ask<'held' | 'lost' | 'unknown'>(request, 'unknown', false, run)
  }

  readonly complete: Store['complete'] = (request) =>
    this.#mark(request, (entry, nowMs, lateMs) => {
      const windowMs = left(request.windowMs, lateMs)
      const keepMs = left(request.keepMs, lateMs)
      return completeOn(entry, { ...request, windowMs, keepMs }, nowMs)
    })

  readonly release: Store['release'] = (request) =>
    this.#mark(request, (entry, nowMs, lateMs) =>
      releaseOn(entry, { ...request, keepMs: left(request.keepMs, lateMs) }, nowMs),
    )

  readonly noteWaiting: Store['noteWaiting'] = (request) =>
    this.#mark(request, (entry, nowMs, lateMs) =>
      noteWaitingOn(entry, { ...request, keepMs: left(request.keepMs, lateMs) }, nowMs),
    )

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelTick()
    this.#cancelTimeBox?.()
    for (const call of [...this.#batch, ...this.#queue]) call.cutOff()
    this.#queue = this.#queue.filter(({ isMark }) => isMark)
    // What is stuck stays: it has no effect any more, and to wait for it would be to hang as well.
    const isEnded = await this.#withinTimeBox(this.#running)
    if (isEnded) await this.#file?.close()
  }

  #mark(
    request: StoreKey,
    run: (entry: StoreEntry | null, nowMs: number, lateMs: number) => StoreEntry | null,
  ): Promise<StoreDone> {
    return this.#ask<StoreDone>(request, 'unknown', true, (...given) => ({
      entry: run(...given),
      answer: 'done',
    }))
  }

  #ask<Answer>(
    request: StoreKey,
    unknown: Answer,
    isMark: boolean,
    run: (entry: StoreEntry | null, nowMs: number, lateMs: number) => Called<Answer>,
  ): Promise<Answer> {
    const isHopeless = this.#isStuck || this.#isPaused() || this.#file === null
    const isRoom = this.#queue.length < queueCallsMax
    if (this.#isClosed || !isRoom || (isHopeless && !isMark)) return Promise.resolve(unknown)
    return new Promise((resolve) => {
      let answer = unknown
      const call: Queued = {
        key: keyOf(request),
        askedMs: this.#options.clock.monotonic(),
        isMark,
        run: (before, nowMs, lateMs) => {
          const called = run(before, nowMs, lateMs)
          answer = called.answer
          return called.entry
        },
        answer: () => {
          call.isAnswered = true
          resolve(answer)
        },
        cutOff: () => {
          call.isAnswered = true
          resolve(unknown)
        },
        isAnswered: false,
      }
      this.#queue.push(call)
      if (isHopeless) call.cutOff()
      else this.#watch(this.#options.timeoutMs)
      this.#start()
    })
  }

  #isPaused(): boolean {
    return this.#options.clock.monotonic() < this.#pausedUntilMs
  }

  #start(): void {
    if (this.#running === null && !this.#isPaused()) this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (this.#hasWork() && !this.#isPaused()) {
      if (this.#isReplaced) await this.#reopen()
      if (this.#file !== null) await this.#transact(this.#file)
    }
    this.#running = null
  }

  #hasWork(): boolean {
    if (this.#isClosed) return this.#queue.length > 0 && this.#file !== null
    return this.#isReplaced || ((this.#queue.length > 0 || this.#isTickDue) && this.#file !== null)
  }

  /** One transaction, with all that was asked by the time when it got the lock. */
  async #transact(file: StoreFile): Promise<void> {
    const { clock } = this.#options
    const startedMs = clock.monotonic()
    let thrown: unknown = null
    try {
      await file.entries.transaction(() => {
        try {
          this.#apply(file)
        } catch (error) {
          // Kept, because the commit then fails as well, and tells less about it.
          thrown = error
          throw error
        }
      })
    } catch (error) {
      const cause = await causeOf(error)
      this.#failed(thrown ?? cause)
      return
    } finally {
      this.#isStuck = false
      this.#isTickDue = false
    }
    const calls = this.#batch
    this.#batch = []
    for (const call of calls) if (!call.isAnswered) call.answer()
    const tookMs = clock.monotonic() - startedMs
    if (calls.length > 0) this.#options.listener.onRoundTrip(tookMs, calls.length)
    this.#become({ kind: 'ok' })
  }

  /** Inside the transaction. What it throws fails all of its calls. */
  #apply({ entries }: StoreFile): void {
    this.#batch = this.#takeBatch()
    const nowMs = this.#time.nowMs()
    const ticksMs = this.#options.clock.monotonic()
    let made = 0
    for (const { key, run, askedMs, isAnswered } of this.#batch) {
      const lateMs = isAnswered ? Math.floor(ticksMs - askedMs) : 0
      const { isMade } = changeEntry(entries, key, (entry) => {
        const after = run(entry, nowMs, lateMs)
        return { entry: after, answer: null }
      })
      if (isMade) made++
    }
    // Only a write shows that a disk that was full has room again.
    if (this.#state.kind === 'degraded' && this.#batch.length === 0) writeProbe(entries)
    const looks = made * sweptPerEntry + (this.#isTickDue ? sweptPerTick : 0)
    if (looks > 0) this.#sweepFrom = sweepEntries(entries, this.#sweepFrom, looks, nowMs)
  }

  #takeBatch(): readonly Queued[] {
    const taken = this.#queue.slice(0, batchCallsMax)
    this.#queue = this.#queue.slice(batchCallsMax)
    return taken.filter(({ isMark, isAnswered }) => isMark || !isAnswered)
  }

  #failed(error: unknown): void {
    for (const call of [...this.#batch, ...this.#queue]) call.cutOff()
    this.#batch = []
    this.#queue = this.#queue.filter(({ isMark }) => isMark)
    this.#pausedUntilMs = this.#options.clock.monotonic() + failurePauseMs
    const { trouble, text } = troubleOf(error, this.#options.path)
    this.#degrade(trouble, text)
    if (trouble === 'damaged') {
      // Nothing that must not be lost is in it. The other processes see that it is gone.
      removeStoreFile(this.#options.path, this.#time.era)
      this.#isReplaced = true
    }
  }

  /** Answers what has waited for as long as a call may, once the event loop had its chance to. */
  #watch(ms: number, isSecondLook = false): void {
    if (this.#cancelTimeBox !== null) return
    const { clock, timeoutMs } = this.#options
    const dueMs = clock.monotonic() + ms
    this.#cancelTimeBox = clock.schedule(ms, () => {
      this.#cancelTimeBox = null
      const nowMs = clock.monotonic()
      // Answers may be waiting for the loop just as we were.
      if (nowMs - dueMs > lagMs && !isSecondLook) return this.#watch(secondLookMs, true)
      const waiting = [...this.#batch, ...this.#queue].filter(({ isAnswered }) => !isAnswered)
      const over = waiting.filter(({ askedMs }) => nowMs - askedMs >= timeoutMs - 1)
      if (over.length > 0) this.#cutOff(waiting)
      else if (waiting[0] !== undefined) this.#watch(waiting[0].askedMs + timeoutMs - nowMs)
    })
  }

  /** What is behind a call that waits too long waits for the same transaction. */
  #cutOff(calls: readonly Queued[]): void {
    this.#isStuck = true
    for (const call of calls) call.cutOff()
    this.#queue = this.#queue.filter(({ isMark }) => isMark)
    const { timeoutMs, listener } = this.#options
    listener.onRoundTrip(timeoutMs, calls.length)
    this.#degrade(
      'slow',
      `the embedded store gave no answer within ${timeoutMs} ms: ` +
        'the disk, or another process that uses it, stands still',
    )
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#options.clock.schedule(tickMs, () => void this.#tick())
  }

  async #tick(): Promise<void> {
    if (this.#file === null || !(await this.#file.isInPlace())) this.#isReplaced = true
    if (this.#isClosed) return
    this.#isTickDue = true
    this.#start()
    this.#scheduleTick()
  }

  /** The file was removed, by an operator or because it was damaged: goes on with what is there now. */
  async #reopen(): Promise<void> {
    const { path, listener, logger } = this.#options
    const former = this.#file
    this.#file = null
    this.#sweepFrom = null
    await former?.close()
    try {
      this.#file = openStoreFile(path, this.#time.era)
      this.#isReplaced = false
    } catch (error) {
      const { code, message } = error as PortError // as: openStoreFile throws nothing else
      const isOwn = code === 'full' || code === 'damaged' || code === 'denied'
      this.#pausedUntilMs = this.#options.clock.monotonic() + failurePauseMs
      this.#degrade(isOwn ? code : 'unreachable', message)
      return
    }
    logger.warn({ path }, 'the file of the embedded store was replaced: open windows are forgotten')
    listener.onWiped()
  }

  #tellReplaced({ replaced }: StoreFile): void {
    const { path, logger, listener } = this.#options
    switch (replaced) {
      case 'no':
        return
      case 'machine-started':
        logger.info({ path }, 'the machine was started anew: open windows are forgotten')
        break
      case 'damaged':
        logger.warn(
          { path },
          'the file of the embedded store was damaged and replaced by an empty one: open windows are forgotten',
        )
    }
    listener.onWiped()
  }

  #degrade(trouble: StoreTrouble, error: string): void {
    this.#become({ kind: 'degraded', trouble, error })
  }

  #become(state: StoreState): void {
    const before = this.#state
    this.#state = state
    const isSame =
      before.kind === 'degraded' && state.kind === 'degraded'
        ? before.trouble === state.trouble
        : before.kind === state.kind
    if (!isSame && !this.#isClosed) this.#options.listener.onState(state)
  }

  /** Whether `work` ended before a call would have been given up. */
  async #withinTimeBox(work: Promise<void> | null): Promise<boolean> {
    if (work === null) return true
    const { clock, timeoutMs } = this.#options
    return new Promise((resolve) => {
      const cancel = clock.schedule(timeoutMs, () => resolve(false))
      void work.then(() => {
        cancel()
        resolve(true)
      })
    })
  }
}

/** What is left of a duration `lateMs` after it began. */
function left(ms: number, lateMs: number): number {
  return Math.max(0, ms - lateMs)
}
