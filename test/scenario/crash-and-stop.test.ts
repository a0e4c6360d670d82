import { expect } from 'chai'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { aRule, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

/** A target that answers an event only when told to: `answer('edits/0/1')`. */
class HangingTarget {
  readonly calls: string[] = []
  readonly #waiting = new Map<string, (outcome: Outcome) => void>()

  rule(more: Partial<Rule> = {}): Rule {
    return aRule(({ event }, signal) => {
      this.calls.push(event.id)
      return new Promise((resolve) => {
        this.#waiting.set(event.id, resolve)
        signal.addEventListener('abort', () => resolve({ kind: 'aborted' }), { once: true })
      })
    }, more)
  }

  answer(...offsets: number[]): void {
    for (const offset of offsets) this.#waiting.get(`edits/0/${offset}`)?.(success)
  }
}

const three = [{ id: 0 }, { id: 1 }, { id: 2 }] as const

describe('after a crash', () => {
  it('what was in flight runs again, and what was settled above it does not', async () => {
    const target = new HangingTarget()
    const house = await new House({ rules: [target.rule()] }).start()
    await house.emit(...three)
    target.answer(1)
    await house.pass(500) // committed: 0, with the island 1
    expect(house.committed()).to.equal(0n)
    await house.crash()

    const again = new HangingTarget()
    const after = await new House({ rules: [again.rule()] }, house, 'process-2').start()
    expect(again.calls).to.deep.equal(['edits/0/0', 'edits/0/2'])
    again.answer(0, 2)
    await after.pass(500)
    expect(after.committed()).to.equal(3n)
    await after.stop()
  })

  it('between an attempt and the commit, that task runs once more', async () => {
    const target = new HangingTarget()
    const house = await new House({ rules: [target.rule()] }).start()
    await house.emit(...three)
    target.answer(0, 1, 2)
    await house.settle()
    await house.crash() // less than half a second later
    const again = new HangingTarget()
    const after = await new House({ rules: [again.rule()] }, house, 'process-2').start()
    expect(again.calls).to.have.length(3)
    again.answer(0, 1, 2)
    await after.stop()
  })

  it('a task that waits in a retry tier is still there', async () => {
    let answer: Outcome = status(503)
    const calls: number[] = []
    const rule = aRule(({ nowMs }) => {
      calls.push(nowMs)
      return Promise.resolve(answer)
    })
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.pass(500)
    await house.crash()
    answer = success
    const after = await new House({ rules: [rule] }, house, 'process-2').start()
    await after.pass(10_000)
    expect(calls).to.have.length(2)
    expect(after.ladder()).to.deep.include({ matched: 1, done: 1 })
    await after.stop()
  })
})

describe('a clean stop', () => {
  it('lets what is in flight finish, repeats nothing and misses nothing', async () => {
    const target = new HangingTarget()
    const house = await new House({ rules: [target.rule({ concurrency: 2 })] }).start()
    await house.emit(...three)
    expect(target.calls).to.have.length(2)
    const stopped = house.stop()
    target.answer(0, 1)
    await stopped

    const again = new HangingTarget()
    const after = await new House({ rules: [again.rule()] }, house, 'process-2').start()
    expect(again.calls).to.deep.equal(['edits/0/2'])
    again.answer(2)
    await after.stop()
  })

  it('repeats no task of an event whose other task had not begun, and misses neither', async () => {
    const calls: string[] = []
    const quick = aRule(
      ({ event }) => {
        calls.push(event.id)
        return Promise.resolve(success)
      },
      { name: 'quick' },
    )
    const target = new HangingTarget()
    const house = await new House({
      rules: [quick, target.rule({ name: 'slow', concurrency: 1 })],
    }).start()
    await house.emit(...three)
    expect(target.calls).to.deep.equal(['edits/0/0'])
    const stopped = house.stop()
    target.answer(0)
    await stopped
    expect(house.ladder('slow')).to.deep.include({
      matched: 3,
      done: 1,
      skipped: { reassigned: 2 },
    })
    expect(house.committed()).to.equal(3n)

    const again = new HangingTarget()
    const rules = [quick, again.rule({ name: 'slow' })]
    const after = await new House({ rules }, house, 'process-2').start()
    expect(again.calls).to.deep.equal(['edits/0/1', 'edits/0/2'])
    again.answer(1, 2)
    await after.pass(1_000)
    expect(calls).to.deep.equal(['edits/0/0', 'edits/0/1', 'edits/0/2'])
    expect(after.ladder('slow')).to.deep.include({ matched: 2, done: 2 })
    await after.stop()
  })

  it('ends in time although a target hangs, and leaves that task for the next start', async () => {
    const target = new HangingTarget()
    const house = await new House({ rules: [target.rule()] }).start()
    await house.emit(...three)
    target.answer(0, 2)
    await house.settle()
    const before = house.clock.now()
    expect(await house.stop(10_000), 'it says what it left').to.include('purge 1')
    expect(house.clock.now() - before).to.be.at.most(10_000)
    expect(house.ladder().skipped).to.deep.equal({ reassigned: 1 })

    const again = new HangingTarget()
    const after = await new House({ rules: [again.rule()] }, house, 'process-2').start()
    expect(again.calls).to.deep.equal(['edits/0/1'])
    again.answer(1)
    await after.stop()
  })

  it('leaves no timer behind', async () => {
    const house = await new House({ rules: [aRule(() => Promise.resolve(success))] }).start()
    await house.emit(...three)
    await house.stop()
    expect(house.clock.pending).to.equal(0)
  })
})

describe('a rebalance', () => {
  it('to a second replica repeats nothing and misses nothing', async () => {
    const calls: string[] = []
    const rule = () =>
      aRule(({ event }) => {
        calls.push(event.id)
        return Promise.resolve(success)
      })
    const first = await new House({ rules: [rule()], partitions: 4 }).start()
    const records = Array.from({ length: 40 }, (_, i) => ({
      partition: i % 4,
      value: Buffer.from('{}'),
    }))
    await first.produce(...records.slice(0, 20))
    const second = await new House({ rules: [rule()], partitions: 4 }, first, 'process-2').start()
    await first.produce(...records.slice(20))
    await first.pass(1_000)
    expect(calls).to.have.length(40)
    expect(new Set(calls)).to.have.length(40)
    expect(second.ladder().matched).to.be.greaterThan(0)
    await first.stop()
    await second.stop()
  })

  it('leaves a task that fails after its hand-over to the new owner, and makes no retry of it', async () => {
    const failLater: (() => void)[] = []
    const rule = () =>
      aRule(() => new Promise((resolve) => failLater.push(() => resolve(status(503)))))
    const first = await new House({ rules: [rule()] }).start()
    await first.emit({ id: 0 })
    const second = new House({ rules: [rule()] }, first, 'process-2')
    const joined = second.start()
    await first.pass(6_000) // beyond the grace
    await joined
    expect(failLater).to.have.length(2) // the new owner has begun
    failLater[0]?.()
    await first.pass(1_000)
    expect(first.records('sluice.retry.10s')).to.have.length(0)
    failLater[1]?.()
    await first.pass(1_000)
    expect(first.records('sluice.retry.10s')).to.have.length(1)
    await Promise.all([first.stop(), second.stop()])
  })

  it('waits for what is in flight, then hands over; what is late is dropped', async () => {
    const target = new HangingTarget()
    const first = await new House({ rules: [target.rule()] }).start()
    await first.emit(...three)
    target.answer(0, 2)
    await first.settle()
    const again = new HangingTarget()
    const second = new House({ rules: [again.rule()] }, first, 'process-2')
    const joined = second.start()
    await first.pass(5_000) // the grace: the event 1 hangs through it
    await joined
    await first.pass(1_000)
    target.answer(1) // late: its epoch is over
    await first.pass(1_000)
    // Whoever of the two has the partition now runs the event that hung, and no other.
    expect([...target.calls.slice(3), ...again.calls]).to.deep.equal(['edits/0/1'])
    target.answer(1)
    again.answer(1)
    await first.pass(1_000)
    expect(first.committed()).to.equal(3n)
    await Promise.all([first.stop(), second.stop()])
  })
})

describe('a partition that was lost', () => {
  it('has its waiting tasks run by the next owner only: nothing of it is handed over', async () => {
    const quick = aRule(() => Promise.resolve(success), { name: 'quick' })
    const target = new HangingTarget()
    const rules = [quick, target.rule({ name: 'slow', concurrency: 1 })]
    const house = await new House({ rules }).start()
    await house.emit(...three)
    const [lane] = house.engine.lanes()
    const lost = lane
      ?.positions()
      .map(({ topic, partition, epoch }) => ({ topic, partition, epoch }))
    await lane?.onRevoked(lost ?? [], 0)
    await house.pass(1_000)
    expect(house.records('sluice.retry.10s')).to.have.length(0)
    expect(house.ladder('slow').skipped).to.deep.equal({ reassigned: 2 })
    target.answer(0)
    await house.stop()
  })
})

describe('a topic that was made anew under its old name', () => {
  it('is read from its beginning, below the offset that was committed', async () => {
    const calls: string[] = []
    const rule = aRule(({ event }) => {
      calls.push(event.id)
      return Promise.resolve(success)
    })
    const house = await new House({ rules: [rule] }).start()
    await house.emit(...three)
    await house.pass(500)
    expect(house.committed()).to.equal(3n)
    house.broker.makeAnew('edits')
    await house.emit({ id: 3 })
    await house.pass(500)
    expect(calls).to.deep.equal(['edits/0/0', 'edits/0/1', 'edits/0/2', 'edits/0/0'])
    expect(house.committed()).to.equal(1n)
    await house.stop()
  })
})
