import { expect } from 'chai'
import { tagOf, tags } from '../../src/drivers/redis/keys.ts'
import type { RedisStoreOptions } from '../../src/drivers/redis/options.ts'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import type { Store } from '../../src/ports/store.ts'
import { isServiceHere } from '../services/availability.ts'
import type { ClusterOptions, RedisCluster } from '../services/redis-cluster.ts'
import { startCluster } from '../services/redis-cluster.ts'
import { RecordingStoreListener } from './recording-store-listener.ts'
import { redisFixture, redisOptions } from './redis-fixture.ts'
import { describeStoreContract, stampAt } from './store-contract.ts'

/** Only ends what hangs: a fail-over takes some seconds. */
const deadlineMs = 60_000

const serverOf = ({ nodes }: RedisCluster) =>
  ({ kind: 'cluster', nodes: nodes.map(({ host, port }) => ({ host, port })) }) as const

/** A user's rights in a cluster, as docs/decisions/redis-ioredis.md says. */
const rights =
  '~sluice:* resetchannels -@all +evalsha +eval +get +set +del +time +client|setname ' +
  '+cluster|slots +cluster|info +readonly +asking'

function redisCluster(): void {
  let cluster: RedisCluster
  let told: RecordingStoreListener
  let store: Store
  let round = 0

  async function open(
    options: ClusterOptions = {},
    more: Partial<RedisStoreOptions> = {},
  ): Promise<void> {
    cluster = await startCluster(options)
    told = new RecordingStoreListener()
    const server = serverOf(cluster)
    store = openRedisStore(redisOptions({ server, listener: told, timeoutMs: 500, ...more }))
  }

  afterEach(async () => {
    await store.close()
    await cluster.close()
  })

  const own = { rule: 'r', token: 'token', task: 'task', stamp: stampAt(1) }
  const claim = (key: string) => store.claim({ ...own, key, leaseMs: 600_000, against: 'window' })

  /** A key for each tag, none of which was used before. */
  function keysOfAllTags(): readonly string[] {
    round++
    return tags.map((_, tag) => {
      for (let i = 0; ; i++) {
        const key = `${round}/${i}`
        if (tagOf({ rule: own.rule, key }) === tag) return key
      }
    })
  }

  const claimAll = async (): Promise<readonly string[]> =>
    (await Promise.all(keysOfAllTags().map(claim))).map(({ kind }) => kind)

  async function isWell(): Promise<void> {
    expect(new Set(await claimAll())).to.deep.equal(new Set(['new']))
    expect(store.state).to.deep.equal({ kind: 'ok' })
  }

  async function untilHealed(): Promise<void> {
    await told.until('state ok', () => store.state.kind === 'ok', deadlineMs)
    await isWell()
  }

  /** Indexes of the tags whose keys are on the node. The first word of an answer is the key's name. */
  async function tagsOn(at: number): Promise<readonly number[]> {
    const names = (await cluster.nodes[at]?.cli(['KEYS', '*:epoch']))?.split('\n') ?? []
    return names.map((name) => tags.findIndex((tag) => name.includes(`{${tag}}`)))
  }

  it('has an even share of the keys on each node', async () => {
    await open()
    await isWell()
    const shares = await Promise.all([0, 1, 2].map(tagsOn))
    expect(shares.map(({ length }) => length).sort()).to.deep.equal([5, 5, 6])
    expect(shares.flat().sort((a, b) => a - b)).to.deep.equal(tags.map((_, at) => at))
  })

  it('does not know the share of a node that is killed, knows the rest, and heals when it is back', async () => {
    await open({ settings: ['cluster-require-full-coverage no'] })
    await isWell()
    const lost = await tagsOn(1)
    await cluster.nodes[1]?.kill()
    await told.until('a degraded state', () => store.state.kind === 'degraded', deadlineMs)
    const answers = await claimAll()
    expect(answers).to.deep.equal(tags.map((_, at) => (lost.includes(at) ? 'unknown' : 'new')))
    await cluster.nodes[1]?.start()
    await untilHealed()
    expect(told.wiped, 'its share is gone').to.equal(1)
  })

  it('does not know the share of a node that is frozen, knows the rest, and heals when it goes on', async () => {
    await open({ settings: ['cluster-require-full-coverage no'] })
    await isWell()
    const lost = await tagsOn(2)
    cluster.nodes[2]?.pause()
    const answers = await claimAll()
    expect(answers).to.deep.equal(tags.map((_, at) => (lost.includes(at) ? 'unknown' : 'new')))
    cluster.nodes[2]?.continue()
    await untilHealed()
    expect(told.wiped).to.equal(0)
  })

  it('fails over as a whole where the cluster wants all of its slots', async () => {
    await open()
    await isWell()
    await cluster.nodes[0]?.kill()
    const isFailingOver = () =>
      store.state.kind === 'degraded' && store.state.trouble === 'failing-over'
    await told.until('state failing-over', isFailingOver, deadlineMs)
    await cluster.nodes[0]?.start()
    await untilHealed()
  })

  it('goes on with the replica of a node that was killed', async () => {
    await open({ hasReplicas: true })
    await isWell()
    const [key = ''] = keysOfAllTags()
    expect(await store.complete({ ...own, key, windowMs: 600_000, keepMs: 0 })).to.equal('done')
    await cluster.nodes[0]?.cli(['WAIT', '1', '5000'])
    const killedMs = performance.now()
    await cluster.nodes[0]?.kill()
    await told.until('a degraded state', () => store.state.kind === 'degraded', deadlineMs)
    await untilHealed()
    console.log(`      healed ${Math.round(performance.now() - killedMs)} ms after the kill`)
    const asked = store.claim({ ...own, key, task: 'other', leaseMs: 1, against: 'window' })
    expect(await asked, 'the replica has the mark').to.include({ kind: 'done' })
    expect(told.wiped).to.equal(0)
  })

  it('goes on with the replica of a node that is frozen', async () => {
    await open({ hasReplicas: true })
    await isWell()
    cluster.nodes[0]?.pause()
    expect(await claimAll()).to.include('unknown')
    await told.until('a degraded state', () => store.state.kind === 'degraded', deadlineMs)
    await untilHealed()
    cluster.nodes[0]?.continue()
  })

  it('follows keys that move to another node', async () => {
    await open()
    await isWell()
    const [from, to] = cluster.nodes
    const id = (await to?.cli(['CLUSTER', 'MYID'])) ?? ''
    const slot = (await from?.cli(['CLUSTER', 'KEYSLOT', `{${tags[0]}}`])) ?? ''
    const names = (await from?.cli(['CLUSTER', 'GETKEYSINSLOT', slot, '100']))?.split('\n') ?? []
    await to?.cli([
      'CLUSTER',
      'SETSLOT',
      slot,
      'IMPORTING',
      (await from?.cli(['CLUSTER', 'MYID'])) ?? '',
    ])
    await from?.cli(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', id])
    await from?.cli(['MIGRATE', '127.0.0.1', String(to?.port), '', '0', '5000', 'KEYS', ...names])
    for (const node of cluster.nodes) await node.cli(['CLUSTER', 'SETSLOT', slot, 'NODE', id])
    await isWell()
    expect(told.wiped).to.equal(0)
    expect(told.states).to.deep.equal([])
  })

  it('tells once that a node was emptied', async () => {
    await open()
    await isWell()
    await cluster.nodes[1]?.cli(['FLUSHALL'])
    await isWell()
    await isWell()
    expect(told.wiped).to.equal(1)
  })

  it('is opened although the first nodes of the list are down', async () => {
    await open({ settings: ['cluster-require-full-coverage no'] }, { timeoutMs: 5_000 })
    await isWell()
    await store.close()
    await cluster.nodes[0]?.kill()
    store = openRedisStore(redisOptions({ server: serverOf(cluster), timeoutMs: 2_000 }))
    expect(new Set(await claimAll())).to.deep.equal(new Set(['new', 'unknown']))
  })

  it('needs no more rights than these', async () => {
    const users = [`sluice on >secret ${rights}`]
    const me = { username: 'sluice', password: 'secret', prefix: 'sluice' }
    await open({ users }, { ...me, timeoutMs: 5_000 })
    await isWell()
    expect(told.states).to.deep.equal([])
    expect(await cluster.nodes[0]?.cli(['ACL', 'LOG'])).to.equal('')
  })
}

if (isServiceHere('redis')) {
  describe('A store in a Redis Cluster', function () {
    this.timeout(120_000) // only ends what hangs
    redisCluster()
  })

  describeStoreContract('Redis Cluster of three nodes', async () => {
    const cluster = await startCluster()
    return redisFixture(
      { server: serverOf(cluster) },
      {
        wipe: async () =>
          void (await Promise.all(cluster.nodes.map((node) => node.cli(['FLUSHALL'])))),
        close: () => cluster.close(),
      },
    )
  })
}
