import { z } from 'zod'
import { laterKeys, refuse } from '../schema/check-shape.ts'
import { quote } from '../schema/describe.ts'
import { durationMs, sizeBytes } from '../schema/quantities.ts'
import { soFarOnly } from '../schema/so-far-only.ts'
import { isCidr, isLoopback, parseHostPort } from './address.ts'
import { entriesMax, hostPort, hostPortText, text, tls } from './schema-pieces.ts'
import { store } from './store-schema.ts'

/*
 * The daemon's own settings: types, defaults, checks and reference in one place. Keys are snake_case
 * in the file and camelCase here, mapped where each map ends. Defaults are written as a person would
 * write them, so that the reference shows them so.
 */

const hourMs = 3_600_000

/** What a topic, a group or a prefix of them may be called, in Kafka's words. */
const busName = z
  .string({ error: 'a name of letters, digits, `.`, `_` and `-`' })
  .regex(/^[a-zA-Z0-9._-]{1,200}$/, { error: 'a name of letters, digits, `.`, `_` and `-`' })

const cidrs = z
  .array(
    z
      .string({ error: 'a block of addresses such as `10.0.0.0/8`' })
      .superRefine((given, context) => {
        if (isCidr(given)) return
        const message = `${quote(given)} is not a block of addresses such as \`10.0.0.0/8\``
        refuse(context, 'bad-cidr', message, 'an address, and `/` with the bits that count')
      }),
  )
  .max(entriesMax)

const topic = z
  .strictObject({
    partitions: z
      .int()
      .min(1)
      .max(10_000)
      .nullable()
      .default(null)
      .describe('null: what is made for topics that are not named here.'),
    replication: z.int().min(1).max(32).nullable().default(null).describe('null: as above.'),
    retention: durationMs()
      .nullable()
      .default(null)
      .describe("How long records are kept; null: the bus' own default."),
  })
  .transform(({ retention, ...rest }) => ({ ...rest, retentionMs: retention }))

const sasl = z
  .discriminatedUnion(
    'mechanism',
    [
      z.strictObject({
        mechanism: z
          .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
          .describe('With a user and a password.'),
        username: text.describe('The user, literally.'),
        password: text.describe('Name of a secret.'),
      }),
      z
        .strictObject({
          mechanism: z.literal('oauthbearer').describe('With a token.'),
          token_file: text.describe('File that holds the token, read anew at each connection.'),
        })
        .transform(({ mechanism, token_file: tokenFile }) => ({ mechanism, tokenFile })),
    ],
    {
      error: ({ code }) =>
        code === 'invalid_union'
          ? '`plain`, `scram-sha-256`, `scram-sha-512` or `oauthbearer`'
          : '`{ mechanism, username, password }`',
    },
  )
  .nullable()

const kafka = z
  .strictObject({
    brokers: z
      .array(hostPortText('host:9092'))
      .min(1)
      .max(entriesMax)
      .prefault(['localhost:9092'])
      .describe('The first that answers tells of the others.'),
    client_id: text.default('sluice').describe("What the broker's logs and quotas call us."),
    tls: tls.default(false).describe('true, or `{ ca, cert, key, servername }` with files in PEM.'),
    sasl: sasl
      .default(null)
      .describe(
        '`{ mechanism: plain | scram-sha-256 | scram-sha-512, username, password: <secret> }`, ' +
          'or `{ mechanism: oauthbearer, token_file }`.',
      ),
    rack: text.nullable().default(null).describe('Where we are, to read from replicas near by.'),
  })
  .transform(({ client_id: clientId, ...rest }) => ({ ...rest, clientId }))

const bus = z
  .strictObject({
    kind: z
      .enum(['embedded', 'kafka'])
      .default('embedded')
      .describe('`embedded`: a log on this disk. `kafka`: a cluster.'),
    path: text
      .default('./data')
      .describe('Folder of the embedded log, and of what Sluice remembers.'),
    kafka: kafka.prefault({}).describe('With `kind: kafka`: the cluster.'),
    prefix: busName.default('sluice').describe('What the names of our own topics begin with.'),
    ensure_topics: z
      .enum(['create', 'check', 'off'])
      .default('create')
      .describe(
        'At start: make topics that are missing, refuse to start without them, or neither.',
      ),
    topics: z
      .record(busName, topic)
      .default({})
      .describe('How topics are made: `name: { partitions, replication, retention }`.'),
  })
  .transform(({ ensure_topics: ensureTopics, ...rest }) => ({ ...rest, ensureTopics }))

const rules = z.strictObject({
  path: text.default('./rules').describe('A rule file, or a folder of them.'),
  watch: soFarOnly(z.boolean(), 'watch', false)
    .default(false)
    .describe('Reload when a file changes; not supported yet.'),
})

/** Where a lane begins; a number is milliseconds since 1970. */
type StartAt = 'latest' | 'earliest' | number

