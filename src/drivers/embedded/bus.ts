import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BusRecord, NewRecord } from '../../model/record.ts'
import type { Bus, BusAdmin, Consumer, ConsumeOptions, ConsumerSink } from '../../ports/bus.ts'
import type { ProducedAt, ReadRange, TopicDescription, TopicSpec } from '../../ports/bus.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { PortError } from '../../ports/port-error.ts'
import { Changes } from './changes.ts'
import { EmbeddedConsumer } from './consumer.ts'
import type { Environment, Topic } from './environment.ts'
import { environmentError, openEnvironment } from './environment.ts'
import { checkGroupName, Groups } from './groups.ts'
import type { Retention } from './housekeeping.ts'
import { boundsOf, Housekeeping } from './housekeeping.ts'
import type { Appending, CompactionDelays } from './log.ts'
import { append, offsetForTime, readChunk } from './log.ts'
import { partitionOfKey } from './partitioner.ts'
import { encodeRecord, sizeOf } from './record-codec.ts'
import { checkSpec, deleteTopics, makeTopics, partitionIdOf, topicOf } from './topics.ts'
import { Writer } from './writer.ts'

export interface EmbeddedBusOptions {
  /** The folder of the log; made if it is not there. Several processes may share it. */
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  /**
   * Bound of one record: key, value and headers. Above it produce rejects with `too-large`, unless
   * the topic was made for larger ones.
   */
  readonly recordBytesMax: number
  /** For topics that were made without an age of their own. Default: 7 days. */
  readonly retentionMs?: number
  /** For topics that were made without a size of their own; all partitions together. Default: 1 GiB. */
  readonly retentionBytes?: number
  /** How long compaction keeps older records of a key, and tombstones. Default: 1 min, 1 day. */
  readonly compaction?: CompactionDelays
}

const retentionDefault: Retention = { ms: 7 * 86_400_000, bytes: 2 ** 30 }
const compactionDefault: CompactionDelays = { supersededMs: 60_000, tombstoneMs: 86_400_000 }

/** How often the log says that the disk is full, as long as it is. */
const tellFullEveryMs = 60_000

/** How long the consumers that are still open may take when the bus closes. */
const closeGraceMs = 5_000

/**
 * Opens the embedded log as a bus. Rejects with a PortError that says what to do: `damaged` (not a
 * log, or broken), `invalid` (of a newer Sluice, or no folder), `denied`, `full`.
 */
export async function openEmbeddedBus(options: EmbeddedBusOptions): Promise<Bus> {
  const bus = new EmbeddedBus(options, openEnvironment(options.path))
  await bus.start()
  return bus
}

class EmbeddedBus implements Bus {
  readonly admin: BusAdmin
  readonly #options: EmbeddedBusOptions
  readonly #environment: Environment
  readonly #changes: Changes
  readonly #writer: Writer
  readonly #groups: Groups
  readonly #housekeeping: Housekeeping
  readonly #client = randomUUID()
  readonly #consumers = new Set<Consumer>()
  readonly #topics = new Map<string, Topic>()
  readonly #spread = new Map<string, number>()
  #fullToldMs = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | null = null

