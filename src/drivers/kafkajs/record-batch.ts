import type { BusRecord, Headers, TopicPartition } from '../../model/record.ts'
import type { Compression } from './codecs.ts'
import { codecNumbers, codecOf } from './codecs.ts'
import { crc32c } from './innards.ts'

/*
 * Record batches of Kafka, format 2, to bytes and back. Ours instead of kafkajs' because that one
 * folds headers of one name, cannot write a header without a value, forgets the last offset of a
 * batch that compaction has emptied, and takes several times as long.
 * Source: https://kafka.apache.org/documentation/#recordbatch
 */

/** Where things stand in the head of a batch; from `attributes` on, the checksum covers all. */
const at = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  firstSequence: 53,
  count: 57,
  records: 61,
} as const

const flags = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const
const abortMarker = 0

/** Below this a codec saves less than its frame and the hop to another thread cost. */
const compressBytesMin = 1_024

export interface BatchRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  readonly timestampMs: number
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

export interface DecodedRecords {
  readonly records: BusRecord[]
  /** Above every batch that was read whole, empty ones included; `from` when there was none. */
  readonly nextOffset: bigint
}

/** One batch of records, in order. Small ones are not compressed, whatever `compression` says. */
export async function encodeBatch(
  records: readonly BatchRecord[],
  compression: Compression,
): Promise<Buffer> {
  const firstMs = records[0]?.timestampMs ?? 0
  let maxMs = firstMs
  const sizes = new Array<number>(records.length)
  let bodyBytes = 0
  for (const [i, record] of records.entries()) {
    const size = bodySizeOf(record, i, record.timestampMs - firstMs)
    sizes[i] = size
    bodyBytes += varintSize(size) + size
    if (record.timestampMs > maxMs) maxMs = record.timestampMs
  }
  let body: Buffer = Buffer.allocUnsafe(bodyBytes)
  let end = 0
  for (const [i, record] of records.entries()) {
    end = writeVarint(body, end, sizes[i] ?? 0)
    end = writeRecord(body, end, record, i, record.timestampMs - firstMs)
  }
  const number = bodyBytes < compressBytesMin ? 0 : codecNumbers[compression]
  body = (await codecOf(number)?.compress(body)) ?? body

  const batch = Buffer.allocUnsafe(at.records + body.length)
  batch.writeBigInt64BE(0n, 0) // the broker gives the offsets
  batch.writeInt32BE(batch.length - at.length - 4, at.length)
  batch.writeInt32BE(-1, at.length + 4) // leader epoch: the broker's too
  batch.writeInt8(2, at.magic)
  batch.writeInt16BE(number, at.attributes)
  batch.writeInt32BE(records.length - 1, at.lastOffsetDelta)
  batch.writeBigInt64BE(BigInt(firstMs), at.firstTimestamp)
  batch.writeBigInt64BE(BigInt(maxMs), at.maxTimestamp)
  batch.writeBigInt64BE(-1n, at.producerId)
  batch.writeInt16BE(-1, at.producerEpoch)
  batch.writeInt32BE(-1, at.firstSequence)
  batch.writeInt32BE(records.length, at.count)
  body.copy(batch, at.records)
  batch.writeUInt32BE(crc32c(batch.subarray(at.attributes)), at.crc)
  return batch
}

/** What a record adds to a batch at most, before compression. For bounds of batches. */
export function encodedBytesMax(record: Pick<BatchRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = 40 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of record.headers) bytes += 10 + name.length * 3 + (value?.length ?? 0)
  return bytes
}

/**
 * The records at or above `from` in what a fetch gave for one partition. A batch that the bound of
 * the fetch has cut is left out. Records of aborted transactions are left out, as are the markers of
 * transactions. Keys and values are views of `bytes`, which live as long as one of them.
 */
export async function decodeRecords(
  partition: TopicPartition,
  bytes: Buffer,
  from: bigint,
  aborted: readonly AbortedTransaction[],
): Promise<DecodedRecords> {
  const records: BusRecord[] = []
  const abortedNow = new Set<bigint>()
  const abortedLater = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  let nextOffset = from
  for (let start = 0; start + at.magic < bytes.length;) {
    const magic = bytes.readInt8(start + at.magic)
    // Brokers up to 3 may still keep formats 0 and 1 of before 2017 in topics never rewritten.
    if (magic !== 2) throw new Error(`records are in format ${magic}; only format 2 can be read`)
    const end = start + at.length + 4 + bytes.readInt32BE(start + at.length)
    if (end < start + at.records) throw new Error('a batch is shorter than its head')
    if (end > bytes.length) break
    const batch = bytes.subarray(start, end)
    start = end

    const firstOffset = batch.readBigInt64BE(0)
    const lastOffset = firstOffset + BigInt(batch.readInt32BE(at.lastOffsetDelta))
    const attributes = batch.readInt16BE(at.attributes)
    const producerId = batch.readBigInt64BE(at.producerId)
    for (let next = abortedLater[0]; next !== undefined; next = abortedLater[0]) {
      if (next.firstOffset > lastOffset) break
      abortedNow.add(next.producerId)
      abortedLater.shift()
    }
    const isAborted = (attributes & flags.transactional) !== 0 && abortedNow.has(producerId)
    if ((attributes & flags.control) !== 0) {
      if (isAbortMarker(batch)) abortedNow.delete(producerId)
    } else if (!isAborted && lastOffset >= from) {
      const before = records.length
      try {
        const packed = batch.subarray(at.records)
        const codec = codecOf(attributes & flags.codec)
        const body = codec === null || packed.length === 0 ? packed : await codec.decompress(packed)
        readBody(partition, batch, body, firstOffset, attributes, from, records)
      } catch (error) {
        if (nextOffset === from) throw error
        records.length = before // those are whole; the next fetch begins with the one that is not
        break
      }
    }
    if (lastOffset >= nextOffset) nextOffset = lastOffset + 1n
  }
  return { records, nextOffset }
}

