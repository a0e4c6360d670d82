import type { TopicPartition } from '../../model/record.ts'
import type { Connection } from './connection.ts'
import type { WireBroker } from './innards.ts'
import { encoded, errorOfCode, fetchRaw } from './innards.ts'
import type { AbortedTransaction } from './record-batch.ts'
import { PortError } from '../../ports/port-error.ts'

/* Requests of Kafka as functions, with what their answers say of each partition left apart. */

export interface FetchWish extends TopicPartition {
  readonly offset: bigint
  readonly bytesMax: number
}

export interface Fetched extends TopicPartition {
  /** 0: none. */
  readonly errorCode: number
  /** What a reader of committed records can get: below the first open transaction. */
  readonly stableOffset: bigint
  /** The broker to ask instead, or -1. */
  readonly preferredNode: number
  readonly aborted: readonly AbortedTransaction[]
  readonly bytes: Buffer
}

const readCommitted = 1

/** Fetches from one broker; waits up to `waitMs` there while it has nothing at all. */
export async function fetchFrom(
  broker: WireBroker,
  wishes: readonly FetchWish[],
  { waitMs, bytesMax, rack }: { waitMs: number; bytesMax: number; rack: string | null },
): Promise<readonly Fetched[]> {
  const topics = wishes.map(({ topic, partition, offset, bytesMax: maxBytes }) => ({
    topic,
    partitions: [{ partition, fetchOffset: offset.toString(), maxBytes }],
  }))
  const options = {
    maxWaitTime: waitMs,
    minBytes: 1,
    maxBytes: bytesMax,
    isolationLevel: readCommitted,
    topics,
    rackId: rack ?? '',
  }
  const { errorCode, fetched } = await fetchRaw(broker, options, decodeFetch)
  if (errorCode !== 0) throw errorOfCode(errorCode)
  return fetched
}

/** Source: FetchResponse.json of Kafka, version 11. */
function decodeFetch(payload: Buffer) {
  const reader = new Reader(payload)
  const clientSideThrottleTime = reader.int32()
  const errorCode = reader.int16()
  reader.int32() // session
  const fetched: Fetched[] = []
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string()
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      const partition = reader.int32()
      const partitionError = reader.int16()
      reader.int64() // high watermark, which open transactions lie below
      const stableOffset = reader.int64()
      reader.int64() // start of the log
      const aborted: AbortedTransaction[] = []
      for (let count = reader.int32(); count > 0; count--) {
        aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() })
      }
      const preferredNode = reader.int32()
      const bytes = reader.bytes()
      fetched.push({
        topic,
        partition,
        errorCode: partitionError,
        stableOffset,
        preferredNode,
        aborted,
        bytes,
      })
    }
  }
  return { clientSideThrottleTime, errorCode, fetched }
}

/** Appends one batch to one partition, acks=all. Rejects with kafkajs' error of the answer's code. */
export async function produceTo(
  broker: WireBroker,
  { topic, partition }: TopicPartition,
  batch: Buffer,
  timeoutMs: number,
): Promise<{ baseOffset: bigint }> {
  const name = Buffer.from(topic)
  const head = Buffer.alloc(2 + 2 + 4 + 4 + 2 + name.length + 4 + 4 + 4)
  let end = head.writeInt16BE(-1, 0) // no transaction
  end = head.writeInt16BE(-1, end) // acks=all
  end = head.writeInt32BE(timeoutMs, end)
  end = head.writeInt32BE(1, end)
  end = head.writeInt16BE(name.length, end)
  end += name.copy(head, end)
  end = head.writeInt32BE(1, end)
  end = head.writeInt32BE(partition, end)
  head.writeInt32BE(batch.length, end)
  const { errorCode, baseOffset } = await broker.connectionPool.send({
    // Version 7 is the first that may carry zstd, and every broker since 2.1 knows it.
    request: {
      apiKey: 0,
      apiVersion: 7,
      apiName: 'Produce',
      encode: () => Promise.resolve(encoded(Buffer.concat([head, batch]))),
    },
    response: {
      decode: (payload) => Promise.resolve(decodeProduce(payload)),
      parse: (answer) => Promise.resolve(answer),
    },
  })
  if (errorCode !== 0) throw errorOfCode(errorCode)
  return { baseOffset }
}

/** Source: ProduceResponse.json of Kafka, version 7; one topic and one partition, as asked. */
function decodeProduce(payload: Buffer) {
  const reader = new Reader(payload)
  reader.int32()
  reader.string()
  reader.int32()
  reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.int64()
  reader.int64() // time of the append
  reader.int64() // start of the log
  return { errorCode, baseOffset, clientSideThrottleTime: reader.int32() }
}

class Reader {
  #at = 0
  readonly #payload: Buffer

  constructor(payload: Buffer) {
    this.#payload = payload
  }

