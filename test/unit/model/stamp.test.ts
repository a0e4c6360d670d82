import { expect } from 'chai'
import fc from 'fast-check'
import type { Stamp } from '../../../src/model/stamp.ts'
import { isCoveredBy, versionOf } from '../../../src/model/stamp.ts'

describe('A version', () => {
  const same: [string, string][] = [
    ['0', '-0'],
    ['0', '0.000'],
    ['1', '1.0'],
    ['1', '001'],
    ['1.5', '1.500000000000'],
    ['-1', '-1.0'],
    ['-1', '-001'],
    ['2026-01-01T00:00:00Z', '2026-01-01t00:00:00z'],
    ['2026-01-01T00:00:00Z', '2026-01-01 00:00:00+00:00'],
    ['2026-01-01T00:00:00Z', '2025-12-31T19:00:00-05:00'],
    ['2026-01-01T00:00:00.5Z', '2026-01-01T00:00:00.500000000000Z'],
    ['1970-01-01T00:00:10Z', '10'],
    ['1969-12-31T23:59:58.75Z', '-1.25'],
  ]
  for (const [a, b] of same) {
    it(`${a} is ${b}`, () => {
      expect(versionOf(a)).to.be.a('string')
      expect(versionOf(a)).to.equal(versionOf(b))
    })
  }

  const rising = [
    '-99999999999999999999.999999999',
    '-99999999999999999999',
    '-10.5',
    '-10',
    '-9',
    '1969-12-31T23:59:58.25Z',
    '1969-12-31T23:59:58.5Z',
    '1969-12-31T23:59:59Z',
    '-0.000000001',
    '0',
    '0.000000001',
    '0.1',
    '1',
    '9',
    '10',
    '10.000000001',
    '9007199254740993',
    '9007199254740994',
    '18446744073709551615',
    '99999999999999999999',
    '99999999999999999999.999999999',
  ]
  it('is higher in the order of texts where it is the higher number or the later time', () => {
    rising.forEach((low, at) => {
      for (const high of rising.slice(at + 1)) {
        expect(textOf(low) < textOf(high), `${low} < ${high}`).to.equal(true)
      }
    })
  })

  const none: string[] = [
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    '+1',
    '--1',
    '1.',
    '.5',
    '1e3',
    '0x10',
    '1,000',
    '1_000',
    '٣',
    'null',
    'NaN',
    'Infinity',
    'v1',
    '1.2.3',
    '100000000000000000000',
    '-100000000000000000000',
    '0.0000000001',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01T00:00:00+0000',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.0000000001Z',
    '1969-12-31T23:59:59.0000000001Z',
  ]
  for (const text of none) {
    it(`is not ${JSON.stringify(text)}`, () => expect(versionOf(text)).to.equal(null))
  }

  it('of zeros without end is still a number', () => {
    expect(versionOf(`${'0'.repeat(100)}1.${'0'.repeat(100)}`)).to.equal(versionOf('1'))
  })

  it('keeps the order of any two numbers', () => {
    const scale = 10n ** 9n
    const inNanos = fc.oneof(
      fc.bigInt({ min: -(10n ** 29n) + 1n, max: 10n ** 29n - 1n }),
      fc.bigInt({ min: -20n * scale, max: 20n * scale }),
    )
    fc.assert(
      fc.property(inNanos, inNanos, (a, b) => {
        expect(order(textOf(decimal(a)), textOf(decimal(b)))).to.equal(order(a, b))
      }),
      { numRuns: 2_000 },
    )

    function decimal(nanos: bigint): string {
      const distance = nanos < 0n ? -nanos : nanos
      const fraction = String(distance % scale).padStart(9, '0')
      return `${nanos < 0n ? '-' : ''}${distance / scale}.${fraction}`
    }
  })

  it('keeps the order of any two times, in any zones', () => {
    const zone = fc.integer({ min: -14 * 60, max: 14 * 60 })
    const time = fc.record({
      ms: fc.oneof(fc.integer({ min: -3e12, max: 4e12 }), fc.integer({ min: -5_000, max: 5_000 })),
      micros: fc.integer({ min: 0, max: 999 }),
      zone,
    })
    fc.assert(
      fc.property(time, time, (a, b) => {
        const micros = (one: typeof a) => one.ms * 1_000 + one.micros
        expect(order(textOf(rfc3339(a)), textOf(rfc3339(b)))).to.equal(order(micros(a), micros(b)))
      }),
      { numRuns: 2_000 },
    )

    function rfc3339({ ms, micros, zone: minutes }: { ms: number; micros: number; zone: number }) {
      const local = new Date(ms + minutes * 60_000).toISOString().slice(0, -1)
      const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
      const two = (number: number) => String(number).padStart(2, '0')
      const offset = `${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`
      return `${local}${String(micros).padStart(3, '0')}${offset}`
    }
  })

  it('is a text of one length and of digits alone, or none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
        const version = versionOf(text)
        if (version !== null) expect(version).to.match(/^[01]\d{29}$/)
      }),
    )
  })
})

describe('An event', () => {
  const stamp = fc.record<Stamp>({
    version: fc.constantFrom(null, '1', '2', '3'),
    source: fc.constantFrom('a/0', 'b/0'),
    offset: fc.bigInt({ min: 0n, max: 4n }),
    timeMs: fc.integer({ min: -2, max: 2 }),
  })

  it('is covered by itself', () => {
    fc.assert(fc.property(stamp, (one) => void expect(isCoveredBy(one, one)).to.equal(true)))
  })

  it('and another cover one another only where they stand at the same place', () => {
    fc.assert(
      fc.property(stamp, stamp, (a, b) => {
        if (!isCoveredBy(a, b) || !isCoveredBy(b, a)) return
        const isSameVersion = a.version !== null && a.version === b.version
        const isSamePlace = a.source === b.source && a.offset === b.offset
        expect(isSameVersion || isSamePlace).to.equal(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is covered by each that covers one which covers it: by version, and within one source', () => {
    const alike = fc.oneof(
      fc.record({ version: fc.constantFrom('1', '2', '3') }),
      fc.record({ version: fc.constant(null), source: fc.constant('a/0') }),
    )
    const three = alike.chain((shared) =>
      fc.tuple(...[0, 1, 2].map(() => fc.tuple(stamp, fc.constant(shared)))),
    )
    fc.assert(
      fc.property(three, (given) => {
        const [a, b, c] = given.map(([one, shared]) =>
          shared.version === null
            ? { ...one, ...shared }
            : { ...one, version: one.version ?? shared.version },
        )
        if (a === undefined || b === undefined || c === undefined) return
        if (isCoveredBy(a, b) && isCoveredBy(b, c)) expect(isCoveredBy(a, c)).to.equal(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it('or the other covers, of any two of one source', () => {
    fc.assert(
      fc.property(stamp, stamp, (a, other) => {
        const b = { ...other, source: a.source }
        expect(isCoveredBy(a, b) || isCoveredBy(b, a)).to.equal(true)
      }),
    )
  })

  it('of another source at the same moment has no order', () => {
    const a = { version: null, source: 'a/0', offset: 1n, timeMs: 5 }
    const b = { ...a, source: 'b/0', offset: 9n }
    expect([isCoveredBy(a, b), isCoveredBy(b, a)]).to.deep.equal([false, false])
  })
})

function textOf(version: string): string {
  const text = versionOf(version)
  expect(text, version).to.be.a('string')
  return text ?? ''
}

function order<T extends bigint | number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
