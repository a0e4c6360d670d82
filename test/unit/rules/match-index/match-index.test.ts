import { expect } from 'chai'
import fc from 'fast-check'
import type { Json, JsonObject } from '../../../../src/model/json.ts'
import type { BusRecord } from '../../../../src/model/record.ts'
import { runAtOnce } from '../../../../src/rules/match-index/in-slices.ts'
import { MatchIndex } from '../../../../src/rules/match-index/match-index.ts'
import { anEvent, headersOf } from '../../../support/builders.ts'
import { aMatchRule, type WrittenMatch } from '../../../support/match-rule.ts'

type Match = Omit<WrittenMatch, 'name'>

const lists = new Map<string, Json>([
  ['many', Array.from({ length: 40 }, (_, i) => `v${i}`)],
  ['numbers', Array.from({ length: 40 }, (_, i) => i)],
])

const when = (block: JsonObject): Match => ({ when: block })

function indexOf(matches: readonly Match[]): MatchIndex {
  const rules = matches.map((match, i) => aMatchRule({ name: `r${i}`, ...match }, {}, lists))
  return runAtOnce(MatchIndex.of(rules))
}

function candidatesOf(
  index: MatchIndex,
  body: Json,
  record: Partial<BusRecord> = {},
): readonly string[] {
  const found = index.candidates(anEvent(body, record))
  const numbers = Array.from({ length: found.count }, (_, i) => found.at(i))
  return numbers.sort((a, b) => a - b).map((number) => index.rules[number]?.name ?? '')
}

/* What each key of the index must find, and for which of the other events it keeps the rule back. */

const long = 'x'.repeat(65_537)

