import { expect } from 'chai'
import { deadReasons, skipReasons } from '../../src/model/outcome.ts'
import { aRule, headersOf, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

const rule = aRule(() => Promise.resolve(success))

describe('the ladder of a rule', () => {
  it('is scraped as it is printed, tasks of a former process included', async () => {
    const failing = aRule(() => Promise.resolve(status(503)))
    const before = await new House({ rules: [failing] }).start()
    await before.emit({ id: 1 })
    await before.stop()
    const house = await new House({ rules: [rule] }, before, 'process-2').start()
    await house.pass(10_000)
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1 })
    expect(house.metrics.valueOf('sluice_rule_matched_total', 'purge')).to.equal(1)
    expect(house.metrics.valueOf('sluice_rule_done_total', 'purge')).to.equal(1)
    await house.stop()
  })

  it('balances while a dead letter that nobody attempted waits for the bus', async () => {
    const house = await new House({ rules: [rule] }).start()
    house.broker.refuseProducesTo('sluice.dead')
    const lineage = { 'sluice-root': 'a/0/1', 'sluice-hops': '2', 'sluice-path': 'purge,purge' }
    await house.produce({ value: Buffer.from('{}'), headers: headersOf(lineage) })
    expect(house.ladder().pending.inFlight).to.equal(1)
    house.broker.takeAllProduces()
    await house.pass(10_000)
    expect(house.ladder()).to.deep.include({ matched: 1, dead: { loop: 1 } })
    await house.stop()
  })

  it('has every counter from the start, so that a rate sees the first of its kind', async () => {
    const house = await new House({ rules: [rule] }).start()
    const { metrics } = house
    expect(metrics.valueOf('sluice_rule_matched_total', 'purge')).to.equal(0)
    for (const reason of skipReasons) {
      expect(metrics.valueOf('sluice_rule_skipped_total', 'purge', reason), reason).to.equal(0)
    }
    for (const reason of deadReasons) {
      expect(metrics.valueOf('sluice_rule_dead_total', 'purge', reason), reason).to.equal(0)
    }
    for (const reason of ['timeout', 'refused', 'reset', 'dns', 'tls', 'status']) {
      expect(metrics.valueOf('sluice_rule_retried_total', 'purge', reason), reason).to.equal(0)
    }
    expect(metrics.valueOf('sluice_commit_failures_total', 'default')).to.equal(0)
    expect(metrics.valueOf('sluice_offsets_skipped_total', 'default', 'edits')).to.equal(0)
    await house.stop()
  })
})
