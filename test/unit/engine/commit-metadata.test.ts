import { expect } from 'chai'
import fc from 'fast-check'
import {
  decodeIslands,
  encodeIslands,
  metadataCharsMax,
} from '../../../src/engine/commit-metadata.ts'
import type { Run } from '../../../src/engine/offset-tracker.ts'

const base = 1_000_000n

/** Runs apart from each other, above the base, as a tracker makes them. */
const someRuns = (longest: bigint, count: number) =>
  fc
    .array(fc.tuple(fc.bigInt({ min: 1n, max: longest }), fc.bigInt({ min: 1n, max: longest })), {
      maxLength: count,
    })
    .map((pairs) => {
      let at = base
      return pairs.map(([gap, length]): Run => {
        const from = at + gap
        at = from + length
        return { from, to: at }
      })
    })

describe('islands in commit metadata', () => {
  it('come back as they were, few and far or many and near', () => {
    for (const runs of [someRuns(1n << 40n, 50), someRuns(3n, 300), someRuns(300n, 100)]) {
      fc.assert(
        fc.property(runs, (islands) => {
          const text = encodeIslands(base, islands)
          expect(text.length).to.be.at.most(metadataCharsMax)
          expect(decodeIslands(base, text)).to.deep.equal(islands)
        }),
      )
    }
  })

  it('are empty text when there are none', () => {
    expect(encodeIslands(base, [])).to.equal('')
    expect(decodeIslands(base, '')).to.deep.equal([])
  })

  it('take the form that is shorter', () => {
    const dense = Array.from({ length: 200 }, (_, i) => {
      const from = base + 1n + BigInt(2 * i)
      return { from, to: from + 1n }
    })
    expect(encodeIslands(base, dense).slice(0, 2)).to.equal('1b')
    const distant = [{ from: base + 100_000n, to: base + 200_000n }]
    expect(encodeIslands(base, distant).slice(0, 2)).to.equal('1r')
  })

  it('never exceed what the bus takes: the highest are left out, and the others are right', () => {
    const islands = Array.from({ length: 3_000 }, (_, i) => {
      const from = base + BigInt(i) * 100_000n + 1n
      return { from, to: from + 50_000n }
    })
    const text = encodeIslands(base, islands)
    expect(text.length).to.be.at.most(metadataCharsMax)
    const back = decodeIslands(base, text)
    expect(back.length).to.be.greaterThan(400)
    expect(back).to.deep.equal(islands.slice(0, back.length))
  })

  for (const unknown of ['2x9999', 'someone else wrote this', '{"json":true}', '1']) {
    it(`are none when the text is of another make: ${unknown}`, () => {
      expect(decodeIslands(base, unknown)).to.deep.equal([])
    })
  }

  it('never make trouble, whatever the text', () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeIslands(base, text)))
    fc.assert(fc.property(fc.string(), (text) => void decodeIslands(base, `1r${text}`)))
  })
})
