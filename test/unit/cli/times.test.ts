import { expect } from 'chai'
import { agoText, lengthText } from '../../../src/cli/times.ts'

describe('a time on a terminal', () => {
  const cases = [
    { agoMs: -5_000, want: 'now' }, // the clocks of two machines differ
    { agoMs: 0, want: 'now' },
    { agoMs: 999, want: 'now' },
    { agoMs: 1_000, want: '1s ago' },
    { agoMs: 59_999, want: '59s ago' },
    { agoMs: 60_000, want: '1m ago' },
    { agoMs: 3_599_999, want: '59m ago' },
    { agoMs: 3_600_000, want: '1h ago' },
    { agoMs: 86_399_999, want: '23h ago' },
    { agoMs: 86_400_000, want: '1d ago' },
    { agoMs: 40 * 86_400_000, want: '40d ago' },
  ]
  for (const { agoMs, want } of cases) {
    it(`reads "${want}" after ${agoMs} ms`, () => {
      expect(agoText(1_000_000_000_000 - agoMs, 1_000_000_000_000)).to.equal(want)
    })
  }
})

describe('a length of time', () => {
  const cases = [
    { seconds: 0, want: '0s' },
    { seconds: 0.9, want: '0s' },
    { seconds: 59.9, want: '59s' },
    { seconds: 60, want: '1m' },
    { seconds: 192, want: '3m 12s' },
    { seconds: 3_605, want: '1h' }, // the two largest units, and no minute is in it
    { seconds: 18_120, want: '5h 2m' },
    { seconds: 781_201, want: '9d 1h' },
  ]
  for (const { seconds, want } of cases) {
    it(`of ${seconds} s reads "${want}"`, () => {
      expect(lengthText(seconds)).to.equal(want)
    })
  }
})
