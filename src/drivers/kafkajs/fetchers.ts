import type { BusRecord, TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Connection } from './connection.ts'
import { PortError } from '../../ports/port-error.ts'
import { toPortError } from './errors.ts'
import type { Generation } from './generation.ts'
import { errorOfCode } from './innards.ts'
import type { OwnedPartition } from './owned-partition.ts'
import { decodeRecords } from './record-batch.ts'
import type { Fetched, FetchWish } from './requests.ts'
import { fetchFrom, listOffsets, topicStates } from './requests.ts'

/** What one fetch may bring in all; a first batch that is larger comes all the same. */
const fetchBytesMax = 8 * 2 ** 20
const backoffMsMin = 100
const backoffMsMax = 2_000
/** How long a partition with trouble of its own is left alone, so that it holds up no neighbour. */
const troubleMs = 1_000
/** As the Java client: a replica near by is asked for five minutes, then the leader says again. */
const preferredMs = 5 * 60_000

const codes = {
  offsetOutOfRange: 1,
  unknownTopic: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  replicaNotAvailable: 9,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
} as const
/** These say no more than that our picture of the cluster is old. */
const staleCodes: ReadonlySet<number> = new Set([
  codes.unknownTopic,
  codes.leaderNotAvailable,
  codes.notLeader,
  codes.replicaNotAvailable,
  codes.fencedLeaderEpoch,
  codes.unknownLeaderEpoch,
])

const leaderOfPrefix = 'leader of '

/** The source of the trouble that a partition has no leader. */
export function leaderOf(partition: TopicPartition): string {
  return leaderOfPrefix + partitionName(partition)
}

export function isOfLeader(source: string): boolean {
  return source.startsWith(leaderOfPrefix)
}

export function noLeader(partition: TopicPartition): PortError {
  return new PortError('bus', 'unreachable', `${partitionName(partition)} has no leader`)
}

export interface FetchersOptions {
  readonly owned: ReadonlyMap<string, OwnedPartition>
  readonly rack: string | null
  readonly logger: Logger
  readonly onRecords: (
    partition: OwnedPartition,
    records: readonly BusRecord[],
    nextOffset: bigint,
  ) => void
  readonly onSkipped: (partition: TopicPartition, from: bigint, to: bigint) => void
  /** `source` is what does not work: a broker, a partition. Told again each time. */
  readonly onTrouble: (source: string, error: Error) => void
  readonly onWorks: (source: string) => void
  /** Topics are to be looked at again: one has gone, or a partition has no leader. */
  readonly onChanged: () => void
}

/**
 * Reads what a member owns: one loop per broker, one fetch at a time in each, over all partitions
 * there that are not paused. A partition that is paused costs nothing, and holds up no other.
 */
export class Fetchers {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #options: FetchersOptions
  readonly #leaders = new Map<string, readonly number[]>()
  readonly #sleepers = new Set<() => void>()

  constructor(connection: Connection, options: FetchersOptions) {
    this.#connection = connection
    this.#clock = connection.clock
    this.#options = options
  }

  /** Takes in which brokers lead the partitions of a topic. */
  learn(topic: string, leaders: readonly number[]): void {
    this.#leaders.set(topic, leaders)
    for (const partition of this.#options.owned.values()) {
      if (partition.topic !== topic) continue
      // Nobody is asked for it, so no fetch would tell.
      if ((leaders[partition.partition] ?? -1) < 0) {
        this.#options.onTrouble(leaderOf(partition), noLeader(partition))
      } else {
        this.#options.onWorks(leaderOf(partition))
      }
    }
    this.wake()
  }

