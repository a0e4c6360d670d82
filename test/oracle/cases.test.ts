import { expect } from 'chai'
import { RuleSet } from '../../src/rules/rule-set.ts'
import { anEvent } from '../support/builders.ts'
import { loadSound } from './agree.ts'
import type { RawMap } from './naive.ts'

/* What the oracle has found: each disagreement once, under a name. */

describe('once found by the oracle', () => {
  const breathe = () => Promise.resolve()

  it('a literal of another script is found among more of them than are looked for one by one', async () => {
    const literals = ['di', '8::', '__pro', 'nary', '01', 'edit', 'σας']
    const rules = literals.map((contains, i) => [`r${i}`, rule({ size: { contains } })] as const)
    const { ruleSet } = await loadSound({ lists: {}, rules: Object.fromEntries(rules) })
    const firings = ruleSet.firing('default', anEvent({ size: 'baσαςaab.' }))
    expect(firings.map((firing) => firing.rule.name)).to.deep.equal(['r6'])
  })

  it('a rule that goes and comes back fires once', async () => {
    const rules = { back: rule({ kind: 'edit' }), other: rule({ kind: 'edit' }) }
    const { ruleSet } = await loadSound({ lists: {}, rules })
    const [back, other] = ruleSet.rules
    if (back === undefined || other === undefined) throw new Error('it loads')
    const without = await new RuleSet([back, other]).changed(
      { added: [], dropped: [back] },
      breathe,
    )
    const again = await without.changed({ added: [back], dropped: [] }, breathe)
    const replaced = await again.changed({ added: [back], dropped: [back] }, breathe)
    for (const { set, names } of [
      { set: without, names: ['other'] },
      { set: again, names: ['other', 'back'] },
      { set: replaced, names: ['other', 'back'] },
    ]) {
      const firings = set.firing('default', anEvent({ kind: 'edit' }))
      expect(firings.map((firing) => firing.rule.name)).to.deep.equal(names)
    }
  })
})

function rule(when: RawMap) {
  return { topics: ['edits'], when, do: { emit: { topic: 'out' } } }
}
