import type {
  ClaimAnswer,
  ClaimRequest,
  CompleteRequest,
  LeaseRequest,
  ReleaseRequest,
  StoreDone,
  WaitingRequest,
} from '../model/store-calls.ts'

/*
 * The store: who acts on a key right now, and what has been acted on lately (delivery.md, 8).
 * Nothing that must not be lost is only in here: an emptied store costs repeats inside open windows.
 * test/contract/store-contract.ts is the definition of done for a driver.
 *
 * Per rule and key it holds one entry; what a call does to it is said by the functions of
 * model/store-entry.ts, which a driver may call or must match.
 *
 * Each call is atomic, and answered within the time-box of the driver: when the store is away, slow
 * or refuses, the answer is `unknown`, never a guess and never a rejection. What was asked may have
 * happened all the same. A driver gathers the calls of many tasks into one round trip. Time is the
 * store's own, so that replicas whose clocks differ agree; times are therefore durations.
 */

export interface Store {
  /** Asks to act on a key. Who is given the lease acts, renews it, and gives it back. */
  claim(request: ClaimRequest): Promise<ClaimAnswer>

  /**
   * Holds a lease for another `leaseMs`. A lease that nobody has by now is taken anew (the store was
   * emptied, or we were late and nobody came); `lost`: another run has it.
   */
  renew(request: LeaseRequest): Promise<'held' | 'lost' | 'unknown'>

  /**
   * The event was acted on: it becomes the newest of its key unless a newer one has been since, its
   * window is marked, and its lease ends. Also for a run whose claim was unknown: it has no lease to
   * end then, and marks all the same. A lease that is another's by now is left alone.
   */
  complete(request: CompleteRequest): Promise<StoreDone>

  /** The run ended without having acted. Gives the lease back if it is still ours. */
  release(request: ReleaseRequest): Promise<StoreDone>

  /**
   * The event waits in a tier topic, where it is durable: an older one that falls due before it has
   * no need to act. Kept unless a newer one waits already.
   */
  noteWaiting(request: WaitingRequest): Promise<StoreDone>

  /** How it stands, by the last answers. */
  readonly state: StoreState

  /** Ends it. Calls that are under way are answered `unknown`. Idempotent. */
  close(): Promise<void>
}

export type StoreState =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'degraded'
      readonly trouble: StoreTrouble
      /** One line for people, without secrets. */
      readonly error: string
    }

/** Why a store does not answer as it should: a closed set, for logs and `status`. */
export type StoreTrouble =
  | 'unreachable' // no connection, or it broke
  | 'slow' // no answer within the time-box
  | 'read-only' // a replica, or a primary without enough replicas
  | 'full' // no memory, or no room on the disk
  | 'denied' // bad credentials, or not allowed to
  | 'failing-over' // a cluster without a primary for the key, a server that is still loading
  | 'damaged' // the file of the embedded store is not one, or is broken
  | 'refused' // anything else that it answers with an error

/** What a driver tells whoever opened it, besides its answers. */
export interface StoreListener {
  /** Once per change, and from `degraded` to another trouble. */
  onState(state: StoreState): void
  /** What it had is gone: emptied, restarted without persistence, failed over to an empty replica. */
  onWiped(): void
  /** A round trip took that long, with so many calls in it; also one that was cut off. */
  onRoundTrip(tookMs: number, calls: number): void
}
