import { expect } from 'chai'
import { PortError } from '../../src/ports/port-error.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { aRule, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

const glob = (seen: string[], more: Partial<Rule> = {}): Rule =>
  aRule(
    ({ event }) => {
      seen.push(event.id)
      return Promise.resolve(success)
    },
    { topics: { text: '*', names: [], globs: ['*'], matches: () => true }, ...more },
  )

async function makeTopic(house: House, name: string): Promise<void> {
  const spec = { name, partitions: 1, replication: 1, retentionMs: null, retentionBytes: null }
  await house.bus.admin.ensureTopics([{ ...spec, compacted: false }])
}

const value = Buffer.from('{}')

describe('topics of a glob', () => {
  it('that are there at the start are read, each event once', async () => {
    const seen: string[] = []
    const house = new House({ rules: [glob(seen)] })
    await makeTopic(house, 'edits')
    await house.start()
    await house.produce({ topic: 'edits', value })
    expect(seen).to.deep.equal(['edits/0/0'])
    await house.stop()
  })

  it('that come later are read within half a minute, from their beginning', async () => {
    const seen: string[] = []
    const house = await new House({ rules: [glob(seen)] }).start()
    await makeTopic(house, 'later')
    await house.produce({ topic: 'later', value })
    await house.pass(30_000)
    expect(seen).to.deep.equal(['later/0/0'])
    await house.stop()
  })

  it('that come later are read from their beginning where the lane starts at the latest', async () => {
    const seen: string[] = []
    const lane = { startAt: 'latest' as const }
    const house = await new House({ rules: [glob(seen)], lane }).start()
    await makeTopic(house, 'later')
    await house.produce({ topic: 'later', value })
    await house.pass(30_000)
    expect(seen).to.deep.equal(['later/0/0'])
    await house.stop()
  })

  it('are read although the bus did not let us join at the first try', async () => {
    const seen: string[] = []
    const house = await new House({ rules: [glob(seen)] }).start()
    const consume = house.bus.consume.bind(house.bus)
    house.bus.consume = () => {
      house.bus.consume = consume
      return Promise.reject(new PortError('bus', 'unreachable', 'away for a moment'))
    }
    await makeTopic(house, 'later')
    await house.produce({ topic: 'later', value })
    await house.pass(60_000)
    expect(seen).to.deep.equal(['later/0/0'])
    await house.stop()
  })

  it('do not take in the topics of Sluice itself', async () => {
    const seen: string[] = []
    const failing = aRule(() => Promise.resolve(status(503)), { name: 'failing' })
    const rules = [glob(seen), failing]
    const house = await new House({ rules }).start()
    await house.emit({ id: 1 })
    await house.pass(600_000)
    expect(house.records('sluice.retry.10s').length).to.be.greaterThan(0)
    expect(seen).to.deep.equal(['edits/0/0'])
    await house.stop()
  })
})

describe('a retry tier that the config does not name any more', () => {
  it('is still read until it is empty: what waits in it is not lost', async () => {
    let answer = status(503)
    const rule = aRule(() => Promise.resolve(answer))
    const before = await new House({ rules: [rule], tiersMs: [20_000] }).start()
    const startedMs = before.clock.now()
    await before.emit({ id: 1 })
    expect(before.records('sluice.retry.20s')).to.have.length(1)
    await before.stop()
    answer = success
    const after = await new House({ rules: [rule], tiersMs: [5_000] }, before, 'process-2').start()
    await after.pass(18_000 - (after.clock.now() - startedMs))
    expect(after.ladder().done, 'not before it is due').to.equal(0)
    await after.pass(2_000)
    expect(after.ladder()).to.deep.include({ done: 1 })
    await after.stop()
  })
})
