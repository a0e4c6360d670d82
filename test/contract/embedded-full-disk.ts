import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { openIn } from './embedded-fixture.ts'
import { RecordingSink } from './recording-sink.ts'

/*
 * Runs on a small file system (argv[2]) that this process alone sees, fills it, makes room again,
 * and sends its parent what happened. See embedded-bus.test.ts.
 */

export interface FullDiskReport {
  readonly acknowledged: number
  readonly refusal: { readonly code: string; readonly message: string } | null
  /** What the log said of it, at error. */
  readonly logged: readonly string[]
  readonly commitRefusal: string | null
  readonly stillReadable: number
  /** `taken`, or the code of the last refusal. */
  readonly afterRoomIsMade: string
  readonly kept: number
  readonly keptInOrder: boolean
  readonly consumed: number
  /** As `afterRoomIsMade`, on a disk filled by what retention has to remove. */
  readonly afterRetention: string
}

const topic = 't'
const value = 'x'.repeat(1_000)

async function produce(bus: Bus, from: number, count: number): Promise<void> {
  await bus.produce(
    Array.from({ length: count }, (_, i) => ({
      topic,
      partition: 0,
      key: null,
      value: Buffer.from(`${from + i} ${value}`),
      headers: [],
    })),
  )
}

async function read(bus: Bus): Promise<readonly number[]> {
  const numbers: number[] = []
  const range = { topic, partition: 0, from: 0n, to: 1_000_000n }
  for await (const records of bus.readRange(range)) {
    for (const record of records) numbers.push(Number(record.value?.toString().split(' ')[0]))
  }
  return numbers
}

const codeOf = (error: unknown) => (error instanceof PortError ? error.code : String(error))

async function run(folder: string): Promise<FullDiskReport> {
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(4 * 2 ** 20, 1))
  const logged: string[] = []
  const error = (_fields: object, sentence: string) => void logged.push(sentence)
  const bus = await openIn(join(folder, 'log'), { logger: { ...silentLogger, error } })
  const spec = { name: topic, partitions: 1, replication: 1, compacted: false }
  await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
  const sink = new RecordingSink()
  const options = { group: 'g', topics: [topic], startAt: 'earliest' } as const
  const consumer = await bus.consume({ ...options, stateDir: null, revokeGraceMs: 1_000 }, sink)
  await sink.until('the partition', () => sink.owned.size === 1, 5_000)

  let acknowledged = 0
  let refusal: FullDiskReport['refusal'] = null
  while (refusal === null && acknowledged < 100_000) {
    try {
      await produce(bus, acknowledged, 100)
      acknowledged += 100
    } catch (error) {
      refusal = { code: codeOf(error), message: (error as Error).message } // as: always an Error
    }
  }
  const [own] = [...sink.owned.values()]
  const entry = { topic, partition: 0, epoch: own?.epoch ?? 0, offset: 5n, metadata: '' }
  const commitRefusal = await consumer.commit([entry]).then(() => null, codeOf)
  const stillReadable = (await read(bus)).length

  rmSync(ballast)
  const started = systemClock.monotonic()
  let afterRoomIsMade = 'not tried'
  // A caller tries again with a pause, as the engine does.
  while (afterRoomIsMade !== 'taken' && systemClock.monotonic() - started < 10_000) {
    afterRoomIsMade = await produce(bus, acknowledged, 100).then(() => 'taken', codeOf)
    await systemClock.sleep(50)
  }
  const kept = await read(bus)
  await sink.until('all of it', () => sink.records().length >= kept.length, 10_000)
  await consumer.close(1_000)
  await bus.close()
  rmSync(join(folder, 'log'), { recursive: true })
  const afterRetention = await fillAgainstRetention(join(folder, 'other'))
  return {
    acknowledged,
    refusal,
    logged,
    commitRefusal,
    stillReadable,
    afterRoomIsMade,
    kept: kept.length,
    keptInOrder: kept.every((number, i) => number === i),
    consumed: sink.records().length,
    afterRetention,
  }
}

/** Produces up to the last page, faster than retention comes round, and then waits for it. */
async function fillAgainstRetention(path: string): Promise<string> {
  const bus = await openIn(path, { retentionBytes: 2 ** 20 })
  const spec = { name: topic, partitions: 1, replication: 1, compacted: false }
  await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
  for (const count of [100, 1]) {
    let isFull = false
    while (!isFull) isFull = await produce(bus, 0, count).then(() => false, isRefusal)
  }
  const started = systemClock.monotonic()
  let outcome = 'not tried'
  while (outcome !== 'taken' && systemClock.monotonic() - started < 15_000) {
    outcome = await produce(bus, 0, 100).then(() => 'taken', codeOf)
  }
  await bus.close()
  return outcome
}

const isRefusal = (error: unknown) => error instanceof PortError

const report = await run(process.argv[2] ?? '')
process.stdout.write(`report ${JSON.stringify(report)}\n`)
