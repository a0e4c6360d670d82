import { Kafka, logLevel } from 'kafkajs'
import { Pool } from 'undici'

/*
 * What Sluice is measured against: the shortest loop that reads events with kafkajs, parses them,
 * and posts each with `Pool.request`, 64 in flight. No rules, no offsets kept, no metrics.
 * Arguments: brokers, topic, group, origin of the target, number of events. Prints CPU seconds.
 */
const [brokers = '', topic = '', group = '', origin = '', events = '0'] = process.argv.slice(2)
const inFlightMax = 64

const pool = new Pool(origin, { connections: inFlightMax })
const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 250 })
let inFlight = 0
let done = 0
let room: () => void = () => {}
let finished: () => void = () => {}
const allDone = new Promise<void>((resolve) => (finished = resolve))

async function post(value: Buffer): Promise<void> {
  const event = JSON.parse(value.toString()) as { title: string; meta: { id: string } } // as: the bench's own events
  const body = JSON.stringify({ id: event.meta.id, title: event.title })
  const headers = { 'content-type': 'application/json' }
  const answer = await pool.request({ method: 'POST', path: '/', headers, body })
  await answer.body.dump()
  inFlight -= 1
  done += 1
  room()
  if (done === Number(events)) finished()
}

const startedCpu = process.cpuUsage()
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  autoCommitInterval: 500,
  eachBatch: async (payload) => {
    for (const { value, offset } of payload.batch.messages) {
      while (inFlight >= inFlightMax) await new Promise<void>((resolve) => (room = resolve))
      inFlight += 1
      if (value !== null) void post(value)
      payload.resolveOffset(offset)
    }
    await payload.heartbeat()
  },
})
await allDone
const { user, system } = process.cpuUsage(startedCpu)
console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6 }))
process.exit(0)