/** Hot: once per record. */
function readBody(
  { topic, partition }: TopicPartition,
  batch: Buffer,
  body: Buffer,
  firstOffset: bigint,
  attributes: number,
  from: bigint,
  into: BusRecord[],
): void {
  const count = batch.readInt32BE(at.count)
  const firstMs = Number(batch.readBigInt64BE(at.firstTimestamp))
  const appendMs =
    (attributes & flags.logAppendTime) !== 0 ? Number(batch.readBigInt64BE(at.maxTimestamp)) : null
  const reader = new VarintReader(body)
  for (let i = 0; i < count; i++) {
    const size = reader.int()
    const end = reader.position + size
    reader.position += 1 // attributes of a record: none is defined
    const timeDelta = reader.long()
    const offset = firstOffset + BigInt(reader.int())
    if (offset < from) {
      reader.position = end
      continue
    }
    const key = reader.bytes()
    const value = reader.bytes()
    const headerCount = reader.int()
    let headers: [string, Buffer | null][] | null = null
    for (let h = 0; h < headerCount; h++) {
      headers ??= []
      headers.push([reader.bytes()?.toString('utf8') ?? '', reader.bytes()])
    }
    reader.position = end
    into.push({
      topic,
      partition,
      offset,
      key,
      value,
      headers: headers ?? noHeaders,
      timestampMs: appendMs ?? firstMs + timeDelta,
    })
  }
}

const noHeaders: Headers = []

function isAbortMarker(batch: Buffer): boolean {
  const reader = new VarintReader(batch.subarray(at.records))
  reader.int() // size
  reader.position += 1
  reader.long()
  reader.int()
  const key = reader.bytes()
  return key !== null && key.length >= 4 && key.readInt16BE(2) === abortMarker
}

/** Zigzag numbers, seven bits a byte, the lowest first. */
class VarintReader {
  position = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int(): number {
    const bytes = this.#bytes
    let raw = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[this.position++]
      if (byte === undefined || shift > 28) throw new Error('a record is not whole')
      raw |= (byte & 0x7f) << shift
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1)
    }
  }

  /** Exact up to 2^53, which milliseconds never reach. */
  long(): number {
    const bytes = this.#bytes
    let raw = 0
    for (let weight = 1; ; weight *= 128) {
      const byte = bytes[this.position++]
      if (byte === undefined || weight > 2 ** 63) throw new Error('a record is not whole')
      raw += (byte & 0x7f) * weight
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
    }
  }

  bytes(): Buffer | null {
    const length = this.int()
    if (length < 0) return null
    const start = this.position
    this.position += length
    if (this.position > this.#bytes.length) throw new Error('a record is not whole')
    return this.#bytes.subarray(start, this.position)
  }
}

function bodySizeOf(record: BatchRecord, offsetDelta: number, timeDelta: number): number {
  let size = 1 + varintSize(timeDelta) + varintSize(offsetDelta)
  size += bytesSize(record.key) + bytesSize(record.value) + varintSize(record.headers.length)
  for (const [name, value] of record.headers) {
    const length = Buffer.byteLength(name)
    size += varintSize(length) + length + bytesSize(value)
  }
  return size
}

function writeRecord(
  into: Buffer,
  start: number,
  record: BatchRecord,
  offsetDelta: number,
  timeDelta: number,
): number {
  let end = start
  into[end++] = 0
  end = writeVarint(into, end, timeDelta)
  end = writeVarint(into, end, offsetDelta)
  end = writeBytes(into, end, record.key)
  end = writeBytes(into, end, record.value)
  end = writeVarint(into, end, record.headers.length)
  for (const [name, value] of record.headers) {
    end = writeVarint(into, end, Buffer.byteLength(name))
    end += into.write(name, end, 'utf8')
    end = writeBytes(into, end, value)
  }
  return end
}

function bytesSize(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}

function writeBytes(into: Buffer, start: number, bytes: Buffer | null): number {
  if (bytes === null) return writeVarint(into, start, -1)
  const end = writeVarint(into, start, bytes.length)
  return end + bytes.copy(into, end)
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}

function varintSize(value: number): number {
  let size = 1
  for (let raw = zigzag(value); raw >= 128; raw = Math.floor(raw / 128)) size++
  return size
}

function writeVarint(into: Buffer, start: number, value: number): number {
  let end = start
  let raw = zigzag(value)
  while (raw >= 128) {
    into[end++] = (raw % 128) + 128
    raw = Math.floor(raw / 128)
  }
  into[end++] = raw
  return end
}
