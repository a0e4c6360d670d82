import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { inspectCondition } from '../../../src/rules/inspect-condition.ts'
import { cut, seenText, testText, whyNone, whyNot } from '../../../src/rules/why-not.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, ruleText } from '../../support/load-text.ts'

describe('why a condition does not hold', () => {
  const cases = [
    ['when: { a: 1 }', { a: 2 }, 'a is 2, and the rule asks for 1'],
    ['when: { a: [x, z] }', { a: 'y' }, 'a is "y", and the rule asks for [ x, z ]'],
    ['when: { a: { prefix: x } }', {}, 'a is absent, and the rule asks for { prefix: x }'],
    ['when: { a: 1, b: 1 }', { a: 1, b: null }, 'b is null, and the rule asks for 1'],
    ['when: { any: [{ a: 1 }, { b: 1 }] }', { a: 2 }, 'a is 2, and the rule asks for 1'],
    ['when: { a: 1 }\nunless: [{ b: 1 }]', { a: 1, b: 1 }, 'b is 1, which it excepts'],
    ['when: { some: { path: l, where: { a: 1 } } }', { l: 7 }, 'l is 7'],
    [
      'when: { some: { path: l, where: { a: 1 } } }',
      { l: [{ a: 2 }] },
      'of l[0]: a is 2, and the rule asks for 1',
    ],
    [
      'when: { any: [{ kind: edit }, { kind: move }] }',
      { kind: 'Move' },
      'kind is "Move", and the rule asks for move',
    ],
    [
      'when: { any: [{ a: 1, b: 1 }, { a: 1, c: 1 }, { c: 1, d: 1 }] }',
      { a: 1, c: 2 },
      'b is absent, and the rule asks for 1',
    ],
    [
      'when: { any: [{ a: x, b: x, c: 7 }, { a: x, any: [{ d: 5 }, { b: x }] }] }',
      { a: 'x', b: 'y', c: 8, d: 1 },
      'd is 1, and the rule asks for 5',
    ],
    [
      'when: { any: [{ a: 5 }, { none: [{ b: 1 }] }, { c: "7" }] }',
      { a: 1, b: 1, c: 7 },
      "c is 7, and the rule asks for '7'",
    ],
    [
      'when: { any: [{ a: 5 }, { some: { path: l, where: { a: x } } }] }',
      { a: 1, l: [{ a: 1 }, { a: 'X' }] },
      'of l[1]: a is "X", and the rule asks for x',
    ],
    ['when: { a: 1, expr: "event.b > 1.0" }', { a: 1, b: 1 }, 'the expression is false'],
  ] as const
  for (const [rule, body, says] of cases) {
    it(`is told of ${JSON.stringify(body)} for \`${rule}\``, async () => {
      const { sound } = await loadText(ruleText(rule))
      const [one] = sound
      expect(one).to.not.equal(undefined)
      if (one === undefined) return
      expect(whyNot(inspectCondition(one.condition, anEvent(body)))).to.equal(says)
    })
  }

  it('is told of the nearest of several alternatives, which is named by its place', async () => {
    const { sound } = await loadText(
      ruleText('when: { any: [{ kind: edit }, { kind: move, a: 1 }, { kind: edit, b: 1 }] }'),
    )
    const [one] = sound
    if (one === undefined) throw new Error('the rule does not load')
    const whole = inspectCondition(one.condition, anEvent({ kind: 'Move', a: 1 }))
    expect(whole.kind).to.equal('any')
    expect(whyNone(whole.children)).to.deep.equal({
      nearest: 1,
      why: 'kind is "Move", and the rule asks for move',
    })
    expect(whyNone([])).to.equal(null)
  })

  it('is told of a value that is nested deeper than a stack', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as Json // as: it is JSON
    expect(seenText(deep)).to.equal(`is ${'['.repeat(59)}…`)
  })

  it('shows what a line has room for, and nothing that moves the cursor', () => {
    expect(cut('a'.repeat(100))).to.equal(`${'a'.repeat(59)}…`)
    expect(seenText('\u001b[2J')).to.equal('is "\\u001b[2J"')
    expect(seenText('\u0085')).to.equal('is "\uFFFD"')
    expect(testText({ prefix: '\u0085' })).to.not.contain('\u0085')
  })
})
