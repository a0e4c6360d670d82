import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import { Cluster, Redis } from 'ioredis'
import { PortError } from '../../ports/port-error.ts'
import type { RedisStoreOptions, RedisTls } from './options.ts'

/** What a connection shows to `CLIENT LIST`. */
const connectionName = 'sluice'

/** So long after the first failed attempt to connect comes the next; each one waits longer. */
const reconnectMs = 50
/** So that a server that is back is found within half a second. */
const reconnectMsMax = 500
/** A socket is cut that has not answered for so many time-boxes: the network may have lost it. */
const silentTimeBoxes = 3
/** Redirections and new tries of one script by ioredis, all of them within one time-box. */
const redirectionsMax = 5
/** How often the nodes are asked anew who has which slots. A redirection tells of it sooner. */
const slotsRefreshMs = 5_000
/** Sentinel and the first node of a Cluster may be slower than our time-box allows for a call. */
const discoveryMs = 1_000

/**
 * A client of ioredis that begins to connect at once, and goes on trying for as long as it is open.
 * It queues nothing and sends nothing twice: whoever asks knows best what that would mean.
 *
 * @throws PortError `invalid` when the URL is not one
 */
export function openClient(options: RedisStoreOptions): Redis | Cluster {
  const { server } = options
  switch (server.kind) {
    case 'standalone':
      return new Redis({ ...commonOptions(options), ...addressOf(server.url, options) })
    case 'sentinel': {
      const { sentinelPassword = null } = server
      return new Redis({
        ...commonOptions(options),
        ...credentials(options),
        sentinels: [...server.sentinels],
        name: server.name,
        ...(sentinelPassword === null ? {} : { sentinelPassword }),
        sentinelCommandTimeout: discoveryMs,
        sentinelRetryStrategy: reconnectDelayMs,
        ...(options.tls === null
          ? {}
          : {
              tls: tlsOptions(options.tls, null),
              sentinelTLS: tlsOptions(options.tls, null),
              enableTLSForSentinelMode: true,
            }),
      })
    }
    case 'cluster':
      return new Cluster([...server.nodes], clusterOptions(options))
  }
}

function commonOptions({ timeoutMs }: RedisStoreOptions) {
  return {
    connectionName,
    disableClientInfo: true, // asks for one more right, and Redis before 7.2 does not know it
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: reconnectDelayMs,
    commandTimeout: timeoutMs,
    socketTimeout: timeoutMs * silentTimeBoxes,
    connectTimeout: discoveryMs,
    disconnectTimeout: timeoutMs,
    // It asks for INFO, a right that nothing else needs. Who is loading says so to the script.
    enableReadyCheck: false,
  } satisfies RedisOptions
}

function clusterOptions(options: RedisStoreOptions) {
  const { timeoutMs, tls } = options
  const retryMs = Math.ceil(timeoutMs / (2 * redirectionsMax))
  return {
    enableOfflineQueue: false,
    clusterRetryStrategy: reconnectDelayMs,
    maxRedirections: redirectionsMax,
    retryDelayOnFailover: retryMs,
    retryDelayOnTryAgain: retryMs,
    retryDelayOnClusterDown: 0, // it lasts for seconds: better said than waited for
    slotsRefreshTimeout: discoveryMs,
    slotsRefreshInterval: slotsRefreshMs,
    // Names stay names until a socket is opened: certificates are checked against them.
    dnsLookup: (host: string, callback: (error: null, address: string) => void) =>
      callback(null, host),
    redisOptions: {
      ...commonOptions(options),
      ...credentials(options),
      ...(tls === null ? {} : { tls: tlsOptions(tls, null) }),
    },
  } satisfies ClusterOptions
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(reconnectMs * attempt, reconnectMsMax)
}

function credentials({ username, password }: Pick<RedisStoreOptions, 'username' | 'password'>) {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  }
}

function addressOf(url: string, options: RedisStoreOptions) {
  const { protocol, hostname, port, pathname, username, password } = parsed(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1') // of an IPv6 address
  const tls = options.tls ?? (protocol === 'rediss:' ? trusting : null)
  const database = Number(pathname.slice(1))
  return {
    host,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(Number.isInteger(database) ? { db: database } : {}),
    ...credentials({
      username: options.username ?? partOf(username),
      password: options.password ?? partOf(password),
    }),
    ...(tls === null ? {} : { tls: tlsOptions(tls, host) }),
  }
}

/** The passwords in use, which no text of ours may contain. */
export function passwordsOf({ server, password }: RedisStoreOptions): readonly string[] {
  return [password, passwordOf(server)].filter((one) => one !== null).filter((one) => one !== '')
}

function passwordOf(server: RedisStoreOptions['server']): string | null {
  switch (server.kind) {
    case 'standalone':
      return partOf(parsed(server.url).password)
    case 'sentinel':
      return server.sentinelPassword ?? null
    case 'cluster':
      return null
  }
}

function parsed(url: string): URL {
  try {
    const read = new URL(url)
    decodeURIComponent(`${read.username}${read.password}`) // throws where it is not one's text
    if (read.protocol === 'redis:' || read.protocol === 'rediss:') return read
  } catch {
    // Said below. Node's own error holds the URL, and the password with it.
  }
  throw new PortError('store', 'invalid', 'the URL of Redis must be redis:// or rediss://')
}

function partOf(text: string): string | null {
  return text === '' ? null : decodeURIComponent(text)
}

const trusting: RedisTls = { ca: null, cert: null, key: null, servername: null }

function tlsOptions(tls: RedisTls, host: string | null): ConnectionOptions {
  const servername = tls.servername ?? (host === null || isIP(host) !== 0 ? null : host)
  return {
    rejectUnauthorized: true,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(servername === null ? {} : { servername }),
  }
}
