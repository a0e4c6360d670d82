import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import type { EmbeddedBusOptions } from '../../src/drivers/embedded/bus.ts'
import { openEnvironment } from '../../src/drivers/embedded/environment.ts'
import { compactStep, trimHead } from '../../src/drivers/embedded/log.ts'
import { partitionIdOf } from '../../src/drivers/embedded/topics.ts'
import type { Transaction } from '../../src/drivers/embedded/writer.ts'
import { Writer } from '../../src/drivers/embedded/writer.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { silentLogger } from '../support/silent-logger.ts'
import type { BusFixture } from './bus-contract.ts'
import { spawnMember } from './member-process.ts'

/** A folder for one test; the caller removes it. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-embedded-'))
}

export function openIn(path: string, more: Partial<EmbeddedBusOptions> = {}): Promise<Bus> {
  return openEmbeddedBus({
    path,
    clock: systemClock,
    logger: silentLogger,
    recordBytesMax: 2 ** 20,
    ...more,
  })
}

/** One step of housekeeping from outside, as another process with the log open might take it. */
export async function inTransaction<T>(
  path: string,
  step: (environment: ReturnType<typeof openEnvironment>, transaction: Transaction) => T,
): Promise<T> {
  const environment = openEnvironment(path)
  const writer = new Writer(environment, systemClock, () => undefined)
  try {
    return await writer.write((transaction) => step(environment, transaction))
  } finally {
    await writer.close()
    await environment.root.close()
  }
}

export async function openEmbeddedFixture(): Promise<BusFixture> {
  const path = temporaryFolder()
  const bus = await openIn(path)
  const clients = [bus]
  let names = 0
  return {
    bus,
    second: async () => {
      const client = await openIn(path)
      clients.push(client)
      return client
    },
    uniqueName: (prefix) => `${prefix}-${++names}`,
    close: async () => {
      await Promise.all(clients.map((client) => client.close()))
      rmSync(path, { recursive: true })
    },
    patienceMs: 10_000,
    recordBytesMax: 2 ** 20,
    nullHeaderValues: true,
    spawnMember: (options) =>
      spawnMember(new URL('./embedded-member.ts', import.meta.url), options, [path]),
    holes: async (topic) => {
      const spec = { name: topic, partitions: 1, replication: 1 }
      const retention = { retentionMs: null, retentionBytes: null }
      await bus.admin.ensureTopics([{ ...spec, ...retention, compacted: true }])
      await bus.produce(
        ['a', 'b', 'c', 'b', 'd'].map((key) => ({
          topic,
          partition: 0,
          key: Buffer.from(key),
          value: Buffer.from(`of ${key}`),
          headers: [],
        })),
      )
      // As if the minute for which compaction leaves older records alone had gone by.
      const later = systemClock.now() + 3_600_000
      await inTransaction(path, (environment, transaction) =>
        compactStep(environment, transaction, later),
      )
      return [0n, 2n, 3n, 4n]
    },
    trim: async (topic, offset) => {
      await inTransaction(path, (environment, transaction) => {
        const id = partitionIdOf(environment, topic, 0)
        return trimHead(environment, transaction, id, (record) => record.offset < offset)
      })
    },
  }
}
