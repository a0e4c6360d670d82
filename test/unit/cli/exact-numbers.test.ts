import { expect } from 'chai'
import fc from 'fast-check'
import { inexactInteger } from '../../../src/cli/exact-numbers.ts'

describe('an integer that a JavaScript number cannot hold', () => {
  const cases = [
    { json: '{"id":9007199254740993}', want: '9007199254740993' },
    { json: '{"id":-9007199254740993}', want: '-9007199254740993' },
    { json: '{"id":9007199254740992}', want: null }, // a power of two
    { json: '{"id":"9007199254740993"}', want: null },
    { json: '{"9007199254740993":1}', want: null },
    { json: '{"a":"\\"9007199254740993"}', want: null },
    { json: '{"a":9007199254740993.0,"b":1e400}', want: null }, // never exact, in any reader
    { json: '[1,12345678901234567890]', want: '12345678901234567890' },
  ]
  for (const { json, want } of cases) {
    it(`is ${want ?? 'not found'} in ${json}`, () => {
      expect(inexactInteger(json)).to.equal(want)
    })
  }

  it('is found exactly when reading and writing changes it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (n) => {
        const isKept = BigInt(JSON.parse(String(n)) as number) === n // as: JSON of digits is a number
        expect(inexactInteger(`{"n":${n}}`) === null).to.equal(isKept)
      }),
    )
  })
})
