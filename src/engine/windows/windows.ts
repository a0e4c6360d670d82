import type { SkipReason } from '../../model/outcome.ts'
import { isCoveredBy } from '../../model/stamp.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Rule } from '../../rules/rule.ts'
import type { RuleMeters } from '../meters.ts'
import type { Settling } from '../settle.ts'
import type { Ticket } from '../ticket.ts'
import { KeyWindow } from './key-window.ts'
import type { Leases } from './leases.ts'
import type { TaskKeys } from './task-keys.ts'
import { ledByNewest, type Led, type WindowEntry } from './window-entry.ts'
import type { DedupResult, ReadyRun, RunOwner, WindowHost } from './window-host.ts'
import type { WindowPolicy } from './window-policy.ts'
import { covers } from './window-policy.ts'
import { keptForRetryMs } from './window-run.ts'

/**
 * Keys of one rule whose window is remembered here although nothing waits in it: so many duplicates
 * need not be asked of the store. Beyond it the store answers.
 */
const idleMax = 2_048

/** So many may be above it: whoever deletes the first of a set looks past all that were deleted before. */
const idleSweepEvery = 64

/**
 * What is handed over because there is no room stays away for so long at least. What waits for the
 * end of a run falls due at once: it would come back, find no room in the lane of the tiers, and go
 * round and round.
 */
const crowdedMsMin = 1_000

/**
 * Where the store is what is waited for, it stays away for as long as the store was, up to this. All
 * that waits would else be written anew each second, for as long as the outage lasts.
 */
const outageMsMax = 60_000

/** How the windows settle what they do not let run. */
interface WindowSettler {
  skipped(settling: Settling, reason: SkipReason): void
  /** Puts a task into a tier topic, where it falls due in `dueInMs`. `false`: it could not be stored. */
  toTier(settling: Settling & { rule: Rule }, dueInMs: number): Promise<boolean>
  /** As `toTier`, for whoever has the partition next. */
  handOver(settling: Settling & { rule: Rule }, dueInMs: number): Promise<boolean>
}

export interface WindowsParts {
  readonly rule: Rule
  readonly policy: WindowPolicy
  readonly clock: Clock
  readonly leases: Leases
  readonly meters: RuleMeters
  readonly settler: WindowSettler
  /** Puts a run into the queue of the rule. */
  readonly ready: (run: ReadyRun, lead: WindowEntry) => void
}

/**
 * The dedup windows of one rule, between admission and its queue. Holds what must wait, and bounds
 * it: what waits long, or holds up half of a lane's window, goes to a tier topic.
 */
export class Windows implements WindowHost {
  readonly policy: WindowPolicy
  readonly clock: Clock
  readonly leases: Leases
  readonly #parts: WindowsParts
  readonly #byKey = new Map<string, KeyWindow>()
  /** Those in which nothing waits and nothing runs; the first has been so for longest. */
  readonly #idle = new Set<RunOwner>()
  #rested = 0
  /** While what was in the way is being handed over: those that came meanwhile and are again. */
  #crowding: Ticket[] | null = null
  /** Monotonic: when the first claim of those that were not answered in a row was; `null`: none was. */
  #unknownSinceMs: number | null = null

  constructor(parts: WindowsParts) {
    this.#parts = parts
    this.policy = parts.policy
    this.clock = parts.clock
    this.leases = parts.leases
  }

  /**
   * An admitted task.
   *
   * @param waitMs - of one from a tier topic: what is left of its wait; `null`: it is new
   */
  arrive(
    { task, ticket, orderKey }: Pick<WindowEntry, 'task' | 'ticket' | 'orderKey'>,
    { key, stamp }: NonNullable<TaskKeys['window']>,
    waitMs: number | null,
  ): void {
    this.#parts.meters.ladder.pending.queue += 1
    const arrivedMs = this.clock.monotonic()
    // Nothing waits for longer: the clock that wrote it was ahead, or the window has become shorter.
    const waitMsMax = Math.max(this.policy.windowMs, this.policy.waitMaxMs)
    const dueMs = waitMs === null ? null : arrivedMs + Math.min(waitMs, waitMsMax)
    this.#arrive(key, { task, ticket, stamp, orderKey, arrivedMs, dueMs })
    if (ticket.isCrowded) this.#relieve(ticket)
  }

