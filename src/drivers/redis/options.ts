import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { StoreListener } from '../../ports/store.ts'

export interface RedisStoreOptions {
  readonly server: RedisServer
  /** `null`: that of the URL, else `default`. */
  readonly username: string | null
  /** `null`: that of the URL, else none. */
  readonly password: string | null
  /** `null`: no TLS, unless the URL is `rediss:`. Certificates are always checked. */
  readonly tls: RedisTls | null
  /** What the names of all keys begin with: others may live on the same server. */
  readonly prefix: string
  /** How long any call may take, above zero; operations.md has 200. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly listener: StoreListener
}

export type RedisServer =
  /** `redis://` or `rediss://`, with a database behind the slash if it is not the first. */
  | { readonly kind: 'standalone'; readonly url: string }
  | {
      readonly kind: 'sentinel'
      readonly sentinels: readonly RedisAddress[]
      /** What the sentinels call the primary. */
      readonly name: string
      /** Of the sentinels themselves, which have users of their own; `null` or left out: none. */
      readonly sentinelPassword?: string | null
    }
  /** The nodes to begin with: the first that answers tells of the others. */
  | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }

interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** PEM texts, not paths. `ca: null`: the authorities that Node trusts. */
export interface RedisTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  /** The name that the certificate must have; `null`: the host that we connect to. */
  readonly servername: string | null
}
