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
  #lag: Lag = { events: 0, seconds: 0 }

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
    return this.#lag
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
      let events = 0
      let seconds = 0
      for (const lane of this.#lanes()) {
        for (const topic of lane.topics) {
          const lag = await this.#lagOf(lane, topic)
          this.#meters.lagEvents.of(lane.name, topic).set(lag.events)
          this.#meters.lagSeconds.of(lane.name, topic).set(lag.seconds)
          events += lag.events
          seconds = Math.max(seconds, lag.seconds)
        }
      }
      this.#lag = { events, seconds }
    } catch (error) {
      this.#log.warn('lag', { err: error }, 'could not see how far the lanes are behind')
    }
  }

  async #lagOf(lane: Lane, topic: string): Promise<Lag> {
    const own = new Map(
      lane
        .positions()
        .filter((partition) => partition.topic === topic)
        .map((partition) => [partitionName(partition), partition]),
    )
    if (own.size === 0) return { events: 0, seconds: 0 }
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
