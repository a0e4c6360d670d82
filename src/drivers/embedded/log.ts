import { createHash } from 'node:crypto'
import type { BusRecord, TopicPartition } from '../../model/record.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Environment, PartitionState } from './environment.ts'
import { appendedMsOf, decodeRecord } from './record-codec.ts'
import type { Transaction } from './writer.ts'

/*
 * One partition: append at its end, read from any offset, trim at its head. Offsets are numbers in
 * here (LMDB's keys; 2^53 records are out of reach) and bigint at the port.
 */

export interface Appending {
  readonly partitionId: number
  readonly bytes: Buffer
  readonly timestampMs: number
  /** For compacted topics: the key, and whether this record ends it. */
  readonly key: Buffer | null
  readonly isTombstone: boolean
}

export interface CompactionDelays {
  /** How long an older record of a key is kept beside the newest, for readers on their way. */
  readonly supersededMs: number
  /** How long a tombstone is kept, so that whoever keeps a copy learns of the end. */
  readonly tombstoneMs: number
}

/** A new entry of the time index at least this often, so that a search reads no more than this. */
const recordsPerTimeEntry = 1_024

/** Appends in order and returns the offsets. Rejects all when a partition is gone. */
export function append(
  environment: Environment,
  transaction: Transaction,
  records: readonly Appending[],
  delays: CompactionDelays,
  nowMs: number,
): readonly number[] {
  const states = records.map(({ partitionId }) => {
    const state = transaction.partition(partitionId)
    if (state === null) throw new PortError('bus', 'unknown-topic', 'the topic was just deleted')
    return state
  })
  return records.map((record, i) => {
    const state = states[i] as PartitionState // as: built from the same list
    const offset = state.next++
    void environment.log.put([record.partitionId, offset], record.bytes)
    state.bytes += record.bytes.length
    noteTime(environment, record.partitionId, state, record.timestampMs, offset)
    if (state.compacted) noteKey(environment, record, offset, delays, nowMs)
    return offset
  })
}

/**
 * Keeps the index by which `offsetForTime` searches. Timestamps are the producers' and may go back,
 * so the index follows the highest so far: the first record not older than a time is the one at
 * which that highest passed it.
 */
function noteTime(
  environment: Environment,
  partitionId: number,
  state: PartitionState,
  timeMs: number,
  offset: number,
): void {
  if (timeMs <= state.timeMax) return
  const isDue = state.timeIndexedAt < 0 || offset - state.timeIndexedAt >= recordsPerTimeEntry
  if (isDue) {
    // The last rise before this one as well: between the two there was none, however far apart.
    if (state.timeMaxAt > state.timeIndexedAt) {
      void environment.times.put([partitionId, state.timeMax, state.timeMaxAt], null)
    }
    void environment.times.put([partitionId, timeMs, offset], null)
    state.timeIndexedAt = offset
  }
  state.timeMax = timeMs
  state.timeMaxAt = offset
}

function noteKey(
  { keys, doomed }: Environment,
  { partitionId, key, isTombstone }: Appending,
  offset: number,
  delays: CompactionDelays,
  nowMs: number,
): void {
  const entry: [number, string] = [partitionId, hashOf(key)]
  const older = keys.get(entry)
  if (older !== undefined) {
    void doomed.put([nowMs + delays.supersededMs, partitionId, older], 'superseded')
  }
  void keys.put(entry, offset)
  if (isTombstone) void doomed.put([nowMs + delays.tombstoneMs, partitionId, offset], 'tombstone')
}

/** Keys of records can be longer than LMDB's; 128 bits of SHA-256 tell any two of them apart. */
function hashOf(key: Buffer | null): string {
  return createHash('sha256')
    .update(key ?? '')
    .digest('base64url')
    .slice(0, 22)
}

export interface Chunk {
  readonly records: readonly BusRecord[]
  /** The offset at which reading goes on. */
  readonly next: number
}

