import { expect } from 'chai'
import { anEvent } from '../support/builders.ts'
import { naiveFirings, naiveHolds } from './naive.ts'
import { lists, ruleRows, subjects } from './semantics.ts'

describe('the naive interpreter reads', () => {
  for (const { about, body, record, rows } of subjects) {
    describe(about, () => {
      for (const [when, holds] of rows) {
        it(`${JSON.stringify(when)}: ${holds}`, () => {
          expect(naiveHolds(when, anEvent(body, record), lists)).to.equal(holds)
        })
      }
    })
  }

  describe('a rule', () => {
    for (const { about, rule, body, is, captures = {} } of ruleRows) {
      it(about, () => {
        const file = { lists, rules: { one: { topics: ['edits'], ...rule } } }
        const [firing] = naiveFirings(file, 'default', anEvent(body))
        expect(firing === undefined ? null : (firing.doubt ?? firing.way)).to.equal(is)
        expect(Object.fromEntries(firing?.captures ?? [])).to.deep.equal(captures)
      })
    }
  })

  describe('topics', () => {
    const rules = {
      named: { topics: ['edits'] },
      glob: { topics: ['e*s'] },
      but: { topics: { include: ['*'], exclude: ['*its'] } },
      rest: { topics: { include: ['*'], unclaimed: true } },
      slow: { topics: ['edits'], lane: 'slow' },
      included: { topics: { include: ['moves'] } },
    }
    const rows = [
      { lane: 'default', topic: 'edits', want: ['named', 'glob'] },
      { lane: 'default', topic: 'events', want: ['glob', 'but', 'rest'] },
      { lane: 'default', topic: 'moves', want: ['but', 'included'] },
      { lane: 'default', topic: 'edit', want: ['but', 'rest'] },
      { lane: 'slow', topic: 'edits', want: ['slow'] },
      { lane: 'slow', topic: 'moves', want: [] },
    ]
    for (const { lane, topic, want } of rows) {
      it(`${topic} of ${lane}: ${want.join(', ') || 'no rule'}`, () => {
        const firings = naiveFirings({ lists, rules }, lane, anEvent({}, { topic }))
        expect(firings.map(({ rule }) => rule)).to.deep.equal(want)
      })
    }
  })

  it('refuses to guess what it does not know', () => {
    for (const when of [{ a: { prefixx: 'a' } }, { a: { len: { at: 1 } } }, { any: 'x' }]) {
      expect(() => naiveHolds(when, anEvent({ a: [1] }))).to.throw()
    }
    expect(() => naiveHolds({ expr: 'true' }, anEvent())).to.throw('no specimen')
  })
})
