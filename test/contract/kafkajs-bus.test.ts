import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { isServiceHere } from '../services/availability.ts'
import { startKafka } from '../services/kafka.ts'
import type { BusFixture } from './bus-contract.ts'
import { busContract } from './bus-contract.ts'
import { kafkaOptions } from './kafkajs-client.ts'
import { spawnMember } from './member-process.ts'

async function openFixture(): Promise<BusFixture> {
  const kafka = await startKafka()
  const { brokers } = kafka
  const bus = openKafkaBus(kafkaOptions(brokers))
  const clients: Bus[] = [bus]
  const foreign = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING })
  const admin = foreign.admin()
  await admin.connect()
  return {
    bus,
    patienceMs: 30_000,
    recordBytesMax: 2 ** 20,
    nullHeaderValues: true,
    second: () => {
      const client = openKafkaBus(kafkaOptions(brokers))
      clients.push(client)
      return Promise.resolve(client)
    },
    uniqueName: (prefix) => `${prefix}-${randomUUID()}`,
    async close() {
      await Promise.all(clients.map((client) => client.close()))
      await admin.disconnect()
      await kafka.close()
    },
    spawnMember: (options) =>
      spawnMember(new URL('kafkajs-member.ts', import.meta.url), options, brokers),
    async holes(topic) {
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true })
      // Each transaction ends with a marker, which takes an offset; those of an aborted one have
      // offsets too, and nobody may see them.
      const producer = foreign.producer({
        transactionalId: topic,
        maxInFlightRequests: 1,
        idempotent: true,
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      })
      await producer.connect()
      const values = ['0', '1', 'aborted', 'aborted', '6', '7']
      for (let i = 0; i < values.length; i += 2) {
        const transaction = await producer.transaction()
        const messages = values.slice(i, i + 2).map((value) => ({ key: value, value }))
        await transaction.send({ topic, messages })
        if (values[i] === 'aborted') await transaction.abort()
        else await transaction.commit()
      }
      await producer.disconnect()
      // The last marker is written after the answer to the commit; until then the end is below it.
      while ((await bus.admin.watermarks(topic))[0]?.high !== 9n) await sleep(20)
      return [0n, 1n, 6n, 7n]
    },
    async trim(topic, offset) {
      await admin.fetchTopicOffsets(topic) // kafkajs finds no leader of a topic it never asked about
      const partitions = [{ partition: 0, offset: offset.toString() }]
      await admin.deleteTopicRecords({ topic, partitions })
    },
    compressions: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    async produceCompressed(codec, topic, values) {
      await kafka.tool(
        'org.apache.kafka.tools.ConsoleProducer',
        ['--bootstrap-server', brokers.join(), '--topic', topic, '--compression-codec', codec],
        values.join('\n'),
      )
    },
    stopBroker: () => kafka.stop(),
    startBroker: () => kafka.start(),
  }
}

// The runner says when there is no broker to be had here, and tells the reader.
if (isServiceHere('kafka')) busContract('kafkajs', openFixture)
