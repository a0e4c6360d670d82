import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { RedisStoreOptions, RedisTls } from '../../src/drivers/redis/options.ts'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import type { Store } from '../../src/ports/store.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { isServiceHere } from '../services/availability.ts'
import { freePorts } from '../services/free-ports.ts'
import type { RedisOptions, RedisServer } from '../services/redis.ts'
import { startRedis, startRedisProcess } from '../services/redis.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { redisFixture, redisOptions } from './redis-fixture.ts'
import { describeStoreContract, stampAt } from './store-contract.ts'

const pem = (name: string) =>
  readFile(new URL(`../support/certificates/${name}`, import.meta.url), 'utf8')

const deadlineMs = 20_000
const password = 'p@ss word'

/** All that a store needs, as docs/decisions/redis-ioredis.md says. */
const rights = '~sluice:* resetchannels -@all +evalsha +eval +get +set +del +time +client|setname'

async function serverTls(clientCertificates: 'optional' | 'required') {
  const [key, certificate, ca] = await Promise.all(['good.key', 'good.pem', 'ca.pem'].map(pem))
  return { key: key ?? '', certificate: certificate ?? '', ca: ca ?? '', clientCertificates }
}

const quoted = (chunk: Buffer) => chunk.toString().replace(/\s+/g, ' ')

