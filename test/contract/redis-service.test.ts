import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { isServiceHere } from '../services/availability.ts'
import type { RedisOptions, RedisServer } from '../services/redis.ts'
import { sharedRedis, startRedis } from '../services/redis.ts'
import type { ClusterOptions, RedisCluster } from '../services/redis-cluster.ts'
import { startCluster } from '../services/redis-cluster.ts'
import type { RedisSentinels, SentinelOptions } from '../services/redis-sentinels.ts'
import { startSentinels } from '../services/redis-sentinels.ts'
import { itEndsWithItsStarter } from './starter-contract.ts'

const pem = (name: string) =>
  readFile(new URL(`../support/certificates/${name}`, import.meta.url), 'utf8')

/** Long for an answer on loopback, short for a test that waits for none. */
const silenceMs = 300

function redisOfTests(): void {
  let opened: { close(): Promise<unknown> }[] = []

  async function started(options?: RedisOptions): Promise<RedisServer> {
    const server = await startRedis(options)
    opened.push(server)
    return server
  }

  afterEach(async () => {
    await Promise.all(opened.map((one) => one.close()))
    opened = []
  })

  async function sentinels(options?: SentinelOptions): Promise<RedisSentinels> {
    const started = await startSentinels(options)
    opened.push(started)
    return started
  }

  async function cluster(options?: ClusterOptions): Promise<RedisCluster> {
    const started = await startCluster(options)
    opened.push(started)
    return started
  }

  function clientOf<T extends { disconnect(): void }>(client: T): T {
    opened.push({ close: () => Promise.resolve(client.disconnect()) })
    return client
  }

  async function refusal(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'none',
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
  }

  /** What a client of this URL is answered to a PING. */
  async function ping(url: string, tls?: { ca: string; key?: string; cert?: string }) {
    const client = new Redis(url, {
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      ...(tls && { tls }),
    })
    let reason = 'no error was told'
    client.on('error', (error) => (reason = error.message))
    try {
      await client.connect()
      return await client.ping()
    } catch (error) {
      // The command is told that the connection is closed, the listener why.
      throw new Error(`${String(error)}: ${reason}`, { cause: error })
    } finally {
      client.disconnect()
    }
  }

  itEndsWithItsStarter(new URL('../services/start-redis.ts', import.meta.url))

  it('is found through TEST_REDIS_URL, and not ended by those who share it', async () => {
    const server = await started()
    const before = process.env['TEST_REDIS_URL']
    process.env['TEST_REDIS_URL'] = server.url
    try {
      const shared = await sharedRedis()
      expect([shared.url, shared.host, shared.port]).to.deep.equal([
        server.url,
        server.host,
        server.port,
      ])
      await shared.cli(['SET', 'a', '1'])
      await shared.close()
    } finally {
      if (before === undefined) delete process.env['TEST_REDIS_URL']
      else process.env['TEST_REDIS_URL'] = before
    }
    expect(await server.cli(['GET', 'a'])).to.equal('1')
  })

  for (const [how, kept] of [
    ['stop', false],
    ['kill', false],
    ['stop', true],
    ['kill', true],
  ] as const) {
    const data = kept ? 'with its data if it is persistent' : 'empty if it is not persistent'
    it(`starts again on its port after a ${how}, ${data}`, async () => {
      const server = await started({ isPersistent: kept })
      await server.cli(['SET', 'a', '1'])
      await server[how]()
      expect(await refusal(ping(server.url))).to.not.equal('none')
      await server.start()
      expect(await server.cli(['GET', 'a'])).to.equal(kept ? '1' : '')
    })
  }

  it('starts again after it ended by itself', async () => {
    const server = await started({ isPersistent: true })
    await server.cli(['SET', 'a', '1'])
    await server.cli(['SHUTDOWN']).catch(() => undefined) // it ends before it answers
    await sleep(1_500) // the guard beside it, which removes the data of a dead starter after 1 s
    await server.start()
    expect(await server.cli(['GET', 'a'])).to.equal('1')
  })

  it('keeps its connections while it is frozen, and answers afterwards', async () => {
    const server = await started()
    const socket = connect(server.port, server.host)
    opened.push({ close: () => Promise.resolve(socket.destroy()) })
    await once(socket, 'connect')
    server.pause()
    const answer = once(socket, 'data')
    socket.write('PING\r\n')
    const early = await Promise.race([answer.then(() => 'answer'), sleep(silenceMs, 'silence')])
    expect(early).to.equal('silence')
    server.continue()
    expect(String((await answer)[0])).to.equal('+PONG\r\n')
  })

  it('can be ended while it is frozen', async function () {
    this.timeout(10_000) // well before it would be killed
    const server = await started()
    server.pause()
    await server.stop()
    expect(await refusal(ping(server.url))).to.not.equal('none')
  })

  it('gives what Redis said as the error of a command', async () => {
    const server = await started()
    await server.cli(['SET', 'a', 'text'])
    expect(await refusal(server.cli(['INCR', 'a']))).to.include('ERR value is not an integer')
  })

  it('says why it did not come up', async () => {
    expect(await refusal(startRedis({ settings: ['no-such-setting 1'] }))).to.include(
      'no-such-setting 1',
    )
  })

  it('takes its password only, until that is changed', async () => {
    const server = await started({ password: 'first/secret' })
    expect(await ping(server.url)).to.equal('PONG')
    expect(await refusal(ping(`redis://${server.host}:${server.port}`))).to.include('NOAUTH')
    await server.cli(['CONFIG', 'SET', 'requirepass', 'second'])
    expect(await refusal(ping(server.url))).to.include('WRONGPASS')
    expect(await server.cli(['PING'])).to.equal('PONG')
  })

  it('gives its users the rights of their lines', async () => {
    const server = await started({ users: ['alice on >secret ~app:* +@all'] })
    const client = clientOf(new Redis(`redis://alice:secret@${server.host}:${server.port}`))
    expect(await client.set('app:a', '1')).to.equal('OK')
    expect(await refusal(client.set('other', '1'))).to.include('NOPERM')
  })

  for (const clientCertificates of ['optional', 'required'] as const) {
    it(`speaks TLS only, with client certificates ${clientCertificates}`, async () => {
      const [key = '', certificate = '', ca = ''] = await Promise.all(
        ['good.key', 'good.pem', 'ca.pem'].map(pem),
      )
      const server = await started({ tls: { key, certificate, ca, clientCertificates } })
      expect(new URL(server.url).protocol).to.equal('rediss:')
      expect(await server.cli(['PING'])).to.equal('PONG')
      expect(await ping(server.url, { ca, key, cert: certificate })).to.equal('PONG')
      const bare = await refusal(ping(server.url, { ca }))
      expect(bare === 'none').to.equal(clientCertificates === 'optional')
      expect(await refusal(ping(`redis://${server.host}:${server.port}`))).to.not.equal('none')
    })
  }

  it('refuses what its memory does not hold', async () => {
    const server = await started({ maxmemoryBytes: 2_000_000 })
    await server.cli(['DEBUG', 'POPULATE', '50000']) // past the limit, which this command ignores
    expect(await refusal(server.cli(['SET', 'a', '1']))).to.include('OOM command not allowed')
  })

  it('is a copy that nobody may write, if it is a replica', async () => {
    const primary = await started({ password: 'secret' })
    await primary.cli(['SET', 'a', '1'])
    const replica = await started({ replicaOf: primary, password: 'secret' })
    expect(await replica.cli(['GET', 'a'])).to.equal('1')
    expect(await refusal(replica.cli(['SET', 'a', '2']))).to.include('READONLY')
  })

  for (const [what, options] of [
    ['without passwords', {}],
    ['with passwords', { servers: { password: 'secret' }, sentinelPassword: 'other' }],
  ] as const) {
    it(`has sentinels that make the replica the primary when that dies, ${what}`, async () => {
      const group = await sentinels(options)
      const first = await group.primary()
      const client = clientOf(
        new Redis({
          sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
          name: group.name,
          ...('servers' in options && {
            password: options.servers.password,
            sentinelPassword: options.sentinelPassword,
          }),
        }),
      )
      client.on('error', () => undefined) // the primary dies below
      await client.set('a', '1')
      expect(await first.cli(['GET', 'a'])).to.equal('1')
      await client.wait(1, 1_000) // a copy on the replica: what it has not got is lost
      await first.kill()
      const second = await group.primaryAfter(first)
      expect(second.port).to.not.equal(first.port)
      expect(await second.cli(['GET', 'a'])).to.equal('1')
      expect(await client.get('a')).to.equal('1')
    })
  }

  it('has sentinels that hand over when they are asked to', async () => {
    const group = await sentinels()
    const first = await group.primary()
    await group.sentinels[0]?.cli(['SENTINEL', 'FAILOVER', group.name])
    expect((await group.primaryAfter(first)).port).to.not.equal(first.port)
  })

  it('has sentinels that tell of no primary when most of them are gone', async () => {
    const group = await sentinels()
    await Promise.all(group.sentinels.slice(1).map((one) => one.kill()))
    expect(await refusal(group.primary())).to.include('do not agree')
  })

  it('is a cluster whose keys lie on all three nodes', async () => {
    const { nodes } = await cluster()
    const client = clientOf(new Cluster(nodes.map(({ host, port }) => ({ host, port }))))
    const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`)
    await Promise.all(keys.map((key) => client.set(key, '1')))
    const held = await Promise.all(nodes.map(async (node) => Number(await node.cli(['DBSIZE']))))
    expect(held.every((count) => count > 0)).to.equal(true)
    expect(held.reduce((sum, count) => sum + count)).to.equal(keys.length)
    expect(await refusal(client.mset('key-1', '1', 'key-2', '2'))).to.include('slot')
  })

  it('is a cluster that outlives a node, if it has replicas', async () => {
    const { nodes } = await cluster({ hasReplicas: true, password: 'secret' })
    const client = clientOf(
      new Cluster(
        nodes.map(({ host, port }) => ({ host, port })),
        { redisOptions: { password: 'secret' } },
      ),
    )
    client.on('error', () => undefined) // a node dies below
    const [first, , , replica] = nodes
    await first?.kill()
    await until(async () => (await replica?.cli(['ROLE']))?.startsWith('master') === true)
    // Each third of the slots takes writes again.
    for (const key of ['{a}', '{b}', '{c}', '{d}']) {
      await until(async () => (await refusal(client.set(key, '1'))) === 'none')
    }
  })
}

/** Ends by the time-out of its test at the latest. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50)
}

// The runner says when there is no Redis to be had here, and tells the reader.
if (isServiceHere('redis')) {
  describe('The Redis of tests', function () {
    this.timeout(60_000) // a cluster on busy cores; this only ends what hangs
    redisOfTests()
  })
}
