import kafkajs from 'kafkajs'
import type { ProducedAt } from '../../ports/bus.ts'
import type { NewRecord, TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Compression } from './codecs.ts'
import type { Connection } from './connection.ts'
import { toPortError } from './errors.ts'
import type { BatchRecord } from './record-batch.ts'
import { encodeBatch, encodedBytesMax } from './record-batch.ts'
import { leadersOf, produceTo } from './requests.ts'

/*
 * Gathers records into one batch per partition, one request per partition at a time.
 *
 * One at a time keeps the order within a partition through every retry, without idempotence; why
 * without: docs/decisions/kafkajs-below-its-consumer.md. While a request is under way its
 * successors gather, so batches grow by themselves under load; the linger is only for the first.
 * Partitions do not wait for each other, and an error is that of one partition only.
 */

/** Half of Kafka's default `max.message.bytes`, so that only a record alone can be too large. */
const batchBytesMax = 512 * 2 ** 10
/** Bounds what is encoded without a break in the event loop. */
const batchRecordsMax = 5_000
/** A third of the broker's `socket.request.max.bytes`, above which it hangs up without a word. */
const recordBytesMax = 32 * 2 ** 20
/** Records taken and not yet acknowledged; a call that finds it full waits for room. */
const pendingBytesMax = 64 * 2 ** 20
/** A request gets this much, whatever is left: one that is late costs those beside it their connection. */
const requestMsMin = 1_000
const backoffMsMin = 50
const backoffMsMax = 1_000
/** A topic that was just made is known to some brokers before others. */
const unknownTopicMs = 1_000

interface Item {
  readonly record: BatchRecord
  readonly bytes: number
  /** On the monotonic clock. */
  readonly dueMs: number
  readonly done: (offset: bigint) => void
  readonly fail: (error: PortError) => void
}

interface KnownTopic {
  readonly leaders: Promise<readonly number[]>
  readonly readMs: number
  /** Set once `leaders` has resolved, so that a known topic costs no turn of the loop. */
  now: readonly number[] | null
}

export class Producer {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #compression: Compression
  readonly #queues = new Map<string, PartitionQueue>()
  readonly #topics = new Map<string, KnownTopic>()
  readonly #partitioner = kafkajs.Partitioners.DefaultPartitioner()
  readonly #closing = new AbortController()
  readonly #waitingForRoom: (() => void)[] = []
  #pendingBytes = 0
  #turn = 0

  constructor(connection: Connection, compression: Compression) {
    this.#connection = connection
    this.#clock = connection.clock
    this.#compression = compression
  }

