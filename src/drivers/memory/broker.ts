import type { BusRecord, NewRecord } from '../../model/record.ts'
import type { TopicSpec } from '../../ports/bus.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Clock } from '../../ports/clock.ts'
import { MemoryGroup } from './group.ts'

interface Log {
  low: bigint
  records: BusRecord[]
  /** Where the next record goes; above the last one plus one after holes. */
  high: bigint
}

/**
 * What stands behind memory buses: topics and groups, kept as long as the object is. It is a broker
 * in the small, not a queue: it refuses, is away, leaves holes and rebalances, when a test says so.
 */
export class MemoryBroker {
  readonly clock: Clock
  readonly recordBytesMax: number
  readonly #topics = new Map<string, { spec: TopicSpec; logs: Log[] }>()
  readonly #groups = new Map<string, MemoryGroup>()
  readonly #refused = new Set<string>()
  #isAway = false
  #spread = 0

  constructor(clock: Clock, recordBytesMax = 4 * 2 ** 20) {
    this.clock = clock
    this.recordBytesMax = recordBytesMax
  }

  /** From now on every call is answered as by a broker that is out of reach, until `comeBack`. */
  goAway(): void {
    this.#isAway = true
  }

  comeBack(): void {
    this.#isAway = false
    for (const group of this.#groups.values()) group.wake()
  }

  get isAway(): boolean {
    return this.#isAway
  }

  /** Produces to `topic` fail as by a broker that is out of reach; everything else works. */
  refuseProducesTo(topic: string): void {
    this.#refused.add(topic)
  }

  takeAllProduces(): void {
    this.#refused.clear()
  }

  assertReachable(): void {
    if (this.#isAway) throw new PortError('bus', 'unreachable', 'the memory broker is away')
  }

  group(name: string): MemoryGroup {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new MemoryGroup({ logsOf: (topic) => this.#topics.get(topic)?.logs ?? null })
      this.#groups.set(name, group)
    }
    return group
  }

  create(spec: TopicSpec): boolean {
    if (!/^[\w.-]{1,249}$/.test(spec.name) || spec.partitions < 1) {
      throw new PortError('bus', 'invalid', `${spec.name} cannot be a topic`)
    }
    if (this.#topics.has(spec.name)) return false
    const logs = Array.from({ length: spec.partitions }, () => ({ low: 0n, records: [], high: 0n }))
    this.#topics.set(spec.name, { spec, logs })
    return true
  }

  delete(name: string): void {
    if (!this.#topics.delete(name)) return
    for (const group of this.#groups.values()) group.topicDeleted(name)
  }

  names(): readonly string[] {
    return [...this.#topics.keys()].sort()
  }

  specOf(name: string): TopicSpec | null {
    return this.#topics.get(name)?.spec ?? null
  }

  logsOf(topic: string): readonly Log[] {
    const found = this.#topics.get(topic)
    if (found === undefined)
      throw new PortError('bus', 'unknown-topic', `there is no topic ${topic}`)
    return found.logs
  }

  log(topic: string, partition: number): Log {
    const log = this.logsOf(topic)[partition]
    if (log === undefined) {
      throw new PortError('bus', 'invalid', `${topic} has no partition ${partition}`)
    }
    return log
  }

  append(record: NewRecord): BusRecord {
    const size = sizeOf(record)
    if (size > this.recordBytesMax) {
      throw new PortError(
        'bus',
        'too-large',
        `a record of ${size} bytes; the bound is ${this.recordBytesMax}`,
      )
    }
    if (this.#refused.has(record.topic)) {
      throw new PortError('bus', 'unreachable', `produces to ${record.topic} are refused`)
    }
    const partition = record.partition ?? this.#partitionFor(record)
    const log = this.log(record.topic, partition)
    const { topic, key, value, headers } = record
    const timestampMs = record.timestampMs ?? this.clock.now()
    const stored = { topic, partition, offset: log.high, key, value, headers, timestampMs }
    log.high += 1n
    log.records.push(stored)
    return stored
  }

  #partitionFor({ topic, partitionKey, key: ownKey }: NewRecord): number {
    const key = partitionKey ?? ownKey
    const count = this.logsOf(topic).length
    if (key === null) return this.#spread++ % count
    return key.reduce((hash, byte) => (hash * 31 + byte) % 1_000_003, 7) % count
  }

  /** Removes the records for which `isOut` holds, and leaves holes, as compaction does. */
  makeHoles(topic: string, isOut: (record: BusRecord) => boolean): void {
    for (const log of this.logsOf(topic)) log.records = log.records.filter((one) => !isOut(one))
  }

  /** Removes what lies below `offset`, as retention does. */
  trim(topic: string, partition: number, offset: bigint): void {
    const log = this.log(topic, partition)
    log.records = log.records.filter((record) => record.offset >= offset)
    log.low = offset
  }

  /** Removes everything and counts from 0 again, as when a topic is made anew under its old name. */
  makeAnew(topic: string): void {
    for (const log of this.logsOf(topic)) Object.assign(log, { records: [], low: 0n, high: 0n })
  }

  wakeReaders(): void {
    for (const group of this.#groups.values()) group.wake()
  }
}

/** As Kafka and the embedded log count: key, value and headers. */
function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, text] of headers) bytes += name.length + (text?.length ?? 0)
  return bytes
}
