import { expect } from 'chai'
import { retryAfterMs } from '../../../src/actions/retry-after.ts'

const nowMs = Date.UTC(2026, 10, 24, 12)
const yearMs = 365 * 86_400_000

describe('Retry-After gives', () => {
  const cases: { text?: string; date?: string; want: number | null }[] = [
    { want: null },
    { text: '', want: null },
    { text: '0', want: 0 },
    { text: '120', want: 120_000 },
    { text: ' 3 ', want: 3_000 },
    { text: '999999999999', want: yearMs },
    { text: '9999999999999999', want: null },
    { text: '-1', want: null },
    { text: '1.5', want: null },
    { text: 'soon', want: null },
    { text: '2026-11-24T12:00:10Z', want: null },
    { text: 'Tue, 24 Nov 2026 12:00:10 GMT', want: 10_000 },
    { text: 'Tuesday, 24-Nov-26 12:00:10 GMT', want: 10_000 },
    { text: 'Tue Nov 24 12:00:10 2026', want: 10_000 },
    { text: 'Tue Nov  3 12:00:10 2026', want: 0 },
    { text: 'Tue, 24 Nov 2026 11:00:00 GMT', want: 0 },
    { text: 'Tue, 24 Nov 2036 12:00:00 GMT', want: yearMs },
    { text: 'Tue, 99 Nov 2026 12:00:00 GMT', want: null },
    { text: 'Tue, 24 Nov 2026 12:00:10 GMT', date: 'Tue, 24 Nov 2026 12:00:07 GMT', want: 3_000 },
    { text: 'Tue, 24 Nov 2026 12:00:10 GMT', date: 'nonsense', want: 10_000 },
    { text: '5', date: 'Tue, 24 Nov 2020 12:00:07 GMT', want: 5_000 },
  ]
  for (const { text, date, want } of cases) {
    it(`${want} for ${text === undefined ? 'nothing' : JSON.stringify(text)}, date ${date ?? 'ours'}`, () => {
      const headers = {
        ...(text === undefined ? {} : { 'retry-after': text }),
        ...(date === undefined ? {} : { date }),
      }
      expect(retryAfterMs(headers, nowMs)).to.equal(want)
    })
  }
})
