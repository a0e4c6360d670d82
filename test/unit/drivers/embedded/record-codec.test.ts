import { expect } from 'chai'
import fc from 'fast-check'
import {
  appendedMsOf,
  decodeRecord,
  encodeRecord,
  sizeOf,
} from '../../../../src/drivers/embedded/record-codec.ts'
import { PortError } from '../../../../src/ports/port-error.ts'

const buffers = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
const nullable = fc.option(buffers, { nil: null })
const times = fc.integer({ min: 0, max: 4_102_444_800_000 })
const records = fc.record({
  key: nullable,
  value: nullable,
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 10 }), nullable)),
  timestampMs: times,
})

describe('The record codec', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(records, times, (record, appendedMs) => {
        expect(decodeRecord(encodeRecord(record, appendedMs))).to.deep.equal({
          ...record,
          appendedMs,
        })
      }),
    )
  })

  it('stamps a record without a time with the time of its appending', () => {
    const bytes = encodeRecord({ key: null, value: null, headers: [] }, 1_234)
    expect(decodeRecord(bytes).timestampMs).to.equal(1_234)
  })

  it('tells when a record was appended without decoding it', () => {
    fc.assert(
      fc.property(records, times, (record, appendedMs) => {
        expect(appendedMsOf(encodeRecord(record, appendedMs))).to.equal(appendedMs)
      }),
    )
  })

  it('notices every flipped bit, and says that the log is damaged', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 0, max: 7 }), (record, where, bit) => {
        const bytes = encodeRecord(record, 1_234)
        const at = where % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
        expect(codeOf(() => decodeRecord(bytes))).to.equal('damaged')
      }),
    )
  })

  for (const length of [0, 1, 6, 29]) {
    it(`takes ${length} bytes for damaged`, () => {
      expect(codeOf(() => decodeRecord(Buffer.alloc(length, 1)))).to.equal('damaged')
    })
  }

  it('counts key, value and headers against the bound of a record', () => {
    const record = {
      key: Buffer.alloc(3),
      value: Buffer.alloc(10),
      headers: [
        ['né', Buffer.alloc(5)],
        ['n', null],
      ] as const,
    }
    expect(sizeOf(record)).to.equal(3 + 10 + 3 + 5 + 1)
    expect(sizeOf({ key: null, value: null, headers: [] })).to.equal(0)
  })
})

function codeOf(decode: () => unknown): string | null {
  try {
    decode()
    return null
  } catch (error) {
    return error instanceof PortError ? error.code : String(error)
  }
}