  async produce(records: readonly NewRecord[]): Promise<readonly ProducedAt[]> {
    if (this.#closing.signal.aborted) throw closedError()
    if (records.length === 0) return []
    const sizes = records.map(encodedBytesMax)
    const tooLarge = sizes.findIndex((bytes) => bytes > recordBytesMax)
    if (tooLarge !== -1) {
      throw new PortError(
        'bus',
        'too-large',
        `a record for ${records[tooLarge]?.topic} has ${sizes[tooLarge]} bytes, at most ${recordBytesMax} can be sent`,
      )
    }
    const dueMs = this.#clock.monotonic() + this.#connection.timing.produce
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    while (this.#pendingBytes > 0 && this.#pendingBytes + bytes > pendingBytesMax) {
      await new Promise<void>((resolve) => this.#waitingForRoom.push(resolve))
      if (this.#closing.signal.aborted) throw closedError()
      if (this.#clock.monotonic() >= dueMs) {
        throw new PortError(
          'bus',
          'unreachable',
          'could not produce: too much else waits for kafka',
        )
      }
    }
    this.#pendingBytes += bytes
    try {
      const counts = new Map<string, number>()
      for (const { topic } of records) {
        if (counts.has(topic)) continue
        const leaders = this.#topics.get(topic)?.now ?? (await this.#leadersInTime(topic, dueMs))
        counts.set(topic, leaders.length)
      }
      return await this.#send(records, sizes, dueMs, counts)
    } finally {
      this.#pendingBytes -= bytes
      for (const wake of this.#waitingForRoom.splice(0)) wake()
    }
  }

  /** Refuses what is not acknowledged yet: whether it is on the bus is not known. */
  close(): void {
    this.#closing.abort(closedError())
    for (const queue of this.#queues.values()) queue.refuse(closedError())
    for (const wake of this.#waitingForRoom.splice(0)) wake()
  }

  #send(
    records: readonly NewRecord[],
    sizes: readonly number[],
    dueMs: number,
    counts: ReadonlyMap<string, number>,
  ): Promise<readonly ProducedAt[]> {
    return new Promise((resolve, reject) => {
      const placed = new Array<ProducedAt>(records.length)
      const nowMs = this.#clock.now()
      let open = records.length
      let failure: PortError | null = null
      // The call ends when all its records have an end, so that a caller that tries again after an
      // error does not race with what is still under way.
      const settle = () => {
        if (--open > 0) return
        if (failure === null) resolve(placed)
        else reject(failure)
      }
      records.forEach((record, i) => {
        const { topic, key, value, headers, timestampMs = nowMs } = record
        const count = counts.get(topic) ?? 1
        const partition =
          record.partition ?? this.#partitionFor(topic, record.partitionKey ?? key, count)
        if (partition < 0 || partition >= count) {
          this.#topics.delete(topic) // it may have been given more since we asked
          failure ??= new PortError(
            'bus',
            'invalid',
            `topic ${topic} has no partition ${partition}`,
          )
          return settle()
        }
        this.#queueOf({ topic, partition }).add({
          record: { key, value, headers, timestampMs },
          bytes: sizes[i] ?? 0,
          dueMs,
          done: (offset) => {
            placed[i] = { topic, partition, offset }
            settle()
          },
          fail: (error) => {
            failure ??= error
            settle()
          },
        })
      })
    })
  }

  /** As the Java client does it, so that a key is on one partition whoever produces it. */
  #partitionFor(topic: string, key: Buffer | null, count: number): number {
    if (key === null) return this.#turn++ % count
    const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [],
      isr: [],
    }))
    return this.#partitioner({ topic, partitionMetadata, message: { key, value: null } })
  }

  #queueOf(partition: TopicPartition): PartitionQueue {
    const name = partitionName(partition)
    let queue = this.#queues.get(name)
    if (queue === undefined) {
      queue = new PartitionQueue(partition, {
        clock: this.#clock,
        lingerMs: this.#connection.timing.linger,
        send: (items) => this.#sendBatch(partition, items),
      })
      this.#queues.set(name, queue)
    }
    return queue
  }

  /** Leaders of a topic for a call that does not know it yet; tried again until its deadline. */
  async #leadersInTime(topic: string, dueMs: number): Promise<readonly number[]> {
    const unknownUntilMs = Math.min(dueMs, this.#clock.monotonic() + unknownTopicMs)
    for (let backoffMs = backoffMsMin; ; backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
      try {
        return await this.#leaders(topic)
      } catch (error) {
        const trouble = toPortError(error, `find topic ${topic}`)
        const untilMs = trouble.code === 'unknown-topic' ? unknownUntilMs : dueMs
        if (!mayTryAgain(trouble) || this.#clock.monotonic() + backoffMs > untilMs) throw trouble
        await this.#pause(backoffMs)
      }
    }
  }

  #leaders(topic: string): Promise<readonly number[]> {
    const nowMs = this.#clock.monotonic()
    const known = this.#topics.get(topic)
    if (known !== undefined && nowMs - known.readMs < this.#connection.timing.lookAgain) {
      return known.leaders
    }
    const fresh: KnownTopic = {
      leaders: leadersOf(this.#connection, topic),
      readMs: nowMs,
      now: known?.now ?? null,
    }
    this.#topics.set(topic, fresh)
    fresh.leaders.then(
      (leaders) => void (fresh.now = leaders),
      () => {
        if (this.#topics.get(topic) === fresh) this.#topics.delete(topic)
      },
    )
    return fresh.leaders
  }

  /** Ends with every item done or failed; never rejects. */
  async #sendBatch(partition: TopicPartition, items: readonly Item[]): Promise<void> {
    const { topic } = partition
    let left = items
    let batch: Buffer | null = null
    let unknownUntilMs: number | null = null
    let trouble: PortError | null = null
    for (let backoffMs = backoffMsMin; ; backoffMs = Math.min(backoffMs * 2, backoffMsMax)) {
      try {
        const leader = (await this.#leaders(topic))[partition.partition] ?? -1
        const broker = await this.#connection.broker(leader)
        batch ??= await encodeBatch(
          left.map((item) => item.record),
          this.#compression,
        )
        const bytes = batch
        const { request } = this.#connection.timing
        const leftMs = Math.min(...left.map((item) => item.dueMs)) - this.#clock.monotonic()
        if (leftMs <= 0) throw trouble ?? lateError(topic)
        const { baseOffset } = await this.#connection.request(
          broker,
          `produce to ${topic}`,
          () => produceTo(broker, partition, bytes, request),
          Math.min(0, Math.max(requestMsMin, leftMs) - request),
        )
        left.forEach((item, i) => item.done(baseOffset + BigInt(i)))
        return
      } catch (error) {
        if (this.#closing.signal.aborted) return failAll(left, closedError())
        trouble = toPortError(error, `produce to ${topic}`)
      }
      if ((trouble.code === 'too-large' || trouble.code === 'invalid') && left.length > 1) {
        // The broker refuses a batch as a whole. Halves, one after the other, find whom to blame.
        const half = Math.ceil(left.length / 2)
        await this.#sendBatch(partition, left.slice(0, half))
        return this.#sendBatch(partition, left.slice(half))
      }
      this.#topics.delete(topic)
      const nowMs = this.#clock.monotonic()
      if (trouble.code === 'unknown-topic') unknownUntilMs ??= nowMs + unknownTopicMs
      if (!mayTryAgain(trouble) || (unknownUntilMs !== null && nowMs > unknownUntilMs)) {
        return failAll(left, trouble)
      }
      const inTime = left.filter((item) => item.dueMs > nowMs + backoffMs)
      if (inTime.length < left.length) {
        failAll(
          left.filter((item) => item.dueMs <= nowMs + backoffMs),
          trouble,
        )
        left = inTime
        batch = null
      }
      if (left.length === 0) return
      try {
        await this.#pause(backoffMs)
      } catch {
        return failAll(left, closedError())
      }
    }
  }

  /** Rejects once we are closed. */
  #pause(ms: number): Promise<void> {
    return this.#clock.sleep(ms * (0.5 + this.#clock.random() / 2), this.#closing.signal)
  }
}

