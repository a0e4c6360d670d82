import { expect } from 'chai'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { aRule, refusal, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'
import { aRuleOf, aStep, aWay, giving, itemsOf } from '../support/way-fixture.ts'

/*
 * The promise of delivery.md, 1, arrow by arrow of the path. In each case the process dies on the
 * arrow, another one starts, and every event must come to an outcome; `runs` says how often the
 * actions were carried out in all, for one event unless said otherwise.
 */
interface Arrow {
  readonly name: string
  readonly events?: number
  readonly rule?: Partial<Rule>
  readonly window?: number
  /** What the target answers before the crash; `hang`: nothing. After it, always success. */
  readonly answer: Outcome | 'hang'
  /** Brings the house to the arrow, once the events are on the bus. */
  readonly reach?: (house: House) => Promise<void> | void
  /** Done before the events are emitted. */
  readonly prepare?: (house: House) => void
  readonly runsAfter: number
  readonly dead?: number
}

const arrows: Arrow[] = [
  {
    name: 'bus -> lane: read, and not taken because the window is full',
    events: 5,
    window: 1,
    rule: { concurrency: 1 },
    answer: 'hang',
    runsAfter: 5,
  },
  {
    name: 'admit -> queue: accepted, and waiting for a slot',
    events: 5,
    rule: { concurrency: 1 },
    answer: 'hang',
    runsAfter: 5,
  },
  {
    name: 'queue -> attempt: the target has been asked and has not answered',
    answer: 'hang',
    runsAfter: 1,
  },
  { name: 'attempt -> settle: done, and not committed', answer: success, runsAfter: 1 },
  {
    name: 'settle -> commit: committed',
    answer: success,
    reach: (house) => house.pass(500),
    runsAfter: 0,
  },
  {
    name: 'settle -> retry tier: the bus has not acknowledged the retry',
    answer: status(503),
    prepare: (house) => house.broker.refuseProducesTo('sluice.retry.10s'),
    reach: (house) => house.pass(2_000),
    runsAfter: 1,
  },
  {
    name: 'retry tier -> commit: acknowledged, and not committed; the event and its retry both run',
    answer: status(503),
    runsAfter: 2,
  },
  {
    name: 'retry tier -> queue: committed, and not yet due',
    answer: status(503),
    reach: (house) => house.pass(5_000),
    runsAfter: 1,
  },
  {
    name: 'settle -> dead letters: the bus has not acknowledged the dead letter',
    answer: refusal(400),
    prepare: (house) => house.broker.refuseProducesTo('sluice.dead'),
    reach: (house) => house.pass(2_000),
    runsAfter: 1,
  },
  {
    name: 'dead letters -> commit: acknowledged, and not committed; the same letter stands there still',
    answer: refusal(400),
    runsAfter: 1,
    dead: 1,
  },
  {
    name: 'dead letters -> commit: committed',
    answer: refusal(400),
    reach: (house) => house.pass(500),
    runsAfter: 0,
    dead: 1,
  },
]

describe('a crash on the arrow', () => {
  for (const arrow of arrows) {
    it(`${arrow.name}`, async () => {
      const { events = 1, window = 2_000, answer, runsAfter, dead = 0 } = arrow
      const before = aRule(
        () => (answer === 'hang' ? new Promise(() => {}) : Promise.resolve(answer)),
        arrow.rule,
      )
      const house = await new House({ rules: [before], lane: { window } }).start()
      arrow.prepare?.(house)
      await house.emit(...Array.from({ length: events }, (_, id) => ({ id })))
      await arrow.reach?.(house)
      await house.crash()
      house.broker.takeAllProduces()

      const ran: string[] = []
      const after = aRule(({ event }) => {
        ran.push(event.id)
        return Promise.resolve(success)
      })
      const next = await new House({ rules: [after] }, house, 'process-2').start()
      await next.pass(60_000)
      expect(ran).to.have.length(runsAfter)
      expect(new Set(ran).size).to.equal(Math.min(runsAfter, events))
      expect(next.records('sluice.dead')).to.have.length(dead)
      expect(next.committed()).to.equal(BigInt(events))
      expect(next.ladder()).to.deep.include({ matched: runsAfter, done: runsAfter })
      await next.stop()
    })
  }
})

/*
 * The same in the middle of a way: the first step has succeeded and gave a result, the second one
 * fails at the second of its three elements. `ran` is what is carried out after the crash; a step
 * that reads the result of the first one without having it would not run at all.
 */
interface ArrowInAWay {
  readonly name: string
  readonly answer: Outcome | 'hang'
  readonly prepare?: (house: House) => void
  readonly reach?: (house: House) => Promise<void>
  readonly ran: readonly string[]
}

const rest = ['two "b" with "R"', 'two "c" with "R"']
const whole = ['one', 'two "a" with "R"', ...rest]

const arrowsInAWay: ArrowInAWay[] = [
  {
    name: 'step -> step: the second step has been asked and has not answered',
    answer: 'hang',
    ran: whole,
  },
  {
    name: 'step -> retry tier: the bus has not acknowledged the retry',
    answer: status(503),
    prepare: (house) => house.broker.refuseProducesTo('sluice.retry.10s'),
    reach: (house) => house.pass(2_000),
    ran: whole,
  },
  {
    name: 'retry tier -> commit: acknowledged, and not committed; the event runs anew, its retry the rest',
    answer: status(503),
    ran: [...whole, ...rest],
  },
  {
    name: 'retry tier -> queue: committed; only what is left runs, with the result of before',
    answer: status(503),
    reach: (house) => house.pass(5_000),
    ran: rest,
  },
  {
    name: 'step -> dead letters: the bus has not acknowledged the dead letter',
    answer: refusal(400),
    prepare: (house) => house.broker.refuseProducesTo('sluice.dead'),
    reach: (house) => house.pass(2_000),
    ran: whole,
  },
]

describe('a crash in the middle of a way, on the arrow', () => {
  for (const { name, answer, prepare, reach, ran } of arrowsInAWay) {
    it(name, async () => {
      const house = await new House({ rules: [ruleInAWay([], answer)] }).start()
      prepare?.(house)
      await house.emit({ items: ['a', 'b', 'c'] })
      await reach?.(house)
      await house.crash()
      house.broker.takeAllProduces()

      const done: string[] = []
      const next = await new House(
        { rules: [ruleInAWay(done, success)] },
        house,
        'process-2',
      ).start()
      await next.pass(60_000)
      expect(done).to.deep.equal(ran)
      expect(next.records('sluice.dead')).to.deep.equal([])
      expect(next.committed()).to.equal(1n)
      await next.stop()
    })
  }
})

/** @param atSecond - what the second element of the second step is answered */
function ruleInAWay(done: string[], atSecond: Outcome | 'hang'): Rule {
  const one = aStep(() => (done.push('one'), Promise.resolve(giving('R'))), { as: 'one' })
  const two = aStep(
    ({ item, steps }) => {
      done.push(`two ${JSON.stringify(item)} with ${JSON.stringify(steps?.['one'])}`)
      if (item !== 'b') return Promise.resolve(success)
      return atSecond === 'hang' ? new Promise(() => {}) : Promise.resolve(atSecond)
    },
    { each: itemsOf },
  )
  return aRuleOf([aWay([one, two])])
}
