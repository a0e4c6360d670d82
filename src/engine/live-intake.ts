import type { BusRecord } from '../model/record.ts'
import { newTask } from '../model/task.ts'
import type { Counter } from '../ports/metrics.ts'
import { decode } from './decode.ts'
import type { Intake } from './intake.ts'
import type { Meters } from './meters.ts'
import type { RuleQueues } from './rule-queues.ts'
import type { Settler } from './settle.ts'
import { eventOf } from './task-headers.ts'
import type { Ticket } from './ticket.ts'

export interface LiveIntakeParts {
  readonly lane: string
  readonly queues: RuleQueues
  readonly settler: Settler
  readonly meters: Meters
  /** `limits.event`. */
  readonly eventBytesMax: number
}

/** Rule name of dead letters that no rule made: the event itself could not be read. */
const noRule = '-'

/** Events as they come: decode, match, and a task for each rule that fires. */
export class LiveIntake implements Intake {
  readonly #parts: LiveIntakeParts
  readonly #decoded = new Map<string, Counter>()

  constructor(parts: LiveIntakeParts) {
    this.#parts = parts
  }

  get isFull(): boolean {
    return this.#parts.queues.isAnyFullOf(this.#parts.lane)
  }

  onRoom(tell: () => void): void {
    this.#parts.queues.onRoom(tell)
  }

  readyAtMs(): number {
    return 0
  }

  take(record: BusRecord, ticket: Ticket): void {
    const { lane, queues, eventBytesMax } = this.#parts
    const decoded = decode(record, eventBytesMax)
    if (decoded.kind === 'undecodable') {
      return this.#bury(record, ticket, decoded.reason, decoded.error)
    }
    this.#countDecoded(record.topic)
    const event = eventOf(record, decoded.body)
    const firings = queues.ruleSet.firing(lane, event)
    if (firings.length === 0) return ticket.taskSettled()
    ticket.split(firings.length)
    for (const firing of firings) queues.fired(firing, event, ticket)
  }

  dropRevoked(): void {
    this.#parts.queues.dropRevoked()
  }

  /** Once per event, whatever the number of rules: nobody can say which of them it would match. */
  #bury(
    record: BusRecord,
    ticket: Ticket,
    reason: 'undecodable' | 'too-large',
    error: string,
  ): void {
    const { settler, meters } = this.#parts
    const count = (): void => meters.events.of(record.topic, 'undecodable').inc()
    const task = newTask(noRule, eventOf(record, null), 0)
    const nothing = (): void => {}
    const unused = { started: nothing, ended: nothing, done: nothing, retried: nothing }
    const inPlace = { retriesInPlace: nothing, waitsInTier: nothing }
    const counts = { ...unused, ...inPlace, dead: count, skipped: nothing }
    void settler.unattempted({ task, ticket, rule: null, meters: counts }, reason, error)
  }

  #countDecoded(topic: string): void {
    let counter = this.#decoded.get(topic)
    if (counter === undefined) {
      counter = this.#parts.meters.events.of(topic, 'decoded')
      this.#parts.meters.events.of(topic, 'undecodable').inc(0)
      this.#decoded.set(topic, counter)
    }
    counter.inc()
  }
}
