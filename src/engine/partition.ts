import type { BusRecord } from '../model/record.ts'
import { bytesOf } from '../model/record.ts'
import type { Assigned, CommitEntry } from '../ports/bus.ts'
import { decodeIslands, encodeIslands, metadataCharsFull } from './commit-metadata.ts'
import { Fifo } from './fifo.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Run } from './offset-tracker.ts'
import { OffsetTracker } from './offset-tracker.ts'
import type { TicketOwner } from './ticket.ts'
import { Ticket } from './ticket.ts'

/**
 * One assignment of one partition: what was read and not taken (inbox), what was taken and not
 * settled (tracker), and what may be committed. Ends with its epoch:
 *
 *     live --(revoked)--> revoked: nothing new starts, what is in flight ends and counts
 *          --(over)-----> over: the next owner has it, late ends are dropped
 */
export class Partition implements TicketOwner {
  readonly topic: string
  readonly partition: number
  readonly epoch: number
  readonly inbox = new Fifo<BusRecord>()
  readonly #tracker: OffsetTracker
  readonly #islands: readonly Run[]
  readonly #window: number
  readonly #budget: MemoryBudget
  readonly #onSettled: (partition: Partition) => void
  #islandsPassed = 0
  #state: 'live' | 'revoked' | 'over' = 'live'
  #tasksUnderWay = 0
  #wakeIdle: (() => void) | null = null
  #bytes = 0
  #isDirty = false
  #metadataChars = 0
  #nextOffset: bigint

  /** @param window - events that may be unsettled */
  constructor(
    assigned: Assigned,
    window: number,
    budget: MemoryBudget,
    onSettled: (partition: Partition) => void,
  ) {
    this.#window = window
    this.topic = assigned.topic
    this.partition = assigned.partition
    this.epoch = assigned.epoch
    this.#tracker = new OffsetTracker(assigned.position)
    this.#islands = decodeIslands(assigned.position, assigned.metadata)
    this.#budget = budget
    this.#nextOffset = assigned.position
    this.#onSettled = onSettled
  }

  get isRevoked(): boolean {
    return this.#state !== 'live'
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  get isCrowded(): boolean {
    return this.#tracker.unsettled * 2 > this.#window
  }

  get unsettled(): number {
    return this.#tracker.unsettled
  }

  /** The islands fill so much of the commit metadata that nothing new is taken. */
  get isMetadataFull(): boolean {
    return this.#metadataChars >= metadataCharsFull
  }

  get committable(): bigint {
    return this.#tracker.committable
  }

  /** Event time of the oldest event that was read and is not settled; `null`: none. */
  get oldestMs(): number | null {
    return this.#tracker.oldestMs ?? this.inbox.peek()?.timestampMs ?? null
  }

  /** Offsets from the lowest unsettled event to the highest taken. */
  get gap(): bigint {
    return this.#tracker.span
  }

  received(records: readonly BusRecord[], nextOffset: bigint): void {
    let bytes = 0
    for (const record of records) {
      this.inbox.push(record)
      bytes += bytesOf(record)
    }
    this.#bytes += bytes
    this.#nextOffset = nextOffset
    if (this.inbox.length === 0) this.#reachedEnd()
    this.#budget.add(bytes) // last: it may make us put back what has just come
  }

  /** Forgets what was read and not taken. Gives the offset to read on from; `null`: nothing was. */
  putBack(): bigint | null {
    const first = this.inbox.peek()
    this.#emptyInbox()
    return first?.offset ?? null
  }

  #emptyInbox(): void {
    for (const record of this.inbox.drain()) this.#release(bytesOf(record))
  }

  /** Takes the first record of the inbox: a ticket to settle it, or `null` when it was settled before. */
  take(record: BusRecord): Ticket | null {
    this.inbox.shift()
    this.#tracker.accept(record.offset, record.timestampMs)
    const bytes = bytesOf(record)
    const wasSettled = this.#isIsland(record.offset)
    if (wasSettled) this.#settled(record.offset, bytes)
    if (this.inbox.length === 0) this.#reachedEnd()
    return wasSettled ? null : new Ticket(this, record, bytes)
  }

  /** Settled before the last commit, in an earlier epoch or process. Offsets are asked for in order. */
  #isIsland(offset: bigint): boolean {
    let island = this.#islands[this.#islandsPassed]
    while (island !== undefined && island.to <= offset) {
      this.#islandsPassed += 1
      island = this.#islands[this.#islandsPassed]
    }
    return island !== undefined && island.from <= offset
  }

  /** Holes at the end of a fetch are passed once everything before them has been taken. */
  #reachedEnd(): void {
    const before = this.#tracker.committable
    this.#tracker.skipTo(this.#nextOffset)
    if (this.#tracker.committable !== before) this.#isDirty = true
  }

  taskStarted(): void {
    this.#tasksUnderWay += 1
  }

  taskEnded(): void {
    this.#tasksUnderWay -= 1
    if (this.#tasksUnderWay === 0) this.#wakeIdle?.()
  }

  eventSettled({ record, bytes }: Ticket): void {
    if (this.isOver) return
    this.#settled(record.offset, bytes)
    this.#onSettled(this)
  }

  #settled(offset: bigint, bytes: number): void {
    this.#tracker.settle(offset)
    this.#isDirty = true
    this.#release(bytes)
  }

  #release(bytes: number): void {
    this.#bytes -= bytes
    this.#budget.remove(bytes)
  }

  /** What to commit, or `null` when the bus knows it already. Until `committed` it stays due. */
  commitEntry(): CommitEntry | null {
    if (!this.#isDirty || this.isOver) return null
    const offset = this.#tracker.committable
    const metadata = encodeIslands(offset, this.#tracker.islands())
    this.#metadataChars = metadata.length
    this.#isDirty = false
    return { topic: this.topic, partition: this.partition, epoch: this.epoch, offset, metadata }
  }

  /** The commit failed: what it said is due again. */
  commitFailed(): void {
    this.#isDirty = true
  }

  /** From now on nothing starts. What was read and not taken is forgotten: it will be read again. */
  revoke(): void {
    if (this.#state === 'live') this.#state = 'revoked'
    this.#emptyInbox()
  }

  /** Resolves when no task of this partition is under way. */
  idle(): Promise<void> {
    if (this.#tasksUnderWay === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#wakeIdle = resolve))
  }

  /** The epoch is over. */
  end(): void {
    this.revoke()
    this.#state = 'over'
    this.#release(this.#bytes)
  }
}
