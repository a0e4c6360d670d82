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
  /** Of a claim that was answered `unknown`: it may have been made, and is ours to make again. */
  #token: string | null = null
  #cancelTimer: () => void = () => {}

  constructor(key: string, host: WindowHost) {
    this.key = key
    this.#host = host
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  get isIdle(): boolean {
    return this.#run === null && !this.hasWaiting
  }

  get isOpen(): boolean {
    return this.#openUntilMs > this.#host.clock.monotonic()
  }

  arrive(entry: WindowEntry): void {
    const reason = this.#knownReason(entry)
    if (reason !== null) return this.#host.skip(entry, reason)
    this.#waiting.push(entry)
    this.#plan()
  }

  /** What this process has done itself need not be asked of the store. */
  #knownReason({ task, stamp }: WindowEntry): SkipReason | null {
    const newest = this.#newest
    if (newest === null || newest.task === task.id) return null
    const { policy } = this.#host
    if (policy.keep === 'first' && this.isOpen) return 'duplicate'
    const goesByOrder = policy.against === 'order' || task.attempt > 1
    return goesByOrder && isCoveredBy(stamp, newest.stamp) ? 'superseded' : null
  }

  /** Decides when the next of what waits may go. */
  #plan(): void {
    this.#cancelTimer()
    if (this.#run !== null) return
    this.#skipKnown()
    if (!this.hasWaiting) return
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
    for (const entry of this.#waiting) {
      const reason = this.#knownReason(entry)
      if (reason === null) staying.push(entry)
      else this.#host.skip(entry, reason)
    }
    this.#waiting = staying
  }

  /** When the next of what waits may go; it may be over. */
  #dueMs(): number {
    const { keep, windowMs, waitMaxMs } = this.#host.policy
    const earliestMs = Math.max(covers(keep) ? this.#openUntilMs : 0, this.#notBeforeMs)
    const [first] = this.#waiting
    const last = this.#waiting.at(-1)
    if (keep !== 'last' || first === undefined || last === undefined) return earliestMs
    if (this.#waiting.some(({ hasWaited }) => hasWaited)) return earliestMs
    const quietMs = Math.min(last.arrivedMs + windowMs, first.arrivedMs + waitMaxMs)
    return Math.max(earliestMs, quietMs)
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

  takeForTier(): { readonly led: Led; readonly dueInMs: number } | null {
    const led = this.#led()
    if (led === null) return null
    const dueInMs = Math.max(0, this.#dueMs() - this.#host.clock.monotonic())
    this.#waiting = [...led.rest]
    this.#plan()
    return { led, dueInMs }
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
  }

  runEnded(back: readonly WindowEntry[]): void {
    this.#run = null
    // A tie keeps what was taken out before what stayed: it came first.
    this.#waiting = [...back, ...this.#waiting].sort((a, b) => a.arrivedMs - b.arrivedMs)
    this.#plan()
    this.#host.runEnded(this)
  }
}
