import { expect } from 'chai'
import fc from 'fast-check'
import type { Compression } from '../../../../src/drivers/kafkajs/codecs.ts'
import type { BatchRecord } from '../../../../src/drivers/kafkajs/record-batch.ts'
import {
  decodeRecords,
  encodeBatch,
  encodedBytesMax,
} from '../../../../src/drivers/kafkajs/record-batch.ts'

const partition = { topic: 't', partition: 3 }
const attributesAt = 21
const lastOffsetDeltaAt = 23
const maxTimestampAt = 35
const producerIdAt = 43

function aRecord(text: string, more: Partial<BatchRecord> = {}): BatchRecord {
  return { key: null, value: Buffer.from(text), headers: [], timestampMs: 1_000, ...more }
}

/** A batch as a broker gives it back: at an offset, and with marks that only brokers set. */
async function stored(
  texts: readonly string[],
  at: bigint,
  marks: { flags?: number; producerId?: bigint; lastOffset?: bigint } = {},
): Promise<Buffer> {
  const batch = await encodeBatch(
    texts.map((text) => aRecord(text)),
    'none',
  )
  batch.writeBigInt64BE(at, 0)
  batch.writeInt16BE(marks.flags ?? 0, attributesAt)
  batch.writeBigInt64BE(marks.producerId ?? -1n, producerIdAt)
  if (marks.lastOffset !== undefined) {
    batch.writeInt32BE(Number(marks.lastOffset - at), lastOffsetDeltaAt)
  }
  return batch
}

/** The end of a transaction, as the coordinator writes it. */
async function marker(at: bigint, producerId: bigint, kind: 'abort' | 'commit'): Promise<Buffer> {
  const key = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1])
  const batch = await encodeBatch([aRecord('', { key })], 'none')
  batch.writeBigInt64BE(at, 0)
  batch.writeInt16BE(0x30, attributesAt)
  batch.writeBigInt64BE(producerId, producerIdAt)
  return batch
}

async function textsOf(
  bytes: Buffer,
  from = 0n,
  aborted: { producerId: bigint; firstOffset: bigint }[] = [],
) {
  const { records, nextOffset } = await decodeRecords(partition, bytes, from, aborted)
  return { texts: records.map((one) => `${one.offset}:${one.value?.toString()}`), nextOffset }
}

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)))
const anyRecord: fc.Arbitrary<BatchRecord> = fc.record({
  key: bytes,
  value: bytes,
  headers: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 20 }), bytes), {
    maxLength: 5,
  }),
  timestampMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
})

describe('A batch of records', () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Compression[]) {
    it(`comes back as it was put, with ${compression}`, async () => {
      const batches = fc.array(anyRecord, { minLength: 1, maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(batches, async (given) => {
          const batch = await encodeBatch(given, compression)
          const { records, nextOffset } = await decodeRecords(partition, batch, 0n, [])
          expect(nextOffset).to.equal(BigInt(given.length))
          const back = records.map(({ key, value, headers, timestampMs }) => {
            return { key, value, headers, timestampMs }
          })
          expect(back).to.deep.equal(given)
          expect(records.map((one) => one.offset)).to.deep.equal(given.map((_, i) => BigInt(i)))
        }),
        { numRuns: 40 },
      )
    })
  }

  it('keeps headers of one name apart and in order, and tells null from empty', async () => {
    const headers = [
      ['a', Buffer.from('1')],
      ['b', null],
      ['a', Buffer.alloc(0)],
      ['1', null],
    ] as const
    const batch = await encodeBatch([aRecord('v', { headers })], 'none')
    const { records } = await decodeRecords(partition, batch, 0n, [])
    expect(records[0]?.headers).to.deep.equal(headers)
  })

  it('is never larger than its bound says', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecord, async (record) => {
        const one = (await encodeBatch([record], 'none')).length
        const two = (await encodeBatch([record, record], 'none')).length
        expect(two - one).to.be.at.most(encodedBytesMax(record))
      }),
    )
  })

  it('is not compressed when it is small', async () => {
    const small = await encodeBatch([aRecord('small')], 'zstd')
    const large = await encodeBatch([aRecord('large'.repeat(1_000))], 'zstd')
    expect(small.readInt16BE(attributesAt)).to.equal(0)
    expect(large.readInt16BE(attributesAt)).to.equal(4)
    expect(large.length).to.be.below(500)
  })
})

