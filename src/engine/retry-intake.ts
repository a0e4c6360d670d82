import type { BusRecord } from '../model/record.ts'
import type { Event } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import { newTask, startOf } from '../model/task.ts'
import type { Fired, Rule, Step } from '../rules/rule.ts'
import { decode } from './decode.ts'
import type { Intake } from './intake.ts'
import type { Meters, RuleMeters } from './meters.ts'
import type { OwnTopics } from './own-topics.ts'
import type { RuleQueues } from './rule-queues.ts'
import type { Settler } from './settle.ts'
import type { StoredTask } from './task-headers.ts'
import { eventOf, readStoredTask, restoredTask, taskHeaders } from './task-headers.ts'
import { headerText } from '../model/record.ts'
import type { Ticket } from './ticket.ts'

export interface RetryIntakeParts {
  readonly queues: RuleQueues
  readonly settler: Settler
  readonly meters: Meters
  readonly processId: string
  readonly topics: Pick<OwnTopics, 'delayMsOf'>
}

/** The ladder of tasks whose rule is gone: its name is not one of ours any more. */
const goneRule = '__gone__'

/**
 * Tasks from the retry tiers: each waits until it is due, then meets its rule as it is by now. A
 * rule that is gone ends it among the dead letters, one that no longer matches skips it.
 */
export class RetryIntake implements Intake {
  readonly #parts: RetryIntakeParts
  readonly #gone: RuleMeters

  constructor(parts: RetryIntakeParts) {
    this.#parts = parts
    this.#gone = parts.meters.ofRule(goneRule)
  }

  get isFull(): boolean {
    return this.#parts.queues.isAnyFull
  }

  onRoom(tell: () => void): void {
    this.#parts.queues.onRoom(tell)
  }

  readyAtMs(record: BusRecord): number {
    const dueMs = Date.parse(headerText(record.headers, taskHeaders.due) ?? '')
    if (Number.isNaN(dueMs)) return 0
    // The clock that wrote it may have been ahead. The record's own time bounds what we believe: a
    // task waits for its tier, and for as much again by jitter.
    return Math.min(dueMs, record.timestampMs + 2 * this.#parts.topics.delayMsOf(record.topic))
  }

  take(record: BusRecord, ticket: Ticket): void {
    const stored = readStoredTask(record)
    if (stored === null) {
      const task = newTask(goneRule, eventOf(record, null), 0)
      return this.#bury(task, ticket, 'undecodable', noTaskText(record))
    }
    // It was decoded before, under a bound that a restart may have lowered: it keeps its right.
    const decoded = decode(stored.record, Infinity)
    if (decoded.kind === 'undecodable') {
      const task = restoredTask(stored, eventOf(stored.record, null))
      return this.#bury(task, ticket, 'undecodable', decoded.error)
    }
    this.#takeTask(stored, eventOf(stored.record, decoded.body), ticket)
  }

  dropRevoked(): void {
    this.#parts.queues.dropRevoked()
  }

  #takeTask(stored: StoredTask, event: Event, ticket: Ticket): void {
    const { queues, settler, processId } = this.#parts
    const task = restoredTask(stored, event)
    const rule = queues.ruleSet.byName(stored.rule)
    if (rule === undefined) {
      return this.#bury(task, ticket, 'rule-gone', `there is no rule ${stored.rule} any more`)
    }
    const meters = queues.metersOf(rule)
    meters.pickedUp(stored.counted === processId)
    // What a disabled rule matches is not asked: that it is disabled is the reason, in every case.
    const fired = rule.enabled ? firedAgain(rule, event) : { way: task.way, doubt: null }
    if (fired === null) {
      return settler.skipped({ task, ticket, rule, meters }, 'no-longer-matches')
    }
    const { windowDueMs } = stored
    queues.firedAgain({ rule, ...fired }, resumed(rule, fired, task), ticket, windowDueMs)
  }

  #bury(task: Task, ticket: Ticket, reason: 'undecodable' | 'rule-gone', error: string): void {
    this.#gone.pickedUp(false)
    void this.#parts.settler.unattempted(
      { task, ticket, rule: null, meters: this.#gone },
      reason,
      error,
    )
  }
}

/** The dead letter has headers of its own, so what is left of the task's is in the words. */
function noTaskText({ headers }: BusRecord): string {
  const told = [taskHeaders.rule, taskHeaders.origin, taskHeaders.attempt, taskHeaders.due].map(
    (name) => `${name}: ${headerText(headers, name) ?? 'missing'}`,
  )
  return `its headers do not make a task: ${told.join(', ')}`
}

function firedAgain(rule: Rule, event: Event): Fired | null {
  return rule.topics.matches(event.record.topic) ? rule.fire(event) : null
}

/**
 * The task where it stopped. It begins anew where the rule was edited so that this place is not the
 * same any more: another way is taken, the step is gone, what stands before it says something else,
 * or it lacks what the steps before it keep by now. To repeat what succeeded is better than to pass
 * for done.
 */
function resumed(rule: Rule, { way, doubt }: Fired, task: Task): Task {
  if (doubt !== null) return task // it is not going to run
  const steps = rule.ways[way]?.steps ?? []
  return task.way === way && hasPlace(steps, task) ? task : { ...task, ...startOf(way) }
}

function hasPlace(steps: readonly Step[], { step, item, results, place }: Task): boolean {
  const at = steps[step]
  if (at === undefined || (place !== null && place !== at.place)) return false
  const before = steps.slice(0, step)
  if (before.some(({ as }) => as !== null && !Object.hasOwn(results, as))) return false
  if (item === 0) return true
  if (at.each === null) return false
  if (at.as === null) return true
  const list = Object.hasOwn(results, at.as) ? results[at.as] : undefined
  return Array.isArray(list) && list.length === item
}