const startAtText = '`latest`, `earliest`, or a time such as `2026-01-31T00:00:00Z`'
const timeForm = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

const startAt = z.string({ error: startAtText }).transform((given, context): StartAt => {
  if (given === 'latest' || given === 'earliest') return given
  const ms = timeForm.test(given) ? Date.parse(given) : Number.NaN
  if (!Number.isNaN(ms)) return ms
  refuse(context, 'bad-value', `found the text ${quote(given)}, expected ${startAtText}`)
  return z.NEVER
})

const lane = z
  .strictObject({
    group: busName
      .optional()
      .describe('Consumer group. Default: `sluice` for `default`, `sluice-<lane>` for others.'),
    window: z
      .int()
      .min(1)
      .max(100_000)
      .default(2_000)
      .describe('Unsettled events that a partition may have.'),
    start_at: startAt
      .prefault('latest')
      .describe(`Where a partition starts that the group has not read: ${startAtText}.`),
  })
  .transform(({ start_at: from, ...rest }) => ({ ...rest, startAt: from }))

const lanes = z
  .record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
      error: 'a lane name: lower-case letters, digits and `-`, at most 63',
    }),
    lane,
  )
  .superRefine((given, context) => {
    const laneOf = new Map<string, string>()
    for (const { name, group } of named(given)) {
      const other = laneOf.get(group)
      if (other === undefined) laneOf.set(group, name)
      else
        refuse(context, 'bad-value', `lane \`${other}\` has this group too: ${group}`, null, [name])
    }
  })
  .transform(named)

type LaneShape = z.output<typeof lane>

/** The default lane is always there: rules that name none read with it. */
function named(
  given: Readonly<Record<string, LaneShape>>,
): readonly (LaneShape & { readonly name: string; readonly group: string })[] {
  const fallback: LaneShape = { window: 2_000, startAt: 'latest' }
  return Object.entries({ default: fallback, ...given }).map(([name, settings]) => ({
    ...settings,
    name,
    group: settings.group ?? (name === 'default' ? 'sluice' : `sluice-${name}`),
  }))
}

const retry = z
  .strictObject({
    tiers: z
      .array(durationMs({ min: 100, max: 7 * 24 * hourMs }))
      .min(1)
      .max(16)
      .prefault(['10s', '1m', '10m', '1h'])
      .describe('Delays of the retry topics, ascending; each is a topic.')
      .superRefine((tiers, context) => {
        tiers.forEach((tier, i) => {
          const before = tiers[i - 1]
          if (before === undefined || before < tier) return
          refuse(context, 'bad-value', 'each tier must be longer than the one before', null, [i])
        })
      }),
  })
  .transform(({ tiers }) => ({ tiersMs: tiers }))

const connectTo = z
  .record(z.string(), z.string({ error: 'an address such as `127.0.0.1:8099`' }))
  .default({})
  .superRefine((given, context) => {
    for (const [from, to] of Object.entries(given)) {
      for (const address of [from, to]) {
        if (parseHostPort(address) !== null) continue
        const message = `${quote(address)} is not an address such as \`cdn.internal:80\``
        refuse(context, 'bad-address', message, null, [from])
      }
    }
  })

const http = z
  .strictObject({
    allow_hosts: z
      .array(text)
      .max(entriesMax)
      .default([])
      .describe('Hosts that a templated host may turn out to be: names, or `*.name`.'),
    deny_cidrs: cidrs.default([]).describe('Addresses never called, whatever else is said.'),
    allow_cidrs: cidrs
      .default([])
      .describe('Addresses that may be called although they are private, loopback or link-local.'),
    egress: z
      .enum(['public', 'internal'])
      .default('public')
      .describe(
        '`public`: any public address, and what `allow_cidrs` names. `internal`: only the latter.',
      ),
    connections_per_origin: z
      .int()
      .min(1)
      .max(10_000)
      .default(64)
      .describe('Kept connections to one scheme, host and port.'),
    ca: z
      .array(text)
      .max(100)
      .default([])
      .describe('Files of authorities in PEM that are trusted beside those of Node.'),
    user_agent: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/, { error: 'printable ASCII, at most 200 characters' })
      .default('sluice')
      .describe('For requests that name none.'),
    max_response: sizeBytes({ max: 64 * 2 ** 20 })
      .prefault('64KiB')
      .describe('How much of a response is read; the rest is dropped.'),
    connect_to: connectTo.describe(
      'Where connections for a `host:port` really go, like --connect-to of curl; for staging. The ' +
        'address is checked as any other.',
    ),
  })
  .register(laterKeys, { keys: ['proxy'] })
  .transform((given) => ({
    allowHosts: given.allow_hosts,
    denyCidrs: given.deny_cidrs,
    allowCidrs: given.allow_cidrs,
    egress: given.egress,
    connectionsPerOrigin: given.connections_per_origin,
    caFiles: given.ca,
    userAgent: given.user_agent,
    maxResponseBytes: given.max_response,
    connectTo: given.connect_to,
  }))

