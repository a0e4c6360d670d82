import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Availability } from './availability.ts'
import { freePorts } from './free-ports.ts'
import { GuardedProcess } from './guarded-process.ts'

/*
 * A real Redis for tests, on a free port of loopback. It ends with the process that started it,
 * whatever that one dies of. Several together: redis-sentinels.ts, redis-cluster.ts.
 */

const run = promisify(execFile)

/** A server is up in 50 ms, a cluster or sentinels in some seconds; on busy cores in a few more. */
const readyMsMax = 30_000
const pollMs = 25

/** A command that a frozen server does not answer must not hold a test for ever. */
const commandMsMax = 10_000

/** Whom `cli` comes as, on every kind of server: no change of passwords or rights in a test locks it out. */
const operator = 'test-operator'
const anyPassword = ['--user', operator, '--pass', '-', '--no-auth-warning']

/** The first that has `cluster-port`, on which a cluster needs no second range of free ports. */
const majorMin = 7

export interface RedisServer {
  /** With the password of `RedisOptions.password`, if there is one. */
  readonly url: string
  readonly host: string
  readonly port: number
  /**
   * Runs one command with redis-cli, with every right, and gives the answer as raw text. Rejects
   * with what Redis said when that is an error, and when no answer comes.
   */
  cli(args: readonly string[]): Promise<string>
  /** SIGTERM. Without `isPersistent` all data is gone. */
  stop(): Promise<void>
  /** SIGKILL. With `isPersistent` nothing that was answered is lost: the kernel has it. */
  kill(): Promise<void>
  /** Starts it again, on the same data and port. Resolves when it answers. */
  start(): Promise<void>
  /** Freezes it: connections stay, nothing answers. */
  pause(): void
  continue(): void
  /** Ends it and removes its data. */
  close(): Promise<void>
}

interface RedisTls {
  /** PEM: a key and its certificate, which names 127.0.0.1. */
  readonly key: string
  readonly certificate: string
  /** PEM: who signs the certificates of clients, and that of the server for `cli`. */
  readonly ca: string
  readonly clientCertificates: 'optional' | 'required'
}

export interface RedisOptions {
  /** Of the user `default`; a replica shows it to its primary. */
  readonly password?: string
  /** Users beside `default`, as in redis.conf: `alice on >secret ~app:* +@all`. */
  readonly users?: readonly string[]
  /** The port speaks TLS only. */
  readonly tls?: RedisTls
  /** Redis itself takes about 1 MB of it. When it is full, commands that need more are errors. */
  readonly maxmemoryBytes?: number
  /** Keeps an append-only file. Without it a start is a start with nothing. */
  readonly isPersistent?: boolean
  /** Whose copy this one is. It refuses to be written. */
  readonly replicaOf?: Pick<RedisServer, 'host' | 'port'>
  /** Lines of redis.conf, behind ours. */
  readonly settings?: readonly string[]
}

/** Whether a server can be started here, and if not, what would make it possible. */
export async function redisAvailability(): Promise<Availability> {
  const major = await installedMajor()
  if (major !== null && major >= majorMin) return { ok: true }
  return {
    ok: false,
    missing: `Redis ${majorMin} or later is not installed`,
    // The package brings redis-cli, and the same program is a sentinel when asked to.
    remedy: 'apt-get install redis-server',
  }
}

async function installedMajor(): Promise<number | null> {
  try {
    const { stdout } = await run('redis-server', ['--version'])
    await run('redis-cli', ['--version'])
    const found = /v=(\d+)/.exec(stdout)?.[1]
    return found === undefined ? null : Number(found)
  } catch {
    return null // not installed, or it does not start: the same to us
  }
}

/**
 * The server of `TEST_REDIS_URL` if the runner has started one for all files, else a new one: keys
 * must not be another test's. `close` ends only what this call has started.
 */
export async function sharedRedis(): Promise<
  Pick<RedisServer, 'url' | 'host' | 'port' | 'cli' | 'close'>
> {
  const url = process.env['TEST_REDIS_URL']
  if (url === undefined || url === '') return startRedis()
  const { hostname, port } = new URL(url)
  return {
    url,
    host: hostname,
    port: Number(port),
    cli: (args) => redisCli(['-u', url], args),
    close: () => Promise.resolve(),
  }
}

