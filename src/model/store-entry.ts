import type { Stamp } from './stamp.ts'
import { isCoveredBy } from './stamp.ts'
import type {
  ClaimAnswer,
  ClaimRequest,
  CompleteRequest,
  LeaseRequest,
  ReleaseRequest,
  WaitingRequest,
} from './store-calls.ts'

/**
 * What the store knows of one key of one rule, until the last part of it has run out. Times are
 * milliseconds by the clock of the store; a moment that is reached is over.
 */
export interface StoreEntry {
  /** Which run acts. */
  readonly lease: { readonly token: string; readonly untilMs: number } | null
  /** Which event was acted on last, and until when its window lasts. */
  readonly newest: (Told & { readonly windowUntilMs: number }) | null
  /** The newest event that waits in a tier topic, where it is durable. */
  readonly waiting: Told | null
  /** A task of the key comes back from a tier topic by then, and asks for what was done since. */
  readonly keepUntilMs: number
}

/** An event of the key, and until when it is remembered. */
interface Told {
  readonly task: string
  readonly stamp: Stamp
  readonly untilMs: number
}

const blank: StoreEntry = { lease: null, newest: null, waiting: null, keepUntilMs: 0 }

/** The entry after a call, or `null` when nothing of it is left; and what the call is answered. */
export interface Called<Answer> {
  readonly entry: StoreEntry | null
  readonly answer: Answer
}

/** When the entry can be forgotten. */
export function entryEndsMs({ lease, newest, waiting, keepUntilMs }: StoreEntry): number {
  return Math.max(
    lease?.untilMs ?? 0,
    newest?.untilMs ?? 0,
    newest?.windowUntilMs ?? 0,
    waiting?.untilMs ?? 0,
    keepUntilMs,
  )
}

/** What of the entry still holds. */
function asOf(entry: StoreEntry | null, nowMs: number): StoreEntry {
  if (entry === null) return blank
  const { lease, newest, waiting, keepUntilMs } = entry
  const isNewestOver =
    newest === null || Math.max(newest.untilMs, newest.windowUntilMs, keepUntilMs) <= nowMs
  return {
    lease: lease === null || lease.untilMs <= nowMs ? null : lease,
    newest: isNewestOver ? null : newest,
    waiting: waiting === null || waiting.untilMs <= nowMs ? null : waiting,
    keepUntilMs: keepUntilMs <= nowMs ? 0 : keepUntilMs,
  }
}

function kept(entry: StoreEntry, nowMs: number): StoreEntry | null {
  return entryEndsMs(entry) <= nowMs ? null : entry
}

export function claimOn(
  given: StoreEntry | null,
  { token, task, leaseMs, against, stamp }: ClaimRequest,
  nowMs: number,
): Called<ClaimAnswer> {
  const entry = asOf(given, nowMs)
  const { lease, newest, waiting } = entry
  const refused = (answer: ClaimAnswer): Called<ClaimAnswer> => ({
    entry: kept(entry, nowMs),
    answer,
  })
  if (lease !== null && lease.token !== token) {
    return refused({ kind: 'busy', leftMs: lease.untilMs - nowMs })
  }
  if (against !== 'lease' && newest !== null && newest.task !== task) {
    const isCovered = isCoveredBy(stamp, newest.stamp)
    const leftMs = newest.windowUntilMs - nowMs
    if (leftMs > 0) return refused({ kind: 'done', leftMs, isCovered })
    if (against === 'order' && isCovered) return refused({ kind: 'superseded' })
  }
  if (against === 'order' && waiting !== null && waiting.task !== task) {
    // Of two that have no order neither gives way to the other, or both would.
    if (isCoveredBy(stamp, waiting.stamp) && !isCoveredBy(waiting.stamp, stamp)) {
      return refused({ kind: 'superseded' })
    }
  }
  return {
    entry: { ...entry, lease: { token, untilMs: nowMs + leaseMs } },
    answer: { kind: 'new' },
  }
}

export function renewOn(
  given: StoreEntry | null,
  { token, leaseMs }: LeaseRequest,
  nowMs: number,
): Called<'held' | 'lost'> {
  const entry = asOf(given, nowMs)
  if (entry.lease !== null && entry.lease.token !== token) return { entry, answer: 'lost' }
  return { entry: { ...entry, lease: { token, untilMs: nowMs + leaseMs } }, answer: 'held' }
}

export function completeOn(
  given: StoreEntry | null,
  { token, task, stamp, windowMs, keepMs }: CompleteRequest,
  nowMs: number,
): StoreEntry | null {
  const entry = withoutLease(asOf(given, nowMs), token)
  const { newest } = entry
  const isNewer = newest === null || newest.task === task || !isCoveredBy(stamp, newest.stamp)
  // What is older was acted on all the same, and opens a window; and nothing shortens what was said.
  const windowUntilMs = Math.max(newest?.windowUntilMs ?? 0, nowMs + windowMs)
  if (!isNewer) return kept({ ...entry, newest: { ...newest, windowUntilMs } }, nowMs)
  const untilMs = Math.max(newest?.untilMs ?? 0, nowMs + keepMs)
  return kept({ ...entry, newest: { task, stamp, windowUntilMs, untilMs } }, nowMs)
}

export function releaseOn(
  given: StoreEntry | null,
  { token, keepMs }: ReleaseRequest,
  nowMs: number,
): StoreEntry | null {
  const entry = withoutLease(asOf(given, nowMs), token)
  const keepUntilMs = Math.max(entry.keepUntilMs, keepMs === 0 ? 0 : nowMs + keepMs)
  return kept({ ...entry, keepUntilMs }, nowMs)
}

export function noteWaitingOn(
  given: StoreEntry | null,
  { task, stamp, keepMs }: WaitingRequest,
  nowMs: number,
): StoreEntry | null {
  const entry = asOf(given, nowMs)
  const { waiting } = entry
  const isNewer = waiting === null || waiting.task === task || !isCoveredBy(stamp, waiting.stamp)
  const untilMs = nowMs + keepMs
  const keepUntilMs = Math.max(entry.keepUntilMs, untilMs)
  return kept(
    { ...entry, waiting: isNewer ? { task, stamp, untilMs } : waiting, keepUntilMs },
    nowMs,
  )
}

function withoutLease(entry: StoreEntry, token: string): StoreEntry {
  return entry.lease?.token === token ? { ...entry, lease: null } : entry
}
