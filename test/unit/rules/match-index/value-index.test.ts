import { expect } from 'chai'
import fc from 'fast-check'
import type { Scalar } from '../../../../src/rules/condition.ts'
import { runAtOnce } from '../../../../src/rules/match-index/in-slices.ts'
import type { Key } from '../../../../src/rules/match-index/key.ts'
import { Sieve } from '../../../../src/rules/match-index/sieve.ts'
import {
  asksOfOtherKinds,
  passingAsks,
  passingNumber,
  passingText,
  ValueIndex,
} from '../../../../src/rules/match-index/value-index.ts'

const seed = 0x2f6e2b1
const interval = { min: 0, max: 9, minOpen: false, maxOpen: false }

function indexOf(keys: readonly Key[]) {
  const index = new ValueIndex()
  keys.forEach((key, rule) => runAtOnce(index.file(key, { rule, lists: [] })))
  const sieve = new Sieve(index.sieved)
  runAtOnce(index.finish(sieve, seed))
  return { index, sieve }
}

const valueKey = (value: Scalar, ci = false): Key => ({
  kind: 'one-of',
  values: new Set([value]),
  ci,
})
const textKey = (kind: 'prefix' | 'suffix' | 'contains', ci = false): Key => ({
  kind,
  text: 'text',
  ci,
})

describe('what has to be looked up for a value', () => {
  const rows: readonly {
    readonly name: string
    readonly key: Key
    readonly isOther: boolean
  }[] = [
    { name: 'a text', key: valueKey('text'), isOther: false },
    { name: 'a number', key: valueKey(1), isOther: false },
    { name: 'true', key: valueKey(true), isOther: false },
    { name: 'null', key: valueKey(null), isOther: false },
    { name: 'a prefix', key: textKey('prefix'), isOther: false },
    { name: 'a suffix', key: textKey('suffix'), isOther: true },
    { name: 'a literal', key: textKey('contains'), isOther: true },
    { name: 'a text in any case', key: valueKey('text', true), isOther: true },
    { name: 'a prefix in any case', key: textKey('prefix', true), isOther: true },
    { name: 'a range', key: { kind: 'range', interval }, isOther: true },
    { name: 'a block of addresses', key: { kind: 'cidr', source: '10.0.0.0/8' }, isOther: true },
    { name: 'presence', key: { kind: 'present', beyond: null }, isOther: true },
    { name: 'too long a text', key: { kind: 'too-long', unitsMax: 3 }, isOther: true },
  ]
  for (const { name, key, isOther } of rows) {
    it(`is ${isOther ? 'not ' : ''}known to the loop of a walk where ${name} is asked for`, () => {
      const { index } = indexOf([key])
      expect((index.asks & asksOfOtherKinds) !== 0).to.equal(isOther)
    })
  }

  it('is the same to the loop of a walk as to all else', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), minLength: 1 })
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true }))
    const key = fc.oneof(
      fc.oneof(text, number).map((value) => valueKey(value)),
      text.map((prefix): Key => ({ kind: 'prefix', text: prefix, ci: false })),
    )
    const some = fc.array(key, { maxLength: 6 })
    fc.assert(
      fc.property(some, fc.array(text), fc.array(number), (keys, texts, numbers) => {
        const { index, sieve } = indexOf(keys)
        const { asks } = index
        for (const one of [
          '',
          ...texts,
          ...keys.map((asked) => ('text' in asked ? asked.text : '')),
        ]) {
          const passed = passingText(one, asks, sieve, seed)
          expect(passed, one).to.equal(passingAsks(one, asks, sieve, seed))
        }
        for (const one of numbers) {
          const passed = passingNumber(one, asks, sieve, seed)
          expect(passed, String(one)).to.equal(passingAsks(one, asks, sieve, seed))
        }
      }),
    )
  })
})
