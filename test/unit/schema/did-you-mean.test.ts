import { expect } from 'chai'
import { didYouMean } from '../../../src/schema/did-you-mean.ts'

describe('did you mean', () => {
  const known = ['when', 'unless', 'topics', 'concurrency', 'in', 'not', 'do', 'retry']
  const cases: readonly (readonly [name: string, meant: string | null])[] = [
    ['whem', 'when'],
    ['wehn', 'when'],
    ['When', 'when'],
    ['topic', 'topics'],
    ['unlses', 'unless'],
    ['concurency', 'concurrency'],
    ['cocurrencey', 'concurrency'],
    ['rtery', 'retry'],
    ['id', null], // a name of two letters is near to everything
    ['nto', 'not'],
    ['dedup', null],
    ['', null],
    ['x'.repeat(5_000), null],
  ]
  for (const [name, meant] of cases) {
    it(`${meant === null ? 'offers nothing' : `offers ${meant}`} for ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(didYouMean(name, known)).to.equal(meant === null ? null : `did you mean \`${meant}\`?`)
    })
  }
})
