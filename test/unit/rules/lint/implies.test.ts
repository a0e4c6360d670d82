import { expect } from 'chai'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../../src/model/json.ts'
import { compileCondition } from '../../../../src/rules/compile-condition.ts'
import type { Condition } from '../../../../src/rules/condition.ts'
import { implies } from '../../../../src/rules/lint/implies.ts'
import { parseBlock } from '../../../../src/rules/parse-condition.ts'
import { createReporter } from '../../../../src/schema/reporter.ts'
import { anEvent } from '../../../support/builders.ts'

const lists = new Map<string, Json>([
  ['wikis', ['enwiki', 'dewiki']],
  ['some-wikis', ['dewiki']],
])

/** `null` where the block cannot be loaded. */
function parsed(block: JsonObject): Condition | null {
  const reporter = createReporter({
    problemAt: (_at, _part, complaint) => ({
      file: 'a.yaml',
      line: 1,
      column: 1,
      source: null,
      ...complaint,
    }),
  })
  return parseBlock(block, [], { lists, reporter }, { isIndexable: true })
}

function follows(narrow: JsonObject, wide: JsonObject): boolean {
  const [a, b] = [parsed(narrow), parsed(wide)]
  if (a === null || b === null) throw new Error(JSON.stringify([narrow, wide]))
  return implies(a, b)
}

describe('from one condition follows another:', () => {
  const pairs: readonly (readonly [narrow: JsonObject, wide: JsonObject])[] = [
    [{ a: 1 }, { a: 1 }],
    [{ a: 1, b: 2 }, { b: 2 }],
    [{ a: 1 }, { a: [1, 2] }],
    [{ a: [1, 2] }, { a: [3, 2, 1] }],
    [{ a: 1 }, { a: { exists: true } }],
    [{ a: 1 }, { a: { gte: 1 } }],
    [{ a: { in: 'some-wikis' } }, { a: { in: 'wikis' } }],
    [{ a: { in: 'wikis' } }, { a: { suffix: 'wiki' } }],
    [{ a: { gt: 1, lt: 3 } }, { a: { gte: 1 } }],
    [{ a: { prefix: 'abc' } }, { a: { prefix: 'ab' } }],
    [{ a: { prefix: 'abc' } }, { a: { contains: 'bc' } }],
    [{ a: { suffix: 'abc' } }, { a: { glob: '*bc' } }],
    [{ a: { glob: 'a*b*c' } }, { a: { glob: 'a*c' } }],
    [{ a: { glob: 'ab*c' } }, { a: { prefix: 'ab' } }],
    [{ a: { prefix: 'Abc' } }, { a: { prefix: 'aB', ci: true } }],
    [{ a: { prefix: 'Abc', ci: true } }, { a: { prefix: 'aB', ci: true } }],
    [{ a: { equals: 'Abc', ci: true } }, { a: { prefix: 'aB', ci: true } }],
    [{ a: 'abc' }, { a: { regex: '^ab' } }],
    [{ a: { regex: '^ab+' } }, { a: { regex: '^ab+' } }],
    [{ a: { cidr: '10.1.0.0/16' } }, { a: { cidr: '10.0.0.0/8' } }],
    [{ a: '10.1.2.3' }, { a: { cidr: '10.0.0.0/8' } }],
    [{ a: { not: { prefix: 'a' } } }, { a: { not: { prefix: 'ab' } } }],
    [{ a: { exists: false } }, { a: { not: 1 } }],
    [{ a: { has_all: [1, 2] } }, { a: { has_all: [1] } }],
    [{ a: { has_all: [1, 2] } }, { a: 2 }],
    [{ a: { has_only: [1] } }, { a: { has_only: [1, 2] } }],
    [{ a: { len: 2 } }, { a: { len: { gte: 1 } } }],
    [{ a: { differs_from: 'b' } }, { a: { differs_from: 'b' } }],
    [{ a: 1, b: 1 }, { any: [{ a: 1 }, { c: 1 }] }],
    [{ any: [{ a: 1 }, { a: 2 }] }, { a: [1, 2, 3] }],
    [{ any: [{ a: 1 }, { b: 1 }] }, { any: [{ b: [1, 2] }, { a: [1, 2] }] }],
    [{ none: [{ a: [1, 2] }] }, { none: [{ a: 1 }] }],
    [{ none: [{ a: [1, 2] }] }, { a: { not: 1 } }],
    [{ a: { not: [1, 2] } }, { none: [{ a: 1 }] }],
    [{ a: { exists: true } }, { none: [{ a: { exists: false } }] }],
    [{ none: [{ a: 1 }, { b: 1 }] }, { none: [{ a: 1, c: 1 }] }],
    [{ some: { path: 'a', where: { x: 1, y: 2 } } }, { some: { path: 'a', where: { x: [1, 2] } } }],
    [{ some: { path: 'a', where: { x: 1 } } }, { a: { exists: true } }],
    [
      { a: 1, expr: 'event.b > 1.0' },
      { a: 1, expr: 'event.b > 1.0' },
    ],
    [{ 'a.b': 1 }, { all: [{ 'a.b': 1 }] }],
  ]
  for (const [narrow, wide] of pairs) {
    it(`from ${JSON.stringify(narrow)} follows ${JSON.stringify(wide)}`, () => {
      expect(follows(narrow, wide)).to.equal(true)
    })
  }
})