const rows: readonly {
  readonly match: Match
  readonly finds: readonly Json[]
  readonly keepsBack: readonly Json[]
}[] = [
  {
    match: when({ a: 1 }),
    finds: [{ a: 1 }, { a: [2, 1] }],
    keepsBack: [{ a: '1' }, {}, [1], null],
  },
  { match: when({ a: 0 }), finds: [{ a: 0 }, { a: -0 }], keepsBack: [{ a: false }, { a: null }] },
  {
    match: when({ a: null }),
    finds: [{ a: null }, { a: [null] }],
    keepsBack: [{}, { a: [[null]] }],
  },
  {
    match: when({ a: true }),
    finds: [{ a: true }],
    keepsBack: [{ a: 'true' }, { a: { b: true } }],
  },
  { match: when({ a: '' }), finds: [{ a: '' }], keepsBack: [{ a: ' ' }] },
  {
    match: when({ 'a.b': 'x' }),
    finds: [{ a: { b: 'x' } }],
    keepsBack: [{ a: [{ b: 'x' }] }, { a: 'x' }],
  },
  { match: when({ constructor: 'x' }), finds: [{ constructor: 'x' }], keepsBack: [{}] },
  {
    match: when({ 'constructor.name': 'Object' }),
    finds: [{ constructor: { name: 'Object' } }],
    keepsBack: [{}],
  },
  { match: when({ toString: { exists: false } }), finds: [{}], keepsBack: [{ toString: 1 }] },
  {
    match: when({ a: ['x', 2, 'y', 4, 'z', 6] }),
    finds: [{ a: 'z' }, { a: 6 }],
    keepsBack: [{ a: '6' }],
  },
  {
    match: when({ a: { in: 'many' } }),
    finds: [{ a: 'v39' }],
    keepsBack: [{ a: 'v40' }, { a: 'V39' }],
  },
  {
    match: when({ a: { in: 'many', ci: true } }),
    finds: [{ a: 'V39' }],
    keepsBack: [{ a: 'V40' }],
  },
  {
    match: when({ a: { equals: 'Straße', ci: true } }),
    finds: [{ a: 'STRAßE' }],
    keepsBack: [{ a: 'STRASSE' }],
  },
  {
    match: when({ a: { prefix: 'ab' } }),
    finds: [{ a: 'abc' }, { a: ['x', 'ab'] }],
    keepsBack: [{ a: 'a' }],
  },
  {
    match: when({ a: { prefix: 'ab', ci: true } }),
    finds: [{ a: 'ABC' }],
    keepsBack: [{ a: 'bc' }],
  },
  {
    match: when({ a: { suffix: 'yz' } }),
    finds: [{ a: 'xyz' }],
    keepsBack: [{ a: 'z' }, { a: 5 }],
  },
  { match: when({ a: { contains: 'mid' } }), finds: [{ a: 'amidst' }], keepsBack: [{ a: 'mi d' }] },
  { match: when({ a: { glob: 'x*mid*y' } }), finds: [{ a: 'x mid y' }], keepsBack: [{ a: 'z' }] },
  { match: when({ a: { glob: 'x\\*y' } }), finds: [{ a: 'x*y' }], keepsBack: [{ a: 'x-y' }] },
  { match: when({ a: { glob: '*' } }), finds: [{ a: 'x' }], keepsBack: [{}] },
  {
    match: when({ a: { regex: '^ab[0-9]+' } }),
    finds: [{ a: 'ab1' }, { a: long }],
    keepsBack: [{ a: 'b1' }],
  },
  {
    match: when({ a: { regex: '^ab$' } }),
    finds: [{ a: 'ab' }, { a: [long] }],
    keepsBack: [{ a: 'abc' }],
  },
  {
    match: when({ a: { regex: '[0-9]+mid', search: true } }),
    finds: [{ a: '1mid' }, { a: long }],
    keepsBack: [{ a: 'x' }],
  },
  { match: when({ a: { regex: '^[0-9]' } }), finds: [{ a: '1' }, { a: long }], keepsBack: [{}] },
  {
    match: when({ a: { gte: 1, lt: 3 } }),
    finds: [{ a: 1 }, { a: [7, 2.5] }],
    keepsBack: [{ a: '2' }, { a: 4 }],
  },
  {
    match: when({ a: { cidr: '10.0.0.0/8' } }),
    finds: [{ a: '10.9.9.9' }],
    keepsBack: [{ a: '11.0.0.0' }],
  },
  { match: when({ a: { exists: true } }), finds: [{ a: null }, { a: [] }], keepsBack: [{}] },
  { match: when({ a: { exists: false } }), finds: [{}, 5, []], keepsBack: [{ a: null }] },
  {
    match: when({ 'a.b': { exists: false } }),
    finds: [{}, { a: 1 }, { a: {} }, { a: [] }],
    keepsBack: [{ a: { b: 0 } }],
  },
  {
    match: when({ a: { has_all: ['x', 'y'] } }),
    finds: [{ a: ['y', 'x'] }],
    keepsBack: [{ a: ['z'] }],
  },
  { match: when({ a: { has_only: ['x'] } }), finds: [{ a: [] }, { a: ['x'] }], keepsBack: [{}] },
  { match: when({ a: { len: 2 } }), finds: [{ a: [1, 2] }], keepsBack: [{}] },
  {
    match: when({ a: { differs_from: 'b' } }),
    finds: [{ a: 1 }, { b: 1 }],
    keepsBack: [{}, { c: 1 }],
  },
  {
    match: when({ a: { not: { has_only: ['x'] } }, b: 1 }),
    finds: [{ b: 1 }],
    keepsBack: [{ a: 1 }],
  },
  { match: when({ a: { not: 'x' }, b: 1 }), finds: [{ b: 1 }], keepsBack: [{ a: 'y' }] },
  {
    match: when({ any: [{ a: 1 }, { b: 2 }] }),
    finds: [{ a: 1 }, { b: 2 }],
    keepsBack: [{ a: 2, b: 1 }],
  },
  {
    match: when({ any: [{ a: 1 }, { b: { exists: false } }] }),
    finds: [{}, { a: 1, b: 1 }],
    keepsBack: [{ b: 1 }],
  },
  { match: when({ none: [{ a: { exists: false } }] }), finds: [{ a: 1 }], keepsBack: [{}] },
  {
    match: when({ none: [{ a: { exists: false } }, { b: 1 }] }),
    finds: [{ a: 1 }],
    keepsBack: [{ b: 1 }],
  },
  { match: { unless: [{ a: { exists: true } }] }, finds: [{}], keepsBack: [{ a: 1 }] },
  { match: { cases: [{ a: 1 }, { b: 1 }] }, finds: [{ a: 1 }, { b: 1 }], keepsBack: [{ c: 1 }] },
  {
    match: when({ some: { path: 'a', where: { b: 1, c: 2 } } }),
    finds: [{ a: [{}, { b: 1, c: 2 }] }],
    keepsBack: [{ a: [{ b: 2 }] }, { a: { b: 1, c: 2 } }, { b: 1, c: 2 }],
  },
  {
    match: when({ some: { path: 'a', where: { b: { exists: false } } } }),
    finds: [{ a: [{ b: 1 }, {}] }, { a: [5] }],
    keepsBack: [{ a: [{ b: 1 }] }, { a: [] }, {}],
  },
  {
    match: when({ some: { path: 'a', where: { some: { path: 'b', where: { c: 'x' } } } } }),
    finds: [{ a: [{ b: [{ c: 'x' }] }] }],
    keepsBack: [{ a: [{ b: [{ c: 'y' }] }] }, { a: [{ c: 'x' }] }],
  },
  {
    match: when({ some: { path: 'a', where: { b: { not: 1 } } } }),
    finds: [{ a: [{ b: 2 }] }],
    keepsBack: [{}],
  },
]

