import type { BusRecord, TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type { Assigned, ConsumeOptions, ConsumerState, GroupOffset } from '../../ports/bus.ts'

let epochs = 0

/** A member, as its group sees it. */
export interface Member {
  readonly options: ConsumeOptions
  readonly topics: readonly string[]
  assign(assigned: readonly Assigned[]): void
  revokeAll(graceMs: number): Promise<void>
  tell(state: ConsumerState): void
  wake(): void
}

/** The topics of a broker, as its groups see them. */
export interface Topics {
  logsOf(topic: string): readonly TopicLog[] | null
}

export interface TopicLog {
  readonly low: bigint
  /** Where the next record goes. */
  readonly high: bigint
  readonly records: readonly BusRecord[]
}

/** A consumer group of a memory broker: members, committed offsets, and eager rebalances. */
export class MemoryGroup {
  readonly #topics: Topics
  readonly #committed = new Map<string, GroupOffset>()
  #members: Member[] = []
  #rebalancing: Promise<void> = Promise.resolve()

  constructor(topics: Topics) {
    this.#topics = topics
  }

  committed(partition: TopicPartition): GroupOffset | null {
    return this.#committed.get(partitionName(partition)) ?? null
  }

  store(offset: GroupOffset): void {
    this.#committed.set(partitionName(offset), offset)
  }

  offsets(topics: readonly string[]): readonly GroupOffset[] {
    return [...this.#committed.values()].filter(({ topic }) => topics.includes(topic))
  }

  wake(): void {
    for (const member of this.#members) member.wake()
  }

  /** Changes the membership between revoking everything and assigning it anew. */
  rebalance(change: (members: Member[]) => Member[]): Promise<void> {
    this.#rebalancing = this.#rebalancing.then(async () => {
      await Promise.all(
        this.#members.map((member) => member.revokeAll(member.options.revokeGraceMs)),
      )
      this.#members = change(this.#members)
      this.#assign()
    })
    return this.#rebalancing
  }

  topicDeleted(topic: string): void {
    if (this.#members.some((member) => member.topics.includes(topic))) {
      void this.rebalance((members) => members)
    }
  }

  /** A member that is gone without a word: nothing of it is waited for. */
  lose(lost: Member): Promise<void> {
    this.#members = this.#members.filter((member) => member !== lost)
    return this.rebalance((members) => members)
  }

  #assign(): void {
    const shares = new Map<Member, Assigned[]>(this.#members.map((one) => [one, []]))
    const topics = [...new Set(this.#members.flatMap((member) => member.topics))].sort()
    for (const topic of topics) {
      const takers = this.#members.filter((member) => member.topics.includes(topic))
      const logs = this.#topics.logsOf(topic)
      if (logs === null) {
        for (const taker of takers) taker.tell({ kind: 'topic-missing', topic })
        continue
      }
      logs.forEach((log, partition) => {
        const taker = takers[partition % takers.length]
        if (taker !== undefined) {
          shares.get(taker)?.push(this.#assigned({ topic, partition }, log, taker.options))
        }
      })
    }
    for (const [member, assigned] of shares) member.assign(assigned)
  }

  #assigned(at: TopicPartition, log: TopicLog, { startAt }: ConsumeOptions): Assigned {
    let committed = this.committed(at)
    if (committed === null) {
      let offset = startAt === 'latest' ? log.high : log.low
      if (typeof startAt === 'number') {
        offset = log.records.find((one) => one.timestampMs >= startAt)?.offset ?? log.high
      }
      committed = { ...at, offset, metadata: '' }
      this.store(committed)
    }
    return { ...at, epoch: ++epochs, position: committed.offset, metadata: committed.metadata }
  }
}
