import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { compileCondition } from '../../../src/rules/compile-condition.ts'
import {
  compileEquality,
  compileTwoEqualities,
  equalityOf,
} from '../../../src/rules/compile-equality.ts'
import { anEvent } from '../../support/builders.ts'
import { conditionOf } from '../../support/conditions.ts'

describe('an equality', () => {
  const rows: readonly (readonly [when: Json, is: string])[] = [
    [{ a: 1 }, '{"first":"a","second":null,"wanted":1}'],
    [{ a: null }, '{"first":"a","second":null,"wanted":null}'],
    [{ a: '' }, '{"first":"a","second":null,"wanted":""}'],
    [{ 'a.b': 'x' }, '{"first":"a","second":"b","wanted":"x"}'],
    [{ a: ['x'] }, '{"first":"a","second":null,"wanted":"x"}'],
    [{ 'a.b.c': 'x' }, 'null'],
    [{ a: ['x', 'y'] }, 'null'],
    [{ a: { equals: 'x', ci: true } }, 'null'],
    [{ a: { not: 'x' } }, 'null'],
    [{ a: { exists: true } }, 'null'],
    [{ a: { prefix: 'x' } }, 'null'],
    [{ constructor: 'x' }, 'null'],
    [{ 'a.constructor': 'x' }, 'null'],
    [{ '@topic': 'x' }, 'null'],
    [{ any: [{ a: 1 }, { b: 1 }] }, 'null'],
  ]
  for (const [when, is] of rows) {
    it(`in ${JSON.stringify(when)} is ${is}`, () => {
      const condition = conditionOf(when)
      const only = condition.kind === 'all' && condition.of.length === 1 ? condition.of[0] : null
      expect(JSON.stringify(equalityOf(only ?? condition))).to.equal(is)
    })
  }
})

describe('one equality, and two as one check', () => {
  const rows: readonly (readonly [
    path: string,
    wanted: string | number | null,
    body: Json,
    holds: boolean,
  ])[] = [
    ['a', 1, { a: 1 }, true],
    ['a', 1, { a: '1' }, false],
    ['a', 1, {}, false],
    ['a', null, { a: null }, true],
    ['a', null, {}, false],
    ['a', 0, { a: -0 }, true],
    ['a', 0, { a: [-0] }, true],
    ['a', 'x', { a: ['y', 'x'] }, true],
    ['a', 'x', { a: [['x']] }, false],
    ['a', 'x', { a: { x: 'x' } }, false],
    ['a', 'x', [{ a: 'x' }], false],
    ['a', 'x', 'x', false],
    ['a', 'x', null, false],
    ['a.b', 'x', { a: { b: 'x' } }, true],
    ['a.b', 'x', { a: { b: ['x'] } }, true],
    ['a.b', 'x', { a: { b: 'y' } }, false],
    ['a.b', null, { a: {} }, false],
    ['a.b', null, { a: { b: null } }, true],
    ['a.b', 'x', { a: [{ b: 'x' }] }, false],
    ['a.b', 'x', { a: 'x' }, false],
    ['a.b', 'x', { a: null }, false],
    ['a.b', 'x', {}, false],
    ['a.length', 1, { a: 'x' }, false],
  ]
  const equality = (path: string, wanted: string | number | null) => {
    const [first = '', second = null] = path.split('.')
    return { first, second, wanted }
  }
  for (const [path, wanted, body, holds] of rows) {
    const title = `${path}: ${JSON.stringify(wanted)} ${holds ? 'holds' : 'does not hold'} for ${JSON.stringify(body)}`
    it(title, () => {
      const one = equality(path, wanted)
      expect(compileEquality(one)(anEvent(body))).to.equal(holds)
      expect(compileTwoEqualities(one, one)(anEvent(body))).to.equal(holds)
    })
  }

  it('two hold only if both do', () => {
    const both = compileTwoEqualities(equality('a', 1), equality('b.c', 2))
    const holding = [
      { a: 1, b: { c: 2 } },
      { a: 1, b: { c: 3 } },
      { a: 0, b: { c: 2 } },
      { a: 0, b: { c: 3 } },
    ].map((body) => both(anEvent(body)))
    expect(holding).to.deep.equal([true, false, false, false])
  })
})

describe('a block of equalities and other tests', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  for (let count = 1; count <= names.length; count++) {
    const asked = names.slice(0, count)
    it(`of ${count} and a prefix holds only if each of them does`, () => {
      const when = Object.fromEntries(asked.map((name, i) => [name, i]))
      const check = compileCondition(conditionOf({ ...when, title: { prefix: 'x' } }))
      const body = { ...when, title: 'xy' }
      expect(check(anEvent(body))).to.equal(true)
      for (const name of [...asked, 'title']) {
        expect(check(anEvent({ ...body, [name]: 'other' })), name).to.equal(false)
      }
    })
  }
})
