import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Compression } from './codecs.ts'

export interface KafkaBusOptions {
  /** `host:port` each; the first that answers tells of the others. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** `null`: no TLS. The broker's certificate is always checked; there is no way to turn it off. */
  readonly tls: KafkaTls | null
  readonly sasl: KafkaSasl | null
  /** Where we are, so that a broker may send us to a replica near by; `null`: not told. */
  readonly rack: string | null
  readonly clock: Clock
  readonly logger: Logger
  /** How batches of 1 KiB and more are packed. */
  readonly compression?: Compression
  readonly timing?: Partial<KafkaTiming>
}

/** PEM texts, not paths. `ca: null`: the authorities that Node trusts. */
export interface KafkaTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  /** The name that the certificate must have; `null`: the host of the broker. */
  readonly servername: string | null
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  /**
   * The token is read from the file for each connection and each renewal, so whoever keeps the file
   * fresh (Kubernetes, a sidecar) needs to tell us nothing.
   */
  | { readonly mechanism: 'oauthbearer'; readonly tokenFile: string }

/** Milliseconds, all of them. */
export interface KafkaTiming {
  /** How long the group waits for a member that says nothing. */
  readonly session: number
  readonly heartbeat: number
  /** How long the group waits for its members to come back when it rebalances. */
  readonly rebalance: number
  /** How long one fetch waits at the broker for something new. */
  readonly fetchWait: number
  /** How long we look for new partitions and topics that were missing. */
  readonly lookAgain: number
  /** How long any one request may take, waits at the broker not counted. */
  readonly request: number
  /** How long a record may wait for its acknowledgement, retries included. */
  readonly produce: number
  /** How long a record waits for others of its partition. */
  readonly linger: number
}

/**
 * A session of 10 s, so that what a dead member held is taken over soon; a heartbeat each 3 s leaves
 * two that may be late. Rebalances wait as long as Kafka's own default for a slow member, 60 s, less
 * than its `max.poll.interval.ms`. The rest: delivery.md 7.
 */
export const defaultTiming: KafkaTiming = {
  session: 10_000,
  heartbeat: 3_000,
  rebalance: 60_000,
  fetchWait: 250,
  lookAgain: 30_000,
  request: 10_000,
  produce: 30_000,
  linger: 3,
}
