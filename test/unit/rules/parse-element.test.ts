import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { parseRule } from '../../support/conditions.ts'

/** The problems of a rule with one test, as they are told. */
function problemsOf(test: Json): readonly string[] {
  return parseRule({ when: { a: test } }).problems.map(({ code, message }) => `${code}: ${message}`)
}

describe('the text of a test', () => {
  const text = (length: number): string => 'x'.repeat(length)
  const rows: readonly { readonly is: string; readonly test: Json; readonly problem?: string }[] = [
    { is: 'contains of 250', test: { contains: text(250) } },
    {
      is: 'contains of 251',
      test: { contains: text(251) },
      problem: 'a text of 251 characters, above 250',
    },
    {
      is: 'contains of 251, ci',
      test: { contains: text(251), ci: true },
      problem: 'a text of 251 characters, above 250',
    },
    { is: 'prefix of 1,000', test: { prefix: text(1_000) } },
    {
      is: 'prefix of 1,001',
      test: { prefix: text(1_001) },
      problem: 'a text of 1001 characters, above 1000',
    },
    { is: 'suffix of 1,000', test: { suffix: text(1_000) } },
    {
      is: 'suffix of 1,001',
      test: { suffix: text(1_001) },
      problem: 'a text of 1001 characters, above 1000',
    },
    { is: 'glob with 250 between stars', test: { glob: `*${text(250)}*y` } },
    {
      is: 'glob with 251 between stars',
      test: { glob: `*y*${text(251)}*y` },
      problem: 'a text of 251 characters between two stars, above 250',
    },
    { is: 'glob with escapes among 250', test: { glob: `*${text(249)}\\**` } },
    { is: 'glob with 499 at each end', test: { glob: `${text(499)}*${text(499)}` } },
    { is: 'glob of 1,000 without a star', test: { glob: text(1_000) } },
    {
      is: 'glob of 1,001',
      test: { glob: `${text(500)}*${text(500)}` },
      problem: 'a text of 1001 characters, above 1000',
    },
    {
      is: 'contains of 251 below `not`',
      test: { not: { contains: text(251) } },
      problem: 'a text of 251 characters, above 250',
    },
    { is: 'equals of 2,000, which is looked up', test: { equals: text(2_000) } },
  ]
  for (const { is, test, problem } of rows) {
    it(`may ${problem === undefined ? '' : 'not '}be ${is}`, () => {
      const errors = problemsOf(test).filter((one) => one.startsWith('bad-test'))
      expect(errors).to.deep.equal(problem === undefined ? [] : [`bad-test: ${problem}`])
    })
  }
})
