import { z } from 'zod'
import { hasUnknownKey, refuse } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'
import type { HostPort } from './address.ts'
import { entriesMax, hostPort, text, tls, type TlsFiles } from './schema-pieces.ts'

/** Where Redis is. Passwords are names of secrets. */
type RedisServer =
  | { readonly kind: 'standalone'; readonly url: string }
  | {
      readonly kind: 'sentinel'
      readonly sentinels: readonly HostPort[]
      readonly name: string
      readonly password: string | null
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostPort[] }

interface RedisSettings {
  readonly server: RedisServer
  readonly username: string | null
  readonly password: string | null
  readonly tls: TlsFiles
  readonly prefix: string
}

type StoreSettings =
  | { readonly kind: 'embedded'; readonly timeoutMs: number }
  | { readonly kind: 'redis'; readonly timeoutMs: number; readonly redis: RedisSettings }

/** Leases are renewed every 3 s: an answer has to be there before the next one is asked for. */
const timeoutMsMax = 3_000

/** Below it a healthy server in another zone would be taken for one that is away. */
const timeoutMsMin = 10

const urlForm = '`redis://host:6379`'

/** Nothing is said of its text but what it lacks: a password may stand in it. */
const url = z.string({ error: `a URL such as ${urlForm}` }).superRefine((given, context) => {
  const parts = partsOf(given)
  if (parts === null) {
    const hint = '`rediss://` is with TLS; a number behind a slash is the database'
    refuse(context, 'bad-address', `this is not a URL such as ${urlForm}`, hint)
  } else if (parts.password !== '') {
    const hint = 'take it out, and name a secret: `password: <name of a secret>`'
    refuse(context, 'bad-value', 'a password does not belong into the URL', hint)
  }
})

/** `null`: not a URL of Redis, or one that asks for more than server, user and database. */
function partsOf(given: string): URL | null {
  if (!URL.canParse(given)) return null
  const parts = new URL(given)
  const { protocol, hostname, pathname, search, hash, username } = parts
  if (protocol !== 'redis:' && protocol !== 'rediss:') return null
  if (hostname === '' || search !== '' || hash !== '') return null
  if (/%(?![0-9a-fA-F]{2})/.test(username)) return null
  return /^(\/\d{0,5})?$/.test(pathname) ? parts : null
}

const addresses = (port: number) =>
  z
    .array(hostPort(`host:${port}`))
    .min(1)
    .max(entriesMax)

const sentinels = z
  .strictObject(
    {
      hosts: addresses(26_379).describe(
        'The sentinels; the first that answers tells of the primary.',
      ),
      name: text.describe('What the sentinels call the primary.').meta({ examples: ['mymaster'] }),
      password: text
        .nullable()
        .default(null)
        .describe('Name of a secret: the password of the sentinels themselves.'),
    },
    { error: '`{ hosts: [host:26379], name: mymaster }`' },
  )
  .nullable()

const redis = z.strictObject({
  url: url
    .nullable()
    .default(null)
    .describe(
      'One server: `redis://host:6379`, or `rediss://` for TLS; `/1` behind it: a database.',
    )
    .meta({ examples: ['redis://redis.internal:6379'] }),
  sentinels: sentinels
    .default(null)
    .describe(
      'Servers under Sentinel: `{ hosts: [host:26379], name: mymaster, password: <secret> }`.',
    ),
  cluster: addresses(6_379)
    .nullable()
    .default(null)
    .describe('Nodes of a Cluster, `[host:6379]`: the first that answers tells of the others.'),
  username: text.nullable().default(null).describe('The user, literally; null: that of the URL.'),
  password: text.nullable().default(null).describe('Name of a secret.'),
  tls: tls.default(false).describe('true, or `{ ca, cert, key, servername }` with files in PEM.'),
  prefix: z
    .string({ error: 'a text of letters, digits, `.`, `_`, `:` and `-`' })
    .regex(/^[a-zA-Z0-9._:-]{1,100}$/, {
      error: 'a text of letters, digits, `.`, `_`, `:` and `-`, at most 100',
    })
    .default('sluice')
    .describe('What the names of all keys begin with: another one for each Sluice on the server.'),
})

type RedisShape = z.output<typeof redis>

const addressKeys = ['url', 'sentinels', 'cluster'] as const

export const store = z
  .strictObject({
    kind: z
      .enum(['embedded', 'redis'])
      .default('embedded')
      .describe(
        '`embedded`: in the folder of `bus.path`, for the daemons of this machine. `redis`: for those ' +
          'of all machines.',
      ),
    redis: redis
      .prefault({})
      .describe('With `kind: redis`: where it is, by one of `url`, `sentinels` and `cluster`.'),
    timeout: durationMs({ min: timeoutMsMin, max: timeoutMsMax })
      .prefault('200ms')
      .describe('How long an answer may take; without one `on_outage` of the rule decides.'),
  })
  .superRefine(({ kind, redis: given }, context) => {
    const [first, second] = addressKeys.filter((key) => given[key] !== null)
    if (kind === 'embedded') {
      if (!isUsed(given)) return
      const message = 'settings of Redis, while the store is the embedded one'
      refuse(context, 'bad-value', message, 'write `kind: redis`, or leave them out', ['redis'])
    } else if (first === undefined) {
      if (hasUnknownKey(context, ['redis'])) return
      const message = '`kind: redis` needs an address'
      const hint = 'one of `url`, `sentinels` and `cluster` below `redis`'
      refuse(context, 'missing-key', message, hint, ['kind'])
    } else if (second !== undefined) {
      const message = `\`${first}\` and \`${second}\` both say where Redis is`
      refuse(context, 'bad-value', message, 'leave one out', ['redis', second])
    }
  })
  .transform(({ kind, redis: given, timeout: timeoutMs }): StoreSettings => {
    const server = serverOf(given)
    if (kind === 'embedded' || server === null) return { kind: 'embedded', timeoutMs }
    const { username, password, prefix } = given
    return { kind, timeoutMs, redis: { server, username, password, tls: given.tls, prefix } }
  })

/** Whether anything but the prefix is set: an address, or what only goes with one. */
function isUsed(given: RedisShape): boolean {
  const { username, password } = given
  const isAddressed = addressKeys.some((key) => given[key] !== null)
  return isAddressed || username !== null || password !== null || given.tls !== false
}

/** `null`: none is named. */
function serverOf({ url: at, sentinels: watched, cluster }: RedisShape): RedisServer | null {
  if (at !== null) return { kind: 'standalone', url: at }
  if (cluster !== null) return { kind: 'cluster', nodes: cluster }
  if (watched === null) return null
  const { hosts, name, password } = watched
  return { kind: 'sentinel', sentinels: hosts, name, password }
}
