import { expect } from 'chai'
import fc from 'fast-check'
import type { Event } from '../../../src/model/event.ts'
import type { Json } from '../../../src/model/json.ts'
import { invariant } from '../../../src/model/invariant.ts'
import type { Doubt } from '../../../src/rules/condition.ts'
import { compileCondition } from '../../../src/rules/compile-condition.ts'
import { parseBlock } from '../../../src/rules/parse-condition.ts'
import { operators } from '../../../src/rules/parse-operators.ts'
import type { Fired } from '../../../src/rules/rule.ts'
import { createReporter } from '../../../src/schema/reporter.ts'
import { naiveHolds } from '../../oracle/naive.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, ruleText } from '../../support/load-text.ts'

const namedLists = 'lists: { quiet: [testwiki], big: [enwiki, dewiki] }\n'

/** How a rule of these lines fires; its warnings are another test's. */
async function firing(lines: string, event: Event): Promise<Fired | null> {
  const { ruleSet, problems } = await loadText(namedLists + ruleText(lines))
  expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([])
  const [rule] = ruleSet?.rules ?? []
  invariant(rule !== undefined, 'one rule')
  return rule.fire(event)
}

async function matches(lines: string, event: Event): Promise<boolean> {
  return (await firing(lines, event)) !== null
}

