import { expect } from 'chai'
import { queuedMax } from '../../src/engine/rule-queue.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { aRule, refusal, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

const many = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ value: Buffer.from(JSON.stringify({ id })) }))

function gate() {
  const waiting: ((outcome: Outcome) => void)[] = []
  let running = 0
  let runningMax = 0
  let done = 0
  const rule = aRule(
    () =>
      new Promise<Outcome>((resolve) => {
        running += 1
        runningMax = Math.max(runningMax, running)
        waiting.push((outcome) => {
          running -= 1
          done += 1
          resolve(outcome)
        })
      }),
    { concurrency: 3 },
  )
  const open = (count = Infinity) => {
    for (const answer of waiting.splice(0, count)) answer(success)
  }
  return {
    rule,
    open,
    get runningMax() {
      return runningMax
    },
    get done() {
      return done
    },
  }
}

async function openUntil(house: House, isDone: () => boolean, open: () => void): Promise<void> {
  for (let turn = 0; turn < 20_000 && !isDone(); turn++) {
    open()
    await new Promise(setImmediate)
    if (turn % 50 === 0) await house.clock.advance(1)
  }
}

describe('bounds', () => {
  it('a rule makes no more attempts at once than its concurrency', async () => {
    const target = gate()
    const house = await new House({ rules: [target.rule] }).start()
    await house.produce(...many(20))
    expect(house.ladder().pending).to.deep.include({ inFlight: 3, queue: 17 })
    await openUntil(
      house,
      () => target.done === 20,
      () => target.open(1),
    )
    expect(target.runningMax).to.equal(3)
    await house.stop()
  })

  it('a partition has no more unsettled events than the window of its lane', async () => {
    const target = gate()
    const house = await new House({ rules: [target.rule], lane: { window: 10 } }).start()
    await house.produce(...many(100))
    const { inFlight, queue } = house.ladder().pending
    expect(inFlight + queue).to.equal(10)
    await openUntil(house, () => target.done === 100, target.open)
    expect(target.done).to.equal(100)
    await house.stop()
  })

  it('a rule whose queue is full makes the lane wait, and lets it go on when there is room', async () => {
    const target = gate()
    const house = await new House({ rules: [target.rule], lane: { window: 5_000 } }).start()
    const count = 3 * queuedMax
    await house.produce(...many(count))
    await house.pass(1_000)
    expect(house.ladder().pending.queue).to.be.within(queuedMax, queuedMax + 1)
    expect(house.logged.map(({ sentence }) => sentence)).to.include(
      'the queue of a rule is full; its lane reads nothing until there is room',
    )
    await openUntil(house, () => target.done === count, target.open)
    expect(target.done).to.equal(count)
    await house.pass(500)
    expect(house.committed()).to.equal(BigInt(count))
    await house.stop()
  })

  it('a rule whose queue is full does not make other lanes wait', async () => {
    const target = gate()
    let done = 0
    const topics = {
      text: 'others',
      names: ['others'],
      globs: [],
      matches: (topic: string) => topic === 'others',
    }
    const counted = () => Promise.resolve((done++, success))
    const other = aRule(counted, { name: 'other', lane: 'second', topics })
    const second = { name: 'second', group: 'second', window: 10, startAt: 'earliest' } as const
    const rules = [target.rule, other]
    const house = await new House({ rules, lane: { window: 5_000 }, moreLanes: [second] }).start()
    await house.produce(...many(3 * queuedMax))
    await house.pass(1_000)
    expect(house.ladder().pending.queue).to.be.at.least(queuedMax)
    await house.produce({ topic: 'others', value: Buffer.from('{}') })
    expect(done).to.equal(1)
    await openUntil(
      house,
      () => target.done === 3 * queuedMax,
      () => target.open(),
    )
    await house.stop()
  })

  it('events in memory stay near limits.memory, whatever the backlog', async () => {
    const target = gate()
    const memoryBytes = 200_000
    const house = await new House({ rules: [target.rule], memoryBytes }).start()
    const value = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000) }))
    await house.produce(...Array.from({ length: 2_000 }, () => ({ value })))
    await house.pass(1_000)
    const held = house.metrics.valueOf('sluice_events_held_bytes') ?? Infinity
    expect(held).to.be.greaterThan(memoryBytes / 2)
    expect(held).to.be.lessThan(memoryBytes + 100 * 1_500) // a fetch of the memory bus on top
    await openUntil(house, () => target.done === 2_000, target.open)
    await house.pass(500)
    expect(house.committed()).to.equal(2_000n)
    expect(house.metrics.valueOf('sluice_events_held_bytes')).to.equal(0)
    await house.stop()
  })
})