/** What one read takes at most, so that a reader holds neither the loop nor much memory. */
const chunkRecordsMax = 500
const chunkBytesMax = 2 ** 20

/** Reads from `from` up to `to`, at most one chunk. One record comes however large it is. */
export function readChunk(
  { log, path }: Environment,
  where: TopicPartition,
  partitionId: number,
  from: number,
  to: number,
): Chunk {
  const records: BusRecord[] = []
  let bytes = 0
  let next = to
  const range = { start: [partitionId, from], end: [partitionId, to], limit: chunkRecordsMax }
  for (const { key, value } of log.getRange(range)) {
    const offset = key[1]
    if (records.length > 0 && bytes + value.length > chunkBytesMax) {
      next = offset
      break
    }
    records.push(recordAt(where, offset, value, path))
    bytes += value.length
    if (records.length === chunkRecordsMax) next = offset + 1
  }
  return { records, next }
}

function recordAt(where: TopicPartition, offset: number, bytes: Buffer, path: string): BusRecord {
  try {
    const { key, value, headers, timestampMs } = decodeRecord(bytes)
    const { topic, partition } = where
    return { topic, partition, offset: BigInt(offset), key, value, headers, timestampMs }
  } catch (error) {
    const message =
      `the record ${where.topic}/${where.partition}/${offset} in ${path} is damaged: ` +
      'put a copy of the folder back, or move it away to start with an empty log'
    throw new PortError('bus', 'damaged', message, { cause: error })
  }
}

/**
 * The first offset kept whose record is not older than `timeMs`, or the end. Gives up the thread
 * with `breathe` between chunks, since records that went back in time may have to be read through.
 */
export async function offsetForTime(
  environment: Environment,
  where: TopicPartition,
  partitionId: number,
  timeMs: number,
  breathe: () => Promise<void>,
): Promise<number> {
  const state = environment.partitions.get(partitionId)
  if (state === undefined || timeMs > state.timeMax) return state?.next ?? 0
  let from = Math.max(state.low, firstRise(environment, partitionId, state, timeMs))
  while (from < state.next) {
    const { records, next } = readChunk(environment, where, partitionId, from, state.next)
    const found = records.find((record) => record.timestampMs >= timeMs)
    if (found !== undefined) return Number(found.offset)
    from = next
    await breathe()
  }
  return state.next
}

/** An offset below which no record is as young as `timeMs`, close to the first one that is. */
function firstRise(
  { times }: Environment,
  partitionId: number,
  state: PartitionState,
  timeMs: number,
): number {
  const [before] = times.getKeys({
    start: [partitionId, timeMs],
    end: [partitionId],
    reverse: true,
    limit: 1,
  })
  const [after] = times.getKeys({
    start: [partitionId, timeMs],
    end: [partitionId, Number.MAX_VALUE],
    limit: 1,
  })
  const lower = (before?.[2] ?? state.low - 1) + 1
  const upper = after?.[2] ?? state.timeMaxAt
  // Entries further apart than the index is dense have no rise between them.
  return upper - lower > recordsPerTimeEntry ? upper : lower
}

/** When the oldest record kept was appended, or `null` when there is none. */
export function headAppendedMs({ log }: Environment, partitionId: number, state: PartitionState) {
  const range = { start: [partitionId, state.low], end: [partitionId, state.next], limit: 1 }
  for (const { value } of log.getRange(range)) return appendedMsOf(value)
  return null
}

/** Why a record at the head of a partition may still go. */
export type MayGo = (record: { offset: number; appendedMs: number; bytes: number }) => boolean

/** Records one transaction removes at most: about as long as one batch of appends takes. */
export const trimRecordsMax = 500
/** And at most this much, unless one record alone is more: a step has them in memory. */
const trimBytesMax = 8 * 2 ** 20

