import { partitionName } from '../model/record.ts'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import { every } from './every.ts'
import type { Lane } from './lane.ts'
import type { Meters } from './meters.ts'
import type { RepeatedLog } from './repeated-log.ts'

const lookEveryMs = 5_000

export interface Lag {
  /** Events between what is settled and the end of the log, over the partitions that are ours. */
  readonly events: number
  /** Age of the oldest event that is not settled; 0 when all are. */
  readonly seconds: number
}

const none: Lag = { events: 0, seconds: 0 }

/**
 * Looks now and then how far lanes are behind. Scraping and `status` read what was seen last and
 * never ask the bus themselves.
 */
export class LagWatch {
  readonly #bus: Bus
  readonly #clock: Clock
  readonly #lanes: () => readonly Lane[]
  readonly #meters: Meters
  readonly #log: RepeatedLog
  #stop: () => void = () => {}
  /** By lane and topic, as seen last. */
  #seen: ReadonlyMap<string, Lag> = new Map()

  constructor(
    bus: Bus,
    clock: Clock,
    lanes: () => readonly Lane[],
    meters: Meters,
    log: RepeatedLog,
  ) {
    this.#bus = bus
    this.#clock = clock
    this.#lanes = lanes
    this.#meters = meters
    this.#log = log
  }

  /** The sum, and the oldest, over all lanes. */
  get lag(): Lag {
    let [events, seconds] = [0, 0]
    for (const lag of this.#seen.values()) {
      events += lag.events
      seconds = Math.max(seconds, lag.seconds)
    }
    return { events, seconds }
  }

  start(): void {
    this.#stop = every(this.#clock, lookEveryMs, () => this.look())
  }

  stop(): void {
    this.#stop()
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      const seen = new Map<string, Lag>()
      for (const lane of this.#lanes()) {
        for (const topic of lane.topics) {
          const name = `${lane.name} ${topic}`
          const lag = await this.#lagOf(lane, topic, this.#seen.get(name) ?? none)
          seen.set(name, lag)
          this.#meters.lagEvents.of(lane.name, topic).set(lag.events)
          this.#meters.lagSeconds.of(lane.name, topic).set(lag.seconds)
        }
      }
      this.#seen = seen
    } catch (error) {
      this.#log.warn('lag', { err: error }, 'could not see how far the lanes are behind')
    }
  }

  async #lagOf(lane: Lane, topic: string, before: Lag): Promise<Lag> {
    const own = new Map(
      lane
        .positions()
        .filter((partition) => partition.topic === topic)
        .map((partition) => [partitionName(partition), partition]),
    )
    // Others may have them all. But out of the group we know nothing, and zero would be good news.
    if (own.size === 0) return lane.state.kind === 'ready' ? none : before
    let events = 0
    let oldestMs = Infinity
    for (const mark of await this.#bus.admin.watermarks(topic)) {
      const partition = own.get(partitionName(mark))
      if (partition === undefined) continue
      events += Math.max(0, Number(mark.high - partition.committable))
      oldestMs = Math.min(oldestMs, partition.oldestMs ?? Infinity)
    }
    const seconds = oldestMs === Infinity ? 0 : (this.#clock.now() - oldestMs) / 1_000
    return { events, seconds: Math.max(0, seconds) }
  }
}