describe('the index', () => {
  for (const { match, finds, keepsBack } of rows) {
    it(`files ${JSON.stringify(match)}`, () => {
      const index = indexOf([match])
      for (const body of finds) {
        expect(candidatesOf(index, body), JSON.stringify(body).slice(0, 80)).to.have.length(1)
      }
      for (const body of keepsBack) {
        expect(candidatesOf(index, body), JSON.stringify(body).slice(0, 80)).to.have.length(0)
      }
    })
  }

  it('files by parts of the record', () => {
    const index = indexOf([
      when({ '@key': 'k' }),
      when({ '@headers.kind': { prefix: 'x' } }),
      when({ '@partition': { gte: 3 } }),
      when({ '@key': { exists: false } }),
      when({ some: { path: 'a', where: { '@topic': 'edits' } } }),
    ])
    const record = {
      topic: 'other',
      key: Buffer.from('k'),
      headers: headersOf({ kind: 'xy' }),
      partition: 3,
    }
    expect(candidatesOf(index, {}, record)).to.deep.equal(['r0', 'r1', 'r2'])
    expect(candidatesOf(index, {}, { topic: 'other' })).to.deep.equal(['r3'])
    expect(candidatesOf(index, { a: [1] })).to.deep.equal(['r3', 'r4'])
  })

  it('finds a rule once, however many of its keys are met', () => {
    const index = indexOf([when({ any: [{ a: [1, 2, 3] }, { b: { prefix: 'x' } }, { b: 'xy' }] })])
    expect(candidatesOf(index, { a: [1, 2, 3, 1], b: ['xy', 'xz'] })).to.deep.equal(['r0'])
  })

  it('finds all rules that name one list, and those with a list of their own', () => {
    const matches = [
      ...Array.from({ length: 20 }, () => when({ a: { in: 'many' } })),
      when({ a: ['v1', 'w', 'x', 'y', 'z'] }),
      when({ a: { in: 'numbers' } }),
      when({ a: ['v1', 'w', 'x', 'y', 'z'] }),
    ]
    const index = indexOf(matches)
    expect(candidatesOf(index, { a: 'v1' })).to.have.length(22)
    expect(candidatesOf(index, { a: ['z', 7] })).to.deep.equal(['r20', 'r21', 'r22'])
  })

  it('does without a path if its rules are as rare at one that others need', () => {
    const index = indexOf([
      ...Array.from({ length: 60 }, (_, i) => when({ domain: `d${i}`, user: `u${i}` })),
      ...Array.from({ length: 5 }, (_, i) => when({ domain: { prefix: 'd' }, page: `p${i}` })),
      when({ user: 'somebody' }),
    ])
    expect(candidatesOf(index, { domain: 'd3' })).to.deep.equal([])
    expect(candidatesOf(index, { user: 'u3' })).to.deep.equal(['r3'])
    expect(candidatesOf(index, { user: 'somebody' })).to.deep.equal(['r65'])
  })

  it('gives a list that is empty of rules for an event of no interest', () => {
    const index = indexOf([when({ a: 1 }), when({ b: { prefix: 'x' } })])
    expect(index.candidates(anEvent({ a: 2, b: 'y' })).count).to.equal(0)
    expect(index.candidates(anEvent({ a: 1 })).count).to.equal(1)
    expect(index.candidates(anEvent({ a: 2, b: 'y' })).count).to.equal(0)
  })
})

