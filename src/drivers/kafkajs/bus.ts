import type { Bus, ConsumeOptions, Consumer, ConsumerSink, ReadRange } from '../../ports/bus.ts'
import type { BusRecord, NewRecord } from '../../model/record.ts'
import { KafkaAdmin, closedError } from './admin.ts'
import { Connection } from './connection.ts'
import { KafkaConsumer } from './consumer.ts'
import type { KafkaBusOptions } from './options.ts'
import { Producer } from './producer.ts'
import { readRange } from './read-range.ts'

/** What a consumer that is still open gets to finish in when the whole bus is closed. */
const closeMsMax = 5_000

/**
 * A bus on Kafka 2.3 or later. Opens no connection by itself: the first call does, and a cluster
 * that is out of reach is that call's trouble, so a daemon starts before its brokers do.
 */
export function openKafkaBus(options: KafkaBusOptions): Bus {
  // Produce and fetch by range each have their own connections: see Connection.
  const producing = new Connection(options)
  const reading = new Connection(options)
  const asking = new Connection(options)
  const producer = new Producer(producing, options.compression ?? 'lz4')
  const consumers = new Set<KafkaConsumer>()
  let closed: Promise<void> | null = null
  const check = () => {
    if (closed !== null) throw closedError()
  }

  const close = async () => {
    await Promise.all([...consumers].map((consumer) => consumer.close(closeMsMax)))
    producer.close()
    for (const connection of [producing, reading, asking]) connection.close()
  }
  return {
    async produce(records: readonly NewRecord[]) {
      check()
      return producer.produce(records)
    },
    async consume(wanted: ConsumeOptions, sink: ConsumerSink): Promise<Consumer> {
      check()
      const consumer = new KafkaConsumer(new Connection(options), options, wanted, sink)
      consumers.add(consumer)
      void consumer.closed.then(() => consumers.delete(consumer))
      return Promise.resolve(consumer) // it joins by itself, and tells its state as it goes
    },
    async *readRange(range: ReadRange): AsyncGenerator<readonly BusRecord[]> {
      check()
      for await (const records of readRange(reading, range)) {
        yield records
        check()
      }
    },
    admin: new KafkaAdmin(asking, check),
    close() {
      closed ??= close()
      return closed
    },
  }
}
