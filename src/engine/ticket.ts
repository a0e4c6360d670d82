import type { BusRecord } from '../model/record.ts'
import { invariant } from '../model/invariant.ts'

/** The partition of a lane, as its tickets see it. */
export interface TicketOwner {
  /** The epoch is ending or over: what has not started must not start. */
  readonly isRevoked: boolean
  /** The epoch is over: the next owner has the event, and nothing may be settled here any more. */
  readonly isOver: boolean
  /** More than half of the events that may be unsettled are: what can be settled at once should be. */
  readonly isCrowded: boolean
  taskStarted(): void
  taskEnded(): void
  eventSettled(ticket: Ticket): void
}

/**
 * One taken event and how many of its tasks are open. When the last one is settled the event is,
 * and its offset may be committed. Whoever holds a task holds the ticket and settles it once.
 */
export class Ticket {
  readonly record: BusRecord
  readonly bytes: number
  readonly #owner: TicketOwner
  #open = 1
  #hasBegun = false

  constructor(owner: TicketOwner, record: BusRecord, bytes: number) {
    this.#owner = owner
    this.record = record
    this.bytes = bytes
  }

  get isRevoked(): boolean {
    return this.#owner.isRevoked
  }

  get isOver(): boolean {
    return this.#owner.isOver
  }

  get isCrowded(): boolean {
    return this.#owner.isCrowded
  }

  /** A task of the event has been started: who runs the event anew repeats that one. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** The event has `count` tasks instead of one. Before any of them is settled. */
  split(count: number): void {
    invariant(this.#open === 1 && count >= 1, `ticket split into ${count}`)
    this.#open = count
  }

  /** A task of this event is under way: a hand-over of the partition waits for its end. */
  taskStarted(): void {
    this.#owner.taskStarted()
  }

  /** Something of a task is about to be done, that who runs the event anew would do again. */
  taskBegins(): void {
    this.#hasBegun = true
  }

  taskEnded(): void {
    this.#owner.taskEnded()
  }

  taskSettled(): void {
    invariant(this.#open > 0, `event ${this.record.offset} settled twice`)
    this.#open -= 1
    if (this.#open === 0) this.#owner.eventSettled(this)
  }
}
