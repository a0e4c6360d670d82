import { expect } from 'chai'
import type { RuleSet } from '../../../src/rules/rule-set.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText } from '../../support/load-text.ts'

async function aSet(text: string): Promise<RuleSet> {
  const { ruleSet, problems } = await loadText(text)
  if (ruleSet === null) throw new Error(JSON.stringify(problems))
  return ruleSet
}

const set = await aSet(`
rules:
  edits: { topics: [edits], when: { kind: edit }, do: { emit: { topic: x } } }
  all: { topics: ["*"], when: { kind: { exists: true } }, do: { emit: { topic: y } } }
  jobs: { topics: { include: [job.*, other], exclude: [job.low] }, lane: slow, when: { kind: edit }, do: { emit: { topic: z } } }
  off: { topics: [edits], enabled: false, when: { kind: edit }, do: { emit: { topic: v } } }
`)

describe('a rule set', () => {
  const firing = (lane: string, topic: string, kind: string): readonly string[] =>
    set.firing(lane, anEvent({ kind }, { topic })).map(({ rule }) => rule.name)

  it('gives the rules that fire for an event, in the order of the files', () => {
    expect(firing('default', 'edits', 'edit')).to.deep.equal(['edits', 'all', 'off'])
    expect(firing('default', 'edits', 'move')).to.deep.equal(['all'])
    expect(firing('default', 'elsewhere', 'edit')).to.deep.equal(['all'])
  })

  it('asks only the rules of the lane that read the event', () => {
    expect(firing('slow', 'job.high', 'edit')).to.deep.equal(['jobs'])
    expect(firing('slow', 'job.low', 'edit')).to.deep.equal([])
    expect(firing('slow', 'edits', 'edit')).to.deep.equal([])
    expect(firing('no-such-lane', 'edits', 'edit')).to.deep.equal([])
  })

  it('names the topics of a lane: those written out, and those there that fit a glob', () => {
    expect(set.topicsOf('slow', ['job.low', 'job.high', 'edits'])).to.deep.equal([
      'job.high',
      'other',
    ])
    expect(set.topicsOf('default', ['b', 'a'])).to.deep.equal(['a', 'b', 'edits'])
    expect(set.topicsOf('no-such-lane', ['a'])).to.deep.equal([])
  })

  it('knows rules by name', () => {
    expect(set.byName('off')).to.include({ name: 'off', enabled: false })
    expect(set.byName('constructor')).to.equal(undefined)
  })

  it('stays right for more topics than it remembers', () => {
    for (let i = 0; i < 10_001; i++) expect(firing('default', `topic-${i}`, 'x')).to.have.length(1)
    expect(firing('default', 'edits', 'edit')).to.have.length(3)
  })
})
