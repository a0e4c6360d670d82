import { expect } from 'chai'
import type { RedisStoreOptions } from '../../src/drivers/redis/options.ts'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import type { ClaimAnswer } from '../../src/model/store-calls.ts'
import type { Store, StoreTrouble } from '../../src/ports/store.ts'
import { isServiceHere } from '../services/availability.ts'
import type { RedisServer } from '../services/redis.ts'
import { startRedis } from '../services/redis.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { redisOptions } from './redis-fixture.ts'
import type { Proxy } from './redis-proxy.ts'
import { startProxy } from './redis-proxy.ts'
import { stampAt } from './store-contract.ts'

/** Only ends what hangs: a store heals within a second of what troubled it. */
const deadlineMs = 20_000
/** More than a busy machine needs for an answer, and short enough to be waited for. */
const timeoutMs = 500

function redisInTrouble(): void {
  let opened: { close(): Promise<void> }[] = []
  let told: RecordingStoreListener
  let redis: RedisServer
  let store: Store
  let keys = 0

  beforeEach(() => void (told = new RecordingStoreListener()))
  afterEach(async () => {
    for (const one of opened.reverse()) await one.close()
    opened = []
  })

  async function start(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
    const server = await startRedis(options)
    opened.push(server)
    return server
  }

  async function proxied(server: RedisServer): Promise<Proxy> {
    const proxy = await startProxy(server)
    opened.push(proxy)
    return proxy
  }

  function open(url: string, more: Partial<RedisStoreOptions> = {}): Store {
    const server = { kind: 'standalone', url } as const
    const options = redisOptions({ server, listener: told, timeoutMs, ...more })
    const one = openRedisStore(options)
    opened.push(one)
    return one
  }

  /** A claim of a key that nobody else asks for. */
  const claim = (): Promise<ClaimAnswer> => claimOf(`${keys++}`)

  function claimOf(key: string): Promise<ClaimAnswer> {
    const own = { rule: 'r', key, token: 'token', task: 'task', stamp: stampAt(1) }
    return store.claim({ ...own, leaseMs: 600_000, against: 'order' })
  }

  function completeOf(key: string) {
    const own = { rule: 'r', key, token: 'token', task: 'task', stamp: stampAt(1) }
    return store.complete({ ...own, windowMs: 600_000, keepMs: 600_000 })
  }

  async function isWell(): Promise<void> {
    expect(await claim()).to.deep.equal({ kind: 'new' })
    expect(store.state).to.deep.equal({ kind: 'ok' })
  }

  const isIn = (trouble: StoreTrouble) => () =>
    store.state.kind === 'degraded' && store.state.trouble === trouble

  /** Resolves once it says so. */
  async function untilIn(trouble: StoreTrouble): Promise<void> {
    await told.until(`state ${trouble}`, isIn(trouble), deadlineMs)
  }

  /** Resolves once it says so by itself: nobody asks it anything meanwhile. */
  async function untilHealed(): Promise<void> {
    await told.until('state ok', () => store.state.kind === 'ok', deadlineMs)
    await isWell()
  }

  async function expectUnknown(): Promise<void> {
    expect(await claim()).to.deep.equal({ kind: 'unknown' })
  }

  /** Whether all of these are answered before anything outside this process could have happened. */
  async function areAnsweredAtOnce(answers: readonly Promise<ClaimAnswer>[]): Promise<boolean> {
    const late = Symbol('late')
    const soon = new Promise<symbol>((resolve) => setImmediate(() => resolve(late)))
    return (await Promise.race([Promise.all(answers), soon])) !== late
  }

  it('is unknown while Redis is away, at once behind the breaker, and heals when it is started', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()

    await redis.kill()
    await untilIn('unreachable') // although nobody asks
    while (!(await areAnsweredAtOnce([claim()]))) await expectUnknown()
    const asked = Array.from({ length: 500 }, claim)
    expect(await areAnsweredAtOnce(asked)).to.equal(true)
    expect(await Promise.all(asked)).to.deep.equal(asked.map(() => ({ kind: 'unknown' })))

    await redis.start()
    await untilHealed()
    expect(told.states.map(({ kind }) => kind)).to.deep.equal(['degraded', 'ok'])
    expect(told.wiped, 'what it had is gone').to.equal(1)
  })

  it('is well when Redis comes after it', async () => {
    redis = await start()
    await redis.stop()
    store = open(redis.url)
    await untilIn('unreachable')
    await redis.start()
    await untilHealed()
    expect(told.wiped, 'it had nothing').to.equal(0)
  })

  it('answers unknown while Redis is frozen, at once behind the breaker, and heals when it goes on', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()

    redis.pause()
    await expectUnknown()
    await untilIn('slow')
    while (!(await areAnsweredAtOnce([claim()]))) await expectUnknown()
    expect(await areAnsweredAtOnce(Array.from({ length: 500 }, claim))).to.equal(true)
    expect(isIn('slow')()).to.equal(true)

    redis.continue()
    await untilHealed()
    expect(told.wiped).to.equal(0)
  })

  it('answers unknown while the answers come too late, and heals when they come in time', async () => {
    redis = await start()
    const proxy = await proxied(redis)
    store = open(`redis://127.0.0.1:${proxy.port}`)
    await isWell()

    proxy.delay(2 * timeoutMs)
    await expectUnknown()
    await untilIn('slow')
    while (!(await areAnsweredAtOnce([claim()]))) await expectUnknown()

    proxy.delay(0)
    await untilHealed()
  })

  it('makes new connections where the network has lost the old ones', async () => {
    redis = await start()
    const proxy = await proxied(redis)
    store = open(`redis://127.0.0.1:${proxy.port}`)
    await isWell()

    proxy.swallow(true)
    await untilIn('slow')
    await expectUnknown()

    proxy.swallow(false)
    await untilHealed()
  })

  it('loses only what was under way when a connection is reset in the middle of a script', async () => {
    redis = await start()
    const proxy = await proxied(redis)
    store = open(`redis://127.0.0.1:${proxy.port}`)
    await isWell()

    proxy.resetNext()
    expect(await claimOf('cut')).to.deep.equal({ kind: 'unknown' })
    await isWell() // the next one waits for the new connection
    // What was asked may have happened: here it did, and its run has the lease.
    expect(await claimOf('cut')).to.deep.equal({ kind: 'new' })
    expect(told.states.map(({ kind }) => kind)).to.deep.equal(['degraded', 'ok'])
  })

  it('does not notice that the scripts were flushed', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()
    await redis.cli(['SCRIPT', 'FLUSH'])
    await isWell()
    expect(told.states).to.deep.equal([])
  })

  it('is refused where the database is none, and never falls back on another one', async () => {
    redis = await start()
    store = open(`${redis.url}/99`)
    await untilIn('refused')
    await expectUnknown()
    expect(store.state).to.deep.include({ error: 'ERR DB index is out of range' })
    // Each probe connects anew, and none of the connections may serve.
    await Promise.all(Array.from({ length: 20 }, expectUnknown))
    expect(await redis.cli(['DBSIZE']), 'nothing is in database 0').to.equal('0')
  })

  it('is read-only on a replica, and heals when it is made a primary', async () => {
    const primary = await start()
    redis = await start({ replicaOf: primary })
    store = open(redis.url)
    await untilIn('read-only')
    await expectUnknown()
    await redis.cli(['REPLICAOF', 'NO', 'ONE'])
    await untilHealed()
  })

  it('is read-only on a primary that has too few replicas, and heals when that is enough', async () => {
    redis = await start({ settings: ['min-replicas-to-write 1'] })
    store = open(redis.url)
    await untilIn('read-only')
    await expectUnknown()
    await redis.cli(['CONFIG', 'SET', 'min-replicas-to-write', '0'])
    await untilHealed()
  })

  it('is full when Redis has no memory left, and heals when there is some', async () => {
    redis = await start({ maxmemoryBytes: 2_000_000 })
    store = open(redis.url)
    await isWell()
    await redis.cli(['DEBUG', 'POPULATE', '20000', 'other'])
    await expectUnknown()
    expect(isIn('full')()).to.equal(true)
    expect(store.state).to.have.property('error').that.includes('OOM')
    await redis.cli(['CONFIG', 'SET', 'maxmemory', '0'])
    await untilHealed()
  })

  it('is full until something was written, whatever else it answers, and says so once', async () => {
    redis = await start({ maxmemoryBytes: 2_000_000 })
    store = open(redis.url)
    await completeOf('done')
    await redis.cli(['DEBUG', 'POPULATE', '20000', 'other'])
    const duplicate = { rule: 'r', key: 'done', token: 'late', task: 'late', stamp: stampAt(2) }
    for (let n = 0; n < 20; n++) {
      await expectUnknown()
      const answer = await store.claim({ ...duplicate, leaseMs: 600_000, against: 'window' })
      expect(answer.kind).to.equal('done')
    }
    expect(told.states.map(({ kind }) => kind)).to.deep.equal(['degraded'])
    await redis.cli(['CONFIG', 'SET', 'maxmemory', '0'])
    await untilHealed()
  })

  it('tells once that it was emptied, and goes on', async () => {
    redis = await start()
    store = open(redis.url)
    await completeOf('k')
    await redis.cli(['FLUSHALL'])
    expect(told.wiped).to.equal(0)
    await isWell()
    await isWell()
    expect(told.wiped).to.equal(1)
    await redis.cli(['FLUSHALL'])
    await isWell()
    expect(told.wiped).to.equal(2)
    expect(told.states).to.deep.equal([])
  })

  it('tells that it was emptied although another replica has found out first', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()
    await redis.cli(['FLUSHALL'])
    const own = new RecordingStoreListener()
    const other = open(redis.url, { listener: own })
    await other.release({ rule: 'r', key: 'k', token: 't', keepMs: 0 })
    expect(own.wiped).to.equal(0)
    await isWell()
    expect(told.wiped).to.equal(1)
  })

  it('goes on with its connection when the password is changed, is denied a new one, and heals when it is set back', async () => {
    redis = await start({ password: 'the first one' })
    store = open(redis.url)
    await isWell()
    await redis.cli(['CONFIG', 'SET', 'requirepass', 'another'])
    await isWell()

    await redis.cli(['CLIENT', 'KILL', 'TYPE', 'normal'])
    await untilIn('denied')
    await expectUnknown()
    expect(JSON.stringify(told.states)).to.include('WRONGPASS').and.not.include('the first one')

    await redis.cli(['CONFIG', 'SET', 'requirepass', 'the first one'])
    await untilHealed()
  })

  it('is denied when the user may not run scripts any longer, and heals when it may', async () => {
    redis = await start({ users: ['someone on >secret ~* +@all'] })
    store = open(redis.url, { username: 'someone', password: 'secret' })
    await isWell()
    await redis.cli(['ACL', 'SETUSER', 'someone', '-evalsha'])
    await expectUnknown()
    expect(isIn('denied')()).to.equal(true)
    await redis.cli(['ACL', 'SETUSER', 'someone', '+evalsha'])
    await untilHealed()
  })

  it('fails over while Redis reads its data, and heals when that is done', async () => {
    redis = await start({
      settings: ['key-load-delay 100', 'loading-process-events-interval-bytes 2048'],
    })
    store = open(redis.url)
    await redis.cli(['DEBUG', 'POPULATE', '5000', 'other'])
    await redis.cli(['SAVE'])
    await redis.kill()
    const started = redis.start()
    await untilIn('failing-over')
    await expectUnknown()
    await started
    await untilHealed()
  })

  it('refuses what it cannot make sense of, and heals when the key is gone', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()
    await redis.cli(['FLUSHALL'])
    for (const tag of ['10', '3', '61', '43'])
      await redis.cli(['RPUSH', `sluice-test:{${tag}}:epoch`, 'x'])
    await expectUnknown()
    expect(isIn('refused')()).to.equal(true)
    await redis.cli(['FLUSHALL'])
    await untilHealed()
  })

  it('answers unknown at once above its bound of waiting calls', async () => {
    redis = await start()
    store = open(redis.url, { timeoutMs: 5_000 })
    await isWell()
    redis.pause()
    const waiting = Array.from({ length: 10_000 }, claim)
    expect(await areAnsweredAtOnce([claim()])).to.equal(true)
    redis.continue()
    expect((await Promise.all(waiting)).every(({ kind }) => kind === 'new')).to.equal(true)
    await isWell()
  })

  it('answers all that is under way with unknown when it is closed, also while Redis is frozen', async () => {
    redis = await start()
    store = open(redis.url)
    await isWell()
    redis.pause()
    const asked = Array.from({ length: 600 }, claim)
    const closed = store.close()
    expect(await areAnsweredAtOnce(asked)).to.equal(true)
    expect(await Promise.all(asked)).to.deep.equal(asked.map(() => ({ kind: 'unknown' })))
    await closed
    redis.continue()
  })
}

if (isServiceHere('redis')) {
  describe('A store in a Redis that is in trouble', function () {
    this.timeout(60_000) // only ends what hangs
    redisInTrouble()
  })
}
