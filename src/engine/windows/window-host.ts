import type { SkipReason } from '../../model/outcome.ts'
import type { ClaimAnswer } from '../../model/store-calls.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Leases } from './leases.ts'
import type { Led, WindowEntry } from './window-entry.ts'
import type { WindowPolicy } from './window-policy.ts'

/** How a claim was answered, or that a lease went to another run: label of `sluice_dedup_total`. */
export type DedupResult = ClaimAnswer['kind'] | 'lost'

const allDedupResults: Readonly<Record<DedupResult, true>> = {
  new: true,
  busy: true,
  done: true,
  superseded: true,
  unknown: true,
  lost: true,
}

export const dedupResults = Object.keys(allDedupResults) as readonly DedupResult[] // as: see its type

/** What the windows of a rule are to each of them. */
export interface WindowHost {
  readonly policy: WindowPolicy
  readonly clock: Clock
  readonly leases: Leases
  count(result: DedupResult): void
  /** Puts a run into the queue of the rule. */
  ready(run: ReadyRun, lead: WindowEntry): void
  /** The lead of a run was not acted on: it is among what waits again. */
  isBack(): void
  runEnded(window: RunOwner): void
  /** Settles an entry that is not acted on. */
  skip(entry: WindowEntry, reason: SkipReason): void
  /** Forgets entries whose partition went elsewhere, or stores them for whoever runs them next. */
  leave(entries: readonly WindowEntry[]): void
  /** Hands what waits in a window to a tier topic. */
  handOver(window: RunOwner): void
}

/** How a run that had begun ended. `left`: nothing is known of it, its event stays unsettled. */
export type RunEnd = 'done' | 'handed-on' | 'left'

/** Whether a run may act. `over`: it is not to be run; its event waits again, or is settled. */
export type Begun =
  { readonly kind: 'go' | 'over' } | { readonly kind: 'again'; readonly waitMs: number }

/**
 * One event of a key about to be acted on, for itself and those that it covers. Whoever takes it
 * from the queue asks `begin`, and tells how it went, once.
 */
export interface ReadyRun {
  /** Asks for the key, now that there is a slot. Once it may go, it may go on later as well. */
  begin(): Promise<Begun>
  /** The event was acted on: marks its window. Before it is settled, so that no other acts in between. */
  acted(): Promise<void>
  /**
   * The attempt failed and comes back in `dueInMs`. Before the retry is stored: what is done from
   * now on must be remembered until then.
   */
  failed(dueInMs: number): Promise<void>
  /** The end of a run that had begun, once its lead is settled or left. */
  ended(how: RunEnd): void
  /** The partition of the lead went elsewhere before the run had begun, or while it waited in place. */
  dropped(): void
}

/** The window of one key, to its run and to the windows beside it. */
export interface RunOwner {
  readonly key: string
  /** Nothing waits and nothing runs: it may be forgotten, and the store asked instead. */
  readonly isIdle: boolean
  /** There is something to know of the key though nothing waits. */
  readonly isWorthKeeping: boolean
  /**
   * Takes out what is to wait in a tier topic, and in how many milliseconds it falls due there.
   *
   * @param dueInMsMin - not sooner than this
   */
  takeForTier(dueInMsMin: number): { readonly led: Led; readonly dueInMs: number } | null
  gotLease(): void
  /** Another run has the key, for at most `leftMs`. */
  isBusy(leftMs: number): void
  /** Another event was acted on, and its window lasts that much longer. */
  isOpenFor(leftMs: number): void
  /** The store is away, and the rule waits for it. The claim may have been made, under `token`. */
  isUnknown(token: string): void
  /** `entry` was acted on, and its window is open until then. */
  acted(entry: WindowEntry, openUntilMs: number): void
  /** The run is over. What it did not settle waits again, where it was. */
  runEnded(back: readonly WindowEntry[]): void
}
