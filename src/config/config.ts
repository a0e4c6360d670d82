import { invariant } from '../model/invariant.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './config-schema.ts'

/** Texts in PEM, not paths. */
export interface Tls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  readonly servername: string | null
}

type Bus = Settings['bus']
type Store = Settings['store']
type RedisStore = Extract<Store, { readonly kind: 'redis' }>

/** The daemon's settings, whole and checked: durations are milliseconds, sizes bytes. */
export interface Config extends Omit<Settings, 'bus' | 'store' | 'http' | 'secrets'> {
  readonly bus: Omit<Bus, 'kafka'> & {
    readonly kafka: Omit<Bus['kafka'], 'tls'> & { readonly tls: Tls | null }
  }
  readonly store:
    | Exclude<Store, RedisStore>
    | (Omit<RedisStore, 'redis'> & {
        readonly redis: Omit<RedisStore['redis'], 'tls'> & { readonly tls: Tls | null }
      })
  readonly http: Omit<Settings['http'], 'caFiles'> & {
    /** Authorities in PEM. */
    readonly ca: readonly string[]
  }
  readonly secrets: ReadonlyMap<string, Secret>
}

/** The secret that a setting names. That there is one was checked at load. */
export function secretNamed(config: Pick<Config, 'secrets'>, name: string): string {
  const secret = config.secrets.get(name)
  invariant(secret !== undefined, `the config was loaded without the secret ${name}`)
  return secret.reveal()
}

/** All secrets in the clear, for rules, which are compiled with them. */
export function revealed(config: Pick<Config, 'secrets'>): ReadonlyMap<string, string> {
  return new Map([...config.secrets].map(([name, secret]) => [name, secret.reveal()]))
}