describe('it does not follow, near as it is:', () => {
  const pairs: readonly (readonly [JsonObject, JsonObject])[] = [
    [{ a: 1 }, { a: '1' }],
    [{ a: [1, 3] }, { a: [1, 2] }],
    [{ a: 1 }, { b: 1 }],
    [{ '@topic': 'a' }, { topic: 'a' }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: { gte: 1 } }, { a: { gt: 1 } }],
    // Of a list one element may be above 1 and another below 3.
    [{ all: [{ a: { gt: 1 } }, { a: { lt: 3 } }] }, { a: { gt: 1, lt: 3 } }],
    // ... and one of two elements is no 2.
    [{ a: 1 }, { a: { not: 2 } }],
    [{ a: { prefix: 'ab' } }, { a: { prefix: 'abc' } }],
    [{ a: { glob: 'a*c' } }, { a: { glob: 'a*b*c' } }],
    [{ a: { glob: 'a*' } }, { a: { glob: 'a*a' } }],
    [{ a: { prefix: 'ab', ci: true } }, { a: { prefix: 'ab' } }],
    [{ a: { equals: 'ab', ci: true } }, { a: { regex: '^ab' } }],
    [{ a: { regex: '^ab', ci: true } }, { a: { regex: '^ab' } }],
    [{ a: { cidr: '10.0.0.0/8' } }, { a: { cidr: '10.1.0.0/16' } }],
    [{ a: { cidr: '::/0' } }, { a: { cidr: '0.0.0.0/0' } }],
    [{ a: { not: 1 } }, { a: { exists: true } }],
    [{ a: { has_only: [1] } }, { a: 1 }],
    [{ a: { len: { gte: 1 } } }, { a: { len: 1 } }],
    [{ a: { differs_from: 'b' } }, { a: { differs_from: 'c' } }],
    [{ any: [{ a: 1 }, { b: 1 }] }, { a: 1 }],
    [{ none: [{ a: 1, b: 1 }] }, { none: [{ a: 1 }] }],
    [
      { all: [{ some: { path: 'a', where: { x: 1 } } }, { some: { path: 'a', where: { y: 1 } } }] },
      { some: { path: 'a', where: { x: 1, y: 1 } } },
    ],
    [{ some: { path: 'a', where: { x: 1 } } }, { x: 1 }],
  ]
  for (const [narrow, wide] of pairs) {
    it(`from ${JSON.stringify(narrow)} not ${JSON.stringify(wide)}`, () => {
      expect(follows(narrow, wide)).to.equal(false)
    })
  }
})

const scalar = fc.constantFrom<Json>(null, true, 0, 1, 2, '', '1', 'ab', 'aB', 'abc', 'bab')
const text = fc.constantFrom('a', 'ab', 'aB', 'abc', 'b')
const elementTest: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ equals: scalar }),
  fc.record({ prefix: text }),
  fc.record({ prefix: text, ci: fc.constant(true) }),
  fc.record({ suffix: text, contains: text }),
  fc.record({ glob: fc.constantFrom('a*', '*b', 'a*b', '*a*', 'ab', 'a*b*') }),
  fc.record({ equals: text, ci: fc.constant(true) }),
  fc.record({ gte: fc.constantFrom(0, 1), lt: fc.constantFrom(2, 3) }),
  fc.record({ regex: fc.constantFrom('^a', '^ab', '^a.*b') }),
)
const fieldTest: fc.Arbitrary<Json> = fc.oneof(
  scalar,
  fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }),
  elementTest,
  fc.record({ exists: fc.boolean() }),
  fc.record({ not: fc.oneof(scalar, elementTest) }),
  fc.record({ has_all: fc.uniqueArray(scalar, { minLength: 1, maxLength: 2 }) }),
  fc.record({ has_only: fc.uniqueArray(scalar, { minLength: 1, maxLength: 2 }) }),
  fc.record({ len: fc.constantFrom(0, 1, 2) }),
  fc.record({ differs_from: fc.constantFrom('b', 'c') }),
  fc.record({ same_as: fc.constantFrom('b', 'c') }),
)
const { block } = fc.letrec<{ block: JsonObject; blocks: JsonObject[] }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 2 },
    fc.dictionary(fc.constantFrom('a', 'b'), fieldTest, { minKeys: 1, maxKeys: 2 }),
    fc.record({ any: tie('blocks') }),
    fc.record({ all: tie('blocks') }),
    fc.record({ none: tie('blocks') }),
    fc.record({ some: fc.record({ path: fc.constant('a'), where: tie('block') }) }),
  ),
  blocks: fc.array(tie('block'), { minLength: 1, maxLength: 2 }),
}))
const value = fc.oneof(
  scalar,
  fc.array(fc.oneof(scalar, fc.dictionary(fc.constantFrom('a', 'b'), scalar)), { maxLength: 3 }),
)
const body = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value)

describe('whatever follows', () => {
  it('holds for every event for which the other holds', () => {
    const events = fc.sample(body, { numRuns: 300, seed: 5 }).map((one) => anEvent(one))
    let followed = 0
    fc.assert(
      fc.property(block, block, (a, b) => {
        const [narrow, wide] = [parsed(a), parsed(b)]
        if (narrow === null || wide === null || !implies(narrow, wide)) return
        followed++
        const [isNarrow, isWide] = [compileCondition(narrow), compileCondition(wide)]
        const isWrong = events.find((one) => isNarrow(one) === true && isWide(one) === false)
        expect(isWrong?.body, JSON.stringify([a, b])).to.equal(undefined)
      }),
      { numRuns: 4_000 },
    )
    expect(followed).to.be.above(40)
  }).timeout(10_000)
})
