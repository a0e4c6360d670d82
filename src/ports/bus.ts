import type { BusRecord, NewRecord, TopicPartition } from '../model/record.ts'

/*
 * The bus: Kafka or the embedded log. Kafka's nouns, no client's types; offsets are bigint.
 * test/contract/bus-contract.ts is the definition of done for a driver.
 *
 * Groups are eager: when membership or topics change, every partition of a member is revoked and
 * what it gets is assigned anew, each time under a new epoch. An epoch is one assignment of one
 * partition to one consumer; whatever comes late from an older one is dropped, on both sides.
 */

export interface Bus {
  /**
   * Puts records on the bus. Resolves when all of them are durable (acks=all) with where each one
   * went, in the order given; records of one topic and partition keep that order. Rejects with a
   * PortError when at least one is not known to be durable: some may be there all the same.
   * `too-large` and `unknown-topic` mean that trying again will not help. Calls may overlap; a
   * driver gathers small ones into batches.
   */
  produce(records: readonly NewRecord[]): Promise<readonly ProducedAt[]>

  /**
   * Joins a group. Resolves when the consumer is running, not when it has partitions; a bus that
   * is out of reach is tried again and told through `onState`, for as long as the consumer lives.
   */
  consume(options: ConsumeOptions, sink: ConsumerSink): Promise<Consumer>

  /**
   * Reads `[from, to)` of one partition without a group and without touching one. Ends at `to`, or
   * at the end of the log as it was at the call. Starts at the first offset kept if `from` is gone.
   */
  readRange(range: ReadRange): AsyncIterable<readonly BusRecord[]>

  readonly admin: BusAdmin

  /** Ends everything, consumers that are still open included. Idempotent. */
  close(): Promise<void>
}

export interface ProducedAt extends TopicPartition {
  readonly offset: bigint
}

export interface ReadRange extends TopicPartition {
  readonly from: bigint
  readonly to: bigint
  readonly signal?: AbortSignal
}

export interface ConsumeOptions {
  readonly group: string
  /** Exact names. All of them exist: see `BusAdmin.ensureTopics`. */
  readonly topics: readonly string[]
  /**
   * Where a partition starts that has no committed offset; a number is a time in milliseconds since
   * 1970. Where a partition was started is committed at once, so that a crash before the first
   * commit does not skip what came in between.
   */
  readonly startAt: 'earliest' | 'latest' | number
  /**
   * Where the driver may keep what lets a restart after a crash take back its place in the group
   * without waiting for its former self to expire; `null`: nowhere.
   */
  readonly stateDir: string | null
  /** How long the driver waits for `onRevoked` when the revocation is not yet a fact. */
  readonly revokeGraceMs: number
}

export interface Assigned extends TopicPartition {
  /** Unique in this process; higher is later. */
  readonly epoch: number
  /** The offset of the first record that will be delivered. */
  readonly position: bigint
  /** What was committed with `position`; `''` when nothing was, or another offset. */
  readonly metadata: string
}

export interface ConsumerSink {
  /** Comes before the first record of its epoch. */
  onAssigned(assigned: readonly Assigned[]): void
  /**
   * Records of one partition, in order, each once per epoch. Offsets may have holes (compaction,
   * transactions). `nextOffset` is the offset at which reading goes on, above every record here.
   * Must return at once; a sink that has enough calls `pause`. Up to one fetch more may still come.
   */
  onRecords(
    partition: TopicPartition,
    epoch: number,
    records: readonly BusRecord[],
    nextOffset: bigint,
  ): void
  /**
   * These epochs end. With `graceMs` above zero the partitions are still ours: stop taking, let
   * what is in flight finish, commit, then resolve; the driver hands them over when the promise
   * resolves or the grace is over. With zero they are lost already. Commits under these epochs are
   * refused from then on.
   */
  onRevoked(
    revoked: readonly (TopicPartition & { epoch: number })[],
    graceMs: number,
  ): Promise<void>
  onState(state: ConsumerState): void
}

export type ConsumerState =
  | { readonly kind: 'joining' }
  /** In the group and reading; perhaps without a partition. */
  | { readonly kind: 'ready' }
  /** The bus is out of reach or refuses us; the driver keeps trying. */
  | { readonly kind: 'unreachable'; readonly error: Error }
  /** A topic of the subscription has gone; the driver reads the others and looks again. */
  | { readonly kind: 'topic-missing'; readonly topic: string }
  /**
   * Records below the position are gone (retention): events were lost before we read them. With
   * `to` below `from` the log ends below the position (truncation, a topic made anew), and its
   * records come from `to` on, under the same epoch.
   */
  | {
      readonly kind: 'skipped'
      readonly partition: TopicPartition
      readonly from: bigint
      readonly to: bigint
    }

export interface CommitEntry extends TopicPartition {
  readonly epoch: number
  /** The next offset to read. */
  readonly offset: bigint
  /** At most 4,096 UTF-16 code units. */
  readonly metadata: string
}

export interface Consumer {
  /** Stops delivery of a partition. Holds through rejoins until `resume`, or until it is revoked. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Delivers from `offset` next, under the same epoch. Ignored for a partition that is not ours. */
  seek(partition: TopicPartition, offset: bigint): void
  /**
   * Resolves when the bus has the offsets. Entries whose epoch is over are left out; if any was,
   * the promise rejects with `not-owner` once the others are stored. One commit at a time.
   */
  commit(entries: readonly CommitEntry[]): Promise<void>
  /** Replaces the subscription; causes a rebalance when it differs. */
  setTopics(topics: readonly string[]): Promise<void>
  /** Leaves the group, with one `onRevoked` (grace: `deadlineMs`) first. Always ends in time. */
  close(deadlineMs: number): Promise<void>
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** -1: the cluster's own default. Ignored by the embedded bus. */
  readonly replication: number
  /** Records older than this may go; `null`: the bus' own default. */
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
  /** The largest record that the topic must take; left out: the bus' own bound. */
  readonly recordBytesMax?: number
  /** Keeps at least the newest record of each key; a tombstone ends a key. */
  readonly compacted: boolean
}

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
  readonly compacted: boolean
  readonly retentionMs: number | null
}

export interface Watermarks extends TopicPartition {
  /** The first offset kept. */
  readonly low: bigint
  /** The offset that the next record will get. */
  readonly high: bigint
}

export interface GroupOffset extends TopicPartition {
  readonly offset: bigint
  readonly metadata: string
}

export interface BusAdmin {
  /** Makes the topics that are missing. Never changes one that is there. */
  ensureTopics(topics: readonly TopicSpec[]): Promise<{ readonly created: readonly string[] }>
  /** Every topic; none of the bus' own. */
  listTopics(): Promise<readonly string[]>
  /** Those of `names` that exist. */
  describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]>
  deleteTopics(names: readonly string[]): Promise<void>
  watermarks(topic: string): Promise<readonly Watermarks[]>
  /** Per partition the first offset whose record is not older than `timeMs`, or the high watermark. */
  offsetsForTime(
    topic: string,
    timeMs: number,
  ): Promise<readonly (TopicPartition & { offset: bigint })[]>
  /** What a group has committed; partitions without a commit are left out. */
  groupOffsets(group: string, topics: readonly string[]): Promise<readonly GroupOffset[]>
}