function secureRedis(): void {
  let redis: RedisServer
  let told: RecordingStoreListener
  let store: Store | null
  let beside: RedisServer[]

  beforeEach(() => {
    told = new RecordingStoreListener()
    store = null
    beside = []
  })
  afterEach(async () => {
    await store?.close()
    await Promise.all([redis, ...beside].map((server) => server.close()))
  })

  async function open(
    options: RedisOptions,
    more: (url: string) => Partial<RedisStoreOptions> = () => ({}),
  ): Promise<Store> {
    redis = await startRedis(options)
    const { url } = redis
    const all = { server: { kind: 'standalone', url }, listener: told, ...more(url) } as const
    store = openRedisStore(redisOptions({ timeoutMs: 5_000, ...all }))
    return store
  }

  const claim = (by: Store) =>
    by.claim({
      ...{ rule: 'r', key: 'k', token: 'token', task: 'task', stamp: stampAt(1) },
      ...{ leaseMs: 600_000, against: 'order' },
    })

  async function isWell(by: Store): Promise<void> {
    expect(await claim(by)).to.deep.equal({ kind: 'new' })
    expect(by.state).to.deep.equal({ kind: 'ok' })
  }

  async function isDegraded(by: Store, trouble: string, error: string): Promise<void> {
    await told.until('a degraded state', () => by.state.kind === 'degraded', deadlineMs)
    expect(by.state).to.include({ trouble })
    expect(by.state).to.have.property('error').that.includes(error)
  }

  const trusting = (ca: string): RedisTls => ({ ca, cert: null, key: null, servername: null })

  it('talks TLS to a server whose certificate the given authority has signed', async () => {
    const tls = await serverTls('optional')
    await isWell(await open({ tls }, () => ({ tls: trusting(tls.ca) })))
  })

  it('talks TLS without being told to where the URL says so, and trusts whom Node trusts', async () => {
    const by = await open({ tls: await serverTls('optional') }, () => ({ timeoutMs: 300 }))
    await isDegraded(by, 'unreachable', 'certificate')
  })

  it('shows its own certificate', async () => {
    const tls = await serverTls('required')
    const own = { ...trusting(tls.ca), key: tls.key, cert: tls.certificate }
    await isWell(await open({ tls }, () => ({ tls: own })))
  })

  it('says nothing to a server whose certificate has another name', async () => {
    const tls = await serverTls('optional')
    const [key = '', certificate = ''] = await Promise.all(
      ['other-name.key', 'other-name.pem'].map(pem),
    )
    const by = await open({ tls: { ...tls, key, certificate } }, () => ({
      ...{ tls: trusting(tls.ca), timeoutMs: 300 },
    }))
    await isDegraded(by, 'unreachable', 'does not match')
  })

  it('takes the name that it is told for that of the server', async () => {
    const tls = await serverTls('optional')
    const [key = '', certificate = ''] = await Promise.all(
      ['other-name.key', 'other-name.pem'].map(pem),
    )
    const other = { ...trusting(tls.ca), servername: 'other.test' }
    await isWell(await open({ tls: { ...tls, key, certificate } }, () => ({ tls: other })))
  })

  it('talks TLS to the nodes of a cluster', async () => {
    const tls = await serverTls('required')
    const [clusterPort = 0] = await freePorts(1)
    // A node that has never met another one does not know its own address.
    const address = ['cluster-announce-ip 127.0.0.1', `cluster-port ${clusterPort}`]
    const settings = ['cluster-enabled yes', 'tls-cluster yes', ...address]
    redis = await startRedis({ tls, settings })
    await redis.cli(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    const { host, port } = redis
    const own = { ...trusting(tls.ca), key: tls.key, cert: tls.certificate }
    const server = { kind: 'cluster', nodes: [{ host, port }] } as const
    store = openRedisStore(redisOptions({ server, listener: told, tls: own, timeoutMs: 5_000 }))
    await isWell(store)
  })

  it('talks TLS to sentinels, and to the primary that they name', async () => {
    const tls = await serverTls('required')
    redis = await startRedis({ tls })
    const { host, port } = redis
    const sentinel = await startRedisProcess(
      async (folder, its) => {
        const file = (name: string) => join(folder, name)
        await writeFile(file('key.pem'), tls.key)
        await writeFile(file('good.pem'), tls.certificate)
        await writeFile(file('ca.pem'), tls.ca)
        const certificates = [
          `tls-key-file ${file('key.pem')}`,
          `tls-cert-file ${file('good.pem')}`,
        ]
        const ports = ['port 0', `tls-port ${its}`, 'tls-replication yes']
        const known = [...certificates, `tls-ca-cert-file ${file('ca.pem')}`]
        return {
          settings: [...ports, ...known, `sentinel monitor main ${host} ${port} 1`],
          connection: [
            ...['--tls', '--cacert', file('ca.pem')],
            ...['--key', file('key.pem'), '--cert', file('good.pem')],
          ],
        }
      },
      ['--sentinel'],
    )
    beside.push(sentinel)
    const own = { ...trusting(tls.ca), key: tls.key, cert: tls.certificate }
    const sentinels = [{ host: sentinel.host, port: sentinel.port }]
    const server = { kind: 'sentinel', sentinels, name: 'main' } as const
    store = openRedisStore(redisOptions({ server, listener: told, tls: own, timeoutMs: 5_000 }))
    await isWell(store)
  })

  it('takes the password of the URL', async () => {
    await isWell(await open({ password }))
  })

  it('takes the password that it is given before that of the URL', async () => {
    const wrong = (url: string) => url.replace(/:[^:@/]*@/, ':another@')
    await isWell(
      await open({ password }, (url) => ({
        server: { kind: 'standalone', url: wrong(url) },
        password,
      })),
    )
  })

  it('is denied with a wrong password, and tells neither it nor another', async () => {
    const by = await open({ password }, () => ({ password: 'nearly right', timeoutMs: 300 }))
    await isDegraded(by, 'denied', 'WRONGPASS')
    expect(JSON.stringify(told.states)).to.not.include('nearly right')
  })

  it('writes no password into its log when an old server quotes what it was sent', async () => {
    const lines: unknown[] = []
    const logger = { ...silentLogger, debug: (fields: unknown) => void lines.push(fields) }
    const old = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => void socket.write(`-ERR no such thing: ${quoted(chunk)}\r\n`))
    })
    old.listen(0, '127.0.0.1')
    await once(old, 'listening')
    const address = old.address() as AddressInfo // as: it listens on a port
    const by = await open({}, () => ({
      server: { kind: 'standalone', url: `redis://127.0.0.1:${address.port}` },
      ...{ password: 'so-secret', logger, timeoutMs: 300 },
    }))
    await isDegraded(by, 'refused', 'no such thing')
    expect(JSON.stringify([lines, told.states]))
      .to.include('***')
      .and.not.include('so-secret')
    await by.close()
    old.close()
  })

  it('is denied without the password that is asked for', async () => {
    const by = await open({ password }, (url) => ({
      server: { kind: 'standalone', url: url.replace(/\/\/.*@/, '//') },
      timeoutMs: 300,
    }))
    await isDegraded(by, 'denied', 'NOAUTH')
  })

  it('is denied where its user may not touch the keys of its prefix', async () => {
    const by = await open({ users: [`sluice on >secret ${rights}`] }, () => ({
      ...{ username: 'sluice', password: 'secret', prefix: 'another' },
    }))
    await isDegraded(by, 'denied', 'NOPERM')
  })

  it('keeps all under its prefix', async () => {
    const by = await open({}, () => ({ prefix: 'some where:else' }))
    await isWell(by)
    const names = (await redis.cli(['KEYS', '*'])).split('\n')
    expect(names).to.have.length(2)
    for (const name of names) expect(name).to.match(/^some where:else:\{\d+\}:(epoch|r:k)$/)
  })

  it('uses the database of the URL', async () => {
    const by = await open({}, (url) => ({ server: { kind: 'standalone', url: `${url}/3` } }))
    await isWell(by)
    expect(await redis.cli(['-n', '3', 'DBSIZE'])).to.equal('2')
  })

  it('is known to operators by its name', async () => {
    await isWell(await open({}))
    expect(await redis.cli(['CLIENT', 'LIST'])).to.include('name=sluice ')
  })
}

if (isServiceHere('redis')) {
  describe('A store in a Redis with locks', function () {
    this.timeout(60_000) // only ends what hangs
    secureRedis()

    for (const url of ['127.0.0.1:6379', 'http://127.0.0.1', 'redis://:p%zz@127.0.0.1', '']) {
      it(`is not opened at ${url === '' ? 'nothing' : url}, and the error does not show it`, () => {
        const open = () => openRedisStore(redisOptions({ server: { kind: 'standalone', url } }))
        expect(open).to.throw(PortError).with.property('code', 'invalid')
        expect(open).to.throw('must be redis:// or rediss://')
      })
    }
  })

  describeStoreContract(
    'Redis, as a user with no more rights than it needs, over TLS',
    async () => {
      const tls = await serverTls('required')
      const redis = await startRedis({ tls, users: [`sluice on >secret ${rights}`] })
      return redisFixture(
        {
          server: { kind: 'standalone', url: redis.url },
          tls: { ca: tls.ca, cert: tls.certificate, key: tls.key, servername: null },
          ...{ username: 'sluice', password: 'secret', prefix: 'sluice' },
        },
        { wipe: async () => void (await redis.cli(['FLUSHALL'])), close: () => redis.close() },
      )
    },
  )
}
