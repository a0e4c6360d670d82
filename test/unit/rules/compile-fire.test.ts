import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { compileFire } from '../../../src/rules/compile-fire.ts'
import type { Fired } from '../../../src/rules/rule.ts'
import { anEvent } from '../../support/builders.ts'
import { conditionOf } from '../../support/conditions.ts'

const event = anEvent({ a: 1, long: 'x'.repeat(65_537) })
const yes: Json = { a: 1 }
const no: Json = { a: 2 }
const long: Json = { long: { regex: '^x' } }
const error: Json = { a: 1, expr: 'event.absent > 1' }

function fired(rule: Json, ways: readonly (Json | null)[]): Fired | null {
  const conditions = ways.map((way) => (way === null ? null : conditionOf(way)))
  return compileFire(conditionOf(rule), conditions)(event)
}

const way = (index: number): Fired => ({ way: index, doubt: null })
const inDoubt = (doubt: Fired['doubt']): Fired => ({ way: 0, doubt })

describe('a rule fires', () => {
  const rows: readonly {
    readonly name: string
    readonly rule: Json
    readonly ways: readonly (Json | null)[]
    readonly expected: Fired | null
  }[] = [
    { name: 'without cases', rule: yes, ways: [null], expected: way(0) },
    { name: 'not, without cases', rule: no, ways: [null], expected: null },
    {
      name: 'in doubt, without cases',
      rule: long,
      ways: [null],
      expected: inDoubt('value-too-long'),
    },
    { name: 'by the first case that holds', rule: yes, ways: [no, yes, yes], expected: way(1) },
    { name: 'not where no case holds', rule: yes, ways: [no, no], expected: null },
    { name: 'not where it does not hold itself', rule: no, ways: [yes, null], expected: null },
    { name: 'by a case that always holds', rule: yes, ways: [no, null], expected: way(1) },
    {
      name: 'in doubt behind a case in doubt',
      rule: yes,
      ways: [long, yes],
      expected: inDoubt('value-too-long'),
    },
    {
      name: 'whatever the doubt behind the case taken',
      rule: yes,
      ways: [yes, long],
      expected: way(0),
    },
    {
      name: 'in doubt where no case holds and one might',
      rule: yes,
      ways: [no, error],
      expected: inDoubt('expr-error'),
    },
    {
      name: 'not, though in doubt itself, where no case holds',
      rule: long,
      ways: [no],
      expected: null,
    },
    {
      name: 'in doubt itself, whatever the case',
      rule: error,
      ways: [no, yes],
      expected: inDoubt('expr-error'),
    },
    {
      name: 'with the first of two doubts',
      rule: error,
      ways: [long, yes],
      expected: inDoubt('value-too-long'),
    },
  ]
  for (const { name, rule, ways, expected } of rows) {
    it(name, () => {
      expect(fired(rule, ways)).to.deep.equal(expected)
    })
  }

  it('with one object however often it does', () => {
    const fire = compileFire(conditionOf(yes), [conditionOf(no), null])
    expect(fire(event)).to.equal(fire(event))
    expect(Object.isFrozen(fire(event))).to.equal(true)
  })
})
