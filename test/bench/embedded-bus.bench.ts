import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Bus } from '../../src/ports/bus.ts'
import type { NewRecord } from '../../src/model/record.ts'
import { openIn, temporaryFolder } from '../contract/embedded-fixture.ts'
import { RecordingSink } from '../contract/recording-sink.ts'

/*
 * What the embedded bus takes and gives, in records of 1 KB per second. Run it with
 *
 *   taskset -c 0 npx tsx test/bench/embedded-bus.bench.ts
 *
 * on one core; the goal is 20,000. CPU is that of the whole process, lmdb's thread included.
 */

const recordBytes = 1_000
const total = Number(process.argv[2] ?? 200_000)
const partitions = 4
const topic = 'bench'

interface Figure {
  readonly what: string
  readonly 'records/s': number
  readonly 'CPU s per 100k': number
  readonly 'loop held, p99 ms': number
  readonly 'loop held, max ms': number
}

async function measured(what: string, count: number, work: () => Promise<void>): Promise<Figure> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const cpu = process.cpuUsage()
  const start = performance.now()
  delay.enable()
  await work()
  delay.disable()
  const seconds = (performance.now() - start) / 1_000
  const used = process.cpuUsage(cpu)
  return {
    what,
    'records/s': Math.round(count / seconds),
    'CPU s per 100k': round((used.user + used.system) / 1e6 / (count / 100_000)),
    'loop held, p99 ms': round(delay.percentile(99) / 1e6),
    'loop held, max ms': round(delay.max / 1e6),
  }
}

const round = (value: number) => Math.round(value * 100) / 100

const value = randomBytes(recordBytes)

function someRecords(from: number, count: number): NewRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    topic,
    key: Buffer.from(`key-${from + i}`),
    value,
    headers: [],
  }))
}

/** Keeps `inFlight` calls of `perCall` records going until `count` records are acknowledged. */
async function produceMany(bus: Bus, count: number, perCall: number, inFlight: number) {
  let next = 0
  const worker = async () => {
    while (next < count) {
      const from = next
      next += perCall
      await bus.produce(someRecords(from, perCall))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

async function consumeAll(bus: Bus, count: number): Promise<void> {
  let seen = 0
  let done: () => void = () => undefined
  const all = new Promise<void>((resolve) => (done = resolve))
  const sink = new RecordingSink()
  sink.onRecords = (_partition, _epoch, records) => {
    seen += records.length
    if (seen >= count) done()
  }
  const options = { group: `g${seen}`, topics: [topic], startAt: 'earliest' } as const
  const consumer = await bus.consume({ ...options, stateDir: null, revokeGraceMs: 1_000 }, sink)
  await all
  await consumer.close(1_000)
}

const path = temporaryFolder()
const bus = await openIn(path)
const spec = { name: topic, partitions, replication: 1, compacted: false }
await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: 2 ** 40 }])
await produceMany(bus, 5_000, 100, 8) // warms up

const singles = Math.min(total, 100_000)
const both = total
const figures = [
  await measured('produce, 100 a call, 8 calls at once', total, () =>
    produceMany(bus, total, 100, 8),
  ),
  await measured('produce, 1 a call, 100 calls at once', singles, () =>
    produceMany(bus, singles, 1, 100),
  ),
  await measured('consume what is there', total, () => consumeAll(bus, total)),
]
const watching = new RecordingSink()
let seen = 0
let caughtUp: () => void = () => undefined
const caught = new Promise<void>((resolve) => (caughtUp = resolve))
watching.onRecords = (_partition, _epoch, records) => {
  seen += records.length
  if (seen >= both) caughtUp()
}
const consumer = await bus.consume(
  { group: 'both', topics: [topic], startAt: 'latest', stateDir: null, revokeGraceMs: 1_000 },
  watching,
)
await watching.until('the partitions', () => watching.owned.size === partitions, 10_000)
figures.push(
  await measured('produce and consume at the same time', both, async () => {
    await produceMany(bus, both, 100, 8)
    await caught
  }),
)
// The timer slows down once nothing has changed for 5 s.
await new Promise((resolve) => setTimeout(resolve, 7_000))
const idleMs = 5_000
const before = process.cpuUsage()
await new Promise((resolve) => setTimeout(resolve, idleMs))
const idle = process.cpuUsage(before)
console.table(figures)
console.log(
  `idle, one consumer of ${partitions} partitions: ` +
    `${round((idle.user + idle.system) / 10 / idleMs)} % of a core`,
)
await consumer.close(1_000)
await bus.close()
rmSync(path, { recursive: true })
