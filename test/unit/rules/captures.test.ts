import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { capturesOf } from '../../../src/rules/captures.ts'
import { anEvent } from '../../support/builders.ts'
import { conditionOf, parseRule } from '../../support/conditions.ts'

const ns = { regex: '^(?P<ns>[A-Z][a-z]+):' }
const id = { regex: '^(?P<id>[0-9]+)' }

describe('captures', () => {
  const rows: readonly {
    readonly name: string
    readonly when: Json
    readonly body: Json
    readonly names: readonly string[]
    readonly found: Readonly<Record<string, string>>
  }[] = [
    {
      name: 'are the named groups of the regexes',
      when: { title: { regex: '^(?P<ns>[A-Z][a-z]+):(?<name>.+)$' }, rev: id },
      body: { title: 'Talk:Main', rev: '7' },
      names: ['ns', 'name', 'id'],
      found: { ns: 'Talk', name: 'Main', id: '7' },
    },
    {
      name: 'lack a group that took no part',
      when: { title: { regex: '^(?P<a>x)?(?P<b>y)?' } },
      body: { title: 'y' },
      names: ['a', 'b'],
      found: { b: 'y' },
    },
    {
      name: 'are none without a named group',
      when: { title: { regex: '^(.)' }, a: 1 },
      body: { title: 'x', a: 1 },
      names: [],
      found: {},
    },
    {
      name: 'come from the branches of `any` that hold',
      when: { any: [{ a: ns, b: 1 }, { c: id }] },
      body: { a: 'Talk:', b: 2, c: '7' },
      names: ['ns', 'id'],
      found: { id: '7' },
    },
    {
      name: 'are those of the first branch that holds where two name them',
      when: { any: [{ a: id }, { b: id }, { c: id }] },
      body: { a: 'x', b: '1', c: '2' },
      names: ['id'],
      found: { id: '1' },
    },
    {
      name: 'come not from what must not hold',
      when: { a: id, none: [{ b: ns }], c: { not: ns } },
      body: { a: '7', b: 'x', c: 'x' },
      names: ['id'],
      found: { id: '7' },
    },
    {
      name: 'come from the first member of a list that satisfies all of its tests',
      when: { tags: { ...id, suffix: 'b' } },
      body: { tags: ['x', '1a', '2b', '3b'] },
      names: ['id'],
      found: { id: '2' },
    },
    {
      name: 'come from a regex beside a test of the whole list',
      when: { tags: { ...id, len: 1 } },
      body: { tags: ['1'] },
      names: ['id'],
      found: { id: '1' },
    },
    {
      name: 'come from the first element that satisfies its `where`',
      when: { some: { path: 'list', where: { a: id, b: 1 } } },
      body: {
        list: [
          { a: '1', b: 0 },
          { a: '2', b: 1 },
          { a: '3', b: 1 },
        ],
      },
      names: ['id'],
      found: { id: '2' },
    },
    {
      name: 'may have any name',
      when: { a: { regex: '^(?P<__proto__>x)(?P<constructor>y)' } },
      body: { a: 'xy' },
      names: ['__proto__', 'constructor'],
      found: Object.fromEntries([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    },
  ]
  for (const { name, when, body, names, found } of rows) {
    it(name, () => {
      const captures = capturesOf(conditionOf(when))
      expect(captures.names).to.deep.equal(names)
      expect(Object.entries(captures.read(anEvent(body)))).to.deep.equal(Object.entries(found))
    })
  }

  const twice: readonly (readonly [when: Json, message: string | null])[] = [
    [{ a: id, b: id }, '`id` is captured by another regex that has to hold as well'],
    [
      { a: id, any: [{ b: id }, { c: 1 }] },
      '`id` is captured by another regex that has to hold as well',
    ],
    [
      { a: id, some: { path: 'b', where: { c: id } } },
      '`id` is captured by another regex that has to hold as well',
    ],
    [{ any: [{ a: id }, { b: id }] }, null],
    [{ a: id, none: [{ b: id }] }, null],
    [{ a: id, b: { not: id } }, null],
  ]
  for (const [when, message] of twice) {
    it(`${message === null ? 'may' : 'may not'} share a name in ${JSON.stringify(when)}`, () => {
      const { problems } = parseRule({ when })
      expect(problems.map((problem) => problem.message)).to.deep.equal(
        message === null ? [] : [message],
      )
    })
  }
})
