import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Environment, PartitionState, Topic } from './environment.ts'
import { isDead } from './liveness.ts'
import { buryStep, compactStep, headAppendedMs, trimHead, trimRecordsMax } from './log.ts'
import { Reserve } from './reserve.ts'
import type { Writer } from './writer.ts'

/*
 * Keeps the log within its bounds: retention by age and by size, compaction, and what deleted
 * topics left behind. It works in transactions of a few hundred records with a pause between them,
 * so that it never holds the loop or the writers long. Every process that has the log open does
 * this; whoever comes second finds nothing to do, and looking costs a few reads per topic.
 */

export interface Retention {
  /** For topics without an age of their own, milliseconds since the record was appended. */
  readonly ms: number
  /** For topics without a size of their own, bytes of all partitions together. */
  readonly bytes: number
}

/** How often to look. Retention is counted in hours, and nothing waits for its space. */
const everyMs = 5_000

export class Housekeeping {
  readonly #environment: Environment
  readonly #writer: Writer
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #retention: Retention
  readonly #reserve: Reserve
  #cancel: (() => void) | null = null
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(
    environment: Environment,
    writer: Writer,
    ports: { readonly clock: Clock; readonly logger: Logger },
    retention: Retention,
  ) {
    this.#environment = environment
    this.#writer = writer
    this.#clock = ports.clock
    this.#logger = ports.logger
    this.#retention = retention
    this.#reserve = new Reserve(environment.path)
  }

  /** Resolves once there is a reserve: a disk may be full before the first look. */
  async open(): Promise<void> {
    await this.#reserve.keep()
    this.start()
  }

  start(): void {
    if (this.#isClosed) return
    this.#cancel = this.#clock.schedule(everyMs, () => {
      this.#running = this.sweep()
        .catch((error: unknown) => {
          if (this.#isClosed) return
          this.#logger.warn({ err: error }, 'retention of the embedded log not applied')
        })
        .then(() => this.start())
    })
  }

  /** Resolves when the step that runs has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel?.()
    await this.#running
  }

  /** Does all that is due now, on a disk that is full too. */
  async sweep(): Promise<void> {
    this.#forgetDeadClients()
    try {
      await this.#removeDue()
      await this.#reserve.keep()
    } catch (error) {
      if (!(error instanceof PortError && error.code === 'full') || this.#isClosed) throw error
      await this.#writer.withoutAppends(() => this.#removeDueFromReserve())
    }
  }

  /** What is removed becomes room for appends within the file; what is left is reserved again. */
  async #removeDueFromReserve(): Promise<void> {
    await this.#reserve.release()
    try {
      await this.#removeDue()
    } finally {
      await this.#reserve.keep()
    }
  }

  async #removeDue(): Promise<void> {
    while (!this.#isClosed && this.#isAnythingDoomed()) {
      await this.#writer.write((transaction) =>
        compactStep(this.#environment, transaction, this.#clock.now()),
      )
    }
    for (const { key: name, value: topic } of [...this.#environment.topics.getRange({})]) {
      await this.#trimTopic(name, topic)
    }
    for (const partitionId of [...this.#environment.graves.getKeys({})]) {
      let isEmpty = false
      while (!this.#isClosed && !isEmpty) {
        isEmpty = await this.#writer.write(() => buryStep(this.#environment, partitionId))
      }
    }
  }

  #isAnythingDoomed(): boolean {
    const range = { start: [0], end: [this.#clock.now(), Infinity], limit: 1 }
    return [...this.#environment.doomed.getKeys(range)].length > 0
  }

  async #trimTopic(name: string, topic: Topic): Promise<void> {
    let removed = 0
    for (let step = 1; step > 0 && !this.#isClosed; removed += step) {
      step = await this.#trimStep(topic)
    }
    if (removed > 0) {
      this.#logger.debug({ topic: name, records: removed }, 'records removed by retention')
    }
  }

  /** Removes the oldest records beyond an age or the size, at most one step. Returns how many. */
  async #trimStep(topic: Topic): Promise<number> {
    const bornBefore = this.#clock.now() - boundsOf(topic, this.#retention).ms
    const oldest = this.#oldestHead(topic)
    if (oldest === null) return 0
    const stateNow = (id: number) => this.#environment.partitions.get(id) ?? null
    if (oldest.headMs >= bornBefore && this.#excess(topic, stateNow) <= 0) return 0
    return this.#writer.write((transaction) => {
      // Counted inside the transaction: another process may just have made room.
      let excess = this.#excess(topic, (id) => transaction.partition(id))
      return trimHead(this.#environment, transaction, oldest.partitionId, (record) => {
        // By size, each partition gives only while its head is the oldest, near enough.
        const isOverSize = excess > 0 && record.appendedMs <= oldest.headMs + sliceMs
        if (record.appendedMs >= bornBefore && !isOverSize) return false
        excess -= record.bytes
        return true
      })
    })
  }

  /** Bytes of the topic above what it may hold. */
  #excess(topic: Topic, stateOf: (partitionId: number) => PartitionState | null): number {
    const bytes = idsOf(topic).reduce((sum, id) => sum + (stateOf(id)?.bytes ?? 0), 0)
    return bytes - boundsOf(topic, this.#retention).bytes
  }

  #oldestHead(topic: Topic): { partitionId: number; headMs: number } | null {
    let oldest: { partitionId: number; headMs: number } | null = null
    for (const partitionId of idsOf(topic)) {
      const state = this.#environment.partitions.get(partitionId)
      const headMs =
        state === undefined ? null : headAppendedMs(this.#environment, partitionId, state)
      if (headMs === null || (oldest !== null && oldest.headMs <= headMs)) continue
      oldest = { partitionId, headMs }
    }
    return oldest
  }

  /** Clients that were killed leave their entry; nobody refers to it once they are evicted. */
  #forgetDeadClients(): void {
    const { clients } = this.#environment
    const dead = [...clients.getRange({ limit: trimRecordsMax })]
      .filter(({ value }) => isDead(value))
      .map(({ key }) => key)
    if (dead.length === 0) return
    this.#writer
      .write(() => dead.forEach((key) => void clients.remove(key)))
      .catch((error: unknown) => {
        this.#logger.debug({ err: error }, 'entries of dead clients not removed')
      })
  }
}

/** As in Kafka, a compacted topic without bounds of its own keeps the newest of each key for ever. */
export function boundsOf(
  { retentionMs, retentionBytes, compacted }: Topic,
  retention: Retention,
): Retention {
  return {
    ms: retentionMs ?? (compacted ? Infinity : retention.ms),
    bytes: retentionBytes ?? (compacted ? Infinity : retention.bytes),
  }
}

/** Partitions of a topic that is too large are trimmed in turns of this much age. */
const sliceMs = 1_000

function idsOf({ firstId, partitions }: Topic): readonly number[] {
  return Array.from({ length: partitions }, (_, i) => firstId + i)
}
