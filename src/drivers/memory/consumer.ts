import type { TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type {
  Assigned,
  CommitEntry,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  ConsumerState,
} from '../../ports/bus.ts'
import { PortError } from '../../ports/port-error.ts'
import type { MemoryBroker } from './broker.ts'
import type { Member, MemoryGroup } from './group.ts'

/** Records handed over in one go. */
export const fetchRecords = 100

interface Owned {
  readonly assigned: Assigned
  position: bigint
  isPaused: boolean
}

/** One member of a memory group. Delivers from the event loop, never from inside a call. */
export class MemoryConsumer implements Consumer, Member {
  readonly options: ConsumeOptions
  readonly #broker: MemoryBroker
  readonly #group: MemoryGroup
  readonly #sink: ConsumerSink
  readonly #owned = new Map<string, Owned>()
  topics: readonly string[]
  #revoking: Promise<void> | null = null
  #isAwake = false
  #isClosed = false

  constructor(broker: MemoryBroker, options: ConsumeOptions, sink: ConsumerSink) {
    this.options = options
    this.topics = options.topics
    this.#broker = broker
    this.#group = broker.group(options.group)
    this.#sink = sink
  }

  join(): void {
    this.tell({ kind: 'joining' })
    // It may have been killed while the others gave back what they had.
    void this.#group.rebalance((members) => (this.#isClosed ? members : [...members, this]))
  }

  tell(state: ConsumerState): void {
    this.#sink.onState(state)
  }

  assign(assigned: readonly Assigned[]): void {
    if (this.#isClosed) return
    this.tell({ kind: 'ready' })
    for (const one of assigned) {
      this.#owned.set(partitionName(one), {
        assigned: one,
        position: one.position,
        isPaused: false,
      })
    }
    if (assigned.length > 0) this.#sink.onAssigned(assigned)
    this.wake()
  }

  /** One revocation at a time: a close and a rebalance may both ask for it. */
  revokeAll(graceMs: number): Promise<void> {
    this.#revoking ??= this.#revokeAll(graceMs).finally(() => (this.#revoking = null))
    return this.#revoking
  }

  async #revokeAll(graceMs: number): Promise<void> {
    const revoked = [...this.#owned.values()].map(({ assigned }) => assigned)
    if (revoked.length === 0) return
    for (const owned of this.#owned.values()) owned.isPaused = true
    const inTime = new AbortController()
    await Promise.race([
      this.#sink.onRevoked(revoked, graceMs),
      this.#broker.clock.sleep(graceMs, inTime.signal).catch(() => {}), // aborted when it was in time
    ])
    inTime.abort()
    this.#owned.clear()
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#each(partitions, (owned) => (owned.isPaused = true))
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#each(partitions, (owned) => (owned.isPaused = false))
    this.wake()
  }

  seek(partition: TopicPartition, offset: bigint): void {
    this.#each([partition], (owned) => (owned.position = offset))
    this.wake()
  }

  #each(partitions: readonly TopicPartition[], change: (owned: Owned) => void): void {
    for (const partition of partitions) {
      const owned = this.#owned.get(partitionName(partition))
      if (owned !== undefined) change(owned)
    }
  }

  commit(entries: readonly CommitEntry[]): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          this.#commit(entries)
          resolve()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
    })
  }

  #commit(entries: readonly CommitEntry[]): void {
    this.#broker.assertReachable()
    if (this.#isClosed) throw new PortError('bus', 'closed', 'the consumer is closed')
    let isStale = false
    for (const { epoch, ...offset } of entries) {
      if (offset.metadata.length > 4_096) {
        throw new PortError('bus', 'invalid', `metadata of ${offset.metadata.length} characters`)
      }
      if (this.#owned.get(partitionName(offset))?.assigned.epoch === epoch) {
        this.#group.store(offset)
      } else {
        isStale = true
      }
    }
    if (isStale) throw new PortError('bus', 'not-owner', 'an epoch of the commit is over')
  }

  async setTopics(topics: readonly string[]): Promise<void> {
    if (topics.join() === this.topics.join()) return
    await this.#group.rebalance((members) => {
      this.topics = topics
      return members
    })
  }

  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return
    await this.revokeAll(deadlineMs)
    this.#isClosed = true
    await this.#group.rebalance((members) => members.filter((member) => member !== this))
  }

  /** As a process that is killed: no word to anybody. */
  crash(): Promise<void> {
    this.#isClosed = true
    this.#owned.clear()
    return this.#group.lose(this)
  }

  wake(): void {
    if (this.#isAwake || this.#isClosed) return
    this.#isAwake = true
    setImmediate(() => {
      this.#isAwake = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (this.#isClosed || this.#broker.isAway) return
    let isMore = false
    for (const owned of this.#owned.values()) {
      if (owned.isPaused || this.#broker.specOf(owned.assigned.topic) === null) continue
      isMore = this.#deliverFrom(owned) || isMore
    }
    if (isMore) this.wake()
  }

  #deliverFrom(owned: Owned): boolean {
    const { assigned } = owned
    const log = this.#broker.log(assigned.topic, assigned.partition)
    if (owned.position < log.low || owned.position > log.high) {
      const { topic, partition } = assigned
      this.tell({
        kind: 'skipped',
        partition: { topic, partition },
        from: owned.position,
        to: log.low,
      })
      owned.position = log.low
    }
    if (owned.position >= log.high) return false
    const records = log.records.filter((one) => one.offset >= owned.position).slice(0, fetchRecords)
    const last = records.at(-1)
    owned.position = last === undefined ? log.high : last.offset + 1n
    this.#sink.onRecords(assigned, assigned.epoch, records, owned.position)
    return owned.position < log.high
  }
}