describe('What a fetch gives', () => {
  it('is read from the offset asked for, which may be inside a batch', async () => {
    const all = Buffer.concat([await stored(['a', 'b'], 10n), await stored(['c', 'd'], 12n)])
    expect(await textsOf(all, 11n)).to.deep.equal({
      texts: ['11:b', '12:c', '13:d'],
      nextOffset: 14n,
    })
  })

  it('ends before a batch that the bound of the fetch has cut', async () => {
    const whole = await stored(['a'], 0n)
    const cut = (await stored(['b', 'c'], 1n)).subarray(0, -3)
    expect(await textsOf(Buffer.concat([whole, cut]))).to.deep.equal({
      texts: ['0:a'],
      nextOffset: 1n,
    })
    expect(await textsOf(cut, 1n)).to.deep.equal({ texts: [], nextOffset: 1n })
    expect(await textsOf(cut.subarray(0, 30), 1n)).to.deep.equal({ texts: [], nextOffset: 1n })
  })

  it('moves on over a batch that compaction has emptied', async () => {
    const empty = await stored([], 5n, { lastOffset: 8n })
    expect(await textsOf(empty, 5n)).to.deep.equal({ texts: [], nextOffset: 9n })
  })

  it('moves on over the hole that compaction left at the end of a batch', async () => {
    const batch = await stored(['a', 'b'], 5n, { lastOffset: 20n })
    expect((await textsOf(batch, 5n)).nextOffset).to.equal(21n)
  })

  it('never moves back', async () => {
    expect(await textsOf(await stored(['a', 'b'], 0n), 7n)).to.deep.equal({
      texts: [],
      nextOffset: 7n,
    })
  })

  it('leaves out aborted transactions and all markers, and nothing else', async () => {
    const all = Buffer.concat([
      await stored(['plain'], 0n),
      await stored(['one aborted'], 1n, { flags: 0x10, producerId: 1n }),
      await stored(['two committed'], 2n, { flags: 0x10, producerId: 2n }),
      await marker(3n, 1n, 'abort'),
      await stored(['one again'], 4n, { flags: 0x10, producerId: 1n }),
      await marker(5n, 1n, 'commit'),
      await marker(6n, 2n, 'commit'),
    ])
    const aborted = [{ producerId: 1n, firstOffset: 1n }]
    expect(await textsOf(all, 0n, aborted)).to.deep.equal({
      texts: ['0:plain', '2:two committed', '4:one again'],
      nextOffset: 7n,
    })
  })

  it('has the time of the append where the topic asks for it', async () => {
    const batch = await stored(['a'], 0n, { flags: 0x08 })
    batch.writeBigInt64BE(99_000n, maxTimestampAt)
    const { records } = await decodeRecords(partition, batch, 0n, [])
    expect(records[0]?.timestampMs).to.equal(99_000)
  })

  it('ends before a batch that cannot be read, which alone is refused', async () => {
    const [good, bad] = [await stored(['a', 'b'], 0n), await stored(['c', 'd'], 2n)]
    bad[attributesAt + 1] = 7 // a codec of the future
    expect(await textsOf(Buffer.concat([good, bad]))).to.deep.equal({
      texts: ['0:a', '1:b'],
      nextOffset: 2n,
    })
    const error = await textsOf(bad, 2n).catch((reason: unknown) => reason)
    expect(String(error)).to.contain('codec 7')
  })

  it('is refused when a batch says that it is shorter than its head: no endless loop', async () => {
    const batch = await stored(['a'], 0n)
    batch.writeInt32BE(-12, 8)
    const error = await textsOf(batch).catch((reason: unknown) => reason)
    expect(String(error)).to.contain('shorter than its head')
  })

  const broken = [
    { name: 'an old format', at: 16, value: 1, want: 'format 1' },
    { name: 'a codec of the future', at: attributesAt + 1, value: 7, want: 'codec 7' },
    { name: 'a record longer than its batch', at: 61, value: 0x7e, want: 'not whole' },
  ]
  for (const { name, at, value, want } of broken) {
    it(`is refused when it has ${name}, and never read as something else`, async () => {
      const batch = await stored(['a'], 0n)
      batch[at] = value
      if (at === 61) batch[at + 5] = 0x7e // the length of its value
      const error = await decodeRecords(partition, batch, 0n, []).catch((reason: unknown) => reason)
      expect(String(error)).to.contain(want)
    })
  }
})