describe('rules that an index cannot narrow', () => {
  const cases: readonly (readonly [match: Match, why: string | null])[] = [
    [{}, 'it asks for nothing'],
    [when({ a: { not: 1 } }), 'nothing that it asks for can be looked up'],
    [{ unless: [{ a: 1 }] }, 'nothing that it asks for can be looked up'],
    [when({ a: { same_as: 'b' } }), 'nothing that it asks for can be looked up'],
    [when({ any: [{ a: 1 }, { b: { not: 1 } }] }), 'nothing that it asks for can be looked up'],
    [when({ a: { regex: '^[0-9]+' } }), 'no text is in all that the regex matches'],
    [when({ a: { glob: '*' } }), 'the glob has no text between its stars'],
    [when({ a: { differs_from: 'b' } }), 'two values of the event are compared'],
    [when({ a: { len: { gt: 3 } } }), '`len` cannot be looked up'],
    [when({ a: { has_only: [1] } }), '`has_only` needs no member'],
    [when({ a: { exists: true } }), null],
    [when({ a: { exists: false } }), null],
    [when({ a: { not: 1 }, b: 1 }), null],
    [when({ a: { regex: '^[0-9]+' }, b: { contains: 'xyz' } }), null],
    [{ cases: [{ a: 1 }, { b: 1 }] }, null],
  ]
  for (const [match, why] of cases) {
    it(`${why === null ? 'do not include' : 'include'} ${JSON.stringify(match)}`, () => {
      const { residual } = indexOf([match])
      expect(residual.map((one) => one.why)).to.deep.equal(why === null ? [] : [why])
    })
  }
})

/* Shapes in which a wrong choice would make every rule a candidate of every event. */

describe('the key that a rule is filed under', () => {
  const many = 2_000
  const candidates = (block: (i: number) => JsonObject, body: Json): number =>
    candidatesOf(indexOf(Array.from({ length: many }, (_, i) => when(block(i)))), body).length
  const text = (i: number) => `${i * 7_919}x`
  const body = {
    kind: 'edit',
    title: 'Category:',
    wiki: 'enwiki',
    size: 55,
    user: text(5),
    tags: ['a'],
  }

  const shapes: readonly (readonly [name: string, block: (i: number) => JsonObject])[] = [
    ['one kind and ranges', (i) => ({ kind: 'edit', size: { gte: i * 10, lt: i * 10 + 10 } })],
    ['one kind and values', (i) => ({ kind: 'edit', user: text(i) })],
    ['one prefix and values', (i) => ({ title: { prefix: 'Category:' }, user: text(i) })],
    ['one prefix and suffixes', (i) => ({ title: { prefix: 'Cat' }, user: { suffix: text(i) } })],
    ['one literal in all globs', (i) => ({ title: { glob: `*Category:*${text(i)}*` } })],
    ['one short literal in globs', (i) => ({ title: { glob: `*e*${text(i)}*` } })],
    ['half-open ranges and values', (i) => ({ size: { gte: i % 50 }, user: text(i) })],
    ['one list and values', (i) => ({ wiki: { in: 'many' }, user: text(i) })],
    ['presence and values', (i) => ({ kind: { exists: true }, user: { prefix: text(i) } })],
    [
      'one kind or another, and values',
      (i) => ({ any: [{ kind: 'edit' }, { kind: 'new' }], user: text(i) }),
    ],
    ['one address block and values', (i) => ({ user: { cidr: '10.0.0.0/8' }, title: text(i) })],
    ['one literal for all and values', (i) => ({ title: { contains: 'Category' }, user: text(i) })],
  ]
  for (const [name, block] of shapes) {
    it(`is the one that few share: ${name}`, () => {
      expect(candidates(block, body)).to.be.below(12)
    })
  }

  it('is not a part that the values of all other rules have', () => {
    const rules = Array.from({ length: many }, (_, i) =>
      when(
        i % 400 === 0 ? { host: { suffix: '.org' }, space: 2 } : { host: `${i}.org`, space: i % 5 },
      ),
    )
    expect(candidatesOf(indexOf(rules), { host: 'w.org', space: 3 })).to.deep.equal([])
  })

  it('is helped by a second one where many share it and nothing is rare', () => {
    const found = candidates((i) => ({ title: { prefix: 'Cat' }, wiki: `w${i % 500}` }), {
      ...body,
      wiki: 'w7',
    })
    expect(found).to.equal(many / 500)
  })

  it('is helped by a second one at a list, a missing or a foreign value as it is asked for', () => {
    const rules = Array.from({ length: 50 }, (_, i) =>
      when({ kind: 'edit', wiki: { prefix: 'w' }, n: i % 5 }),
    )
    const index = indexOf([...rules, when({ kind: 'edit', wiki: { prefix: 'w' } })])
    expect(candidatesOf(index, { kind: 'edit', wiki: 'w', n: [1, 7] })).to.include('r1')
    expect(candidatesOf(index, { kind: 'edit', wiki: 'w', n: 2 })).to.have.length(11)
    expect(candidatesOf(index, { kind: 'edit', wiki: 'w', n: '2' })).to.deep.equal(['r50'])
    expect(candidatesOf(index, { kind: 'edit', wiki: 'w' })).to.deep.equal(['r50'])
  })
})

