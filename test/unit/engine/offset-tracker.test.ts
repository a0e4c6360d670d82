import { expect } from 'chai'
import fc from 'fast-check'
import { OffsetTracker } from '../../../src/engine/offset-tracker.ts'
import { InvariantError } from '../../../src/model/invariant.ts'

const ascending = fc
  .uniqueArray(fc.bigInt({ min: 0n, max: 10_000n }), { minLength: 1, maxLength: 200 })
  .map((offsets) => offsets.toSorted((a, b) => Number(a - b)))

const readThenSettled = ascending.chain((read) =>
  fc.tuple(fc.constant(read), fc.shuffledSubarray(read)),
)

function tracked(read: readonly bigint[], settled: readonly bigint[]): OffsetTracker {
  const tracker = new OffsetTracker(0n)
  read.forEach((offset) => tracker.accept(offset, Number(offset)))
  settled.forEach((offset) => tracker.settle(offset))
  return tracker
}

describe('an offset tracker', () => {
  it('commits up to the first unsettled offset, in any order and across holes', () => {
    fc.assert(
      fc.property(readThenSettled, ([read, settled]) => {
        const tracker = tracked(read, settled)
        const firstOpen = read.find((offset) => !settled.includes(offset))
        expect(tracker.committable).to.equal(firstOpen ?? (read.at(-1) ?? -1n) + 1n)
        expect(tracker.unsettled).to.equal(read.length - settled.length)
        expect(tracker.oldestMs).to.equal(firstOpen === undefined ? null : Number(firstOpen))
      }),
    )
  })

  it('has an island over each settled offset above it, and over no unsettled one', () => {
    fc.assert(
      fc.property(readThenSettled, ([read, settled]) => {
        const tracker = tracked(read, settled)
        const islands = tracker.islands()
        const isIn = (offset: bigint) =>
          islands.some(({ from, to }) => offset >= from && offset < to)
        for (const offset of read) {
          const isAbove = offset > tracker.committable
          expect(isIn(offset), `${offset}`).to.equal(isAbove && settled.includes(offset))
        }
      }),
    )
  })

  it('costs no more for all that passes by an event which hangs', () => {
    const tracker = new OffsetTracker(0n)
    tracker.accept(0n, 0)
    for (let offset = 1n; offset < 300_000n; offset++) {
      tracker.accept(offset, 0)
      tracker.settle(offset)
    }
    const startedMs = performance.now()
    for (let commit = 0; commit < 100; commit++) {
      expect(tracker.islands()).to.deep.equal([{ from: 1n, to: 300_000n }])
    }
    expect(performance.now() - startedMs).to.be.lessThan(200) // 700 with a place for each event
  })

  it('passes a hole at the end of a fetch once everything before it is settled', () => {
    const tracker = new OffsetTracker(5n)
    tracker.accept(5n, 0)
    tracker.skipTo(9n)
    expect(tracker.committable).to.equal(5n)
    tracker.settle(5n)
    expect(tracker.committable).to.equal(9n)
  })

  it('starts at its position, with nothing to commit beyond it', () => {
    const tracker = new OffsetTracker(7n)
    expect(tracker.committable).to.equal(7n)
    expect(tracker.islands()).to.deep.equal([])
    expect(tracker.span).to.equal(0n)
  })

  const broken = [
    { name: 'an offset settled twice', run: (t: OffsetTracker) => [t.settle(1n), t.settle(1n)] },
    { name: 'an offset settled that was not accepted', run: (t: OffsetTracker) => t.settle(3n) },
    { name: 'an offset accepted again', run: (t: OffsetTracker) => t.accept(1n, 0) },
    { name: 'an offset accepted behind its time', run: (t: OffsetTracker) => t.accept(0n, 0) },
  ]
  for (const { name, run } of broken) {
    it(`takes ${name} for a fault of ours`, () => {
      const tracker = new OffsetTracker(1n)
      tracker.accept(1n, 0)
      tracker.accept(2n, 0)
      expect(() => run(tracker)).to.throw(InvariantError)
    })
  }
})
