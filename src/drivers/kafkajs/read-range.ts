import type { ReadRange } from '../../ports/bus.ts'
import type { BusRecord } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Connection } from './connection.ts'
import { toPortError } from './errors.ts'
import { errorOfCode } from './innards.ts'
import { decodeRecords } from './record-batch.ts'
import { fetchFrom, leadersOf, listOffsets } from './requests.ts'

/** One fetch; a reader of a range keeps no more than this and what it has handed out. */
const fetchBytesMin = 2 ** 20
const fetchBytesMax = 64 * 2 ** 20
/** What is handed out at once, so that a reader who stops has not been given much more. */
const handedMax = 500
const backoffMsMin = 100
const backoffMsMax = 2_000
/** Trouble that lasts longer is the caller's: it has the offset from which to go on. */
const troubleMsMax = 30_000
const offsetOutOfRange = 1

/** See `Bus.readRange`. Fetches by itself, so no group knows of it and nothing is left behind. */
export async function* readRange(
  connection: Connection,
  { topic, partition, from, to, signal }: ReadRange,
): AsyncGenerator<readonly BusRecord[]> {
  signal?.throwIfAborted()
  let leaders = await leadersOf(connection, topic)
  if (leaders[partition] === undefined) {
    throw new PortError('bus', 'invalid', `topic ${topic} has no partition ${partition}`)
  }
  const ask = async (what: 'earliest' | 'latest') =>
    (await listOffsets(connection, topic, leaders, what, [partition])).get(partition) ?? 0n
  let end = least(to, await ask('latest'))
  let position = most(from, await ask('earliest'))
  let bytesMax = fetchBytesMin
  let backoffMs = backoffMsMin
  let troubleSinceMs: number | null = null
  while (position < end) {
    signal?.throwIfAborted()
    let read: readonly BusRecord[] = []
    try {
      const broker = await connection.broker(leaders[partition] ?? -1)
      const wish = { topic, partition, offset: position, bytesMax }
      const [fetched] = await connection.request(broker, 'fetch', () =>
        fetchFrom(broker, [wish], { waitMs: 0, bytesMax, rack: null }),
      )
      if (fetched === undefined) throw new Error('the broker left our partition out')
      if (fetched.errorCode === offsetOutOfRange) {
        const first = await ask('earliest')
        if (first <= position) throw errorOfCode(fetched.errorCode) // above the end: truncated
        position = first
        continue
      }
      if (fetched.errorCode !== 0) throw errorOfCode(fetched.errorCode)
      const { bytes, aborted } = fetched
      const decoded = await decodeRecords({ topic, partition }, bytes, position, aborted)
      const records = decoded.records.filter((record) => record.offset < end)
      if (decoded.nextOffset === position) {
        bytesMax = Math.min(bytesMax * 2, fetchBytesMax)
        end = least(end, await ask('latest')) // lower now if it was truncated or made anew
      }
      position = decoded.nextOffset
      troubleSinceMs = null
      backoffMs = backoffMsMin
      read = records
    } catch (error) {
      const trouble = toPortError(error, `read ${partitionName({ topic, partition })}`)
      const nowMs = connection.clock.monotonic()
      troubleSinceMs ??= nowMs
      if (trouble.code !== 'unreachable' || nowMs - troubleSinceMs > troubleMsMax) throw trouble
      await connection.clock.sleep(backoffMs, signal)
      backoffMs = Math.min(backoffMs * 2, backoffMsMax)
      leaders = await leadersOf(connection, topic).catch(() => leaders)
    }
    for (let start = 0; start < read.length; start += handedMax) {
      signal?.throwIfAborted()
      yield read.slice(start, start + handedMax)
    }
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
