import { expect } from 'chai'
import fc from 'fast-check'
import { actionsOf, type Rule } from '../../../../src/rules/rule.ts'
import { loadText } from '../../../support/load-text.ts'

/** A rule that reads and emits, by the letters of topics. */
interface Link {
  readonly reads: readonly string[]
  readonly emits: readonly string[]
}

async function waysBack(links: readonly Link[]): Promise<{
  readonly told: readonly (readonly string[])[]
  readonly rules: readonly Rule[]
}> {
  const lines = links.map(({ reads, emits }, i) => {
    const actions = emits.map((topic) => `{ emit: { topic: ${topic} } }`).join(', ')
    return `  r${i}: { topics: ${JSON.stringify(reads)}, when: { n: ${i} }, do: [${actions}] }\n`
  })
  const { ruleSet, problems } = await loadText(`rules:\n${lines.join('')}`)
  return {
    told: problems
      .filter(({ code }) => code === 'leads-back')
      .map(({ message }) => (message.split(': ')[1] ?? '').split(' -> ')),
    rules: ruleSet?.rules ?? [],
  }
}

/** Whether what the first emits is read by the second. */
function feeds(from: Rule, to: Rule): boolean {
  return actionsOf(from).some(({ emitsTo }) => emitsTo !== null && to.topics.matches(emitsTo))
}

/** Rules from which a way leads back to them, found by trying all ways. */
function onCircles(rules: readonly Rule[]): readonly string[] {
  return rules
    .filter((start) => {
      const seen = new Set<Rule>()
      const open = [start]
      for (let rule = open.pop(); rule !== undefined; rule = open.pop()) {
        for (const next of rules) {
          if (!feeds(rule, next) || seen.has(next)) continue
          seen.add(next)
          open.push(next)
        }
      }
      return seen.has(start)
    })
    .map(({ name }) => name)
}

describe('rules that lead back to themselves', () => {
  const topic = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const pattern = fc.oneof(
    { weight: 6, arbitrary: topic },
    { weight: 1, arbitrary: fc.constant('*') },
  )
  const link = fc.record({
    reads: fc.uniqueArray(pattern, { minLength: 1, maxLength: 2 }),
    emits: fc.uniqueArray(topic, { minLength: 1, maxLength: 2 }),
  })

  it('are exactly those that are told, each in a way that is one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(link, { minLength: 1, maxLength: 7 }), async (links) => {
        const { told, rules } = await waysBack(links)
        const byName = new Map(rules.map((rule) => [rule.name, rule]))
        for (const way of told) {
          expect(way[0]).to.equal(way.at(-1))
          for (const [i, name] of way.slice(0, -1).entries()) {
            const [from, to] = [byName.get(name), byName.get(way[i + 1] ?? '')]
            expect(from !== undefined && to !== undefined && feeds(from, to)).to.equal(true)
          }
        }
        const inWays = [...new Set(told.flat())].sort()
        expect(inWays).to.deep.equal([...onCircles(rules)].sort())
      }),
      { numRuns: 300 },
    )
  }).timeout(20_000)

  it('are told in the shortest way', async () => {
    const { told } = await waysBack([
      { reads: ['a'], emits: ['b', 'c'] },
      { reads: ['b'], emits: ['d'] },
      { reads: ['d'], emits: ['a'] },
      { reads: ['c'], emits: ['a'] },
    ])
    expect(told[0]).to.deep.equal(['r0', 'r3', 'r0'])
    expect(told[1]).to.deep.equal(['r1', 'r2', 'r0', 'r1'])
  })

  it('are found among thousands that emit to topics of their own', async () => {
    const links = Array.from({ length: 2_000 }, (_, i) => ({
      reads: [`t${i}`],
      emits: [`t${i + 1}`],
    }))
    const { told } = await waysBack([...links, { reads: ['x'], emits: ['x'] }])
    expect(told).to.deep.equal([['r2000', 'r2000']])
  }).timeout(20_000)
})