  /** To be called when there may be something to fetch that there was not before. */
  wake(): void {
    for (const wake of [...this.#sleepers]) wake()
  }

  /** Reads until the generation ends. Never rejects. */
  async run(generation: Generation): Promise<void> {
    const loops = new Map<number, Promise<void>>()
    void generation.ended.then(() => this.wake())
    while (!generation.isEnded) {
      for (const node of this.#nodes()) {
        if (!loops.has(node)) loops.set(node, this.#readFrom(node, generation))
      }
      await this.#untilWoken(null)
    }
    await Promise.all(loops.values())
  }

  #nodes(): ReadonlySet<number> {
    const nodes = new Set<number>()
    for (const partition of this.#options.owned.values()) {
      const node = this.#nodeOf(partition)
      if (node >= 0) nodes.add(node)
    }
    return nodes
  }

  #nodeOf(partition: OwnedPartition): number {
    const { preferred } = partition
    if (preferred !== null && preferred.untilMs > this.#clock.monotonic()) return preferred.node
    return this.#leaders.get(partition.topic)?.[partition.partition] ?? -1
  }

  async #readFrom(node: number, generation: Generation): Promise<void> {
    let backoffMs = backoffMsMin
    let turn = 0
    const source = `broker ${node}`
    while (!generation.isEnded) {
      const { partitions, againInMs } = this.#readable(node, turn++)
      if (partitions.length === 0) {
        // Nothing is asked, so nothing fails; what is wrong shows again once something is.
        this.#options.onWorks(source)
        this.#options.onWorks('leaders')
        await this.#untilWoken(againInMs)
        continue
      }
      try {
        await this.#fetch(node, partitions, generation)
        this.#options.onWorks(source)
        backoffMs = backoffMsMin
      } catch (error) {
        if (generation.isEnded) return
        this.#options.onTrouble(source, toPortError(error, `fetch from ${source}`))
        await this.#clock.sleep(backoffMs * (0.5 + this.#clock.random() / 2))
        if (generation.isEnded) return // what we ask now would wait behind the next join
        backoffMs = Math.min(backoffMs * 2, backoffMsMax)
        for (const partition of partitions) partition.preferred = null
        await this.#refresh(partitions.map(({ topic }) => topic))
      }
    }
  }

  /** What to fetch from a broker now, each time from another first one on: the first gets most. */
  #readable(node: number, turn: number) {
    const nowMs = this.#clock.monotonic()
    const partitions: OwnedPartition[] = []
    let againInMs: number | null = null
    for (const partition of this.#options.owned.values()) {
      if (partition.isPaused || this.#nodeOf(partition) !== node) continue
      const waitMs = partition.notBeforeMs - nowMs
      if (waitMs <= 0) partitions.push(partition)
      else againInMs = Math.min(againInMs ?? waitMs, waitMs)
    }
    const first = partitions.length === 0 ? 0 : turn % partitions.length
    return { partitions: [...partitions.slice(first), ...partitions.slice(0, first)], againInMs }
  }

  async #fetch(
    node: number,
    partitions: readonly OwnedPartition[],
    generation: Generation,
  ): Promise<void> {
    const { fetchWait: waitMs } = this.#connection.timing
    const broker = await this.#connection.broker(node)
    const asked = new Map<string, { partition: OwnedPartition; seeks: number; offset: bigint }>()
    const wishes = partitions.map((partition): FetchWish => {
      const { topic, partition: number, position: offset, seeks, bytesMax } = partition
      asked.set(partitionName(partition), { partition, seeks, offset })
      return { topic, partition: number, offset, bytesMax }
    })
    const bytesMax = Math.max(fetchBytesMax, ...wishes.map((wish) => wish.bytesMax))
    const { rack } = this.#options
    const answers = await this.#connection.request(
      broker,
      'fetch',
      () => fetchFrom(broker, wishes, { waitMs, bytesMax, rack }),
      waitMs,
    )
    const stale = new Set<string>()
    for (const fetched of answers) {
      const wish = asked.get(partitionName(fetched))
      if (wish === undefined) continue
      const { partition, seeks, offset } = wish
      // A fetch from another broker may have been quicker: two overlap while a leader changes.
      const isCurrent = () =>
        !generation.isEnded && partition.seeks === seeks && partition.position === offset
      if (!isCurrent()) continue
      try {
        if (staleCodes.has(fetched.errorCode)) {
          stale.add(partition.topic)
          partition.preferred = null
          partition.notBeforeMs = this.#clock.monotonic() + backoffMsMin
          if (fetched.errorCode === codes.unknownTopic) this.#options.onChanged()
        } else if (fetched.errorCode === codes.offsetOutOfRange) {
          await this.#comeBackIntoRange(partition, isCurrent)
        } else if (fetched.errorCode !== 0) {
          throw errorOfCode(fetched.errorCode)
        } else {
          const isFirst = partition === partitions[0]
          await this.#take(partition, fetched, { from: offset, isFirst }, isCurrent)
          this.#options.onWorks(partitionName(partition))
        }
      } catch (error) {
        if (!isCurrent()) continue
        // Trouble of one partition: its neighbours go on.
        partition.notBeforeMs = this.#clock.monotonic() + troubleMs
        const name = partitionName(partition)
        this.#options.onTrouble(name, toPortError(error, `read ${name}`))
      }
    }
    if (stale.size === 0) this.#options.onWorks('leaders')
    else if (!generation.isEnded) await this.#refresh([...stale])
  }

  async #take(
    partition: OwnedPartition,
    fetched: Fetched,
    { from, isFirst }: { readonly from: bigint; readonly isFirst: boolean },
    isCurrent: () => boolean,
  ): Promise<void> {
    if (fetched.preferredNode >= 0) {
      const untilMs = this.#clock.monotonic() + preferredMs
      partition.preferred = { node: fetched.preferredNode, untilMs }
      this.wake()
    }
    const { records, nextOffset } = await decodeRecords(
      { topic: partition.topic, partition: partition.partition },
      fetched.bytes,
      from,
      fetched.aborted,
    )
    if (!isCurrent()) return
    if (nextOffset > from) {
      partition.position = nextOffset
      partition.moved()
      this.#options.onRecords(partition, records, nextOffset)
      return
    }
    // The one named first gets a batch of any size; for the others there may just be no room left.
    const isInVain = isFirst && fetched.stableOffset > from && fetched.preferredNode < 0
    if (isInVain && partition.stalled()) {
      const { topic, partition: number, position, bytesMax } = partition
      this.#options.logger.warn(
        { topic, partition: number, offset: position, end: fetched.stableOffset, bytesMax },
        'fetches bring nothing although there is more to read; asking for larger ones',
      )
    }
  }

  /** The records at our position are gone, or the log is shorter than we know it. */
  async #comeBackIntoRange(partition: OwnedPartition, isCurrent: () => boolean): Promise<void> {
    if (partition.preferred !== null) {
      partition.preferred = null // a replica that lags; the leader knows
      return
    }
    const { topic, partition: number, position } = partition
    const leaders = this.#leaders.get(topic) ?? []
    const ask = async (what: 'earliest' | 'latest') =>
      (await listOffsets(this.#connection, topic, leaders, what, [number])).get(number) ?? -1n
    const [first, end] = [await ask('earliest'), await ask('latest')]
    partition.notBeforeMs = this.#clock.monotonic() + backoffMsMin
    if (!isCurrent() || first < 0n || (first <= position && position <= end)) return
    // Also when the log ends below us: it was truncated or made anew, and what is in it now we may
    // never have seen. Some of it comes twice; none of it is lost.
    partition.seek(first)
    this.#options.logger.error(
      { topic, partition: number, from: position, to: first },
      'records at our position are gone; reading on from the first one kept',
    )
    this.#options.onSkipped({ topic, partition: number }, position, first)
  }

  async #refresh(topics: readonly string[]): Promise<void> {
    try {
      const states = await topicStates(this.#connection, topics)
      this.#options.onWorks('leaders')
      for (const [topic, state] of states) {
        if (state.kind === 'here') this.learn(topic, state.leaders)
        const isWhole = state.kind === 'here' && state.leaders.every((leader) => leader >= 0)
        if (!isWhole) this.#options.onChanged()
      }
    } catch (error) {
      this.#options.onTrouble('leaders', toPortError(error, 'find the leaders of our partitions'))
    }
  }

  #untilWoken(afterMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      let cancel: () => void = () => undefined
      const wake = () => {
        cancel()
        this.#sleepers.delete(wake)
        resolve()
      }
      this.#sleepers.add(wake)
      if (afterMs !== null) cancel = this.#clock.schedule(afterMs, wake)
    })
  }
}
