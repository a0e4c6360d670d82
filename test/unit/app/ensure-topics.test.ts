import { expect } from 'chai'
import { ensureTopics } from '../../../src/app/ensure-topics.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { MemoryBroker } from '../../../src/drivers/memory/broker.ts'
import { MemoryBus } from '../../../src/drivers/memory/bus.ts'
import { ownTopics } from '../../../src/engine/own-topics.ts'
import { PortError } from '../../../src/ports/port-error.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const own = ownTopics('sluice', [10_000])

async function made(...set: string[]) {
  const { config } = await loadConfig({ file: null, set, env: {} })
  if (config === null) throw new Error('the config is wrong')
  const broker = new MemoryBroker(new FakeClock())
  const bus = new MemoryBus(broker)
  return { broker, created: () => ensureTopics(config, own, ['edits'], bus) }
}

describe('making topics at the start', () => {
  it('makes those of rules and our own, with what the config says of one', async () => {
    const { broker, created } = await made('bus.topics={ edits: { partitions: 3 } }')
    expect(await created()).to.have.members(['sluice.retry.10s', 'sluice.dead', 'edits'])
    expect(broker.specOf('edits')).to.include({ partitions: 3, compacted: false })
    expect(broker.specOf('sluice.dead')).to.include({ partitions: 6, compacted: true })
  })

  it('makes those that only the config names: a glob may read them', async () => {
    const { created } = await made('bus.topics={ jobs.a: {}, sluice.dead: { partitions: 2 } }')
    const all = ['sluice.retry.10s', 'sluice.dead', 'edits', 'jobs.a']
    expect(await created()).to.have.members(all)
  })

  it('gives retries room for every event taken, and dead letters for those too large to be', async () => {
    const { broker, created } = await made('limits.event=2MiB')
    await created()
    const mib = 2 ** 20
    expect(broker.specOf('sluice.retry.10s')?.recordBytesMax).to.equal(3 * mib)
    expect(broker.specOf('sluice.dead')?.recordBytesMax).to.equal(32 * mib)
  })

  it('names those that are missing where it must not make them', async () => {
    const { broker, created } = await made('bus.ensure_topics=check')
    const error: unknown = await created().catch((why: unknown) => why)
    expect(error).to.be.instanceOf(PortError)
    expect(String(error)).to.include('sluice.retry.10s, sluice.dead, edits')
    expect(broker.names()).to.deep.equal([])
  })
})