  int16(): number {
    return this.#payload.readInt16BE((this.#at += 2) - 2)
  }
  int32(): number {
    return this.#payload.readInt32BE((this.#at += 4) - 4)
  }
  int64(): bigint {
    return this.#payload.readBigInt64BE((this.#at += 8) - 8)
  }
  string(): string {
    const length = this.int16()
    return this.#payload.toString('utf8', this.#at, (this.#at += length))
  }
  bytes(): Buffer {
    const length = Math.max(0, this.int32()) // -1: none
    return this.#payload.subarray(this.#at, (this.#at += length))
  }
}

export type TopicState =
  | { readonly kind: 'here'; readonly leaders: readonly number[] }
  | { readonly kind: 'missing' }
  /** There, but not for us, or not now. */
  | { readonly kind: 'failed'; readonly error: Error }

const unknownTopic = 3
const invalidTopic = 17

/**
 * Asks for topics and the leaders of their partitions, by number of partition; -1 has none now.
 * With no `names`: every topic.
 */
export async function topicStates(
  connection: Connection,
  names: readonly string[] | 'all',
): Promise<ReadonlyMap<string, TopicState>> {
  const states = new Map<string, TopicState>()
  if (names !== 'all' && names.length === 0) return states
  const broker = await connection.anyBroker()
  const { topicMetadata } = await connection.request(broker, 'ask for topics', () =>
    broker.metadata(names === 'all' ? [] : [...new Set(names)]),
  )
  for (const { topic, topicErrorCode, partitionMetadata } of topicMetadata) {
    if (topicErrorCode === unknownTopic || topicErrorCode === invalidTopic) {
      states.set(topic, { kind: 'missing' })
    } else if (partitionMetadata.length === 0) {
      states.set(topic, { kind: 'failed', error: errorOfCode(topicErrorCode) })
    } else {
      const leaders = new Array<number>(partitionMetadata.length).fill(-1)
      for (const { partitionId, leader } of partitionMetadata) leaders[partitionId] = leader
      states.set(topic, { kind: 'here', leaders })
    }
  }
  return states
}

/** The leaders of one topic's partitions. Rejects with `unknown-topic` when it is not there. */
export async function leadersOf(connection: Connection, topic: string): Promise<readonly number[]> {
  const state = (await topicStates(connection, [topic])).get(topic)
  if (state?.kind === 'here') return state.leaders
  if (state?.kind === 'failed') {
    throw new PortError('bus', 'unreachable', `topic ${topic} is not ready`, { cause: state.error })
  }
  throw new PortError('bus', 'unknown-topic', `there is no topic ${topic}`)
}

/** Asks for the first offset kept, the next offset, or the first at or after a time; -1: none. */
export async function listOffsets(
  connection: Connection,
  topic: string,
  leaders: readonly number[],
  what: 'earliest' | 'latest' | number,
  only?: readonly number[],
): Promise<ReadonlyMap<number, bigint>> {
  const timestamp = what === 'earliest' ? '-2' : what === 'latest' ? '-1' : String(what)
  const byLeader = new Map<number, number[]>()
  leaders.forEach((leader, partition) => {
    if (only !== undefined && !only.includes(partition)) return
    const partitions = byLeader.get(leader) ?? []
    partitions.push(partition)
    byLeader.set(leader, partitions)
  })
  const offsets = new Map<number, bigint>()
  for (const [leader, partitions] of byLeader) {
    const broker = await connection.broker(leader)
    const { responses } = await connection.request(broker, `ask for offsets of ${topic}`, () =>
      broker.listOffsets({
        replicaId: -1,
        // The end for a reader is where a fetch ends: below open transactions.
        isolationLevel: readCommitted,
        topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
      }),
    )
    for (const answer of responses) {
      for (const { partition, offset } of answer.partitions) offsets.set(partition, BigInt(offset))
    }
  }
  return offsets
}

/** What a group has committed, by topic and partition; -1 and no metadata where it has nothing. */
export async function committedOffsets(
  connection: Connection,
  coordinator: WireBroker,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<readonly (TopicPartition & { offset: bigint; metadata: string })[]> {
  if (partitions.length === 0) return []
  const topics = byTopic(partitions).map(([topic, those]) => ({
    topic,
    partitions: those.map(({ partition }) => ({ partition })),
  }))
  const { responses } = await connection.request(
    coordinator,
    `ask for the offsets of group ${groupId}`,
    () => coordinator.offsetFetch({ groupId, topics }),
  )
  return responses.flatMap(({ topic, partitions: answers }) =>
    answers.map(({ partition, offset, metadata }) => ({
      topic,
      partition,
      offset: BigInt(offset),
      metadata: metadata ?? '',
    })),
  )
}

/** Gathers what is said of partitions by topic, as most requests of Kafka want it. */
export function byTopic<T extends TopicPartition>(all: readonly T[]): readonly [string, T[]][] {
  const topics = new Map<string, T[]>()
  for (const one of all) {
    const those = topics.get(one.topic)
    if (those === undefined) topics.set(one.topic, [one])
    else those.push(one)
  }
  return [...topics]
}
