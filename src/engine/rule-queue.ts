import type { Task } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Rule } from '../rules/rule.ts'
import { Fifo } from './fifo.ts'
import { KeyLanes } from './key-lanes.ts'
import type { RuleMeters } from './meters.ts'
import type { Ticket } from './ticket.ts'
import type { ReadyRun } from './windows/window-host.ts'

/** A task on its way through the queue of its rule. */
export interface QueuedTask {
  readonly task: Task
  readonly ticket: Ticket
  /** The rule's `key`, where order or a limit goes by it; else `null`. */
  readonly key: string | null
  /** Its place in the window of its key; `null`: the rule has none. */
  readonly run: ReadyRun | null
}

interface Accepted extends QueuedTask {
  /** When it was accepted here, milliseconds since 1970. */
  readonly acceptedMs: number
}

/** What became of a task that had its turn: it is over, or goes on in the same place later. */
export type Turn = { readonly kind: 'over' } | Again

interface Again {
  readonly kind: 'again'
  readonly task: Task
  readonly waitMs: number
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
  /** Attempts the task and settles it, or says when it goes on. Never rejects. */
  readonly run: (rule: Rule, queued: QueuedTask) => Promise<Turn>
  /** Stores the task for whoever runs it next, and settles it. Never rejects. */
  readonly handOver: (rule: Rule, queued: QueuedTask) => Promise<unknown>
  /** Called when a full queue has room again. */
  readonly onRoom: () => void
}

/**
 * The accepted tasks of one rule: first in, first out, at most `rule.concurrency` under way, and so
 * many of one key as the rule allows. A task whose partition went elsewhere is dropped unrun,
 * because its next owner runs it; or, where that would repeat another task of the event, handed
 * over by itself.
 */
export class RuleQueue {
  readonly rule: Rule
  readonly meters: RuleMeters
  readonly #clock: Clock
  readonly #run: RuleQueueParts['run']
  readonly #handOver: RuleQueueParts['handOver']
  readonly #onRoom: () => void
  readonly #waiting = new Fifo<Accepted>()
  readonly #lanes: KeyLanes<Accepted>
  // Insertion order is order of start, so the first one is the oldest.
  readonly #underWay = new Set<Accepted>()
  /** Those that go on later: they hold their key, and no slot. */
  readonly #parked = new Map<Accepted, () => void>()
  #isFull = false

  constructor({ rule, meters, clock, run, handOver, onRoom }: RuleQueueParts) {
    this.rule = rule
    this.meters = meters
    this.#clock = clock
    this.#run = run
    this.#handOver = handOver
    this.#onRoom = onRoom
    this.#lanes = new KeyLanes(rule.order === 'key' ? 1 : (rule.concurrencyPerKey ?? Infinity))
    meters.observeQueue(rule.concurrency, () => this.#oldestMs())
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Accepts a task in every case: the lane asks `isFull` before it takes an event. */
  push({ task, ticket, key, run }: QueuedTask): void {
    // Not spread: in Node 20 that costs 2 µs and more where members are added to a copy.
    const accepted = { task, ticket, key, run, acceptedMs: this.#clock.now() }
    this.meters.ladder.pending.queue += 1
    if (this.#lanes.enter(accepted)) this.#waiting.push(accepted)
    if (this.#length >= queuedMax) this.#isFull = true
    this.#startNext()
  }

  get #length(): number {
    return this.#waiting.length + this.#lanes.waiting
  }

  /** Drops or hands over what waits for partitions that are not ours any more. */
  dropRevoked(): void {
    const isOut = ({ ticket }: QueuedTask): boolean => ticket.isRevoked
    // Behind the others of its key first: nothing takes the place of what is going to be dropped.
    for (const queued of this.#lanes.takeOut(isOut)) this.#drop(queued)
    for (const queued of this.#waiting.takeOut(isOut)) {
      this.#drop(queued)
      this.#leave(queued)
    }
    for (const [queued, cancel] of [...this.#parked]) {
      if (!isOut(queued)) continue
      cancel()
      this.#parked.delete(queued)
      this.meters.goesOn()
      this.meters.ladder.pending.queue += 1
      this.#drop(queued)
      this.#leave(queued)
    }
    this.#startNext()
    this.#tellRoom()
  }

  #drop(queued: Accepted): void {
    this.meters.ladder.pending.queue -= 1
    if (queued.run !== null) queued.run.dropped()
    // In order nothing can be handed over: others of its key would pass it by.
    else if (queued.ticket.hasBegun && this.rule.order === 'none') {
      void this.#handOver(this.rule, queued)
    }
    // Not settled on purpose: the offset must stay where the next owner begins.
    else this.meters.skipped('reassigned')
  }

  #leave({ key }: Accepted): void {
    const next = this.#lanes.leave(key)
    if (next !== null) this.#waiting.push(next)
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

  async #carryOut(queued: Accepted): Promise<void> {
    const turn = await this.#run(this.rule, queued)
    this.meters.ended()
    this.#underWay.delete(queued)
    queued.ticket.taskEnded()
    if (turn.kind === 'over') this.#leave(queued)
    else this.#park({ ...queued, task: turn.task }, turn.waitMs)
    this.#startNext()
    this.#tellRoom()
  }

  #park(queued: Accepted, waitMs: number): void {
    this.meters.waits()
    const cancel = this.#clock.schedule(waitMs, () => {
      this.#parked.delete(queued)
      this.meters.goesOn()
      this.meters.ladder.pending.queue += 1
      this.#waiting.push(queued)
      this.#startNext()
    })
    this.#parked.set(queued, cancel)
    if (queued.ticket.isRevoked) this.dropRevoked() // it went elsewhere while it was attempted
  }

  #tellRoom(): void {
    if (!this.#isFull || this.#length > queuedMax / 2) return
    this.#isFull = false
    this.#onRoom()
  }

  #oldestMs(): number | null {
    for (const { acceptedMs } of this.#underWay) return acceptedMs
    for (const { acceptedMs } of this.#parked.keys()) return acceptedMs
    return this.#waiting.peek()?.acceptedMs ?? null
  }
}
