import type { Stamp } from './stamp.ts'

/* What the store is asked and what it answers; how the calls act on one another: store-entry.ts. */

/** The entry that a call is about. Keys of different rules never meet. */
export interface StoreKey {
  readonly rule: string
  /** As the rule's template renders it, of any length: drivers keep a digest of long ones. */
  readonly key: string
}

export interface LeaseRequest extends StoreKey {
  /** Unique to one run of one process, at most 64 characters: who comes late does not pass for another. */
  readonly token: string
  /** Above zero. */
  readonly leaseMs: number
}

export interface ClaimRequest extends LeaseRequest {
  /** Id of the task: an event is never its own duplicate. */
  readonly task: string
  /**
   * What keeps it from acting beside another's lease. `lease`: nothing. `window`: an open window.
   * `order`: that, and an event of its key that is not older and was acted on, or waits.
   */
  readonly against: 'lease' | 'window' | 'order'
  readonly stamp: Stamp
}

export type ClaimAnswer =
  /** The lease is ours. */
  | { readonly kind: 'new' }
  /** Another run has the lease, for that long unless it is renewed. Wait; do not settle. */
  | { readonly kind: 'busy'; readonly leftMs: number }
  /**
   * Another event was acted on and its window lasts that much longer. `isCovered`: that event is not
   * older than the one that asks.
   */
  | { readonly kind: 'done'; readonly leftMs: number; readonly isCovered: boolean }
  /** No window is open, but an event that is not older was acted on, or a newer one waits. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'unknown' }

export interface CompleteRequest extends StoreKey {
  readonly token: string
  readonly task: string
  readonly stamp: Stamp
  /** What is left of the window; 0: none, or it is over. */
  readonly windowMs: number
  /** How long the event is remembered as the newest at least, the window aside. */
  readonly keepMs: number
}

export interface ReleaseRequest extends StoreKey {
  readonly token: string
  /**
   * How long the newest of the key, now or to come, is remembered at least: the failed task comes
   * back by then, and must not overwrite what has succeeded since. 0: it does not come back.
   */
  readonly keepMs: number
}

export interface WaitingRequest extends StoreKey {
  readonly task: string
  readonly stamp: Stamp
  /** Until a little after it falls due: by then it asks what was acted on since, as after `release`. */
  readonly keepMs: number
}

export type StoreDone = 'done' | 'unknown'
