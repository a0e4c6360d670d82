import { expect } from 'chai'
import fc from 'fast-check'
import { KeyLanes } from '../../../src/engine/key-lanes.ts'

interface Item {
  readonly key: string | null
  readonly n: number
}

describe('lanes by key', () => {
  it('let in so many of a key, and the others in their order as these leave', () => {
    const lanes = new KeyLanes<Item>(2)
    const entered = [1, 2, 3, 4].map((n) => lanes.enter({ key: 'a', n }))
    expect(entered).to.deep.equal([true, true, false, false])
    expect(lanes.waiting).to.equal(2)
    expect(lanes.leave('a')).to.deep.include({ n: 3 })
    expect(lanes.leave('a')).to.deep.include({ n: 4 })
    expect(lanes.leave('a')).to.equal(null)
    expect(lanes.waiting).to.equal(0)
  })

  it('do not hold up another key, or none', () => {
    const lanes = new KeyLanes<Item>(1)
    expect(lanes.enter({ key: 'a', n: 1 })).to.equal(true)
    expect(lanes.enter({ key: 'b', n: 2 })).to.equal(true)
    expect(lanes.enter({ key: null, n: 3 })).to.equal(true)
    expect(lanes.enter({ key: null, n: 4 })).to.equal(true)
    expect(lanes.leave(null)).to.equal(null)
  })

  it('give up what waits, and keep the order of what stays', () => {
    const lanes = new KeyLanes<Item>(1)
    for (let n = 1; n <= 5; n++) lanes.enter({ key: 'a', n })
    const out = lanes.takeOut(({ n }) => n % 2 === 0)
    expect(out.map(({ n }) => n)).to.deep.equal([2, 4])
    expect(lanes.waiting).to.equal(2)
    expect([lanes.leave('a')?.n, lanes.leave('a')?.n]).to.deep.equal([3, 5])
  })

  it('have as many inside as they may, whatever comes and goes', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('enter' as const), key: fc.constantFrom('a', 'b') }),
        fc.record({ do: fc.constant('leave' as const), key: fc.constantFrom('a', 'b') }),
        fc.record({ do: fc.constant('out' as const), key: fc.constantFrom('a', 'b') }),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (all, max) => {
        const lanes = new KeyLanes<Item>(max)
        const inside = new Map<string, Item[]>()
        const waiting = new Map<string, Item[]>()
        const of = (map: Map<string, Item[]>, key: string): Item[] => {
          const found = map.get(key) ?? []
          map.set(key, found)
          return found
        }
        for (const [n, { do: what, key }] of all.entries()) {
          const item = { key, n }
          if (what === 'enter') of(lanes.enter(item) ? inside : waiting, key).push(item)
          if (what === 'leave' && of(inside, key).length > 0) {
            of(inside, key).shift()
            const next = lanes.leave(key)
            expect(next).to.equal(of(waiting, key).shift() ?? null)
            if (next !== null) of(inside, key).push(next)
          }
          if (what === 'out') {
            expect(lanes.takeOut((one) => one.key === key)).to.deep.equal(of(waiting, key))
            waiting.set(key, [])
          }
          const [isIn, isOut] = [of(inside, key).length, of(waiting, key).length]
          expect(isIn).to.be.at.most(max)
          expect(isOut === 0 || isIn === max, 'none waits while there is room').to.equal(true)
        }
      }),
    )
  })
})
