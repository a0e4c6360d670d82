import { expect } from 'chai'
import fc from 'fast-check'
import type { Rule } from '../../../src/rules/rule.ts'
import { RuleSet } from '../../../src/rules/rule-set.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText } from '../../support/load-text.ts'
import { aMatchRule } from '../../support/match-rule.ts'

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

const breathe = () => Promise.resolve()

/** Topics by name, or by the wildcard of `all`. */
function ruleOn(
  name: string,
  n: number,
  where: 'a' | 'b' | 'both' | 'all',
  lane = 'default',
): Rule {
  const topics = where === 'both' ? ['a', 'b'] : where === 'all' ? [] : [where]
  const rule = aMatchRule({ name, topics, lane, when: n % 4 === 3 ? { m: { not: n } } : { n } })
  if (where !== 'all') return rule
  return { ...rule, topics: { text: '*', names: [], globs: ['*'], matches: () => true } }
}

const lanes = ['default', 'slow']

function everyFiring(of: RuleSet): readonly string[] {
  return ['a', 'b', 'c'].flatMap((topic) =>
    [0, 1, 2, 3, 4, 5].flatMap((n) => {
      const event = anEvent({ n, m: n }, { topic })
      return lanes.map((lane) => {
        const names = of.firing(lane, event).map(({ rule }) => rule.name)
        return `${topic} ${n} ${lane}: ${names.join()}`
      })
    }),
  )
}

describe('a changed rule set', () => {
  it('fires, names and orders as one that is made of the same rules anew', async () => {
    const rule = fc.record({
      n: fc.nat({ max: 5 }),
      where: fc.constantFrom('a', 'b', 'both', 'all'),
      lane: fc.constantFrom(...lanes),
    })
    const change = fc.record({
      added: fc.array(rule, { maxLength: 100, size: 'max' }),
      dropped: fc.array(fc.nat(), { maxLength: 60, size: 'max' }),
      renamed: fc.nat({ max: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        let changed = new RuleSet([])
        let named = 0
        for (const { added, dropped, renamed } of changes) {
          const { rules } = changed
          const going = [...new Set(dropped.map((i) => rules[i % rules.length]))].filter(
            (one) => one !== undefined,
          )
          const coming = added.map(({ n, where, lane }, i) => {
            const name = (i < renamed ? going[i]?.name : undefined) ?? `r${named++}`
            return ruleOn(name, n, where, lane)
          })
          const before = everyFiring(changed)
          const next = await changed.changed({ added: coming, dropped: going }, breathe)
          expect(everyFiring(changed)).to.deep.equal(before)
          const anew = new RuleSet(next.rules)
          expect(everyFiring(next)).to.deep.equal(everyFiring(anew))
          for (const lane of lanes) {
            expect(next.topicsOf(lane, ['c'])).to.deep.equal(anew.topicsOf(lane, ['c']))
          }
          expect(namesOf(next.residual)).to.deep.equal(namesOf(anew.residual))
          for (const one of going) expect(next.byName(one.name)).not.to.equal(one)
          for (const one of coming) expect(next.byName(one.name)).to.equal(one)
          changed = next
        }
      }),
      { numRuns: 60 },
    )
  })

  it('has a rule at the place of the one that it replaces, and the others at the end', async () => {
    const [first, second, third] = [0, 1, 2].map((n) => ruleOn(`r${n}`, 0, 'a'))
    if (first === undefined || second === undefined || third === undefined) return
    const successor = ruleOn('r1', 0, 'a')
    const before = new RuleSet([first, second, third])
    const added = [ruleOn('new', 0, 'a'), successor]
    const after = await before.changed({ added, dropped: [second, first] }, breathe)
    expect(after.rules.map(({ name }) => name)).to.deep.equal(['r1', 'r2', 'new'])
    expect(after.rules[0]).to.equal(successor)
  })

  it('does not file again what has not changed', async () => {
    const rules = Array.from({ length: 2_000 }, (_, i) => ruleOn(`r${i}`, i, 'a'))
    const countBreaths = async (work: (count: () => Promise<void>) => Promise<unknown>) => {
      let breaths = 0
      await work(() => {
        breaths++
        return Promise.resolve()
      })
      return breaths
    }
    const anew = await countBreaths((count) => RuleSet.build(rules, count))
    const before = new RuleSet(rules)
    const [dropped] = rules
    const change = {
      added: [ruleOn('new', 1, 'a')],
      dropped: dropped === undefined ? [] : [dropped],
    }
    const changed = await countBreaths((count) => before.changed(change, count))
    expect(anew).to.be.above(10)
    expect(changed).to.be.below(anew / 10)
  })
})

const namesOf = (residual: RuleSet['residual']) =>
  residual.map(({ rule, why }) => `${rule.name} ${why}`)

describe('a rule set that is built in slices', () => {
  it('is the one that is built at once', async () => {
    const rules = Array.from({ length: 500 }, (_, i) => ruleOn(`r${i}`, i % 6, 'both'))
    const built = await RuleSet.build(rules, breathe)
    expect(everyFiring(built)).to.deep.equal(everyFiring(new RuleSet(rules)))
  })

  it('lets others go first while a list of many values is filed', async () => {
    const lists = new Map([['many', Array.from({ length: 50_000 }, (_, i) => `v${i}`)]])
    const rule = aMatchRule({ name: 'r', topics: ['a'], when: { n: { in: 'many' } } }, {}, lists)
    let breaths = 0
    const built = await RuleSet.build([rule], () => {
      breaths++
      return Promise.resolve()
    })
    expect(breaths).to.be.above(20)
    expect(built.firing('default', anEvent({ n: 'v49999' }, { topic: 'a' }))).to.have.length(1)
  })

  it('fails if letting others go first does', async () => {
    const rules = Array.from({ length: 500 }, (_, i) => ruleOn(`r${i}`, i, 'a'))
    const stop = () => Promise.reject(new Error('stopping'))
    const error = await RuleSet.build(rules, stop).catch((one: unknown) => one)
    expect(error).to.be.instanceOf(Error).with.property('message', 'stopping')
  })
})

describe('the residual rules of a set', () => {
  it('are named once, in the order of the set', () => {
    const rules = [ruleOn('r0', 3, 'both'), ruleOn('r1', 1, 'all'), ruleOn('r2', 3, 'all', 'slow')]
    const why = 'nothing that it asks for can be looked up'
    expect(namesOf(new RuleSet(rules).residual)).to.deep.equal([`r0 ${why}`, `r2 ${why}`])
  })
})

describe('rules of one selector', () => {
  it('are not asked for topics that another selector of the same names and globs excludes', async () => {
    const selectors = await aSet(`
rules:
  all: { topics: ["x.*"], when: { n: 1 }, do: { emit: { topic: out } } }
  some: { topics: { include: ["x.*"], exclude: [x.b] }, when: { n: 1 }, do: { emit: { topic: out } } }
  named: { topics: ["x.*", y], when: { n: 1 }, do: { emit: { topic: out } } }
`)
    const on = (topic: string) =>
      selectors.firing('default', anEvent({ n: 1 }, { topic })).map(({ rule }) => rule.name)
    expect(on('x.a')).to.deep.equal(['all', 'some', 'named'])
    expect(on('x.b')).to.deep.equal(['all', 'named'])
    expect(on('y')).to.deep.equal(['named'])
    expect(on('z')).to.deep.equal([])
  })
})
