import { invariant } from '../../model/invariant.ts'
import type { SkipReason } from '../../model/outcome.ts'
import type { Stamp } from '../../model/stamp.ts'
import { isCoveredBy } from '../../model/stamp.ts'
import type { Led, WindowEntry } from './window-entry.ts'
import { ledByFirst, ledByNewest } from './window-entry.ts'
import type { RunOwner, WindowHost } from './window-host.ts'
import { covers } from './window-policy.ts'
import { WindowRun } from './window-run.ts'

/** A window that ends further away is waited for in a tier topic (delivery.md, 8). */
const heldMsMax = 60_000

/** Events that come within this are handed over together. */
const gatherMs = 1_000

/** How often a busy key is asked for again, growing from one to the other. */
const askAgainMsMin = 25
const askAgainMsMax = 1_000

/** How often a store that is away is asked again by a rule that waits for it. */
const outageMs = 1_000

interface Away {
  /** Monotonic: when it falls due. */
  readonly dueMs: number
  /** Monotonic: when the key is acted on though it is not quiet. */
  readonly latestMs: number
}

/**
 * The window of one key of one rule in this process: what waits, and the one run that acts or is
 * about to. Times are monotonic milliseconds.
 *
 *     waiting --(due)--> queued --(a slot is free)--> claiming --(new)--> acting --> done | handed on
 *        ^                                               |
 *        +--(busy, or a window that is still open)-------+--(done, superseded)--> skipped
 */
export class KeyWindow implements RunOwner {
  readonly key: string
  readonly #host: WindowHost
  /** In the order in which they came. */
  #waiting: WindowEntry[] = []
  #run: WindowRun | null = null
  /** Until when the window of what was done last is open, as far as is known here; 0: none is. */
  #openUntilMs = 0
  /** What this process did last; without its event, which may be large. */
  #newest: { readonly task: string; readonly stamp: Stamp } | null = null
  /** The key is busy elsewhere, or the store is away: not to be asked before. */
  #notBeforeMs = 0
  #askAgainMs = askAgainMsMin
  /** With `keep: last`, what went to a tier topic: those that come behind it wait no longer for that. */
  #away: Away | null = null
  /** Of a claim that was answered `unknown`: it may have been made, and is ours to make again. */
  #token: string | null = null
  #cancelTimer: () => void = () => {}

  constructor(key: string, host: WindowHost) {
    this.key = key
    this.#host = host
  }

  get #hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Something waits that holds up half of the window of its lane. */
  get isCrowded(): boolean {
    return this.#waiting.some(({ ticket }) => ticket.isCrowded)
  }

  get isIdle(): boolean {
    return this.#run === null && !this.#hasWaiting
  }