describe('a condition', () => {
  const body: Json = {
    kind: 'edit',
    wiki: 'enwiki',
    size: 10,
    ratio: 1,
    text: '1',
    yes: true,
    nothing: null,
    tags: ['new', 'mobile edit'],
    empty: [],
    page: { title: 'C++', namespace_id: 0, links: [{ id: 7 }], deep: { er: 'x' } },
    'dotted.name': 'd',
    any: 'field',
    '@topic': 'a field',
    'back\\slash': 'b',
    nested: [['new']],
    starred: 'a*b',
    greek: 'σοφός',
    address: '10.1.2.3',
    mapped: '::ffff:10.1.2.3',
    one: 1.0,
    links: [{ id: 7 }],
    items: [
      { id: 1, kind: 'a', parts: [{ n: 1 }] },
      { id: 2, kind: 'b', parts: [{ n: 2 }] },
    ],
  }
  const cases: readonly (readonly [when: string, holds: boolean])[] = [
    ['kind: edit', true],
    ['kind: Edit', false],
    ['ratio: 1.0', true],
    ['ratio: "1"', false],
    ['text: 1', false],
    ['text: "1"', true],
    ['yes: true', true],
    ['yes: "true"', false],
    ['nothing: null', true],
    ['nothing: false', false],
    ['absent: null', false],
    ['kind: [edit, move]', true],
    ['kind: [move, delete]', false],
    ['size: [1, 10]', true],
    ['nothing: [null, 1]', true],
    ['wiki: { in: quiet }', false],
    ['wiki: { in: big }', true],
    ['wiki: { prefix: en }', true],
    ['wiki: { suffix: wiki }', true],
    ['wiki: { contains: nwi }', true],
    ['wiki: { prefix: wiki }', false],
    ['size: { prefix: "1" }', false],
    ['wiki: { prefix: en, suffix: wiki }', true],
    ['wiki: { prefix: en, suffix: tionary }', false],
    ['wiki: { equals: enwiki }', true],
    ['wiki: { equals: enwiki, not: dewiki }', true],
    ['size: { gt: 9, lt: 11 }', true],
    ['size: { gt: 10 }', false],
    ['size: { gte: 10, lte: 10 }', true],
    ['size: { lt: 10 }', false],
    ['text: { gt: 0 }', false],
    ['kind: { exists: true }', true],
    ['nothing: { exists: true }', true],
    ['absent: { exists: true }', false],
    ['absent: { exists: false }', true],
    ['nothing: { exists: false }', false],
    ['kind: { not: move }', true],
    ['kind: { not: edit }', false],
    ['kind: { not: [edit, move] }', false],
    ['absent: { not: edit }', true],
    ['absent: { exists: true, not: edit }', false],
    ['kind: { exists: true, not: move }', true],
    // lists: some element for a positive test, no element for a lone `not`
    ['tags: new', true],
    ['tags: [old, new]', true],
    ['tags: { prefix: mobile }', true],
    ['tags: { prefix: mobile, suffix: new }', false], // on the same element
    ['tags: { prefix: mobile, not: { suffix: new } }', true],
    ['tags: { not: new }', false],
    ['tags: { not: old }', true],
    ['tags: { exists: true, not: new }', false],
    ['empty: { not: new }', true],
    ['empty: { exists: true }', true],
    ['empty: new', false],
    ['nested: new', false],
    // texts
    ['wiki: { glob: "en*ki" }', true],
    ['wiki: { glob: "en*kipedia" }', false],
    ['page.title: { glob: "C\\\\*" }', false],
    ['starred: { glob: "a\\\\*b" }', true],
    ['starred: { glob: "a\\\\*" }', false],
    ['starred: { glob: "*\\\\**" }', true],
    ['wiki: { regex: "^en[a-z]+$" }', true],
    ['wiki: { regex: "^wiki" }', false],
    ['wiki: { regex: wiki, search: true }', true],
    ['wiki: { equals: ENWIKI, ci: true }', true],
    ['wiki: { equals: [DEWIKI, ENWIKI], ci: true }', true],
    ['wiki: { in: big, ci: true }', true],
    ['kind: { prefix: ED, ci: true }', true],
    ['kind: { suffix: IT, ci: true }', true],
    ['kind: { contains: DI, ci: true }', true],
    ['kind: { glob: "E*T", ci: true }', true],
    ['kind: { regex: "^EDIT$", ci: true }', true],
    ['kind: { regex: "^EDIT$" }', false],
    ['greek: { equals: ΣΟΦΌΣ, ci: true }', true],
    ['greek: { suffix: σ, ci: true }', true],
    ['kind: { not: { equals: EDIT, ci: true } }', false],
    // addresses
    ['address: { cidr: 10.0.0.0/8 }', true],
    ['address: { cidr: 10.0.0.0/16 }', false],
    ['address: { cidr: "::ffff:10.0.0.0/104" }', true],
    ['mapped: { cidr: 10.0.0.0/8 }', true],
    ['kind: { cidr: 0.0.0.0/0 }', false],
    ['size: { cidr: 0.0.0.0/0 }', false],
    // the whole value
    ['tags: { has_all: [new] }', true],
    ['tags: { has_all: [new, old] }', false],
    ['tags: { has_only: [new, old, mobile edit] }', true],
    ['tags: { has_only: [new] }', false],
    ['empty: { has_only: [new] }', true],
    ['kind: { has_all: [edit] }', false],
    ['kind: { has_only: [edit] }', false],
    ['absent: { has_only: [edit] }', false],
    ['tags: { len: 2 }', true],
    ['tags: { len: { gt: 2 } }', false],
    ['empty: { len: { gte: 0, lt: 1 } }', true],
    ['kind: { len: 4 }', false],
    ['tags: { len: 2, prefix: mobile, not: { suffix: new } }', true],
    ['tags: { len: 2, not: new }', false],
    ['tags: { not: { len: 3 } }', true],
    ['absent: { not: { len: 3 } }', true],
    ['tags: { not: { len: 2, prefix: n } }', false],
    ['kind: { same_as: wiki }', false],
    ['kind: { differs_from: wiki }', true],
    ['ratio: { same_as: one }', true],
    ['page.links: { same_as: links }', true],
    ['absent: { same_as: missing }', true],
    ['absent: { differs_from: missing }', false],
    ['nothing: { same_as: absent }', false],
    ['kind: { same_as: "@topic" }', false],
    ['absent: { not: { same_as: missing } }', false],
    // elements of a list of maps
    ['some: { path: page.links, where: { id: 7 } }', true],
    ['some: { path: items, where: { id: 1, kind: b } }', false],
    ['some: { path: items, where: { id: 1, kind: a } }', true],
    ['some: { path: items, where: { id: { same_as: kind } } }', false],
    ['some: { path: items, where: { id: 1, "@topic": edits } }', true],
    ['some: { path: items, where: { some: { path: parts, where: { n: 2 } } } }', true],
    ['some: { path: items, where: { some: { path: parts, where: { n: 3 } } } }', false],
    ['some: { path: items, where: { any: [{ id: 9 }, { kind: b }] } }', true],
    ['some: { path: items, where: { id: { exists: true }, expr: "element.id == 2" } }', true],
    ['some: { path: kind, where: { id: 1 } }', false],
    ['some: { path: empty, where: { id: { exists: false } } }', false],
    ['some: { path: tags, where: { id: { exists: false } } }', true],
    ['none: [{ some: { path: items, where: { id: 9 } } }]', true],
    // expressions
    ['{ kind: edit, expr: "event.size > 9" }', true],
    ['{ kind: edit, expr: "event.size > 10" }', false],
    ['{ expr: "size(event.tags) == 2", full_scan: true }', true],
    ['{ any: [{ kind: edit }, { kind: move }], expr: "event.size == 10" }', true],
    ['\\some: { exists: false }', true],
    ['\\expr: { exists: false }', true],
    // paths
    ['page.title: C++', true],
    ['page.deep.er: x', true],
    ['page.links.id: 7', false],
    ['page.links.0.id: 7', false],
    ['page.links.length: { exists: true }', false],
    ['kind.length: { exists: true }', false],
    ['page.constructor: { exists: true }', false],
    ['page.toString: { exists: true }', false],
    ['"dotted\\\\.name": d', true],
    ['dotted.name: d', false],
    ['\\any: field', true],
    ['"\\\\@topic": a field', true],
    ['"back\\\\\\\\slash": b', true],
    // the record
    ['"@topic": edits', true],
    ['"@key": enwiki/7', true],
    ['"@partition": 3', true],
    ['"@offset": 42', true],
    ['"@timestamp": { gte: 1000 }', true],
    ['"@headers.source": bot', true],
    ['"@headers.absent": { exists: false }', true],
    ['"@headers.with.dots": "1"', true],
    // combinators
    ['any: [{ kind: move }, { wiki: enwiki }]', true],
    ['any: [{ kind: move }, { wiki: dewiki }]', false],
    ['all: [{ kind: edit }, { wiki: enwiki }]', true],
    ['all: [{ kind: edit }, { wiki: dewiki }]', false],
    ['none: [{ kind: move }, { wiki: dewiki }]', true],
    ['none: [{ kind: edit }]', false],
    ['any: [{ all: [{ kind: edit }, { none: [{ size: 10 }] }] }, { yes: true }]', true],
    ['{ kind: edit, size: 10, yes: true, wiki: enwiki }', true],
    ['{ kind: edit, size: 10, yes: true, wiki: dewiki }', false],
  ]
  const event = anEvent(body, {
    topic: 'edits',
    partition: 3,
    offset: 42n,
    key: Buffer.from('enwiki/7'),
    timestampMs: 1_000,
    headers: [
      ['source', Buffer.from('person')],
      ['source', Buffer.from('bot')],
      ['with.dots', Buffer.from('1')],
    ],
  })
  for (const [when, holds] of cases) {
    it(`${when} ${holds ? 'holds' : 'does not hold'}`, async () => {
      expect(await matches(`when:\n  ${when}`, event)).to.equal(holds)
    })
  }

  it('has a row here for each operator of the language', () => {
    const written = cases.map(([when]) => when).join('\n')
    expect(operators.filter((name) => !written.includes(`${name}: `))).to.deep.equal([])
  })

  it('does not hold once a condition of `unless` does', async () => {
    const text = 'when: { kind: edit }\nunless:\n  - wiki: testwiki\n  - size: { gt: 100 }'
    expect(await matches(text, anEvent({ kind: 'edit', wiki: 'enwiki', size: 1 }))).to.equal(true)
    expect(await matches(text, anEvent({ kind: 'edit', wiki: 'testwiki', size: 1 }))).to.equal(
      false,
    )
    expect(await matches(text, anEvent({ kind: 'edit', wiki: 'enwiki', size: 101 }))).to.equal(
      false,
    )
  })

  describe('in doubt', () => {
    const long = 'x'.repeat(65_537)
    const doubtful: readonly (readonly [when: string, truth: boolean | Doubt])[] = [
      ['a: { regex: "^x" }', 'value-too-long'],
      ['fits: { regex: "^x" }', true],
      ['a: { regex: "^x", prefix: y }', false],
      ['a: { not: { regex: "^x" } }', 'value-too-long'],
      ['list: { regex: "^x" }', 'value-too-long'],
      ['list: { prefix: xx }', true],
      ['halves: { regex: "^x" }', true],
      ['halves: { regex: "^z" }', false],
      ['list: { regex: "^z" }', 'value-too-long'],
      ['{ a: { regex: "^x" }, b: 1 }', 'value-too-long'],
      ['{ a: { regex: "^x" }, b: 2 }', false],
      ['any: [{ a: { regex: "^x" } }, { b: 1 }]', true],
      ['any: [{ a: { regex: "^x" } }, { b: 2 }]', 'value-too-long'],
      ['none: [{ a: { regex: "^x" } }, { b: 1 }]', false],
      ['none: [{ a: { regex: "^x" } }, { b: 2 }]', 'value-too-long'],
      ['{ b: 1, expr: "event.absent > 1" }', 'expr-error'],
      ['{ b: 2, expr: "event.absent > 1" }', false],
      ['{ b: 1, expr: "event.absent > 1", a: { regex: "^x" } }', 'value-too-long'],
      ['some: { path: items, where: { a: { regex: "^x" } } }', 'value-too-long'],
      ['some: { path: items, where: { any: [{ a: { regex: "^x" } }, { b: 1 }] } }', true],
    ]
    const event = anEvent({
      a: long,
      b: 1,
      fits: long.slice(1),
      list: [long, 'x'],
      halves: [long.slice(32_769), 1, long.slice(32_769)],
      items: [{ a: long }, { b: 1 }],
    })
    for (const [when, truth] of doubtful) {
      it(`${when} is ${String(truth)}`, async () => {
        const fired = await firing(`when:\n  ${when}`, event)
        const expected = truth === false ? null : { way: 0, doubt: truth === true ? null : truth }
        expect(fired).to.deep.equal(expected)
      })
    }
  })

  it('takes a key of the record that is no text for absent', async () => {
    const event = anEvent({}, { key: Buffer.from([0xff, 0xfe]) })
    expect(await matches('when: { "@key": { exists: false } }', event)).to.equal(true)
  })

  it('reads an offset that no number holds exactly as a text', async () => {
    const event = anEvent({}, { offset: 2n ** 60n })
    expect(await matches(`when: { "@offset": "${2n ** 60n}" }`, event)).to.equal(true)
  })

  it('takes a body that is no object for one without fields', async () => {
    for (const body of [null, 1, 'text', [], [{ kind: 'edit' }]] as const) {
      expect(await matches('when: { kind: edit }', anEvent(body))).to.equal(false)
      expect(await matches('when: { kind: { not: edit } }', anEvent(body))).to.equal(true)
    }
  })
})

