import { createHash } from 'node:crypto'
import type { Database } from 'lmdb'
import type { Stamp } from '../../model/stamp.ts'
import type { StoreKey } from '../../model/store-calls.ts'
import type { Called, StoreEntry } from '../../model/store-entry.ts'
import { entryEndsMs } from '../../model/store-entry.ts'

/*
 * The entries as they lie in LMDB: the moment when one can be forgotten, eight bytes, so that
 * sweeping reads no more than that; behind it the entry as a JSON list. All functions here run
 * inside a write transaction.
 */

export type Entries = Database<Buffer, Buffer>

/** Of a key in LMDB; above it, a digest stands for the key. The order of keys has no meaning. */
const keyBytesMax = 256

/**
 * The key of an entry. UTF-16 as it is in memory: UTF-8 has no room for half a surrogate pair, so
 * that keys that differ would be one. The length in front keeps rule and key apart.
 */
export function keyOf({ rule, key }: StoreKey): Buffer {
  const bytes = Buffer.from(`${rule.length}:${rule}${key}`, 'utf16le')
  if (bytes.length <= keyBytesMax) return bytes
  // No other key is of 32 bytes and begins with anything but a digit in UTF-16.
  return Buffer.concat([digestMark, createHash('sha256').update(bytes).digest()])
}

const digestMark = Buffer.from([0xff])

/** Key of what only shows that the disk takes writes: over from the start, so that sweeping ends it. */
const probeKey = Buffer.from([0])

/** Does to the entry of `key` what `call` does; tells whether it made a new one. */
export function changeEntry<Answer>(
  entries: Entries,
  key: Buffer,
  call: (entry: StoreEntry | null) => Called<Answer>,
): { readonly answer: Answer; readonly isMade: boolean } {
  const bytes = entries.get(key)
  const { entry, answer } = call(bytes === undefined ? null : decodeEntry(bytes))
  if (entry !== null) entries.putSync(key, encodeEntry(entry))
  else if (bytes !== undefined) entries.removeSync(key)
  return { answer, isMade: bytes === undefined && entry !== null }
}

export function writeProbe(entries: Entries): void {
  entries.putSync(probeKey, Buffer.alloc(endBytes))
}

/**
 * Removes what has run out among the next `count` entries behind `from`; `null`: from the first on.
 * Gives where to go on.
 */
export function sweepEntries(
  entries: Entries,
  from: Buffer | null,
  count: number,
  nowMs: number,
): Buffer | null {
  const range = from === null ? {} : { start: from, exclusiveStart: true }
  let seen = 0
  let last: Buffer | null = null
  const over: Buffer[] = []
  for (const { key, value } of entries.getRange({ ...range, limit: count })) {
    seen++
    last = key
    if (endOf(value) <= nowMs) over.push(key)
  }
  for (const key of over) entries.removeSync(key)
  return seen < count ? null : last
}

const endBytes = 8

function endOf(bytes: Buffer): number {
  return bytes.length < endBytes ? 0 : bytes.readDoubleLE(0)
}

type Packed = readonly [
  lease: StoreEntry['lease'],
  newest: readonly [...PackedTold, windowUntilMs: number] | null,
  waiting: PackedTold | null,
  keepUntilMs: number,
]

type PackedTold = readonly [
  task: string,
  untilMs: number,
  version: string | null,
  source: string,
  offset: string,
  timeMs: number,
]

export function encodeEntry(entry: StoreEntry): Buffer {
  const { lease, newest, waiting, keepUntilMs } = entry
  const packed: Packed = [
    lease,
    newest === null ? null : [...pack(newest), newest.windowUntilMs],
    waiting === null ? null : pack(waiting),
    keepUntilMs,
  ]
  const text = JSON.stringify(packed)
  const bytes = Buffer.allocUnsafe(endBytes + Buffer.byteLength(text))
  bytes.writeDoubleLE(entryEndsMs(entry), 0)
  bytes.write(text, endBytes)
  return bytes
}

/** `null` for what is no entry: a key of which we know nothing, rather than one that is stuck. */
export function decodeEntry(bytes: Buffer): StoreEntry | null {
  try {
    // as: written by encodeEntry; the file is ours, and its name says in which layout.
    const packed = JSON.parse(bytes.toString('utf8', endBytes)) as Packed
    const [lease, newest, waiting, keepUntilMs] = packed
    return {
      lease,
      newest: newest === null ? null : { ...unpack(newest), windowUntilMs: newest[6] },
      waiting: waiting === null ? null : unpack(waiting),
      keepUntilMs,
    }
  } catch {
    return null
  }
}

type Told = NonNullable<StoreEntry['waiting']>

function pack({ task, stamp, untilMs }: Told): PackedTold {
  const { version, source, offset, timeMs } = stamp
  return [task, untilMs, version, source, String(offset), timeMs]
}

function unpack(packed: readonly [...PackedTold, ...number[]]): Told {
  const [task, untilMs, version, source, offset, timeMs] = packed
  const stamp: Stamp = { version, source, offset: BigInt(offset), timeMs }
  return { task, untilMs, stamp }
}