  get #isOpen(): boolean {
    return this.#openUntilMs > this.#host.clock.monotonic()
  }

  get isWorthKeeping(): boolean {
    return this.#isOpen || this.#isAway
  }

  arrive(entry: WindowEntry): void {
    const reason = this.#knownReason(entry)
    if (reason !== null) return this.#host.skip(entry, reason)
    // Those that came while it was away wait no longer than it: it is forgotten behind the last of them.
    if (!this.#hasWaiting && !this.#isAway) this.#away = null
    this.#waiting.push(entry)
    this.#plan()
  }

  /** What this process has done itself need not be asked of the store. */
  #knownReason({ task, stamp }: WindowEntry): SkipReason | null {
    const newest = this.#newest
    if (newest === null || newest.task === task.id) return null
    const { policy } = this.#host
    if (policy.keep === 'first' && this.#isOpen) return 'duplicate'
    const goesByOrder = policy.against === 'order' || task.attempt > 1
    return goesByOrder && isCoveredBy(stamp, newest.stamp) ? 'superseded' : null
  }

  /** Decides when the next of what waits may go. */
  #plan(): void {
    if (this.#run === null) this.#skipKnown()
    this.#cancelTimer()
    if (this.#run !== null || !this.#hasWaiting) return
    const { clock, policy } = this.#host
    const nowMs = clock.monotonic()
    const waitMs = this.#dueMs() - nowMs
    if (waitMs <= 0) return this.#start()
    const isForTier = waitMs > heldMsMax && policy.mayHandOver
    this.#cancelTimer = isForTier
      ? clock.schedule(gatherMs, () => this.#host.handOver(this))
      : clock.schedule(waitMs, () => this.#plan())
  }

  #skipKnown(): void {
    const staying: WindowEntry[] = []
    const known: [WindowEntry, SkipReason][] = []
    for (const entry of this.#waiting) {
      const reason = this.#knownReason(entry)
      if (reason === null) staying.push(entry)
      else known.push([entry, reason])
    }
    this.#waiting = staying
    // Last: where an event is settled its partition has room, and the next one may arrive in here.
    for (const [entry, reason] of known) this.#host.skip(entry, reason)
  }

  /** When the next of what waits may go; it may be over. */
  #dueMs(): number {
    const { keep } = this.#host.policy
    // Also where there is no window by now: the rule may have had one, and the store knows it still.
    const openUntilMs = keep === 'first' ? 0 : this.#openUntilMs
    const earliestMs = Math.max(openUntilMs, this.#notBeforeMs)
    return keep === 'last' ? Math.max(earliestMs, this.#quietMs()) : earliestMs
  }

  /**
   * When it has been quiet for long enough, or what came first has waited as long as it may. An older
   * one that comes back meanwhile is covered by what waits, and does not hurry it.
   */
  #quietMs(): number {
    const { windowMs, waitMaxMs } = this.#host.policy
    const newestDueMs = this.#led()?.lead.dueMs ?? null
    if (newestDueMs !== null) return newestDueMs
    const [first] = this.#waiting
    const last = this.#waiting.findLast(({ dueMs }) => dueMs === null)
    if (first === undefined || last === undefined) return 0
    const latestMs = Math.min(first.arrivedMs + waitMaxMs, this.#away?.latestMs ?? Infinity)
    return Math.min(last.arrivedMs + windowMs, latestMs)
  }

  /** What is still in a tier topic, as far as is known here. */
  get #isAway(): boolean {
    return this.#away !== null && this.#away.dueMs > this.#host.clock.monotonic()
  }

  #start(): void {
    const led = this.#led()
    invariant(led !== null, 'a window starts with nothing in it')
    this.#waiting = [...led.rest]
    this.#run = new WindowRun(this, this.#host, led, this.#token ?? this.#host.leases.newToken())
    this.#token = null
    this.#host.ready(this.#run, led.lead)
  }

  #led(): Led | null {
    return covers(this.#host.policy.keep) ? ledByNewest(this.#waiting) : ledByFirst(this.#waiting)
  }

  takeForTier(dueInMsMin: number): { readonly led: Led; readonly dueInMs: number } | null {
    const led = this.#led()
    const [first] = this.#waiting
    if (led === null || first === undefined) return null
    const { clock, policy } = this.#host
    const nowMs = clock.monotonic()
    const dueMs = Math.max(nowMs + dueInMsMin, this.#dueMs())
    if (policy.keep === 'last') {
      const before = this.#away
      this.#away = {
        dueMs: Math.max(dueMs, before?.dueMs ?? 0),
        latestMs: before?.latestMs ?? first.arrivedMs + policy.waitMaxMs,
      }
    }
    this.#waiting = [...led.rest]
    this.#plan()
    return { led, dueInMs: dueMs - nowMs }
  }

  /** Removes what the partitions that went elsewhere had waiting here. */
  dropRevoked(): void {
    const covered = this.#run?.takeOutRevoked() ?? []
    const gone = this.#waiting.filter(({ ticket }) => ticket.isRevoked)
    if (gone.length > 0) {
      this.#waiting = this.#waiting.filter(({ ticket }) => !ticket.isRevoked)
      this.#plan()
    }
    if (covered.length + gone.length > 0) this.#host.leave([...covered, ...gone])
  }

  // ---- what its run tells

  gotLease(): void {
    this.#askAgainMs = askAgainMsMin
  }

  isBusy(leftMs: number): void {
    this.#notBeforeMs = this.#host.clock.monotonic() + Math.min(this.#askAgainMs, leftMs)
    this.#askAgainMs = Math.min(askAgainMsMax, this.#askAgainMs * 2)
  }

  isOpenFor(leftMs: number): void {
    this.#openUntilMs = this.#host.clock.monotonic() + leftMs
  }

  isUnknown(token: string): void {
    this.#token = token
    this.#notBeforeMs = this.#host.clock.monotonic() + outageMs
  }

  acted({ task, stamp }: WindowEntry, openUntilMs: number): void {
    this.#newest = { task: task.id, stamp }
    this.#openUntilMs = openUntilMs
    this.#away = null
  }

  runEnded(back: readonly WindowEntry[]): void {
    this.#run = null
    // A tie keeps what was taken out before what stayed: it came first.
    this.#waiting = [...back, ...this.#waiting].sort((a, b) => a.arrivedMs - b.arrivedMs)
    this.#plan()
    this.#host.runEnded(this)
  }
}