/* Whatever is asked: nothing that fires or is in doubt is kept back. */

describe('an index of arbitrary rules', () => {
  const scalar = fc.constantFrom<Json>(
    null,
    true,
    0,
    1,
    2,
    '',
    'a',
    'ab',
    'ba',
    'aba',
    'A',
    '10.0.0.1',
  )
  const path = fc.constantFrom('a', 'b', 'o.a', 'o.b')
  const word = fc.constantFrom('a', 'b', 'ab', 'ba')
  const test: fc.Arbitrary<Json> = fc.oneof(
    { arbitrary: scalar, weight: 3 },
    fc.uniqueArray(scalar, { minLength: 1, maxLength: 8 }),
    fc.record({ prefix: word, ci: fc.boolean() }),
    fc.record({ suffix: word }),
    fc.record({ contains: word }),
    word.map((one) => ({ glob: `${one}*${one}` })),
    word.map((one) => ({ regex: `^${one}.` })),
    word.map((one) => ({ regex: `${one}+`, search: true })),
    fc.constantFrom<Json>({ gte: 1 }, { gt: 0, lte: 1 }, { lt: 1 }, { cidr: '10.0.0.0/24' }),
    fc.constantFrom<Json>({ exists: true }, { exists: false }, { len: 1 }, { same_as: 'b' }),
    fc.constantFrom<Json>({ differs_from: 'a' }, { has_all: ['a', 1] }, { has_only: ['a', 'b'] }),
    scalar.map((one) => ({ not: one })),
    word.map((one) => ({ not: { prefix: one } })),
  )
  const { block } = fc.letrec<{ block: JsonObject; entry: JsonObject; leaf: JsonObject }>(
    (tie) => ({
      leaf: fc.tuple(path, test).map(([at, asked]) => ({ [at]: asked })),
      entry: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        { arbitrary: tie('leaf'), weight: 6 },
        fc
          .tuple(
            fc.constantFrom('any', 'all', 'none'),
            fc.array(tie('block'), { minLength: 1, maxLength: 3 }),
          )
          .map(([name, of]) => ({ [name]: of })),
        tie('block').map((where) => ({ some: { path: 'l', where } })),
      ),
      block: fc
        .array(tie('entry'), { minLength: 1, maxLength: 3 })
        .map((entries) => Object.assign({}, ...entries) as JsonObject), // as: of the entries' type
    }),
  )
  const value: fc.Arbitrary<Json> = fc.oneof(
    { arbitrary: scalar, weight: 4 },
    fc.array(scalar, { maxLength: 3 }),
    fc.constantFrom<Json>(long, [long], [['a']], { a: 'a' }),
  )
  const fields = fc.dictionary(fc.constantFrom('a', 'b'), value)
  const body: fc.Arbitrary<Json> = fc.oneof(
    {
      arbitrary: fc
        .tuple(fields, fields, fc.array(fc.oneof(fields, scalar), { maxLength: 3 }))
        .map(([top, o, l]) => ({ ...top, o, l })),
      weight: 9,
    },
    value,
  )

  it('keeps back no rule that fires or is in doubt', () => {
    // Conditions that the loader refuses as impossible are of no interest.
    const compiled = (asked: JsonObject) => {
      try {
        return [aMatchRule({ name: 'r', when: asked })]
      } catch {
        return []
      }
    }
    let fired = 0
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 30 }),
        fc.array(body, { minLength: 5, maxLength: 10 }),
        (blocks, bodies) => {
          const index = runAtOnce(MatchIndex.of(blocks.flatMap(compiled)))
          for (const one of bodies) {
            const event = anEvent(one)
            const found = index.candidates(event)
            const numbers = new Set(Array.from({ length: found.count }, (_, i) => found.at(i)))
            index.rules.forEach((rule, number) => {
              if (rule.fire(event) === null) return
              fired++
              expect(numbers.has(number), JSON.stringify(rule.condition)).to.equal(true)
            })
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(fired).to.be.above(1_000)
  })
})
