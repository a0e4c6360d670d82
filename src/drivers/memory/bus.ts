import type { BusRecord, NewRecord } from '../../model/record.ts'
import type {
  Bus,
  BusAdmin,
  Consumer,
  ConsumeOptions,
  ConsumerSink,
  ProducedAt,
  ReadRange,
} from '../../ports/bus.ts'
import { PortError } from '../../ports/port-error.ts'
import type { MemoryBroker } from './broker.ts'
import { fetchRecords, MemoryConsumer } from './consumer.ts'

/** A bus on a memory broker, for tests: passes the contract, keeps nothing. */
export class MemoryBus implements Bus {
  readonly #broker: MemoryBroker
  readonly #consumers = new Set<MemoryConsumer>()
  #isClosed = false

  constructor(broker: MemoryBroker) {
    this.#broker = broker
  }

  async produce(records: readonly NewRecord[]): Promise<readonly ProducedAt[]> {
    await this.#reach()
    // All or none: what is refused must not leave half of the call behind.
    for (const { topic, partition } of records) this.#broker.log(topic, partition ?? 0)
    const stored = records.map((record) => this.#broker.append(record))
    this.#broker.wakeReaders()
    return stored.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  }

  async consume(options: ConsumeOptions, sink: ConsumerSink): Promise<Consumer> {
    await this.#reach()
    const consumer = new MemoryConsumer(this.#broker, options, sink)
    this.#consumers.add(consumer)
    consumer.join()
    return consumer
  }

  async *readRange({ topic, partition, from, to, signal }: ReadRange): AsyncIterable<BusRecord[]> {
    await this.#reach()
    const { records } = this.#broker.log(topic, partition)
    const range = records.filter(({ offset }) => offset >= from && offset < to)
    for (let at = 0; at < range.length && signal?.aborted !== true; at += fetchRecords) {
      yield range.slice(at, at + fetchRecords)
    }
  }

  readonly admin: BusAdmin = {
    ensureTopics: async (specs) => {
      await this.#reach()
      const created = specs.filter((spec) => this.#broker.create(spec))
      return { created: created.map(({ name }) => name) }
    },
    listTopics: async () => {
      await this.#reach()
      return this.#broker.names()
    },
    describeTopics: async (names) => {
      await this.#reach()
      return names.flatMap((name) => {
        const spec = this.#broker.specOf(name)
        if (spec === null) return []
        const { partitions, compacted, retentionMs } = spec
        return [{ name, partitions, compacted, retentionMs }]
      })
    },
    deleteTopics: async (names) => {
      await this.#reach()
      for (const name of names) this.#broker.delete(name)
    },
    watermarks: async (topic) => {
      await this.#reach()
      const logs = this.#broker.logsOf(topic)
      return logs.map(({ low, high }, partition) => ({ topic, partition, low, high }))
    },
    offsetsForTime: async (topic, timeMs) => {
      await this.#reach()
      return this.#broker.logsOf(topic).map((log, partition) => {
        const first = log.records.find((record) => record.timestampMs >= timeMs)
        return { topic, partition, offset: first?.offset ?? log.high }
      })
    },
    groupOffsets: async (group, topics) => {
      await this.#reach()
      return this.#broker.group(group).offsets(topics)
    },
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(1_000)))
    this.#isClosed = true
  }

  /** As a process that is killed. */
  async crash(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#consumers].map((consumer) => consumer.crash()))
  }

  async #reach(): Promise<void> {
    await new Promise(setImmediate)
    if (this.#isClosed) throw new PortError('bus', 'closed', 'the bus is closed')
    this.#broker.assertReachable()
  }
}
