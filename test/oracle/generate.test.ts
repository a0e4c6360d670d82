import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../src/model/json.ts'
import { anEvent } from '../support/builders.ts'
import { seeded } from '../support/seed.ts'
import { ruleFiles } from './generate.ts'
import { naiveFirings, naiveHoldsFor, type RawMap } from './naive.ts'
import { eventNear } from './near.ts'
import { lists } from './pool.ts'
import { smallest, type Found } from './smallest.ts'
import { spoilBody, spoilRecord } from './spoil.ts'

const files = fc.sample(ruleFiles({ rulesMax: 12 }), { numRuns: 200, seed: 7 })

describe('the generated rules', () => {
  const text = JSON.stringify(files)
  const operators = [
    ...['equals', 'in', 'prefix', 'suffix', 'contains', 'glob', 'regex', 'search', 'cidr', 'ci'],
    ...['gt', 'gte', 'lt', 'lte', 'exists', 'not', 'has_all', 'has_only', 'len'],
    ...['same_as', 'differs_from'],
  ]
  const others = ['any', 'all', 'none', 'some', 'expr', 'unless', 'cases', 'lane', 'enabled']
  for (const name of [...operators, ...others, 'unclaimed', 'exclude']) {
    it(`use \`${name}\``, () => expect(text).to.include(`"${name}":`))
  }
  const paths = ['constructor', '\\__proto__', 'length', 'toString', 'a\\.b', '@headers.source']
  for (const path of paths) {
    it(`read \`${path}\``, () => expect(text).to.include(`${JSON.stringify(path)}:`))
  }

  it('nest combinators four deep', () => {
    const depths = files.flatMap(({ rules }) => Object.values(rules).map(depthOf))
    expect(Math.max(...depths)).to.be.at.least(4)
  })

  it('give every group a name of its own in its rule', () => {
    for (const { rules } of files) {
      for (const rule of Object.values(rules)) {
        const names = Array.from(JSON.stringify(rule).matchAll(/\(\?P<(\w+)>/g), ([, name]) => name)
        expect(new Set(names).size).to.equal(names.length)
      }
    }
  })
})

/** Combinators inside each other. */
function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  const depths = Object.entries(value).map(([key, below]: [string, Json]) => {
    const isCombinator = ['any', 'all', 'none', 'some'].includes(key)
    return depthOf(below) + (isCombinator ? 1 : 0)
  })
  return Math.max(0, ...depths)
}

describe('the events nearby', () => {
  it('match now and then, and mostly not', function () {
    this.timeout(20_000)
    const random = seeded(1)
    let asked = 0
    let firings = 0
    for (const file of files) {
      for (let i = 0; i < 5; i++) {
        asked += Object.keys(file.rules).length
        firings += naiveFirings(file, 'default', eventNear(file, random)).length
      }
    }
    expect(firings / asked).to.be.within(0.05, 0.5)
  })

  it('meet every kind of test', () => {
    const tests: readonly RawMap[] = [
      { kind: 'edit' },
      { kind: ['move', 'edit'] },
      { kind: { in: 'wikis' } },
      { kind: { prefix: 'en', suffix: 'wiki' } },
      { kind: { glob: 'File:*' } },
      { kind: { regex: '^[0-9]+$' } },
      { kind: { cidr: '10.1.2.0/24' } },
      { kind: { equals: 'ENWIKI', ci: true } },
      { size: { gt: 41, lt: 43 } },
      { size: { exists: false } },
      { tags: { has_all: ['x', 'edit'] } },
      { tags: { has_only: ['x', 'edit'], len: 2 } },
      { '@partition': 10 },
      { '@headers.source': 'move' },
      { some: { path: 'links', where: { to: 'edit', ns: 10 } } },
      {
        any: [
          { kind: 'edit', size: 10 },
          { kind: 'move', size: 11 },
        ],
      },
    ]
    for (const when of tests) {
      const file = { lists, rules: { one: { topics: ['edits'], when } } }
      const random = seeded(3)
      const events = Array.from({ length: 60 }, () => eventNear(file, random))
      const met = events.filter((event) => naiveFirings(file, 'default', event).length > 0)
      expect(met.length, JSON.stringify(when)).to.be.within(5, 60)
    }
  })

  it('come again for the same seed', () => {
    const [file] = files
    if (file === undefined) throw new Error('there is one')
    const [a, b] = [seeded(5), seeded(5)]
    for (let i = 0; i < 20; i++) expect(eventNear(file, a)).to.deep.equal(eventNear(file, b))
  })

  it('are spoilt in one thing, the rest as it was', () => {
    const random = seeded(2)
    const body: Json = { kind: 'edit', page: { id: 7, tags: ['x', 'y'] }, nil: null }
    const changed = Array.from({ length: 300 }, () => JSON.stringify(spoilBody(body, random)))
    expect(new Set(changed).size).to.be.above(60)
    const intact = changed.filter((text) => text.includes('"kind":"edit"'))
    expect(intact.length).to.be.within(150, 290)
    expect(body).to.deep.equal({ kind: 'edit', page: { id: 7, tags: ['x', 'y'] }, nil: null })
  })

  it('have records without a key, and with one that is no text', () => {
    const random = seeded(4)
    const keys = Array.from({ length: 200 }, () => {
      const record = { topic: 'edits', key: Buffer.from('x') as Buffer | null } // as: it may be taken away
      spoilRecord(record, random)
      return record.key?.toString('hex') ?? 'none'
    })
    expect(keys).to.include.members(['none', 'c328', '78'])
  })

  it('hold numbers beside the end of a range', () => {
    const test = { gt: 10 }
    expect(naiveHoldsFor(test, 10, anEvent(), lists)).to.equal(false)
    const file = { lists, rules: { one: { topics: ['edits'], when: { size: test } } } }
    const random = seeded(6)
    const sizes = Array.from({ length: 300 }, () => eventNear(file, random).body).flatMap(
      (body) => JSON.stringify(body).match(/(?<="size":)[0-9.]+/g) ?? [],
    )
    expect(sizes).to.include.members(['10', '10.5', '11'])
  })
})

describe('a disagreement is made small', () => {
  const found: Found = {
    file: {
      lists: {},
      rules: {
        a: { topics: ['edits'], when: { kind: 'edit', size: { gt: 1 } } },
        b: { topics: ['edits'], when: { any: [{ kind: 'x' }, { wiki: { prefix: 'en' } }] } },
      },
    },
    event: anEvent({ kind: 'edit', page: { id: 7, tags: ['x', 'y'] } }),
  }

  it('to the parts that it takes', async () => {
    const disagrees = ({ file, event }: Found) =>
      Promise.resolve(
        JSON.stringify(file).includes('"prefix":"en"') && JSON.stringify(event.body).includes('y'),
      )
    const { file, event } = await smallest(found, disagrees)
    expect(file.rules).to.deep.equal({ b: { when: { any: [{ wiki: { prefix: 'en' } }] } } })
    expect(event.body).to.deep.equal({ page: { tags: ['y'] } })
  })

  it('and left as it is where everything matters', async () => {
    expect(await smallest(found, () => Promise.resolve(false))).to.deep.equal(found)
  })

  it('within a bound', async () => {
    let tries = 0
    const big = { ...found, event: anEvent(Array.from({ length: 3_500 }, (_, i) => i)) }
    await smallest(big, () => Promise.resolve(tries++ < 0))
    expect(tries).to.equal(3_000)
  })
})