describe('retries that are not due', () => {
  const cases = [
    { name: 'when they are above it by themselves', memoryBytes: 100_000 },
    { name: 'when a live event adds the last bytes', memoryBytes: 215_000 },
  ]
  for (const { name, memoryBytes } of cases) {
    it(`do not fill limits.memory for as long as they wait, ${name}`, async () => {
      const failing = aRule(() => Promise.resolve(status(503)), { concurrency: 100 })
      let done = 0
      const others = {
        text: 'others',
        names: ['others'],
        globs: [],
        matches: (one: string) => one === 'others',
      }
      const live = aRule(() => Promise.resolve((done++, success)), { name: 'live', topics: others })
      const house = await new House({ rules: [failing, live], memoryBytes }).start()
      const value = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000) }))
      await house.produce(...Array.from({ length: 90 }, () => ({ value })))
      await house.pass(1_000)
      expect(house.ladder().pending.retry).to.equal(90)
      const large = Buffer.from(JSON.stringify({ text: 'x'.repeat(60_000) }))
      for (let i = 1; i <= 3; i++) {
        await house.produce({ topic: 'others', value: large })
        expect(done).to.equal(i)
      }
      await house.pass(10_000)
      expect(house.ladder().retried, 'each of them came back').to.equal(180)
      await house.stop()
    })
  }
})

describe('a bus that is away', () => {
  it('holds the task whose retry it cannot take, and loses nothing', async () => {
    const answers = [status(503)]
    let calls = 0
    const house: House = new House({
      rules: [
        aRule(() => {
          calls += 1
          if (calls === 1) house.broker.goAway()
          return Promise.resolve(answers.shift() ?? success)
        }),
      ],
    })
    await house.start()
    await house.emit({ id: 1 })
    await house.pass(60_000)
    expect(house.ladder().pending).to.deep.include({ inFlight: 1, retry: 0 })
    expect(house.logged.filter(({ level }) => level === 'warn')).to.have.length.within(1, 20)
    house.broker.comeBack()
    await house.pass(20_000)
    expect(calls).to.equal(2)
    expect(house.ladder()).to.deep.include({ done: 1, retried: 1 })
    await house.stop()
  })

  it('keeps commits due until it takes them, and the loop that makes them goes on', async () => {
    const house = await new House({ rules: [aRule(() => Promise.resolve(success))] }).start()
    await house.emit({ id: 1 })
    house.broker.goAway()
    await house.pass(2_000)
    expect(house.committed()).to.equal(0n)
    expect(house.metrics.valueOf('sluice_commit_failures_total', 'default')).to.be.greaterThan(1)
    house.broker.comeBack()
    await house.pass(500)
    expect(house.committed()).to.equal(1n)
    await house.stop()
  })

  it('does not lose a dead letter that it cannot take', async () => {
    const house: House = new House({
      rules: [
        aRule(() => {
          house.broker.goAway()
          return Promise.resolve(refusal(400))
        }),
      ],
    })
    await house.start()
    await house.emit({ id: 1 })
    await house.pass(5_000)
    expect(house.committed()).to.equal(0n)
    house.broker.comeBack()
    await house.pass(20_000)
    expect(house.dead('reason')).to.deep.equal([{ reason: 'status' }])
    expect(house.committed()).to.equal(1n)
    await house.stop()
  })
})