  #arrive(key: string, entry: WindowEntry): void {
    const window = this.#windowOf(key)
    window.arrive(entry)
    this.#rest(window)
  }

  #windowOf(key: string): KeyWindow {
    let window = this.#byKey.get(key)
    if (window === undefined) {
      window = new KeyWindow(key, this)
      this.#byKey.set(key, window)
    }
    this.#idle.delete(window)
    return window
  }

  /** Keeps a window that has become idle, as long as it is of use and there is room. */
  #rest(window: RunOwner): void {
    if (!window.isIdle || this.#byKey.get(window.key) !== window) return
    this.#idle.add(window)
    this.#rested += 1
    if (this.#rested % idleSweepEvery !== 0) return
    for (const longest of this.#idle) {
      if (longest.isWorthKeeping && this.#idle.size <= idleMax) return
      this.#idle.delete(longest)
      this.#byKey.delete(longest.key)
    }
  }

  /**
   * Hands over what holds up half of a lane's window, once all that came in this turn has come. What
   * comes until that is stored gathers: it would else be handed over one by one, each with a record
   * of its own.
   */
  #relieve(ticket: Ticket): void {
    if (!this.policy.mayHandOver) return
    if (this.#crowding !== null) return void this.#crowding.push(ticket)
    this.#crowding = []
    this.clock.schedule(0, () => void this.#handOverCrowded())
  }

  async #handOverCrowded(): Promise<void> {
    const crowded = [...this.#byKey.values()].filter(({ isCrowded }) => isCrowded)
    const dueInMsMin = Math.max(crowdedMsMin, Math.min(outageMsMax, this.#outageMs))
    await Promise.all(crowded.map((window) => this.#handOver(window, dueInMsMin)))
    const again = this.#crowding?.find(({ isCrowded }) => isCrowded)
    this.#crowding = null
    if (again !== undefined) this.#relieve(again)
  }

  /** How long the rule has waited for the store; 0: it does not. */
  get #outageMs(): number {
    if (this.#unknownSinceMs === null || this.policy.onOutage === 'run') return 0
    return this.clock.monotonic() - this.#unknownSinceMs
  }

  /** Drops or hands over what waits for partitions that are not ours any more. */
  dropRevoked(): void {
    for (const window of [...this.#byKey.values()]) {
      window.dropRevoked()
      this.#rest(window)
    }
  }

  // ---- what a window asks for

  count(result: DedupResult): void {
    if (result === 'unknown') this.#unknownSinceMs ??= this.clock.monotonic()
    else if (result !== 'lost') this.#unknownSinceMs = null
    this.#parts.meters.dedup(result)
  }

  ready(run: ReadyRun, lead: WindowEntry): void {
    this.#parts.meters.ladder.pending.queue -= 1 // the queue counts it
    this.#parts.ready(run, lead)
  }

  isBack(): void {
    this.#parts.meters.ladder.pending.queue += 1
  }

  runEnded(window: RunOwner): void {
    this.#rest(window)
  }

  skip(entry: WindowEntry, reason: SkipReason): void {
    this.#parts.meters.ladder.pending.queue -= 1
    // Who runs the event anew may find the window over by then, and act.
    entry.ticket.taskBegins()
    this.#parts.settler.skipped(this.#settling(entry), reason)
  }

  handOver(window: RunOwner): void {
    void this.#handOver(window, 0)
  }

  async #handOver(window: RunOwner, dueInMsMin: number): Promise<void> {
    const taken = window.takeForTier(dueInMsMin)
    this.#rest(window)
    if (taken !== null) await this.#toTier(window.key, taken.led, taken.dueInMs)
  }

  /** The newest stands for those that it covers; with `keep: first` the others are its duplicates. */
  async #toTier(key: string, led: Led, dueInMs: number): Promise<void> {
    const { settler, meters } = this.#parts
    const { lead, covered } = led
    meters.ladder.pending.queue -= 1
    if (covers(this.policy.keep)) this.#keepFor(key, dueInMs)
    const isStored = await settler.toTier(this.#settling(lead), dueInMs)
    if (isStored && covers(this.policy.keep)) {
      const { rule } = this.policy
      const keepMs = 2 * dueInMs + waitingKeptMs
      const { task, stamp } = lead
      // What falls due before it has no need to act; without the answer it acts once too often.
      void this.leases.store.noteWaiting({ rule, key, task: task.id, stamp, keepMs })
    }
    for (const entry of covered) {
      if (isStored) this.skip(entry, 'superseded')
      else if (entry.ticket.isRevoked) this.#left()
      else this.#arrive(key, entry) // the partition of the lead went elsewhere, this one is still ours
    }
  }

  /**
   * The bus may be long in taking it. What is acted on until then is remembered, as for a retry; the
   * token is of no run, so nothing is given back.
   */
  #keepFor(key: string, dueInMs: number): void {
    const { leases, policy } = this
    const keepMs = 2 * dueInMs + keptForRetryMs
    void leases.store.release({ rule: policy.rule, key, token: leases.newToken(), keepMs })
  }

  leave(entries: readonly WindowEntry[]): void {
    // In order, what waits cannot be handed over: others of its key would pass it by.
    const begun = this.policy.mayHandOver
      ? entries.filter(({ ticket }) => ticket.hasBegun && !ticket.isOver)
      : []
    const lead = covers(this.policy.keep) ? ledByNewest(begun)?.lead : begun[0]
    // Of an event that has not begun, the next owner runs all tasks: one of them from a tier as well
    // would be run twice.
    if (lead === undefined) return entries.forEach(() => this.#left())
    const others = entries.filter((entry) => entry !== lead)
    const isCovered = ({ stamp }: WindowEntry): boolean =>
      covers(this.policy.keep) && isCoveredBy(stamp, lead.stamp)
    void this.#passOn({ lead, covered: others.filter(isCovered) }, this.#quietInMs(lead, entries))
    this.leave(others.filter((entry) => !isCovered(entry)))
  }

  /**
   * What is left of the wait of `keep: last`: it goes on wherever the event is. The others are asked
   * by the store when their window ends.
   */
  #quietInMs({ arrivedMs, dueMs }: WindowEntry, entries: readonly WindowEntry[]): number {
    const { keep, windowMs, waitMaxMs } = this.policy
    if (keep !== 'last') return 0
    const firstMs = Math.min(...entries.map((entry) => entry.arrivedMs))
    const endMs = dueMs ?? Math.min(arrivedMs + windowMs, firstMs + waitMaxMs)
    return Math.max(0, endMs - this.clock.monotonic())
  }

  async #passOn({ lead, covered }: Omit<Led, 'rest'>, dueInMs: number): Promise<void> {
    this.#parts.meters.ladder.pending.queue -= 1
    const isStored = await this.#parts.settler.handOver(this.#settling(lead), dueInMs)
    for (const entry of covered) {
      if (isStored) this.skip(entry, 'superseded')
      else this.#left()
    }
  }

  /** Not settled on purpose: the offset must stay where the next owner begins. */
  #left(): void {
    this.#parts.meters.ladder.pending.queue -= 1
    this.#parts.meters.skipped('reassigned')
  }

  #settling({ task, ticket }: WindowEntry): Settling & { rule: Rule } {
    const { rule, meters } = this.#parts
    return { task, ticket, rule, meters }
  }
}

/** What falls due beside it may be read that much later. */
const waitingKeptMs = 3_600_000
