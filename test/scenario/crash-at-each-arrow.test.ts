import { expect } from 'chai'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { aRule, refusal, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

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
