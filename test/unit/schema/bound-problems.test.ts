import { expect } from 'chai'
import fc from 'fast-check'
import type { Problem } from '../../../src/model/problem.ts'
import { boundProblems, leftOutText } from '../../../src/schema/bound-problems.ts'
import { renderProblems } from '../../../src/schema/render-problem.ts'

function problems(n: number, severity: Problem['severity'], file = 'a.yaml'): readonly Problem[] {
  return Array.from({ length: n }, (_, i) => ({
    ...{ file, severity, line: i + 1, column: 1, code: 'bad-value', message: `${i}` },
    ...{ hint: null, source: { text: 'x', length: 1 } },
  }))
}

describe('the problems that are shown', () => {
  it('are all where no file has more than a hundred', () => {
    const all = [...problems(100, 'error'), ...problems(100, 'warning', 'b.yaml')]
    expect(boundProblems(all)).to.deep.equal({ shown: all, leftOut: [] })
  })

  it('are the first hundred of each file, with how many more it has', () => {
    const all = [...problems(10_000, 'error'), ...problems(2, 'error', 'b.yaml')]
    const { shown, leftOut } = boundProblems(all)
    expect(shown).to.deep.equal([...all.slice(0, 100), ...all.slice(10_000)])
    expect(leftOut).to.deep.equal([{ file: 'a.yaml', errors: 9_900, warnings: 0 }])
  })

  it('are errors before warnings, in their own order', () => {
    const [warnings, errors] = [problems(150, 'warning'), problems(60, 'error')]
    const { shown, leftOut } = boundProblems([...warnings, ...errors])
    expect(shown).to.deep.equal([...warnings.slice(0, 40), ...errors])
    expect(leftOut).to.deep.equal([{ file: 'a.yaml', errors: 0, warnings: 110 }])
  })

  it('and those left out are all that there are', () => {
    const some = fc.tuple(fc.nat(250), fc.nat(250)).map(([errors, warnings]) => ({
      ...{ errors, warnings },
      all: [...problems(errors, 'error'), ...problems(warnings, 'warning')],
    }))
    fc.assert(
      fc.property(some, ({ errors, warnings, all }) => {
        const { shown, leftOut } = boundProblems(all)
        const count = (severity: string): number =>
          shown.filter((one) => one.severity === severity).length
        const [left = { errors: 0, warnings: 0 }] = leftOut
        expect(count('error') + left.errors).to.equal(errors)
        expect(count('warning') + left.warnings).to.equal(warnings)
        expect(shown.length).to.equal(Math.min(100, errors + warnings))
      }),
    )
  })

  const texts = [
    [{ errors: 9_900, warnings: 0 }, 'and 9,900 more errors'],
    [{ errors: 1, warnings: 0 }, 'and 1 more error'],
    [{ errors: 0, warnings: 2 }, 'and 2 more warnings'],
    [{ errors: 3, warnings: 1 }, 'and 3 more errors and 1 more warning'],
  ] as const
  for (const [left, text] of texts) {
    it(`are followed by \`${text}\``, () => {
      expect(leftOutText({ file: 'a.yaml', ...left })).to.equal(text)
    })
  }

  it('end in text with the number of the others', () => {
    const blocks = renderProblems(problems(102, 'error')).split('\n\n')
    expect(blocks).to.have.length(101)
    expect(blocks.at(-1)).to.equal('a.yaml: and 2 more errors')
  })
})
