import { rmSync } from 'node:fs'
import type { Environment, PartitionState } from '../../../../src/drivers/embedded/environment.ts'
import { openEnvironment } from '../../../../src/drivers/embedded/environment.ts'
import type { Appending, CompactionDelays } from '../../../../src/drivers/embedded/log.ts'
import { append } from '../../../../src/drivers/embedded/log.ts'
import { encodeRecord } from '../../../../src/drivers/embedded/record-codec.ts'
import { makeTopics, topicOf } from '../../../../src/drivers/embedded/topics.ts'
import { Writer } from '../../../../src/drivers/embedded/writer.ts'
import { systemClock } from '../../../../src/drivers/system-clock.ts'
import type { TopicSpec } from '../../../../src/ports/bus.ts'
import { temporaryFolder } from '../../../contract/embedded-fixture.ts'

export interface OpenLog {
  readonly environment: Environment
  readonly writer: Writer
  /** How often a transaction was committed. */
  commits(): number
  makeTopic(spec?: Partial<TopicSpec>): Promise<number>
  append(partitionId: number, records: readonly TestRecord[], nowMs?: number): Promise<void>
  state(partitionId: number): PartitionState
  offsets(partitionId: number): readonly number[]
  close(): Promise<void>
}

export interface TestRecord {
  readonly timestampMs?: number
  readonly key?: string
  readonly value?: string | null
}

export const delays: CompactionDelays = { supersededMs: 100, tombstoneMs: 1_000 }

/** The parts below the bus, on a log of their own. */
export function openLog(): OpenLog {
  const path = temporaryFolder()
  const environment = openEnvironment(path)
  let commits = 0
  const writer = new Writer(environment, systemClock, () => void commits++)
  return {
    environment,
    writer,
    commits: () => commits,
    async makeTopic(spec = {}) {
      const base = { name: 't', partitions: 1, replication: 1, compacted: false }
      const retention = { retentionMs: null, retentionBytes: null }
      const full: TopicSpec = { ...base, ...retention, ...spec }
      await writer.write(() => makeTopics(environment, [full]))
      return topicOf(environment, full.name).firstId
    },
    async append(partitionId, records, nowMs = 0) {
      const appending = records.map((record) => appendingOf(partitionId, record, nowMs))
      await writer.write((transaction) =>
        append(environment, transaction, appending, delays, nowMs),
      )
    },
    state(partitionId) {
      const state = environment.partitions.get(partitionId)
      if (state === undefined) throw new Error(`there is no partition ${partitionId}`)
      return state
    },
    offsets(partitionId) {
      const range = { start: [partitionId], end: [partitionId + 1] }
      return [...environment.log.getKeys(range)].map((key) => key[1])
    },
    async close() {
      await writer.close()
      await environment.root.close()
      rmSync(path, { recursive: true })
    },
  }
}

function appendingOf(partitionId: number, record: TestRecord, nowMs: number): Appending {
  const key = record.key === undefined ? null : Buffer.from(record.key)
  const value = record.value === null ? null : Buffer.from(record.value ?? 'v')
  const timestampMs = record.timestampMs ?? nowMs
  return {
    partitionId,
    bytes: encodeRecord({ key, value, headers: [], timestampMs }, nowMs),
    timestampMs,
    key,
    isTombstone: value === null,
  }
}