/** Removes records from the head while `mayGo` says so, at most one step. Returns how many went. */
export function trimHead(
  environment: Environment,
  transaction: Transaction,
  partitionId: number,
  mayGo: MayGo,
): number {
  const state = transaction.partition(partitionId)
  if (state === null) return 0
  const going: { offset: number; value: Buffer }[] = []
  let bytes = 0
  let low = state.next
  const range = {
    start: [partitionId, state.low],
    end: [partitionId, state.next],
    limit: trimRecordsMax + 1,
  }
  for (const { key, value } of environment.log.getRange(range)) {
    const record = { offset: key[1], appendedMs: appendedMsOf(value), bytes: value.length }
    bytes += record.bytes
    if (going.length === trimRecordsMax || (going.length > 0 && bytes > trimBytesMax)) {
      low = key[1]
      break
    }
    if (!mayGo(record)) {
      low = key[1]
      break
    }
    going.push({ offset: key[1], value })
  }
  for (const { offset, value } of going)
    removeRecord(environment, state, partitionId, offset, value)
  // Holes before the first record kept stay below the mark only if something was removed: a head
  // that compaction emptied is no loss to anyone.
  if (going.length > 0) state.low = low
  dropTimesBelow(environment, partitionId, state.low)
  return going.length
}

/** Removes what compaction has doomed and is due by `nowMs`, at most one step. Returns how many. */
export function compactStep(
  environment: Environment,
  transaction: Transaction,
  nowMs: number,
): number {
  const due = [
    ...environment.doomed.getRange({ start: [0], end: [nowMs, Infinity], limit: trimRecordsMax }),
  ]
  let bytes = 0
  let removed = 0
  for (const { key } of due) {
    if (bytes > trimBytesMax) break
    removed++
    const [, partitionId, offset] = key
    void environment.doomed.remove(key)
    const state = transaction.partition(partitionId)
    const value = environment.log.get([partitionId, offset])
    if (state !== null && value !== undefined) {
      bytes += value.length
      removeRecord(environment, state, partitionId, offset, value)
    }
  }
  return removed
}

function removeRecord(
  { log, keys }: Environment,
  state: PartitionState,
  partitionId: number,
  offset: number,
  value: Buffer,
): void {
  void log.remove([partitionId, offset])
  state.bytes -= value.length
  if (!state.compacted) return
  const key = keyIn(value)
  // Of a damaged record the key is unknown. Its entry stays, and points at nothing.
  if (key === undefined) return
  // Only if no newer record of the key stands there: that one is kept.
  const entry: [number, string] = [partitionId, hashOf(key)]
  if (keys.get(entry) === offset) void keys.remove(entry)
}

function keyIn(value: Buffer): Buffer | null | undefined {
  try {
    return decodeRecord(value).key
  } catch {
    return undefined
  }
}

/**
 * Forgets entries below the head, but for the newest of them: it says how high times had been
 * before the head, without which a search could take a later rise for the first.
 */
function dropTimesBelow({ times }: Environment, partitionId: number, low: number): void {
  const old: number[][] = []
  const range = {
    start: [partitionId],
    end: [partitionId, Number.MAX_VALUE],
    limit: trimRecordsMax,
  }
  for (const key of times.getKeys(range)) {
    if ((key[2] ?? 0) >= low) break
    old.push(key)
  }
  for (const key of old.slice(0, -1)) void times.remove(key)
}

/** Empties a partition of a deleted topic, at most one step. Says whether nothing is left. */
export function buryStep(environment: Environment, partitionId: number): boolean {
  const { log, times, keys, graves } = environment
  const range = { start: [partitionId], end: [partitionId + 1], limit: trimRecordsMax }
  // Keys are taken as a whole first: a cursor does not like its own entry removed.
  const records = [...log.getKeys(range)]
  const rises = [...times.getKeys(range)]
  const newest = [...keys.getKeys(range)]
  for (const key of records) void log.remove(key)
  for (const key of rises) void times.remove(key)
  for (const key of newest) void keys.remove(key)
  const isEmpty = [records, rises, newest].every((found) => found.length < trimRecordsMax)
  if (isEmpty) void graves.remove(partitionId)
  return isEmpty
}