/** Starts a server of its own. A replica is ready when it has its primary's data. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { password, tls, replicaOf } = options
  const server = await startRedisProcess(async (folder, port) => {
    const more = tls === undefined ? [] : await tlsSettings(folder, port, tls)
    return {
      settings: [...serverSettings(options), ...more, ...(options.settings ?? [])],
      connection: tls === undefined ? [] : tlsConnection(folder),
    }
  })
  const scheme = tls === undefined ? 'redis' : 'rediss'
  const user = password === undefined ? '' : `:${encodeURIComponent(password)}@`
  const redis = { ...server, url: `${scheme}://${user}${server.host}:${server.port}` }
  if (replicaOf === undefined) return redis
  return readyOrClosed(redis, async () => {
    await until('the replica has a copy', async () =>
      (await redis.cli(['INFO', 'replication'])).includes('master_link_status:up'),
    )
  })
}

function serverSettings({
  password,
  users = [],
  maxmemoryBytes,
  isPersistent = false,
  replicaOf,
}: RedisOptions): readonly string[] {
  return [
    'save ""',
    `appendonly ${isPersistent ? 'yes' : 'no'}`,
    'repl-diskless-sync-delay 0',
    'shutdown-timeout 1', // a stop waits so long for frozen replicas
    'enable-debug-command yes', // DEBUG SLEEP is a slow server
    ...users.map((user) => `user ${user}`),
    ...(password === undefined ? [] : passwordSettings(password)),
    ...(maxmemoryBytes === undefined
      ? []
      : [`maxmemory ${maxmemoryBytes}`, 'maxmemory-policy noeviction']),
    ...(replicaOf === undefined ? [] : [`replicaof ${replicaOf.host} ${replicaOf.port}`]),
  ]
}

function passwordSettings(password: string): readonly string[] {
  const quoted = JSON.stringify(password) // redis.conf has the same quotes and escapes
  return [`requirepass ${quoted}`, `masterauth ${quoted}`]
}

async function tlsSettings(
  folder: string,
  port: number,
  { key, certificate, ca, clientCertificates }: RedisTls,
): Promise<readonly string[]> {
  await writeFile(join(folder, 'key.pem'), key)
  await writeFile(join(folder, 'certificate.pem'), certificate)
  await writeFile(join(folder, 'ca.pem'), ca)
  return [
    // Of two lines of one name the last one counts.
    'port 0',
    `tls-port ${port}`,
    `tls-key-file ${folder}/key.pem`,
    `tls-cert-file ${folder}/certificate.pem`,
    `tls-ca-cert-file ${folder}/ca.pem`,
    `tls-auth-clients ${clientCertificates === 'required' ? 'yes' : 'optional'}`,
  ]
}

function tlsConnection(folder: string): readonly string[] {
  return [
    ...['--tls', '--cacert', `${folder}/ca.pem`],
    ...['--key', `${folder}/key.pem`, '--cert', `${folder}/certificate.pem`],
  ]
}

interface ProcessPlan {
  /** Lines of its config file, to which it may write: a sentinel keeps its state there. */
  readonly settings: readonly string[]
  /** Of redis-cli, beside address and user. */
  readonly connection: readonly string[]
}

/** Starts redis-server in a folder of its own, as whatever `plan` and `flags` make of it. */
export async function startRedisProcess(
  plan: (folder: string, port: number) => ProcessPlan | Promise<ProcessPlan>,
  flags: readonly string[] = [],
): Promise<RedisServer> {
  const host = '127.0.0.1'
  const folder = await mkdtemp(join(tmpdir(), 'sluice-redis-'))
  const [port = 0] = await freePorts(1)
  const { settings, connection } = await plan(folder, port)
  const config = join(folder, 'redis.conf')
  const base = [
    ...[`bind ${host}`, `port ${port}`, `dir ${folder}`],
    `user ${operator} on nopass ~* &* +@all`,
  ]
  await writeFile(config, [...base, ...settings, ''].join('\n'))
  const guarded = new GuardedProcess(['redis-server', config, ...flags], folder)
  const cli = (args: readonly string[]) =>
    redisCli(['-h', host, '-p', String(port), ...anyPassword, ...connection], args)
  const server: RedisServer = {
    url: `redis://${host}:${port}`,
    host,
    port,
    cli,
    stop: () => guarded.end('SIGTERM'),
    kill: () => guarded.end('SIGKILL'),
    async start() {
      guarded.start()
      try {
        await until('the server answers', async () => {
          if (guarded.hasEnded) throw new Error('the server has ended')
          // Refused while it does not listen, LOADING while it reads its data.
          return (await cli(['PING']).catch(() => '')) === 'PONG'
        })
      } catch (error) {
        const said = await guarded.lastWords()
        throw new Error(`Redis did not come up:\n${said}`, { cause: error })
      }
    },
    pause: () => guarded.pause(),
    continue: () => guarded.continue(),
    close: () => guarded.close(),
  }
  return readyOrClosed(server, () => server.start())
}

/** Nobody gets a thing that did not become ready, and so nobody could close it: it is closed here. */
export async function readyOrClosed<T extends { close(): Promise<void> }>(
  thing: T,
  becomeReady: () => Promise<void>,
): Promise<T> {
  try {
    await becomeReady()
    return thing
  } catch (error) {
    await thing.close()
    throw error
  }
}

/** Waits, for as long as a server may take; `what` is for the error. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const untilMs = Date.now() + readyMsMax; !(await isSo());) {
    if (Date.now() > untilMs) throw new Error(`in ${readyMsMax} ms it did not come true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

async function redisCli(connection: readonly string[], args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('redis-cli', ['-e', '--raw', ...connection, ...args], {
      timeout: commandMsMax,
      maxBuffer: 64 * 2 ** 20,
    })
    return stdout.replace(/\n$/, '')
  } catch (error) {
    const { stdout, stderr, killed } = error as { stdout: string; stderr: string; killed: boolean } // as: how execFile rejects
    const said = killed ? `no answer in ${commandMsMax} ms` : (stderr + stdout).trim()
    throw new Error(`redis-cli ${args.join(' ')}: ${said}`, { cause: error })
  }
}
