import type { Assigned } from '../../ports/bus.ts'
import type { TopicPartition } from '../../model/record.ts'

/** What one fetch may bring of one partition; grows while a batch does not fit (see `stalled`). */
const fetchBytesMin = 2 ** 20
const fetchBytesMax = 64 * 2 ** 20
/** Fetches in a row that bring nothing although there is something. */
const stalledFetchesMax = 5

/** One partition under one epoch: where we read, and whether. */
export class OwnedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly epoch: number
  position: bigint
  isPaused = false
  /** Counts `seek`s: what was fetched before one does not belong behind it. */
  seeks = 0
  /** Monotonic; before it the partition is left alone. */
  notBeforeMs = 0
  /** A replica that the leader sent us to, and until when we ask there; `null`: ask the leader. */
  preferred: { readonly node: number; readonly untilMs: number } | null = null
  bytesMax = fetchBytesMin
  #fetchesInVain = 0

  constructor({ topic, partition, epoch, position }: Assigned) {
    this.topic = topic
    this.partition = partition
    this.epoch = epoch
    this.position = position
  }

  seek(offset: bigint): void {
    this.position = offset
    this.seeks++
  }

  /** Forgets that fetches were in vain. */
  moved(): void {
    this.#fetchesInVain = 0
    this.bytesMax = fetchBytesMin
  }

  /**
   * To be told of a fetch that brought nothing of what is there: a batch larger than the fetch may
   * be the cause, so the next ones may bring more. True once per doubling.
   */
  stalled(): boolean {
    if (++this.#fetchesInVain < stalledFetchesMax) return false
    this.#fetchesInVain = 0
    this.bytesMax = Math.min(this.bytesMax * 2, fetchBytesMax)
    return true
  }
}
