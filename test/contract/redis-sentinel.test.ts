import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import type { RedisStoreOptions } from '../../src/drivers/redis/options.ts'
import type { Store } from '../../src/ports/store.ts'
import { isServiceHere } from '../services/availability.ts'
import type { RedisSentinels, SentinelOptions } from '../services/redis-sentinels.ts'
import { startSentinels } from '../services/redis-sentinels.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { redisFixture, redisOptions } from './redis-fixture.ts'
import { describeStoreContract, stampAt } from './store-contract.ts'

/** Only ends what hangs: a fail-over takes 2 to 4 s, and some more on busy cores. */
const deadlineMs = 60_000

const serverOf = ({ sentinels, name }: RedisSentinels) =>
  ({
    kind: 'sentinel',
    sentinels: sentinels.map(({ host, port }) => ({ host, port })),
    name,
  }) as const

function redisBehindSentinels(): void {
  let started: RedisSentinels
  let told: RecordingStoreListener
  let store: Store

  async function open(
    options: SentinelOptions = {},
    more: Partial<RedisStoreOptions> & { readonly sentinelPassword?: string } = {},
  ): Promise<void> {
    const { sentinelPassword = null, ...rest } = more
    started = await startSentinels(options)
    told = new RecordingStoreListener()
    const server = { ...serverOf(started), sentinelPassword }
    store = openRedisStore(redisOptions({ server, listener: told, timeoutMs: 500, ...rest }))
  }

  afterEach(async () => {
    await store.close()
    await started.close()
  })

  const own = { rule: 'r', token: 'token', task: 'task', stamp: stampAt(1) }
  const claim = (key: string) =>
    store.claim({ ...own, key, task: 'other', leaseMs: 600_000, against: 'window' })
  const complete = (key: string) =>
    store.complete({ ...own, key, windowMs: 600_000, keepMs: 600_000 })

  async function untilHealed(): Promise<void> {
    await told.until('state ok', () => store.state.kind === 'ok', deadlineMs)
    expect(await claim('new')).to.deep.equal({ kind: 'new' })
  }

  it('is unknown for a while when the primary is killed, and goes on with the new one', async () => {
    await open()
    expect(await complete('k')).to.equal('done')
    const old = await started.primary()
    await old.cli(['WAIT', '1', '5000'])
    const answers: string[] = []
    const killedMs = performance.now()
    await old.kill()
    do {
      answers.push((await claim(`${answers.length}`)).kind)
      await sleep(20) // what matters is that somebody asks all the time
    } while (!answers.includes('unknown') || answers.at(-1) === 'unknown')
    console.log(`      healed ${Math.round(performance.now() - killedMs)} ms after the kill`)
    expect(answers).to.include('unknown')
    expect(new Set(answers.slice(answers.indexOf('unknown'), -1))).to.deep.equal(
      new Set(['unknown']),
    )
    await untilHealed()
    expect(await claim('k'), 'the new primary has the mark').to.include({ kind: 'done' })
    expect(told.wiped).to.equal(0)
  })

  it('leaves a primary that was made a replica', async () => {
    await open()
    const old = await started.primary()
    expect(await complete('k')).to.equal('done')
    await started.sentinels[0]?.cli(['SENTINEL', 'FAILOVER', started.name])
    await started.primaryAfter(old)
    await untilHealed()
    expect(await claim('k')).to.include({ kind: 'done' })
  })

  it('leaves a primary that is frozen', async () => {
    await open()
    expect(await complete('k')).to.equal('done')
    const old = await started.primary()
    old.pause()
    expect(await claim('frozen')).to.deep.equal({ kind: 'unknown' })
    await started.primaryAfter(old)
    await untilHealed()
    old.continue()
  })

  it('finds the primary although a sentinel is down and another is frozen', async () => {
    await open({}, { timeoutMs: 5_000 })
    expect(await complete('k')).to.equal('done')
    await store.close()
    await started.sentinels[0]?.kill()
    started.sentinels[1]?.pause()
    const server = serverOf(started)
    store = openRedisStore(redisOptions({ server, timeoutMs: 5_000 }))
    expect(await claim('k')).to.include({ kind: 'done' })
    started.sentinels[1]?.continue()
  })

  it('shows the sentinels a password of their own', async () => {
    const passwords = {
      sentinelPassword: 'of the sentinels',
      servers: { password: 'of the servers' },
    }
    await open(passwords, {
      ...{ password: 'of the servers', sentinelPassword: 'of the sentinels', timeoutMs: 5_000 },
    })
    expect(await complete('k')).to.equal('done')
  })
}

if (isServiceHere('redis')) {
  describe('A store behind sentinels', function () {
    this.timeout(120_000) // only ends what hangs
    redisBehindSentinels()
  })

  describeStoreContract('Redis behind sentinels', async () => {
    const sentinels = await startSentinels()
    return redisFixture(
      { server: serverOf(sentinels) },
      {
        wipe: async () => void (await (await sentinels.primary()).cli(['FLUSHALL'])),
        close: () => sentinels.close(),
      },
    )
  })
}
