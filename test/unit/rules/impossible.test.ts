import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { naiveHolds } from '../../oracle/naive.ts'
import { anEvent } from '../../support/builders.ts'
import { parseRule } from '../../support/conditions.ts'

/*
 * What is refused as impossible must hold for no event. Few paths, few values and many events, so
 * that a test that is refused wrongly meets the event that it would have held for.
 */

const lists = { few: ['x', 1] }

const value = fc.constantFrom<Json>('x', 'X', 'xy', 1, 2, null)
const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 })
const text = fc.constantFrom('x', 'y', 'X', 'xy')
const elementTest = fc.oneof(
  value,
  values,
  fc.record(
    {
      equals: fc.oneof(value, values),
      in: fc.constant('few'),
      prefix: text,
      suffix: text,
      glob: fc.constantFrom('x*', '*y', 'x*y', 'xy', 'X'),
      regex: fc.constantFrom('^x', '^X', '^y$'),
      gt: fc.constantFrom(0, 1),
      lte: fc.constantFrom(0, 1, 2),
      not: fc.oneof(value, values, fc.record({ prefix: text })),
      ci: fc.constant(true),
    },
    { requiredKeys: [] },
  ),
) as fc.Arbitrary<Json>
const wholeTest = fc.record(
  {
    exists: fc.boolean(),
    has_all: values,
    has_only: values,
    len: fc.oneof(fc.nat({ max: 2 }), fc.record({ gt: fc.nat({ max: 1 }) })),
    same_as: fc.constantFrom('a', 'b', 'a.b'),
    differs_from: fc.constantFrom('a', 'b', 'a.b'),
    prefix: text,
    not: fc.oneof(value, fc.record({ len: fc.nat({ max: 2 }) })),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Json>
const test = fc.oneof(elementTest, wholeTest)

/** Tests that each can hold alone, of which many exclude each other. */
const possible = fc.constantFrom<Json>(
  'x',
  'X',
  1,
  null,
  ['x', 1],
  { prefix: 'x' },
  { prefix: 'x', len: 2 },
  { glob: 'x*y' },
  { regex: '^x' },
  { equals: 'x', ci: true },
  { gt: 0 },
  { lte: 1 },
  { not: 'x' },
  { not: ['x', 1] },
  { not: { prefix: 'x' } },
  { not: { equals: 'x', ci: true } },
  { not: { len: 2 } },
  { exists: true },
  { exists: false },
  { len: 0 },
  { len: { gt: 1 } },
  { has_all: ['x'] },
  { has_all: ['x', 1] },
  { has_only: ['x'] },
  { has_only: ['x', 'xy', null] },
  { same_as: 'b' },
  { differs_from: 'b' },
  { not: { same_as: 'b' } },
)
const path = fc.constantFrom('a', 'a', 'a', 'b', 'a.b', '@topic')
const tests = fc.dictionary(path, possible, { minKeys: 1, maxKeys: 3 }) as fc.Arbitrary<Json>
const { block } = fc.letrec<{ block: Json }>((tie) => {
  const blocks = fc.array(tie('block'), { minLength: 1, maxLength: 2 })
  const combined = fc.record({ any: blocks, all: blocks, none: blocks }, { requiredKeys: [] })
  return {
    block: fc.oneof(
      { maxDepth: 2 },
      tests,
      fc.tuple(tests, combined).map(([some, more]) => Object.assign({}, some, more)),
      fc.tuple(tests, tests).map((all) => ({ all })),
      tie('block').map((where) => ({ some: { path: 'a', where } })),
    ),
  }
})

const scalars: readonly Json[] = ['x', 'X', 'xy', 'y', 'Xy', 0, 1, 2, null]
const fields: readonly (Json | undefined)[] = [
  undefined,
  ...scalars,
  [],
  ...scalars.map((one) => [one]),
  ['x', 1],
  ['x', 'xy'],
  [1, 2],
  ['X', 'y', null],
  { b: 'x' },
  { b: 1 },
  { b: ['x', 2] },
  [{ b: 'x' }],
  [{ a: 'x', b: 1 }, { b: 'xy' }],
]

/** Events that hold every pair of fields, over a few records. */
const events = fields.flatMap((a) =>
  fields.map((b, i) => {
    const body = { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) }
    return anEvent(body, { topic: i % 2 === 0 ? 'x' : 'xy', partition: i % 3 })
  }),
)

describe('a rule that is refused as impossible', () => {
  it('holds for no event', () => {
    let refused = 0
    fc.assert(
      fc.property(block, fc.option(block), (when, exception) => {
        const unless = exception === null ? [] : [exception]
        const { problems } = parseRule(unless.length === 0 ? { when } : { when, unless }, lists)
        if (!problems.every(({ code }) => code === 'impossible')) return
        if (
          !problems.every(({ message }) => /can never hold|must not hold|no branch/.test(message))
        )
          return
        if (problems.length === 0) return
        refused++
        const holding = events.find(
          (event) =>
            naiveHolds(when, event, lists) === true &&
            unless.every((one) => naiveHolds(one, event, lists) === false),
        )
        expect(holding?.body, problems[0]?.message).to.equal(undefined)
      }),
      { numRuns: 400 },
    )
    expect(refused).to.be.greaterThan(25)
  }).timeout(30_000)

  it('is looked for at a bounded cost, however many tests of one field there are', () => {
    const lists = Array.from({ length: 500 }, (_, i) =>
      Array.from({ length: 200 }, (_, j) => i + j),
    )
    const none = lists.map((values) => ({ a: values }))
    const any = Array.from({ length: 1_000 }, (_, i) => ({ a: i }))
    expect(parseRule({ when: { a: 'x', none, any } }).problems).to.deep.equal([])
  }).timeout(3_000) // half a minute without the bound

  it('holds for no event where one map of tests is refused', () => {
    let refused = 0
    fc.assert(
      fc.property(test, (source) => {
        const when = { a: source }
        const { problems } = parseRule({ when }, lists)
        if (problems.length === 0 || problems.some(({ code }) => code !== 'impossible')) return
        refused++
        const holding = events.find((event) => naiveHolds(when, event, lists) === true)
        expect(holding?.body, problems[0]?.message).to.equal(undefined)
      }),
      { numRuns: 250 },
    )
    expect(refused).to.be.greaterThan(5)
  }).timeout(30_000)
})
