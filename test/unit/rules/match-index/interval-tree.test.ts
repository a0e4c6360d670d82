import { expect } from 'chai'
import fc from 'fast-check'
import type { Interval } from '../../../../src/rules/condition.ts'
import { Candidates } from '../../../../src/rules/match-index/candidates.ts'
import { runAtOnce } from '../../../../src/rules/match-index/in-slices.ts'
import { IntervalTree } from '../../../../src/rules/match-index/interval-tree.ts'
import { foundRules, indicesWhere } from './found-rules.ts'

const closed = { minOpen: false, maxOpen: false }

function treeOf(intervals: readonly Interval[]): IntervalTree {
  const tree = new IntervalTree()
  intervals.forEach((interval, rule) => tree.add(interval, { rule, lists: [] }))
  runAtOnce(tree.finish())
  return tree
}

function finds(intervals: readonly Interval[], values: readonly number[]): void {
  const tree = treeOf(intervals)
  const found = new Candidates(intervals.length)
  for (const value of values) {
    const want = indicesWhere(intervals, ({ min, max }) => min <= value && value <= max)
    expect(foundRules(found, () => tree.lookUp(value, found))).to.deep.equal(want, String(value))
  }
}

describe('a look-up of intervals', () => {
  it('finds those that hold the number, ends included', () => {
    const end = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.constantFrom(-Infinity, Infinity, 0.5, -0),
    )
    const interval = fc
      .tuple(end, end)
      .map(([a, b]): Interval => ({ min: Math.min(a, b), max: Math.max(a, b), ...closed }))
    fc.assert(
      fc.property(fc.array(interval), fc.array(end), (intervals, values) => {
        finds(intervals, [...values, Number.MAX_VALUE, -Number.MAX_VALUE])
      }),
      { numRuns: 500 },
    )
  })

  it('finds among more than are sorted in one go', () => {
    const intervals = Array.from({ length: 10_000 }, (_, i) => {
      const min = (i * 7_919) % 10_007
      return { min, max: min + (i % 3), ...closed }
    })
    finds(intervals, [-1, 0, 1, 5_000, 5_000.5, 10_006, 10_008, 20_000])
  })

  it('finds nothing where there are none', () => {
    finds([], [0])
  })
})