function mayTryAgain(trouble: PortError): boolean {
  return trouble.code === 'unreachable' || trouble.code === 'unknown-topic'
}

function failAll(items: readonly Item[], error: PortError): void {
  for (const item of items) item.fail(error)
}

function lateError(topic: string): PortError {
  return new PortError(
    'bus',
    'unreachable',
    `could not produce to ${topic}: its turn came too late`,
  )
}

function closedError(): PortError {
  return new PortError('bus', 'closed', 'the bus is closed')
}

/** Records of one partition on their way: some in the one request, the others behind it. */
class PartitionQueue {
  readonly partition: TopicPartition
  readonly #clock: Clock
  readonly #lingerMs: number
  readonly #send: (items: readonly Item[]) => Promise<void>
  #waiting: Item[] = []
  #waitingBytes = 0
  #isSending = false
  #cancelLinger: (() => void) | null = null

  constructor(
    partition: TopicPartition,
    options: {
      readonly clock: Clock
      readonly lingerMs: number
      readonly send: (items: readonly Item[]) => Promise<void>
    },
  ) {
    this.partition = partition
    this.#clock = options.clock
    this.#lingerMs = options.lingerMs
    this.#send = options.send
  }

  add(item: Item): void {
    this.#waiting.push(item)
    this.#waitingBytes += item.bytes
    if (this.#isSending) return
    if (this.#waitingBytes >= batchBytesMax || this.#waiting.length >= batchRecordsMax) {
      void this.#drain()
    } else {
      this.#cancelLinger ??= this.#clock.schedule(this.#lingerMs, () => void this.#drain())
    }
  }

  refuse(error: PortError): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
    failAll(this.#waiting.splice(0), error)
  }

  async #drain(): Promise<void> {
    this.#cancelLinger?.()
    this.#cancelLinger = null
    this.#isSending = true
    while (this.#waiting.length > 0) await this.#send(this.#takeBatch())
    this.#isSending = false
  }

  #takeBatch(): readonly Item[] {
    let bytes = 0
    let count = 0
    for (const item of this.#waiting) {
      if (count > 0 && (bytes + item.bytes > batchBytesMax || count === batchRecordsMax)) break
      bytes += item.bytes
      count++
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }
}
