import { expect } from 'chai'
import type { Outcome } from '../../src/model/outcome.ts'
import { aRule, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

/** A rule whose target answers when told to. */
function hanging() {
  const waiting: ((outcome: Outcome) => void)[] = []
  const rule = aRule(() => new Promise<Outcome>((resolve) => void waiting.push(resolve)))
  const answerAll = () => waiting.splice(0).forEach((answer) => answer(success))
  return { rule, answerAll }
}

function lagOf({ metrics }: House) {
  const value = (name: string) => metrics.valueOf(name, 'default', 'edits')
  return { events: value('sluice_lag_events'), seconds: value('sluice_lag_seconds') }
}

describe('the lag of a lane', () => {
  it('counts what is not settled, is as old as the oldest of it, and ends with it', async () => {
    const { rule, answerAll } = hanging()
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 }, { id: 2 })
    await house.pass(10_000)
    expect(lagOf(house)).to.deep.equal({ events: 2, seconds: 10 })
    expect(house.engine.lag).to.deep.equal({ events: 2, seconds: 10 })
    answerAll()
    await house.pass(5_000)
    expect(lagOf(house)).to.deep.equal({ events: 0, seconds: 0 })
    await house.stop()
  })

  it('stays as it was while the bus is away and our partitions are lost', async () => {
    const { rule, answerAll } = hanging()
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.pass(10_000)
    const [lane] = house.engine.lanes()
    const lost = lane
      ?.positions()
      .map(({ topic, partition, epoch }) => ({ topic, partition, epoch }))
    lane?.onState({ kind: 'unreachable', error: new Error('nobody answers') })
    await lane?.onRevoked(lost ?? [], 0)
    await house.pass(10_000)
    expect(lagOf(house)).to.deep.equal({ events: 1, seconds: 10 })
    answerAll()
    await house.stop()
  })
})
