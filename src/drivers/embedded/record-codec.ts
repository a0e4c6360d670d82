import { crc32 } from 'node:zlib'
import type { Headers, NewRecord } from '../../model/record.ts'
import { PortError } from '../../ports/port-error.ts'

/*
 * A record as one value of the log; topic, partition and offset are in its key. Little-endian:
 *
 *   0  u8   layout (1)
 *   1  u32  CRC-32 of all that follows
 *   5  u8   1: key is null, 2: value is null
 *   6  f64  timestamp, milliseconds since 1970: the producer's word
 *  14  f64  when it was appended, the same unit: what retention goes by
 *  22  u32  bytes of the key
 *  26  u32  headers, then each: u32 bytes of the name, i32 bytes of the value (-1: null), both
 *      ...  the key, then the value up to the end
 *
 * The checksum is ours because LMDB has none for its pages: without it a flipped bit on the disk
 * would travel on as an event.
 */

const layout = 1
const keyIsNull = 1
const valueIsNull = 2
const crcAt = 1
const bodyAt = 5
const headersAt = 30

export interface StoredRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  readonly timestampMs: number
  readonly appendedMs: number
}

/** The bytes under which a record lies in the log. `timestampMs` left out means `appendedMs`. */
export function encodeRecord(record: Omit<NewRecord, 'topic'>, appendedMs: number): Buffer {
  const { key, value, headers } = record
  const names = headers.map(([name]) => Buffer.from(name, 'utf8'))
  let length = headersAt + (key?.length ?? 0) + (value?.length ?? 0)
  headers.forEach(([, held], i) => (length += 8 + (names[i]?.length ?? 0) + (held?.length ?? 0)))

  const bytes = Buffer.allocUnsafe(length)
  bytes[0] = layout
  bytes[5] = (key === null ? keyIsNull : 0) | (value === null ? valueIsNull : 0)
  bytes.writeDoubleLE(record.timestampMs ?? appendedMs, 6)
  bytes.writeDoubleLE(appendedMs, 14)
  bytes.writeUInt32LE(key?.length ?? 0, 22)
  bytes.writeUInt32LE(headers.length, 26)
  let at = headersAt
  const append = (part: Buffer) => void (at += part.copy(bytes, at))
  headers.forEach(([, held], i) => {
    const name = names[i] ?? Buffer.alloc(0)
    at = bytes.writeUInt32LE(name.length, at)
    at = bytes.writeInt32LE(held?.length ?? -1, at)
    append(name)
    if (held !== null) append(held)
  })
  if (key !== null) append(key)
  if (value !== null) append(value)
  bytes.writeUInt32LE(crc32(bytes.subarray(bodyAt)), crcAt)
  return bytes
}

/**
 * Undoes `encodeRecord`. Key, value and header values are views into `bytes`, not copies. Throws a
 * PortError of code `damaged` when the bytes are not what was written.
 */
export function decodeRecord(bytes: Buffer): StoredRecord {
  if (bytes.length < headersAt || bytes[0] !== layout) throw damagedRecord('its layout is unknown')
  if (crc32(bytes.subarray(bodyAt)) !== bytes.readUInt32LE(crcAt)) {
    throw damagedRecord('its checksum is wrong')
  }
  // From here on the lengths are ours: the checksum covers them.
  const nulls = bytes[5] ?? 0
  const keyBytes = bytes.readUInt32LE(22)
  const headers: [string, Buffer | null][] = []
  let at = headersAt
  for (let left = bytes.readUInt32LE(26); left > 0; left--) {
    const nameBytes = bytes.readUInt32LE(at)
    const valueBytes = bytes.readInt32LE(at + 4)
    const valueAt = at + 8 + nameBytes
    const name = bytes.toString('utf8', at + 8, valueAt)
    at = valueAt + Math.max(0, valueBytes)
    headers.push([name, valueBytes < 0 ? null : bytes.subarray(valueAt, at)])
  }
  return {
    key: (nulls & keyIsNull) === 0 ? bytes.subarray(at, at + keyBytes) : null,
    value: (nulls & valueIsNull) === 0 ? bytes.subarray(at + keyBytes) : null,
    headers,
    timestampMs: bytes.readDoubleLE(6),
    appendedMs: bytes.readDoubleLE(14),
  }
}

/** When a stored record was appended, without decoding the rest of it. */
export function appendedMsOf(bytes: Buffer): number {
  return bytes.readDoubleLE(14)
}

/** What counts against the bound of one record: key, value and headers. */
export function sizeOf({ key, value, headers }: Pick<NewRecord, 'key' | 'value' | 'headers'>) {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, held] of headers) bytes += Buffer.byteLength(name) + (held?.length ?? 0)
  return bytes
}

function damagedRecord(reason: string): PortError {
  return new PortError('bus', 'damaged', `a record of the embedded log is damaged: ${reason}`)
}
