import { expect } from 'chai'
import { anEvent } from '../support/builders.ts'
import { seedOfRun } from '../support/seed.ts'
import { disagreement, loadSound } from './agree.ts'
import type { RawFile } from './naive.ts'
import { runChanges } from './run-changes.ts'
import { runOracle } from './run-oracle.ts'
import { lists, ruleRows, subjects } from './semantics.ts'

/** Half of them the same in every run, half of them new. */
const pairs = 2_500
const fixedSeed = 20_261_125

const oneRule = (rule: RawFile['rules']): RawFile => ({ lists, rules: { one: rule } })
const action = { emit: { topic: 'out' } }

describe('matching', () => {
  for (const { about, body, record, rows } of subjects) {
    describe(`means by ${about}`, () => {
      for (const [when, holds] of rows) {
        it(`${JSON.stringify(when)}: ${holds}`, async () => {
          const topics = [record?.topic ?? 'edits']
          const loaded = await loadSound(oneRule({ topics, when, do: action }))
          const [firing] = loaded.ruleSet.firing('default', anEvent(body, record))
          expect(loaded.refused).to.deep.equal([])
          expect(firing === undefined ? false : (firing.doubt ?? true)).to.equal(holds)
        })
      }
    })
  }

  describe('means by a rule', () => {
    for (const { about, rule, body, is, captures = {} } of ruleRows) {
      it(about, async () => {
        const file = oneRule(acting({ topics: ['edits'], ...rule }, Object.keys(captures)))
        const loaded = await loadSound(file)
        const [firing] = loaded.ruleSet.firing('default', anEvent(body))
        expect(loaded.refused).to.deep.equal([])
        expect(firing === undefined ? null : (firing.doubt ?? firing.way)).to.equal(is)
        if (firing?.doubt !== null) return
        const way = firing.rule.ways[firing.way]
        expect(way?.captures(anEvent(body))).to.deep.equal(captures)
      })
    }
  })

  describe('agrees with the naive interpreter', () => {
    const seed = seedOfRun()
    const runs = [
      { title: 'on pairs that are always the same', seed: fixedSeed },
      { title: `on pairs of SEED=${seed}`, seed },
    ]
    for (const { title, seed } of runs) {
      it(title, async function () {
        this.timeout(120_000)
        const tally = await runOracle({ seed, pairs, rulesMax: 12, eventsPerFile: 20 })
        // An oracle that sees nothing happen proves nothing.
        expect(tally.pairs).to.be.at.least(pairs)
        expect(tally.refused).to.be.below(tally.rules / 2)
        expect(tally.firings).to.be.above(pairs / 2)
        expect(tally.doubts).to.be.above(0)
        expect(tally.captures).to.be.above(0)
        expect(tally.laterCases).to.be.above(0)
      })
    }
  })

  it('agrees with a set built anew after rules came and went', async function () {
    this.timeout(120_000)
    const tally = await runChanges({ seed: fixedSeed, sets: 4, rulesMax: 40 })
    expect(tally.changes).to.equal(160)
    expect(tally.rules).to.be.above(200)
    expect(tally.firings).to.be.above(500)
  })

  it('is found to differ where it does', async () => {
    const loaded = await loadSound(
      oneRule({ topics: ['edits'], when: { kind: 'edit' }, do: action }),
    )
    const other = oneRule({ topics: ['edits'], when: { kind: 'move' }, do: action })
    const { ruleSet } = loaded
    expect(disagreement({ file: other, ruleSet }, anEvent({ kind: 'edit' }))).to.deep.equal({
      naive: [],
      real: ['default one: way 0'],
    })
  })
})

/** The rule with actions that read the captures. */
function acting(rule: RawFile['rules'], names: readonly string[]): RawFile['rules'] {
  const reading = (known: readonly string[]) => ({
    emit: {
      topic: 'out',
      value: Object.fromEntries(known.map((name) => [name, `{{match.${name} | default: ""}}`])),
    },
  })
  const { cases } = rule
  if (!Array.isArray(cases)) return { ...rule, do: reading(names) }
  const ways = (cases as readonly RawFile['rules'][]).map((one) => {
    const text = JSON.stringify([rule['when'] ?? null, one])
    return { ...one, do: reading(names.filter((name) => text.includes(`(?P<${name}>`))) }
  }) // as: a list of maps
  return { ...rule, cases: ways }
}
