/**
 * Record headers in the order of the record. A name may stand more than once, and a value may be
 * null; both are kept, because a dead letter must give back what came in.
 */
export type Headers = readonly (readonly [name: string, value: Buffer | null])[]

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A record as the bus keeps it. Kafka's nouns, no client's types. */
export interface BusRecord extends TopicPartition {
  readonly offset: bigint
  readonly key: Buffer | null
  /** `null` is a tombstone. */
  readonly value: Buffer | null
  readonly headers: Headers
  /** Milliseconds since 1970. */
  readonly timestampMs: number
}

/** A record to be put on the bus. */
export interface NewRecord {
  readonly topic: string
  /** Left out: the bus picks it by hash of the key, or spreads records without a key. */
  readonly partition?: number
  /** Whose hash picks the partition in place of the key's. */
  readonly partitionKey?: Buffer
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Headers
  /** Milliseconds since 1970; left out: now. */
  readonly timestampMs?: number
}

/** `topic/partition`, for maps and logs. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** `topic/partition/offset`: the id of the event in a record, and its origin in our headers. */
export function originOf(record: TopicPartition & { readonly offset: bigint }): string {
  return `${record.topic}/${record.partition}/${record.offset}`
}

/** The text of the last header called `name`, or `null`. */
export function headerText(headers: Headers, name: string): string | null {
  for (let i = headers.length - 1; i >= 0; i--) {
    const header = headers[i]
    if (header !== undefined && header[0] === name) return header[1]?.toString('utf8') ?? null
  }
  return null
}

/** What a record costs in memory, near enough: key, value, headers and a flat sum for objects. */
export function bytesOf(record: Pick<BusRecord, 'key' | 'value' | 'headers'>): number {
  let bytes = 256 + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const [name, value] of record.headers) bytes += 32 + name.length + (value?.length ?? 0)
  return bytes
}