const limits = z
  .strictObject({
    memory: sizeBytes({ min: 2 ** 20 })
      .prefault('512MiB')
      .describe('Events held in memory at once; above it reading pauses.'),
    event: sizeBytes({ min: 2 ** 10, max: 2 ** 30 })
      .prefault('4MiB')
      .describe('A larger event is a dead letter.'),
    max_hops: z.int().min(1).max(1_000).default(10).describe('Derived events in a row.'),
  })
  .transform((given) => ({
    memoryBytes: given.memory,
    eventBytes: given.event,
    hopsMax: given.max_hops,
  }))

const token = z
  .strictObject({
    name: text.describe('Who it is, for the audit log.').meta({ examples: ['on-call'] }),
    role: z.enum(['viewer', 'operator', 'admin']).describe('What it may do.'),
    payload: z.boolean().default(false).describe('May see the bodies of events.'),
    secret: text
      .describe('Name of the secret that is the token.')
      .meta({ examples: ['on-call-token'] }),
  })
  .describe('`{ name, role, payload, secret }`')

const admin = z
  .strictObject({
    listen: hostPort('host:9092')
      .prefault('127.0.0.1:8090')
      .describe('Another address than loopback needs tokens or trusted proxies.'),
    tokens: z
      .array(token)
      .max(entriesMax)
      .default([])
      .describe('`{ name, role: viewer | operator | admin, payload, secret }` each.'),
    trusted_proxies: cidrs
      .default([])
      .describe('Addresses of proxies that say who asks, and let nobody else in.'),
    public_metrics: z.boolean().default(true).describe('/metrics and /health without a token.'),
  })
  .superRefine(({ listen, tokens, trusted_proxies: proxies }, context) => {
    if (isLoopback(listen.host) || tokens.length > 0 || proxies.length > 0) return
    const message = `anybody who reaches ${listen.host} could steer this daemon: there are no tokens`
    const hint = 'add admin.tokens, or admin.trusted_proxies, or listen on 127.0.0.1'
    refuse(context, 'admin-unprotected', message, hint, ['listen'])
  })
  .transform((given) => ({
    listen: given.listen,
    tokens: given.tokens,
    trustedProxies: given.trusted_proxies,
    publicMetrics: given.public_metrics,
  }))

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Single events appear at debug.'),
  format: z.enum(['json', 'pretty']).default('json').describe('`pretty` is for people.'),
})

const shutdown = z
  .strictObject({
    drain: durationMs({ max: hourMs })
      .prefault('30s')
      .describe('How long a stop may take before what is in flight is left for the next start.'),
  })
  .transform(({ drain }) => ({ drainMs: drain }))

const workers = soFarOnly(
  z.union([z.int().min(1).max(1_024), z.literal('auto')], { error: 'a whole number, or `auto`' }),
  'workers',
  1,
)

const secret = z.union(
  [
    z.strictObject({
      env: text.describe('Variable of the environment.').meta({ examples: ['CDN_TOKEN'] }),
    }),
    z.strictObject({
      file: text
        .describe('File; one newline at its end is not part of it.')
        .meta({ examples: ['/run/secrets/cdn-token'] }),
    }),
    z.strictObject({
      random: z
        .int()
        .min(16)
        .max(1_024)
        .describe('So many random bytes in hex, new at every start: for trying things out.')
        .meta({ examples: [32] }),
    }),
  ],
  { error: '`{ env: NAME }`, `{ file: path }` or `{ random: 32 }`' },
)

export const configSchema = z.strictObject({
  bus: bus.prefault({}).describe('Where events are read from and derived events go.'),
  store: store.prefault({}).describe('Where windows and claims are kept.'),
  rules: rules.prefault({}).describe('Where the rules are.'),
  lanes: lanes.prefault({}).describe('Consumer groups; a rule reads with one of them.'),
  retry: retry.prefault({}).describe('How failed tasks come back.'),
  http: http.prefault({}).describe('What may be called, and how.'),
  limits: limits.prefault({}).describe('Bounds on memory and on what is derived.'),
  admin: admin.prefault({}).describe('The HTTP listener for health, metrics and operators.'),
  log: log.prefault({}).describe('Goes to stderr.'),
  shutdown: shutdown.prefault({}).describe('What happens on SIGTERM.'),
  workers: workers.default(1).describe('Processes that share the work; 1 is the only one so far.'),
  secrets: z
    .record(text, secret)
    .default({ 'demo-signing-key': { random: 32 } })
    .describe(
      'Names to `{ env: NAME }`, `{ file: path }`, or `{ random: 32 }`: a new hex key at every ' +
        'start, for trying things out. Everything else refers to secrets by name.',
    ),
})

/** The settings as the schema gives them: secrets and files are still names. */
export type Settings = z.output<typeof configSchema>
