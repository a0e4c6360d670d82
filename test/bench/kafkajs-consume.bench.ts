import { randomUUID } from 'node:crypto'
import kafkajs from 'kafkajs'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { startKafka } from '../services/kafka.ts'
import { kafkaOptions } from '../contract/kafkajs-client.ts'

/*
 * `npx tsx test/bench/kafkajs-consume.bench.ts`: the same records of 1 KB from the same broker, by a
 * bare kafkajs consumer and by ours, in turn, from the first batch to the last. Prints rates, CPU
 * per 100,000, and the ratio. EVENTS and ROUNDS set the size.
 */
const events = Number(process.env['EVENTS'] ?? 200_000)
const rounds = Number(process.env['ROUNDS'] ?? 3)
const partitions = 4
const callSize = 2_000
const topic = 'events'

/** Called with the number of records of each batch; the run ends when it has had them all. */
type Count = (records: number) => void

const kafka = await startKafka()
const bus = openKafkaBus(kafkaOptions(kafka.brokers, { compression: 'none' }))
try {
  await fill(bus)
  let [bare, ours] = [0, 0]
  for (let round = 1; round <= rounds; round++) {
    bare += await timed('bare kafkajs', readBare)
    ours += await timed('sluice', readOurs)
  }
  console.log(`ratio, sluice to bare: ${(ours / bare).toFixed(2)}`)
} finally {
  await bus.close()
  await kafka.close()
}

async function fill(into: Bus): Promise<void> {
  const rest = { replication: 1, retentionMs: null, retentionBytes: null, compacted: false }
  await into.admin.ensureTopics([{ name: topic, partitions, ...rest }])
  const value = Buffer.from(JSON.stringify({ text: randomUUID().repeat(28) }).slice(0, 1_024))
  for (let done = 0; done < events; done += callSize) {
    await into.produce(
      Array.from({ length: callSize }, (_, i) => {
        return { topic, partition: i % partitions, key: null, value, headers: [] }
      }),
    )
  }
}

/** Runs `read` to the end and gives records per second. */
async function timed(name: string, read: (count: Count) => Promise<() => Promise<void>>) {
  let seen = 0
  let sinceMs = 0
  let sinceCpu = process.cpuUsage()
  let finish: () => void = () => undefined
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const stop = await read((records) => {
    if (seen === 0) {
      sinceMs = performance.now()
      sinceCpu = process.cpuUsage()
    }
    seen += records
    if (seen >= events) finish()
  })
  await finished
  const perSecond = (events * 1_000) / (performance.now() - sinceMs)
  const { user, system } = process.cpuUsage(sinceCpu)
  const cpuMs = ((user + system) / 1_000 / events) * 100_000
  await stop()
  console.log(`${name}: ${Math.round(perSecond)}/s, ${Math.round(cpuMs)} ms CPU per 100,000`)
  return perSecond
}

async function readBare(count: Count) {
  const client = new kafkajs.Kafka({
    brokers: [...kafka.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const consumer = client.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 250 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => Promise.resolve(count(batch.messages.length)),
  })
  return () => consumer.disconnect()
}

async function readOurs(count: Count) {
  const consumer = await bus.consume(
    { group: randomUUID(), topics: [topic], startAt: 'earliest', stateDir: null, revokeGraceMs: 1 },
    {
      onAssigned: () => undefined,
      onRecords: (_partition, _epoch, records) => count(records.length),
      onRevoked: () => Promise.resolve(),
      onState: () => undefined,
    },
  )
  return () => consumer.close(1_000)
}
