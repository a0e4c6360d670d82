import { expect } from 'chai'
import fc from 'fast-check'
import { describeFailure } from '../../../src/model/failure.ts'
import { isLoop, lineageBehind, lineageOf, lineageToText } from '../../../src/model/lineage.ts'
import { bytesOf, headerText } from '../../../src/model/record.ts'
import {
  formatDuration,
  formatSize,
  parseDurationMs,
  parseSizeBytes,
} from '../../../src/model/units.ts'
import { headersOf } from '../../support/builders.ts'

describe('a duration', () => {
  const cases: [string, number | null][] = [
    ['250ms', 250],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['10', null],
    ['10 s', null],
    ['-1s', null],
    ['1w', null],
    ['0.0001ms', null],
    ['s', null],
    ['', null],
  ]
  for (const [text, want] of cases) {
    it(`of ${JSON.stringify(text)} is ${want}`, () => expect(parseDurationMs(text)).to.equal(want))
  }

  it('prints in its largest whole unit and reads back', () => {
    expect([0, 250, 90_000, 3_600_000, 86_400_000].map(formatDuration)).to.deep.equal([
      '0ms',
      '250ms',
      '90s',
      '1h',
      '1d',
    ])
    fc.assert(
      fc.property(fc.nat(), (ms) => void expect(parseDurationMs(formatDuration(ms))).to.equal(ms)),
    )
  })
})

describe('a size', () => {
  const cases: [string, number | null][] = [
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
    ['1.5KiB', 1_536],
    ['64KB', null],
    ['64', null],
  ]
  for (const [text, want] of cases) {
    it(`of ${JSON.stringify(text)} is ${want}`, () => expect(parseSizeBytes(text)).to.equal(want))
  }

  it('prints in its largest whole unit and reads back', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        (bytes) => void expect(parseSizeBytes(formatSize(bytes))).to.equal(bytes),
      ),
    )
  })
})

describe('lineage', () => {
  it('of a first event is the event itself', () => {
    expect(lineageOf([], 'a/0/1', 5)).to.deep.equal({
      root: 'a/0/1',
      rootTimeMs: 5,
      hops: 0,
      path: [],
      traceparent: null,
    })
  })

  it('comes back from headers as it was sent, one hop further, with the root as it was', () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const first = lineageOf([], 'a/0/1', 5)
    const sent = lineageBehind(first, 'purge', trace)
    const received = lineageOf(headersOf(Object.fromEntries(lineageToText(sent))), 'b/0/9', 99)
    expect(received).to.deep.equal({
      root: 'a/0/1',
      rootTimeMs: 5,
      hops: 1,
      path: ['purge'],
      traceparent: trace,
    })
  })

  it('never makes trouble, whatever stands in the headers', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (time, hops, path) => {
        const texts = { 'sluice-root': 'r', 'sluice-root-time': time, 'sluice-hops': hops }
        const lineage = lineageOf(headersOf({ ...texts, 'sluice-path': path }), 'x/0/0', 7)
        expect(lineage.hops).to.be.at.least(0)
        expect(lineage.rootTimeMs).to.be.a('number').and.not.NaN
      }),
    )
  })

  const loops = [
    { path: [], hops: 0, want: false, why: 'a first event' },
    { path: ['purge'], hops: 1, want: false, why: 'once through itself is allowed' },
    { path: ['purge', 'purge'], hops: 2, want: true, why: 'twice is not' },
    { path: ['purge', 'other', 'purge'], hops: 3, want: true, why: 'others between do not help' },
    { path: ['a', 'b', 'c'], hops: 10, want: false, why: 'as many hops as allowed' },
    { path: ['a', 'b', 'c'], hops: 11, want: true, why: 'one hop too many' },
  ]
  for (const { path, hops, want, why } of loops) {
    it(`${want ? 'is' : 'is not'} a loop: ${why}`, () => {
      const lineage = { root: 'r', rootTimeMs: 0, hops, path, traceparent: null }
      expect(isLoop(lineage, 'purge', 10)).to.equal(want)
    })
  }
})

describe('a record', () => {
  it('has the last of the headers of one name', () => {
    const headers = [...headersOf({ a: '1' }), ...headersOf({ a: '2' })]
    expect(headerText(headers, 'a')).to.equal('2')
    expect(headerText(headers, 'b')).to.equal(null)
    expect(headerText([['a', null]], 'a')).to.equal(null)
  })

  it('weighs at least its bytes', () => {
    const record = {
      key: Buffer.alloc(10),
      value: Buffer.alloc(1_000),
      headers: headersOf({ a: 'bc' }),
    }
    expect(bytesOf(record)).to.be.within(1_013, 1_400)
  })
})

describe('a failure in words', () => {
  it('is at most 2 KiB and never ends in half a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1_000, maxLength: 1_500 }),
        (message) => {
          const text = describeFailure({ kind: 'tls', message })
          expect(Buffer.byteLength(text)).to.be.at.most(2_048)
          if (!message.includes('\uFFFD')) expect(text).to.not.include('\uFFFD')
        },
      ),
      { numRuns: 30 },
    )
  })
})
