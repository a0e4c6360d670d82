import { expect } from 'chai'
import { Candidates } from '../../../../src/rules/match-index/candidates.ts'
import { LengthIndex } from '../../../../src/rules/match-index/length-index.ts'

describe('a look-up of lengths', () => {
  const rules = [
    { rule: 0, unitsMax: 10 },
    { rule: 1, unitsMax: 10 },
    { rule: 2, unitsMax: 3 },
    { rule: 3, unitsMax: 0 },
  ]
  const index = new LengthIndex()
  for (const { rule, unitsMax } of rules) index.add(unitsMax, { rule, lists: [] })
  const found = new Candidates(rules.length)

  /** What one walk finds that reads texts of these lengths. */
  function foundBy(lengths: readonly number[]): readonly number[] {
    found.begin()
    for (const units of lengths) index.read(units, found)
    return Array.from({ length: found.count }, (_, i) => found.at(i)).toSorted()
  }

  const rows: readonly (readonly [lengths: readonly number[], rules: readonly number[]])[] = [
    [[], []],
    [[0], []],
    [[1], [3]],
    [[3], [3]],
    [
      [3, 1],
      [2, 3],
    ],
    [
      [5, 5],
      [2, 3],
    ],
    [
      [5, 0, 5, 1],
      [0, 1, 2, 3],
    ],
    [[11], [0, 1, 2, 3]],
    [
      [11, 11],
      [0, 1, 2, 3],
    ],
  ]
  for (const [lengths, expected] of rows) {
    it(`of ${lengths.join(' and ') || 'nothing'} finds ${expected.join(', ') || 'no rule'}`, () => {
      expect(foundBy(lengths)).to.deep.equal(expected)
    })
  }

  it('counts anew in each walk', () => {
    expect(foundBy([10])).to.deep.equal([2, 3])
    expect(foundBy([1])).to.deep.equal([3])
  })
})