  constructor(options: EmbeddedBusOptions, environment: Environment) {
    const { clock, logger } = options
    this.#options = options
    this.#environment = environment
    this.#changes = new Changes(environment, clock)
    this.#writer = new Writer(environment, clock, () => this.#changes.tellOwn())
    this.#groups = new Groups({
      environment,
      writer: this.#writer,
      clock,
      logger,
      client: this.#client,
    })
    const retention = {
      ms: options.retentionMs ?? retentionDefault.ms,
      bytes: options.retentionBytes ?? retentionDefault.bytes,
    }
    this.#housekeeping = new Housekeeping(environment, this.#writer, { clock, logger }, retention)
    this.admin = this.#adminOf(retention)
  }

  async start(): Promise<void> {
    await this.#housekeeping.open()
  }

  async produce(records: readonly NewRecord[]): Promise<readonly ProducedAt[]> {
    this.#throwIfClosed()
    if (records.length === 0) return []
    try {
      return await this.#appendAnywhere(records)
    } catch (error) {
      if (error instanceof PortError && error.code === 'full') this.#tellFull(error)
      throw error
    }
  }

  /** Beside the callers, whoever runs this must hear of it, but not at every call. */
  #tellFull(error: PortError): void {
    const nowMs = this.#options.clock.monotonic()
    if (nowMs - this.#fullToldMs < tellFullEveryMs) return
    this.#fullToldMs = nowMs
    this.#options.logger.error({ err: error }, 'the embedded log refuses records')
  }

  async #appendAnywhere(records: readonly NewRecord[]): Promise<readonly ProducedAt[]> {
    const nowMs = this.#options.clock.now()
    try {
      return await this.#append(records, nowMs)
    } catch (error) {
      // What we remember of a topic may be old: it was deleted, perhaps made anew.
      if (!(error instanceof PortError && error.code === 'unknown-topic')) throw error
      this.#topics.clear()
      // And what is read may be one transaction behind (catch-up.ts), which a write puts right.
      await this.#writer.write(() => undefined)
      return this.#append(records, nowMs)
    }
  }

  async #append(records: readonly NewRecord[], nowMs: number): Promise<readonly ProducedAt[]> {
    const { where, appending } = this.#reading(() => this.#prepare(records, nowMs))
    const delays = this.#options.compaction ?? compactionDefault
    const offsets: number[] = []
    // One after the other: once a part is refused, none behind it is there, and the order holds.
    for (const part of partsOf(appending)) {
      const placed = await this.#writer.append(
        (transaction) => append(this.#environment, transaction, part, delays, nowMs),
        part.reduce((sum, record) => sum + record.bytes.length, 0),
      )
      offsets.push(...placed)
    }
    return where.map((partition, i) => ({ ...partition, offset: BigInt(offsets[i] ?? 0) }))
  }

  /** Joining goes on behind it, so there is nothing to wait for. */
  consume(options: ConsumeOptions, sink: ConsumerSink): Promise<Consumer> {
    return Promise.resolve().then(() => this.#consume(options, sink))
  }

  #consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    this.#throwIfClosed()
    checkGroupName(options.group)
    const ports = {
      environment: this.#environment,
      changes: this.#changes,
      groups: this.#groups,
      clock: this.#options.clock,
      logger: this.#options.logger,
      onClosed: (closed: Consumer) => void this.#consumers.delete(closed),
    }
    const consumer = new EmbeddedConsumer(ports, this.#client, options, sink)
    this.#consumers.add(consumer)
    consumer.start()
    return consumer
  }

  readRange(range: ReadRange): AsyncIterable<readonly BusRecord[]> {
    // The end is that of the call, not that of the first read.
    let end: { id: number; next: number } | PortError
    try {
      this.#throwIfClosed()
      const id = partitionIdOf(this.#environment, range.topic, range.partition)
      end = { id, next: this.#environment.partitions.get(id)?.next ?? 0 }
    } catch (error) {
      end = environmentError(error, this.#options.path)
    }
    return this.#chunks(range, end)
  }

  close(): Promise<void> {
    // In a later turn, so that calls made meanwhile find `#closing` set.
    this.#closing ??= Promise.resolve().then(() => this.#close())
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(closeGraceMs)))
    await this.#housekeeping.close()
    try {
      await this.#groups.close()
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'the embedded log was not left in good order')
    }
    await this.#writer.close()
    await this.#environment.root.close()
  }

  async *#chunks(
    { topic, partition, from, to, signal }: ReadRange,
    end: { id: number; next: number } | PortError,
  ): AsyncGenerator<readonly BusRecord[]> {
    if (end instanceof PortError) throw end
    const stop = Math.min(Number(to), end.next)
    let at = Number(from)
    while (at < stop) {
      signal?.throwIfAborted()
      this.#throwIfClosed()
      const position = at
      const chunk = this.#reading(() =>
        readChunk(this.#environment, { topic, partition }, end.id, position, stop),
      )
      if (chunk.records.length > 0) yield chunk.records
      at = chunk.next
      await nextTurn()
    }
  }

  /** Checks and encodes before anything is queued, so that one bad call spoils no other. */
  #prepare(records: readonly NewRecord[], nowMs: number) {
    const where: { topic: string; partition: number }[] = []
    const appending: Appending[] = []
    for (const record of records) {
      const { topic, key, value } = record
      const { firstId, partitions, compacted, recordBytesMax } = this.#topicOf(topic)
      if (compacted && key === null) {
        throw new PortError('bus', 'invalid', `a record without a key for the compacted ${topic}`)
      }
      const size = sizeOf(record)
      const sizeMax = Math.max(this.#options.recordBytesMax, recordBytesMax)
      if (size > sizeMax) {
        const found = `a record of ${size} bytes for ${topic}`
        const bound = `at most ${sizeMax} are taken`
        throw new PortError('bus', 'too-large', `${found}: ${bound}`)
      }
      const partition =
        record.partition ?? this.#partitionFor(topic, record.partitionKey ?? key, partitions)
      if (partition < 0 || partition >= partitions || !Number.isInteger(partition)) {
        throw new PortError(
          'bus',
          'unknown-topic',
          `there is no partition ${partition} of ${topic}`,
        )
      }
      where.push({ topic, partition })
      appending.push({
        partitionId: firstId + partition,
        bytes: encodeRecord(record, nowMs),
        timestampMs: record.timestampMs ?? nowMs,
        key,
        isTombstone: value === null,
      })
    }
    return { where, appending }
  }

  /** From memory: reading a topic costs as much as writing a record. */
  #topicOf(name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = topicOf(this.#environment, name)
      this.#topics.set(name, topic)
    }
    return topic
  }

  #partitionFor(topic: string, key: Buffer | null, partitions: number): number {
    if (key !== null) return partitionOfKey(key, partitions)
    const next = this.#spread.get(topic) ?? 0
    this.#spread.set(topic, (next + 1) % partitions)
    return next % partitions
  }

  #adminOf(retention: Retention): BusAdmin {
    const environment = this.#environment
    const answer = <T>(ask: () => T): Promise<T> =>
      Promise.resolve().then(() => {
        this.#throwIfClosed()
        return this.#reading(ask)
      })
    const describe = (name: string): readonly TopicDescription[] => {
      const topic = environment.topics.get(name)
      if (topic === undefined) return []
      const { partitions, compacted } = topic
      const { ms } = boundsOf(topic, retention)
      return [{ name, partitions, compacted, retentionMs: Number.isFinite(ms) ? ms : null }]
    }
    return {
      ensureTopics: async (specs: readonly TopicSpec[]) => {
        this.#throwIfClosed()
        specs.forEach(checkSpec)
        // A look first: at every start all topics are there, and a write would cost a sync.
        if (this.#reading(() => specs.every(({ name }) => environment.topics.doesExist(name)))) {
          return { created: [] }
        }
        return { created: await this.#writer.write(() => makeTopics(environment, specs)) }
      },
      listTopics: () => answer(() => [...environment.topics.getKeys({})]),
      describeTopics: (names) => answer(() => names.flatMap(describe)),
      deleteTopics: async (names) => {
        this.#throwIfClosed()
        await this.#writer.write((transaction) => deleteTopics(environment, transaction, names))
      },
      watermarks: (name) =>
        answer(() => {
          const { firstId, partitions } = topicOf(environment, name)
          return Array.from({ length: partitions }, (_, partition) => {
            const state = environment.partitions.get(firstId + partition)
            const [low, high] = [BigInt(state?.low ?? 0), BigInt(state?.next ?? 0)]
            return { topic: name, partition, low, high }
          })
        }),
      offsetsForTime: async (name, timeMs) => {
        const { firstId, partitions } = await answer(() => topicOf(environment, name))
        return Promise.all(
          Array.from({ length: partitions }, async (_, partition) => {
            const where = { topic: name, partition }
            const id = firstId + partition
            try {
              const offset = await offsetForTime(environment, where, id, timeMs, nextTurn)
              return { ...where, offset: BigInt(offset) }
            } catch (error) {
              throw environmentError(error, this.#options.path)
            }
          }),
        )
      },
      groupOffsets: (group, topics) => answer(() => this.#groups.offsets(group, topics)),
    }
  }

  #throwIfClosed(): void {
    if (this.#closing !== null) throw new PortError('bus', 'closed', 'the embedded bus is closed')
  }

  /** What a read throws means the same to those behind the port as a failed write. */
  #reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw environmentError(error, this.#options.path)
    }
  }
}

/** A job holds the event loop while it puts its records; a large call goes in several. */
const partRecordsMax = 1_000
const partBytesMax = 2 * 2 ** 20

/** The records in runs within both bounds; one record makes a run however large it is. */
function partsOf(records: readonly Appending[]): readonly (readonly Appending[])[] {
  const parts: Appending[][] = []
  let bytes = 0
  for (const record of records) {
    const last = parts.at(-1)
    bytes += record.bytes.length
    if (last !== undefined && last.length < partRecordsMax && bytes <= partBytesMax) {
      last.push(record)
    } else {
      parts.push([record])
      bytes = record.bytes.length
    }
  }
  return parts
}
