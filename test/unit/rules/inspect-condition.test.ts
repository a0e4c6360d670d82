import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { compileCondition } from '../../../src/rules/compile-condition.ts'
import { inspectCondition, type Inspected } from '../../../src/rules/inspect-condition.ts'
import { anEvent } from '../../support/builders.ts'
import { conditionOf, parseRule } from '../../support/conditions.ts'

function inspected(when: Json, body: Json, unless?: Json): Inspected {
  return inspectCondition(conditionOf(when, unless), anEvent(body))
}

/** `+` holds, `-` does not, `?` is in doubt; `!` behind it where it decided. */
function drawn({ kind, path, truth, decided, children }: Inspected, indent = ''): string {
  const mark = truth === true ? '+' : truth === false ? '-' : '?'
  const line = `${indent}${mark}${decided ? '!' : ' '} ${path ?? kind}`
  return [line, ...children.map((child) => drawn(child, `${indent}  `))].join('\n')
}

describe('an inspected condition', () => {
  const long = 'x'.repeat(65_537)
  const halves: Json = [long.slice(32_768), long.slice(32_768)]
  const trees: readonly {
    readonly name: string
    readonly when: Json
    readonly unless?: Json
    readonly body: Json
    readonly tree: readonly string[]
  }[] = [
    {
      name: 'owes a failure to the tests that do not hold',
      when: { a: 1, b: 2, c: 3 },
      body: { a: 1, b: 0, c: 0 },
      tree: ['-! all', '  +  a', '  -! b', '  -! c'],
    },
    {
      name: 'owes its success to every test',
      when: { a: 1, b: 2 },
      body: { a: 1, b: 2 },
      tree: ['+! all', '  +! a', '  +! b'],
    },
    {
      name: 'owes it to the branches that hold, and in them to all',
      when: { any: [{ a: 1, b: 2 }, { c: 3 }] },
      body: { a: 1, b: 2 },
      tree: ['+! any', '  +! all', '    +! a', '    +! b', '  -  c'],
    },
    {
      name: 'owes a failure of `any` to every branch',
      when: { any: [{ a: 1, b: 2 }, { c: 3 }] },
      body: { a: 1 },
      tree: ['-! any', '  -! all', '    +  a', '    -! b', '  -! c'],
    },
    {
      name: 'is stopped by `unless`',
      when: { a: 1 },
      unless: [{ b: 1 }, { c: 1 }],
      body: { a: 1, c: 1 },
      tree: ['-! all', '  +  a', '  -! none', '    -  b', '    +! c'],
    },
    {
      name: 'needs every block of `unless` not to hold',
      when: { a: 1 },
      unless: [{ b: 1 }],
      body: { a: 1 },
      tree: ['+! all', '  +! a', '  +! none', '    -! b'],
    },
    {
      name: 'owes doubt to what is in doubt',
      when: { a: { regex: '^x' }, b: 1 },
      body: { a: long, b: 1 },
      tree: ['?! all', '  ?! a', '  +  b'],
    },
    {
      name: 'shows the element that satisfies',
      when: { some: { path: 'list', where: { a: 1 } } },
      body: { list: [{ a: 0 }, { a: 1 }, { a: 1 }] },
      tree: ['+! list', '  +! list[1]', '    +! a'],
    },
    {
      name: 'shows the elements that come nearest where none does',
      when: { some: { path: 'list', where: { a: 1, b: 1, c: 1 } } },
      body: { list: [{}, { a: 1, b: 1 }, {}, { a: 1 }] },
      tree: [
        '-! list',
        '  -! list[1]',
        '    -! all',
        '      +  a',
        '      +  b',
        '      -! c',
        '  -! list[3]',
        '    -! all',
        '      +  a',
        '      -! b',
        '      -! c',
        '  -! list[0]',
        '    -! all',
        '      -! a',
        '      -! b',
        '      -! c',
      ],
    },
  ]
  for (const { name, when, unless, body, tree } of trees) {
    it(name, () => {
      expect(drawn(inspected(when, body, unless)).split('\n')).to.deep.equal(tree)
    })
  }

  it('tells a test as it was written beside the value that is there', () => {
    const when = { 'page.id': { gt: 1 }, title: 'x', nil: null }
    const { children } = inspected(when, { page: { id: 7 }, nil: null })
    const seen = children.map(({ kind, path, test, value }) => ({ kind, path, test, value }))
    expect(seen).to.deep.equal([
      { kind: 'test', path: 'page.id', test: { gt: 1 }, value: 7 },
      { kind: 'test', path: 'title', test: 'x', value: undefined },
      { kind: 'test', path: 'nil', test: null, value: null },
    ])
  })

  it('tells where each part is written', () => {
    const { children } = inspected({ a: 1, any: [{ b: 1 }, { c: 1 }] }, {})
    expect(children.map(({ at }) => at.join('.'))).to.deep.equal(['when.a', 'when.any'])
    expect(children[1]?.children.map(({ at }) => at.join('.'))).to.deep.equal([
      'when.any.0.b',
      'when.any.1.c',
    ])
  })

  it('tells an expression, and why it cannot be evaluated', () => {
    const { children } = inspected({ a: 1, expr: 'event.b > 1' }, { a: 1 })
    expect(children[1]).to.deep.include({ kind: 'expr', test: 'event.b > 1', truth: 'expr-error' })
    expect(children[1]?.doubt).to.be.a('string')
  })

  it('says of a value that is too long how long it may be', () => {
    expect(inspected({ a: { regex: '^x' } }, { a: long })).to.deep.include({
      truth: 'value-too-long',
      doubt: 'a regex reads texts of at most 65536 characters, and this one is longer',
      nearMiss: null,
    })
  })

  describe('says of texts that are too long together', () => {
    const half = 'x'.repeat(32_769)
    const rows = [
      {
        is: 'of a list',
        when: { a: { regex: '^x' } },
        body: { a: [half, 1, half] },
        doubt: 'a regex reads at most 65536 characters of a list, and its texts have more together',
      },
      {
        is: 'of the elements of a `some`',
        when: { some: { path: 'a', where: { t: { regex: '^x' } } } },
        body: { a: [{ t: half }, { t: half }] },
        doubt:
          'the regexes of a `some` read at most 65536 characters of its list together, and there are more',
      },
      {
        is: 'of a `some` within it',
        when: {
          some: { path: 'a', where: { some: { path: 'b', where: { t: { regex: '^x' } } } } },
        },
        body: { a: [{ b: [{ t: half }] }, { b: [{ t: half }] }] },
        doubt:
          'the regexes of a `some` read at most 65536 characters of its list together, and there are more',
      },
    ]
    for (const { is, when, body, doubt } of rows) {
      it(is, () => {
        const seen = inspected(when, body)
        expect(seen.truth).to.equal('value-too-long')
        expect(doubtsOf(seen)).to.deep.equal([doubt])
      })
    }

    function doubtsOf({ doubt, children }: Inspected): readonly string[] {
      return [...(doubt === null ? [] : [doubt]), ...children.flatMap(doubtsOf)]
    }
  })

  it('says what the compiled check says', () => {
    const value = fc.constantFrom<Json>(
      'x',
      'X',
      1,
      null,
      ['x'],
      [{ b: 'x' }, { b: 1 }],
      long,
      halves,
      [{ b: halves }, 7],
    )
    const test = fc.constantFrom<Json>('x', 1, { not: 'x' }, { regex: '^x' }, { len: 1 }, null, {
      same_as: 'c',
    })
    const { block } = fc.letrec<{ block: Json }>((tie) => ({
      block: fc.oneof(
        { maxDepth: 3 },
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), test, { minKeys: 1 }) as fc.Arbitrary<Json>,
        fc
          .tuple(
            fc.constantFrom('any', 'all', 'none'),
            fc.array(tie('block'), { minLength: 1, maxLength: 3 }),
          )
          .map(([name, of]) => ({ [name]: of })),
        tie('block').map((where) => ({ some: { path: 'a', where } })),
      ),
    }))
    const body = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value) as fc.Arbitrary<Json>
    fc.assert(
      fc.property(block, body, (when, one) => {
        const { condition } = parseRule({ when })
        fc.pre(condition !== null)
        const event = { ...anEvent(), body: one }
        const tree = inspectCondition(condition, event)
        expect(tree.truth).to.equal(compileCondition(condition)(event))
        expect(tree.decided).to.equal(true)
      }),
      { numRuns: 500 },
    )
  }).timeout(10_000)
})