const lists: Readonly<Record<string, readonly Json[]>> = { few: ['x', 1, null], one: [true] }

const names = ['a', 'b', 'constructor', '__proto__', 'length', '0']
const scalar = fc.constantFrom<Json>(null, true, false, 0, 1, 2, -0, 1.5, '', 'x', 'xy', 'yx', '1')
const { body } = fc.letrec<{ body: Json }>((tie) => ({
  body: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('body'), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.constantFrom(...names), tie('body')), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}))
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((steps) => steps.join('.'))
const text = fc.constantFrom('x', 'y', 'xy', '1')
const low = fc.constantFrom(-1, 0, 0.5)
const high = fc.constantFrom(1, 1.5, 2)
const number = fc.constantFrom(-1, 0, 1, 1.5, 2)
const positive = fc.oneof(
  scalar,
  fc.array(scalar, { minLength: 1, maxLength: 3 }),
  fc.record({ prefix: text, suffix: text, contains: text }, { requiredKeys: ['prefix'] }),
  fc.record({ gt: low, lte: high }, { requiredKeys: ['gt'] }),
  fc.record({ gte: low, lt: high }, { requiredKeys: ['lt'] }),
  fc.record({ in: fc.constantFrom('few', 'one') }),
  fc.record({ equals: scalar }),
) as fc.Arbitrary<Json>
const test = fc.oneof(
  positive,
  fc.record({ exists: fc.boolean() }),
  fc.record({ not: positive }),
  fc.record({ exists: fc.constant(true), not: positive }),
  fc.record({ prefix: text, not: positive }),
  fc.record({ gt: number, not: positive, exists: fc.constant(true) }),
) as fc.Arbitrary<Json>
const { block } = fc.letrec<{ block: Json }>((tie) => {
  const blocks = fc.array(tie('block'), { minLength: 1, maxLength: 3 })
  return {
    block: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.dictionary(path, test, { minKeys: 1, maxKeys: 4 }) as fc.Arbitrary<Json>,
      fc.record({ any: blocks, a: test }, { requiredKeys: ['any'] }) as fc.Arbitrary<Json>,
      fc.record({ all: blocks, none: blocks }, { requiredKeys: ['all'] }) as fc.Arbitrary<Json>,
      fc.record({ none: blocks, b: test }, { requiredKeys: ['none'] }) as fc.Arbitrary<Json>,
    ),
  }
})

