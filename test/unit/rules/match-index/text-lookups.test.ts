import { expect } from 'chai'
import fc from 'fast-check'
import { Candidates } from '../../../../src/rules/match-index/candidates.ts'
import { runAtOnce } from '../../../../src/rules/match-index/in-slices.ts'
import { hashOfNumber, hashOfText, Sieve } from '../../../../src/rules/match-index/sieve.ts'
import { passing, TextIndex } from '../../../../src/rules/match-index/text-index.ts'
import { foundRules, indicesWhere } from './found-rules.ts'

/** Few letters, so that texts overlap, end in each other and repeat; and units of other planes. */
const letter = fc.constantFrom('a', 'b', 'ab', 'ba', 'c', ' ', 'é', '\ud83d', '😀', 'aaa')
const text = fc.string({ unit: letter, maxLength: 12 })
const literal = text.filter((one) => one !== '')

interface TextLookUp {
  readonly add: (text: string, rule: number) => void
  readonly finish: () => void
  readonly lookUp: (value: string, found: Candidates) => void
}

/** As a walk does it: by what the sieve lets pass. */
function lookUpBy(kind: 'prefix' | 'suffix' | 'contains'): TextLookUp {
  const index = new TextIndex()
  let sieve = new Sieve(0)
  const seed = 0x2f6e2b1
  return {
    add: (one, rule) => index.add(kind, one, { rule, lists: [] }),
    finish: () => {
      sieve = new Sieve(index.sieved)
      runAtOnce(index.finish(sieve, seed))
    },
    lookUp: (value, found) => {
      index.lookUp(value, passing(value, index.asks, sieve, seed), found)
    },
  }
}

const literals = (): TextLookUp => lookUpBy('contains')

const kinds: readonly {
  readonly name: string
  readonly make: () => TextLookUp
  readonly holds: (value: string, text: string) => boolean
}[] = [
  {
    name: 'prefixes',
    make: () => lookUpBy('prefix'),
    holds: (value, one) => value.startsWith(one),
  },
  { name: 'suffixes', make: () => lookUpBy('suffix'), holds: (value, one) => value.endsWith(one) },
  { name: 'literals', make: literals, holds: (value, one) => value.includes(one) },
]

function lookUpOf(make: () => TextLookUp, texts: readonly string[]): TextLookUp {
  const lookUp = make()
  texts.forEach((one, rule) => lookUp.add(one, rule))
  lookUp.finish()
  return lookUp
}

for (const { name, make, holds } of kinds) {
  describe(`a look-up of ${name}`, () => {
    const finds = (texts: readonly string[], values: readonly string[]): void => {
      const lookUp = lookUpOf(make, texts)
      const found = new Candidates(texts.length)
      for (const value of values) {
        const want = indicesWhere(texts, (one) => holds(value, one))
        expect(foundRules(found, () => lookUp.lookUp(value, found))).to.deep.equal(want, value)
      }
    }

    it('finds those that a search one by one finds', () => {
      const texts = fc.array(literal, { minLength: 1, maxLength: 40 })
      fc.assert(fc.property(texts, fc.array(text), finds), { numRuns: 500 })
    })

    it('finds those that values of the texts themselves have', () => {
      const texts = fc.array(literal, { minLength: 1, maxLength: 40 })
      fc.assert(fc.property(texts, (those) => finds(those, [...those, those.join('')])))
    })

    it('finds each that is in another, however they are nested', () => {
      const nested = Array.from({ length: 50 }, (_, i) => 'a'.repeat(i + 1))
      finds(nested, ['', 'a', 'aaaa', 'a'.repeat(49), 'a'.repeat(200), `b${'a'.repeat(20)}b`])
    })

    it('finds among many with one text in common', () => {
      const texts = Array.from({ length: 500 }, (_, i) => `Category:${i}:Category`)
      finds(texts, [
        'Category:77:Category',
        'Category:',
        'xCategory:4:Categoryx',
        ':Category',
        'Cat',
      ])
    })
  })
}

describe('a look-up of literals', () => {
  it('reads a text of a million units that is nearly all of a literal once', () => {
    const half = 'a'.repeat(250)
    const texts = Array.from({ length: 100 }, (_, i) => `${half}${i}${half}`)
    const lookUp = lookUpOf(literals, texts)
    const found = new Candidates(texts.length)
    const value = `${'a'.repeat(1_000_000)}7${half}`
    const start = process.cpuUsage()
    expect(foundRules(found, () => lookUp.lookUp(value, found))).to.deep.equal([7])
    // 250 times as many steps, as trying each place would take, are more than a second.
    expect(process.cpuUsage(start).user).to.be.below(700_000)
  })
})

describe('a sieve', () => {
  const sieveOf = (hashes: readonly number[]): Sieve => {
    const sieve = new Sieve(hashes.length)
    for (const hash of hashes) sieve.add(hash)
    return sieve
  }

  it('lets all of its values through', () => {
    const value = fc.oneof(text, fc.double(), fc.integer(), fc.constantFrom(0, -0, 2 ** 53))
    const hashOf = (one: string | number) =>
      typeof one === 'string' ? hashOfText(one) : hashOfNumber(one)
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
        const sieve = sieveOf(values.map(hashOf))
        for (const one of values) expect(sieve.mayHave(hashOf(one))).to.equal(true)
      }),
    )
    expect(hashOfNumber(-0)).to.equal(hashOfNumber(0))
  })

  const count = 10_000
  const rows: readonly (readonly [
    name: string,
    own: (i: number) => number,
    other: (i: number) => number,
  ])[] = [
    ['titles', (i) => hashOfText(`Case ${i} of X`), (i) => hashOfText(`The ${i * 7_919} pages`)],
    ['numbers in a row', (i) => hashOfNumber(i), (i) => hashOfNumber(i + count)],
    ['ids', (i) => hashOfNumber(i * 7_919), (i) => hashOfNumber(1_167_689_309 + i)],
  ]
  for (const [name, own, other] of rows) {
    it(`keeps back most other values: ${name}`, () => {
      const all = Array.from({ length: count }, (_, i) => i)
      const sieve = sieveOf(all.map(own))
      expect(all.filter((i) => sieve.mayHave(other(i))).length).to.be.below(count * 0.3)
    })
  }
})
