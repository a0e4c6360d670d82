import { expect } from 'chai'
import fc from 'fast-check'
import { decode } from '../../../src/engine/decode.ts'
import { every } from '../../../src/engine/every.ts'
import { Fifo } from '../../../src/engine/fifo.ts'
import { ladderRest, newLadder } from '../../../src/engine/ladder.ts'
import { MemoryBudget } from '../../../src/engine/memory-budget.ts'
import { produceWaitMs } from '../../../src/engine/patient-producer.ts'
import { RepeatedLog } from '../../../src/engine/repeated-log.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('decoding', () => {
  const cases = [
    { value: '{"a":1}', want: 'decoded' },
    { value: '"text"', want: 'decoded' },
    { value: '{"__proto__":{"a":1}}', want: 'decoded' },
    { value: '', want: 'undecodable' },
    { value: '{', want: 'undecodable' },
    { value: '\uFEFF{}', want: 'undecodable' },
    { value: '{"a":1} trailing', want: 'undecodable' },
    { value: 'NaN', want: 'undecodable' },
  ]
  for (const { value, want } of cases) {
    it(`finds ${JSON.stringify(value)} ${want}`, () => {
      expect(decode({ value: Buffer.from(value) }, 1_000).kind).to.equal(want)
    })
  }

  it('takes a tombstone for null', () => {
    expect(decode({ value: null }, 10)).to.deep.equal({ kind: 'decoded', body: null })
  })

  it('does not parse what is above the bound', () => {
    expect(decode({ value: Buffer.from('"12345678"') }, 9)).to.deep.include({ reason: 'too-large' })
    expect(decode({ value: Buffer.from('"1234567"') }, 9).kind).to.equal('decoded')
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => void decode({ value: Buffer.from(bytes) }, 99)),
    )
  })
})

describe('a fifo', () => {
  it('is an array whose first is taken, for any mix of pushes, shifts and removals', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), value: fc.integer() }),
      fc.record({ kind: fc.constant('shift' as const) }),
      fc.record({ kind: fc.constant('odd-ones-out' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<number>()
        let model: number[] = []
        for (const one of steps) {
          if (one.kind === 'push') {
            fifo.push(one.value)
            model.push(one.value)
          } else if (one.kind === 'shift') {
            expect(fifo.shift()).to.equal(model.shift())
          } else {
            const out = fifo.takeOut((value) => value % 2 !== 0)
            expect(out).to.deep.equal(model.filter((value) => value % 2 !== 0))
            model = model.filter((value) => value % 2 === 0)
          }
          expect(fifo.length).to.equal(model.length)
          expect(fifo.peek()).to.equal(model[0])
        }
        expect(fifo.drain()).to.deep.equal(model)
      }),
    )
  })

  it('stays in order over many thousand items', () => {
    const fifo = new Fifo<number>()
    let taken = 0
    for (let i = 0; i < 10_000; i++) {
      fifo.push(i)
      if (i % 3 !== 0) expect(fifo.shift()).to.equal(taken++)
    }
    while (fifo.length > 0) expect(fifo.shift()).to.equal(taken++)
    expect(taken).to.equal(10_000)
  })
})

describe('the memory budget', () => {
  it('is over above its bound, and tells when there is room well below it', () => {
    const budget = new MemoryBudget(100)
    let reliefs = 0
    budget.onRelief(() => reliefs++)
    budget.add(100)
    expect(budget.isOver).to.equal(false)
    budget.add(1)
    expect(budget.isOver).to.equal(true)
    budget.remove(20)
    expect([budget.isOver, reliefs]).to.deep.equal([true, 0])
    budget.remove(1)
    expect([budget.isOver, reliefs]).to.deep.equal([false, 1])
    expect(budget.bytes).to.equal(80)
  })
})

describe('a log of what repeats', () => {
  it('says a failure once, then every ten seconds with how often it came', () => {
    const clock = new FakeClock()
    const said: unknown[] = []
    const drop = () => {}
    const warn = (fields: object) => void said.push(fields)
    const log = new RepeatedLog(
      { debug: drop, info: drop, warn, error: drop, isDebug: false },
      clock,
    )
    const at = async (ms: number) => {
      await clock.advance(ms)
      log.warn('kind', { n: 1 }, 'failed')
    }
    return at(0)
      .then(() => at(5_000))
      .then(() => at(4_999))
      .then(() => at(1))
      .then(() => {
        log.warn('another kind', {}, 'failed')
        expect(said).to.deep.equal([{ n: 1, repeated: 0 }, { n: 1, repeated: 2 }, { repeated: 0 }])
      })
  })
})

describe('a log of what repeats, and of what came last', () => {
  const logged = () => {
    const clock = new FakeClock()
    const said: unknown[] = []
    const drop = () => {}
    const warn = (fields: object) => void said.push(fields)
    const logger = { debug: drop, info: drop, warn, error: drop, isDebug: false }
    const log = new RepeatedLog(logger, clock)
    for (const n of [1, 2, 3]) log.warn('kind', { n }, 'failed')
    return { clock, said, log }
  }

  it('says the count and the last one after ten seconds, though no other comes', async () => {
    const { clock, said, log } = logged()
    await clock.advance(9_999)
    log.tellWaiting()
    expect(said).to.deep.equal([{ n: 1, repeated: 0 }])
    await clock.advance(1)
    log.tellWaiting()
    log.tellWaiting()
    expect(said).to.deep.equal([
      { n: 1, repeated: 0 },
      { n: 3, repeated: 1 },
    ])
  })

  it('says what is left when all ends', () => {
    const { said, log } = logged()
    log.tellAll()
    log.tellAll()
    expect(said).to.deep.equal([
      { n: 1, repeated: 0 },
      { n: 3, repeated: 1 },
    ])
  })
})

describe('work done every so often', () => {
  it('is never under way twice, and not again once it is ended', async () => {
    const clock = new FakeClock()
    let begun = 0
    let finish: () => void = () => {}
    const end = every(clock, 100, () => {
      begun += 1
      return new Promise((resolve) => (finish = resolve))
    })
    await clock.advance(1_000)
    expect(begun).to.equal(1)
    finish()
    await clock.advance(100)
    expect(begun).to.equal(2)
    end()
    finish()
    await clock.advance(1_000)
    expect(begun).to.equal(2)
    expect(clock.pending).to.equal(0)
  })
})

describe('the wait for a bus that is away', () => {
  it('lies between a tenth of a second and five seconds, and grows', () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 50].map((tries) => produceWaitMs(tries, 0.999_999))
    expect(ceilings).to.deep.equal([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
    expect(produceWaitMs(9, 0)).to.equal(100)
  })
})

describe('the ladder', () => {
  it('has a rest of nothing when every match became something', () => {
    const ladder = newLadder()
    Object.assign(ladder, { matched: 10, done: 3, dead: { loop: 2 }, skipped: { disabled: 1 } })
    Object.assign(ladder.pending, { inFlight: 1, queue: 1, retry: 1, backlog: 1 })
    expect(ladderRest(ladder)).to.equal(0)
    ladder.done -= 1
    expect(ladderRest(ladder)).to.equal(1)
  })
})