describe('matching', () => {
  const compile = (source: Json) => {
    const reporter = createReporter({
      problemAt: (_at, _part, complaint) => ({
        ...complaint,
        file: '',
        line: 1,
        column: 1,
        source: null,
      }),
    })
    const context = { lists: new Map<string, Json>(Object.entries(lists)), reporter }
    const parsed = parseBlock(source, [], context)
    const condition = parsed === null ? null : compileCondition(parsed)
    return { condition, problems: reporter.problems }
  }

  it('agrees with the table of the language, read word by word', () => {
    fc.assert(
      fc.property(block, fc.array(body, { minLength: 5, maxLength: 5 }), (source, bodies) => {
        const { condition, problems } = compile(source)
        expect(problems).to.deep.equal([])
        for (const one of bodies) {
          const event = anEvent(one)
          expect(condition?.(event)).to.equal(naiveHolds(source, event, lists))
        }
      }),
      { numRuns: 200 }, // test/oracle compares many more, over whole rule files
    )
  })

  it('refuses as impossible only what holds for no single value', () => {
    const operators = fc.record(
      {
        equals: scalar,
        in: fc.constantFrom('few', 'one'),
        prefix: text,
        gt: number,
        lt: number,
        not: fc.oneof(scalar, fc.record({ prefix: text })), // never impossible itself
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Record<string, Json>>
    fc.assert(
      fc.property(operators, scalar, (source, value) => {
        fc.pre(Object.keys(source).length > 0)
        const { condition, problems } = compile({ a: source })
        if (condition === null && problems.some(({ code }) => code === 'impossible')) {
          expect(naiveHolds({ a: source }, anEvent({ a: value }), lists)).to.equal(false)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('finds many members in a long list without going through it for each', () => {
    const members = Array.from({ length: 10_000 }, (_, i) => i - 5_000)
    const list = [...Array.from({ length: 300_000 }, () => 'x'), ...members]
    const { condition } = compile({ a: { has_all: members } })
    expect(condition?.(anEvent({ a: list }))).to.equal(true)
    expect(condition?.(anEvent({ a: list.slice(0, -1) }))).to.equal(false)
  }).timeout(1_000) // one look at the list for each member took several seconds

  it('is total: neither depth nor strange names make it throw', () => {
    let deep: Json = 'x'
    for (let i = 0; i < 100_000; i++) deep = i % 2 === 0 ? [deep] : { a: deep }
    const { condition } = compile({ 'a.a': { prefix: 'x' }, a: { not: ['x', 'y'] } })
    const hostile: readonly Json[] = [
      deep,
      { a: deep },
      JSON.parse('{"__proto__":{"a":"x"},"a":{"__proto__":{"a":"x"}}}') as Json,
      Object.assign(Object.create(null), { a: 'x' }) as Json,
      Array.from({ length: 10_000 }, () => null),
    ]
    for (const one of hostile) expect(condition?.({ ...anEvent(), body: one })).to.be.a('boolean')
  })
})
