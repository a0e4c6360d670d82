import { expect } from 'chai'
import fc from 'fast-check'
import { compileGlob } from '../../../src/rules/topic-selector.ts'

describe('a glob', () => {
  const cases: readonly (readonly [
    pattern: string,
    fits: readonly string[],
    others: readonly string[],
  ])[] = [
    ['a.b', ['a.b'], ['a.bc', 'xa.b', 'axb', '']],
    ['*', ['', 'a', 'a.b.c'], []],
    ['a.*', ['a.', 'a.b', 'a.b.c'], ['a', 'b.a.']],
    ['*.v1', ['.v1', 'a.v1'], ['a.v1.x', 'v1']],
    ['a.*.v1', ['a.b.v1', 'a..v1', 'a.b.v1.v1'], ['a.v1', 'a.b.v2']],
    ['a*a', ['aa', 'aba'], ['a', 'ab']],
    ['*ab*ab*', ['abab', 'xabyabz'], ['aab', 'ab']],
  ]
  for (const [pattern, fits, others] of cases) {
    it(`${pattern} fits ${fits.join(' ')}${others.length > 0 ? ` and not ${others.join(' ')}` : ''}`, () => {
      const glob = compileGlob(pattern)
      expect(fits.filter((text) => !glob(text))).to.deep.equal([])
      expect(others.filter((text) => glob(text))).to.deep.equal([])
    })
  }

  it('agrees with a regex of `.*`', () => {
    const letters = fc.constantFrom('a', 'b', '.', '*')
    const pattern = fc.array(letters, { maxLength: 6 }).map((all) => all.join(''))
    const text = fc
      .array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
        expect(compileGlob(pattern)(text)).to.equal(regex.test(text))
      }),
      { numRuns: 3_000 },
    )
  })
})
