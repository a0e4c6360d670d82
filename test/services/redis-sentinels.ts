import type { RedisOptions, RedisServer } from './redis.ts'
import { readyOrClosed, startRedis, startRedisProcess, until } from './redis.ts'

/*
 * A primary, its replica and three sentinels, of which two must agree that the primary is down. A
 * fail-over takes 2 to 4 s: a second of silence, a vote, and the replica's promotion. A primary that
 * comes back is made a replica 1 to 2 s later: until then it takes writes that it will lose.
 */

/** What the sentinels call the primary, whichever server it is. */
const name = 'main'
const sentinelCount = 3
const quorum = 2

export interface RedisSentinels {
  readonly name: string
  /** They are servers like any other, which can be killed and frozen. */
  readonly sentinels: readonly RedisServer[]
  /** The first primary, and its replica. */
  readonly servers: readonly RedisServer[]
  /** The server that most sentinels take for the primary. Rejects while there is no such majority. */
  primary(): Promise<RedisServer>
  /** Resolves when most sentinels agree on another primary than `old`, and it takes writes. */
  primaryAfter(old: RedisServer): Promise<RedisServer>
  close(): Promise<void>
}

export interface SentinelOptions {
  /** Of primary and replica. */
  readonly servers?: Pick<RedisOptions, 'password' | 'users' | 'isPersistent' | 'settings'>
  /** Of the sentinels' user `default`. */
  readonly sentinelPassword?: string
}

/** Starts them. They are ready when every sentinel knows all the others and the replica. */
export async function startSentinels(options: SentinelOptions = {}): Promise<RedisSentinels> {
  const servers: RedisServer[] = []
  const sentinels: RedisServer[] = []
  const close = async () => {
    await Promise.all([...sentinels, ...servers].map((server) => server.close()))
  }
  return readyOrClosed({ name, sentinels, servers, primary, primaryAfter, close }, async () => {
    const first = await startRedis(options.servers)
    servers.push(first)
    servers.push(await startRedis({ ...options.servers, replicaOf: first }))
    for (let i = 0; i < sentinelCount; i++) {
      const settings = sentinelSettings(first, options)
      const plan = () => ({ settings, connection: [] })
      const sentinel = await startRedisProcess(plan, ['--sentinel'])
      sentinels.push(sentinel)
      // How often they tell each other what they know, and look at their servers: by default every
      // 2 s and 10 s. A sentinel that is started again has the defaults.
      await sentinel.cli(['SENTINEL', 'DEBUG', 'PUBLISH-PERIOD', '200', 'INFO-PERIOD', '1000'])
    }
    await until('the sentinels know each other and the replica', async () =>
      (await Promise.all(sentinels.map(knowsAll))).every(Boolean),
    )
  })

  async function primary(): Promise<RedisServer> {
    const told = await Promise.all(sentinels.map(primaryPort))
    const isMost = (port: number) => told.filter((one) => one === port).length >= quorum
    const found = servers.find((server) => isMost(server.port))
    if (found === undefined) throw new Error(`the sentinels do not agree: ${told.join(', ')}`)
    return found
  }

  async function primaryAfter(old: RedisServer): Promise<RedisServer> {
    let found = old
    await until('there is another primary', async () => {
      found = await primary().catch(() => old)
      return found !== old && (await found.cli(['ROLE'])).startsWith('master')
    })
    return found
  }
}

function sentinelSettings(
  primary: RedisServer,
  { servers, sentinelPassword }: SentinelOptions,
): readonly string[] {
  const password = servers?.password
  return [
    `sentinel monitor ${name} ${primary.host} ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    // A vote that failed is repeated after twice this time, by default after six minutes.
    `sentinel failover-timeout ${name} 2000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${JSON.stringify(password)}`]),
    ...(sentinelPassword === undefined
      ? []
      : [
          `requirepass ${JSON.stringify(sentinelPassword)}`,
          `sentinel sentinel-pass ${JSON.stringify(sentinelPassword)}`,
        ]),
  ]
}

/** `null` when this sentinel does not answer. */
async function primaryPort(sentinel: RedisServer): Promise<number | null> {
  const address = await sentinel
    .cli(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name])
    .catch(() => null)
  return address === null ? null : Number(address.split('\n')[1])
}

async function knowsAll(sentinel: RedisServer): Promise<boolean> {
  const primary = fieldsOf(await sentinel.cli(['SENTINEL', 'MASTER', name]))
  const replica = fieldsOf(await sentinel.cli(['SENTINEL', 'REPLICAS', name]))
  return (
    primary.get('flags') === 'master' &&
    primary.get('num-other-sentinels') === String(sentinelCount - 1) &&
    replica.get('flags') === 'slave' &&
    replica.get('master-link-status') === 'ok'
  )
}

/** A flat list of names and values, a line each. */
function fieldsOf(answer: string): ReadonlyMap<string, string> {
  const lines = answer.split('\n')
  return new Map(lines.flatMap((line, at) => (at % 2 === 0 ? [[line, lines[at + 1] ?? '']] : [])))
}
