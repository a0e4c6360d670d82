import type { Task } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Rule } from '../rules/rule.ts'
import { Fifo } from './fifo.ts'
import type { RuleMeters } from './meters.ts'
import type { Ticket } from './ticket.ts'

/** A task on its way through the queue of its rule. */
export interface QueuedTask {
  readonly task: Task
  readonly ticket: Ticket
  /** When it was accepted here, milliseconds since 1970. */
  readonly acceptedMs: number
}

/**
 * Tasks that one rule accepts before lanes wait for it. Enough to keep the slots of a rule busy
 * between two fetches; each task holds its event in memory, which `limits.memory` bounds as well.
 */
export const queuedMax = 1_000

export interface RuleQueueParts {
  readonly rule: Rule
  readonly meters: RuleMeters
  readonly clock: Clock
  /** Attempts the task and settles it. Never rejects. */
  readonly run: (rule: Rule, queued: QueuedTask) => Promise<void>
  /** Stores the task for whoever runs it next, and settles it. Never rejects. */
  readonly handOver: (rule: Rule, queued: QueuedTask) => Promise<void>
  /** Called when a full queue has room again. */
  readonly onRoom: () => void
}

/**
 * The accepted tasks of one rule: first in, first out, at most `rule.concurrency` under way. A task
 * whose partition went elsewhere is dropped unrun, because its next owner runs it; or, where that
 * would repeat another task of the event, handed over by itself.
 */
export class RuleQueue {
  readonly rule: Rule
  readonly meters: RuleMeters
  readonly #clock: Clock
  readonly #run: RuleQueueParts['run']
  readonly #handOver: RuleQueueParts['handOver']
  readonly #onRoom: () => void
  readonly #waiting = new Fifo<QueuedTask>()
  // Insertion order is order of start, so the first one is the oldest.
  readonly #underWay = new Set<QueuedTask>()
  #isFull = false

  constructor({ rule, meters, clock, run, handOver, onRoom }: RuleQueueParts) {
    this.rule = rule
    this.meters = meters
    this.#clock = clock
    this.#run = run
    this.#handOver = handOver
    this.#onRoom = onRoom
    meters.observeQueue(rule.concurrency, () => this.#oldestMs())
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Accepts a task in every case: the lane asks `isFull` before it takes an event. */
  push(task: Task, ticket: Ticket): void {
    this.#waiting.push({ task, ticket, acceptedMs: this.#clock.now() })
    this.meters.ladder.pending.queue += 1
    if (this.#waiting.length >= queuedMax) this.#isFull = true
    this.#startNext()
  }

  /** Drops or hands over what waits for partitions that are not ours any more. */
  dropRevoked(): void {
    const revoked = this.#waiting.takeOut(({ ticket }) => ticket.isRevoked)
    for (const queued of revoked) {
      this.meters.ladder.pending.queue -= 1
      if (queued.ticket.hasBegun) void this.#handOver(this.rule, queued)
      // Not settled on purpose: the offset must stay where the next owner begins.
      else this.meters.skipped('reassigned')
    }
    this.#tellRoom()
  }

  #startNext(): void {
    while (this.#underWay.size < this.rule.concurrency) {
      const queued = this.#waiting.shift()
      if (queued === undefined) return
      this.meters.ladder.pending.queue -= 1
      this.meters.started()
      this.#underWay.add(queued)
      queued.ticket.taskStarted()
      void this.#carryOut(queued)
    }
  }

  async #carryOut(queued: QueuedTask): Promise<void> {
    await this.#run(this.rule, queued)
    this.meters.ended()
    this.#underWay.delete(queued)
    queued.ticket.taskEnded()
    this.#startNext()
    this.#tellRoom()
  }

  #tellRoom(): void {
    if (!this.#isFull || this.#waiting.length > queuedMax / 2) return
    this.#isFull = false
    this.#onRoom()
  }

  #oldestMs(): number | null {
    for (const { acceptedMs } of this.#underWay) return acceptedMs
    return this.#waiting.peek()?.acceptedMs ?? null
  }
}
