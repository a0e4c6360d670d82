import type { Failure } from '../model/failure.ts'
import { boundedError, describeFailure } from '../model/failure.ts'
import type { DeadReason, SkipReason } from '../model/outcome.ts'
import { deadReasonOf } from '../model/outcome.ts'
import type { NewRecord } from '../model/record.ts'
import type { Progress, Task } from '../model/task.ts'
import { startOf } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Rule } from '../rules/rule.ts'
import type { AttemptResult } from './attempt.ts'
import type { RuleMeters } from './meters.ts'
import type { OwnTopics } from './own-topics.ts'
import type { PatientProducer, ProduceOptions, Produced } from './patient-producer.ts'
import type { RepeatedLog } from './repeated-log.ts'
import { planRetry } from './retry-plan.ts'
import type { TaskStory } from './task-headers.ts'
import { hasResults, headersOfTask } from './task-headers.ts'
import type { Ticket } from './ticket.ts'

type Failed = Extract<AttemptResult, { kind: 'retry' | 'dead' }>

export interface SettlerParts {
  readonly clock: Clock
  readonly producer: PatientProducer
  readonly topics: OwnTopics
  readonly log: RepeatedLog
  /** Names this process in retry records, so that its ladder knows its own tasks again. */
  readonly processId: string
  /** Given when the process can wait no longer. */
  readonly signal: AbortSignal
}

/** A task with what it needs to be settled. */
export interface Settling {
  readonly task: Task
  readonly ticket: Ticket
  /** The rule by whose text it ran; `null` where there is none. */
  readonly rule: Rule | null
  readonly meters: Pick<RuleMeters, 'started' | 'ended' | 'done' | 'retried' | 'dead' | 'skipped'>
}

/**
 * Gives each task its one outcome. What is handed on is acknowledged by the bus before the task
 * counts as settled: a crash between the two repeats the task, and never loses it.
 */
export class Settler {
  readonly #parts: SettlerParts

  constructor(parts: SettlerParts) {
    this.#parts = parts
  }

  /** Settles a task that was attempted. Never rejects. */
  async afterAttempt(settling: Settling & { rule: Rule }, result: AttemptResult): Promise<void> {
    switch (result.kind) {
      case 'done':
        settling.meters.done()
        return settling.ticket.taskSettled()
      case 'aborted':
        return settling.meters.skipped('reassigned')
      case 'dead':
        return this.#bury(inPlace(settling, result.progress), storyOfFailure(result))
      case 'retry':
        return this.#retryOrBury(settling, result)
    }
  }

  /** Settles a task that is not carried out, for a reason that is no failure. */
  skipped({ ticket, meters }: Settling, reason: SkipReason): void {
    meters.skipped(reason)
    ticket.taskSettled()
  }

  /** Dead-letters a task that was not attempted: a loop, a rule that is gone, an unreadable event. */
  async unattempted(settling: Settling, reason: DeadReason, error: string): Promise<void> {
    const { ticket, meters } = settling
    meters.started()
    ticket.taskStarted() // a hand-over of the partition waits for the produce
    await this.#bury(settling, { ...noStory, reason, error: boundedError(error) })
    meters.ended()
    ticket.taskEnded()
  }

  /**
   * Puts a task that has not begun into the shortest tier, due at once. For a hand-over of its
   * partition: another task of the event has begun, and who reads the event anew would repeat it.
   */
  async handOver({ task, ticket, rule, meters }: Settling & { rule: Rule }): Promise<void> {
    const { clock, topics } = this.#parts
    meters.started()
    ticket.taskStarted() // the hand-over waits for the produce
    const headers = headersOfTask(task, {
      ...noStory,
      ruleVersion: rule.version,
      reason: 'handed-over',
      error: 'the partition was handed over before the task began',
      dueMs: clock.now(),
    })
    const { key, value } = task.event.record
    const record = { topic: topics.shortestTier, key, value, headers }
    if ((await this.#produce(record, ticket, 'wait')) === 'stored') ticket.taskSettled()
    meters.skipped('reassigned') // who picks it up counts it as matched
    meters.ended()
    ticket.taskEnded()
  }

  async #retryOrBury(settling: Settling & { rule: Rule }, failed: Failed): Promise<void> {
    const { clock, topics, processId } = this.#parts
    const { task, rule, meters, ticket } = settling
    const nowMs = clock.now()
    const firstFailedMs = task.firstFailedMs ?? nowMs
    const plan = planRetry(
      rule.retry,
      { attempt: task.attempt, firstFailedMs, retryAfterMs: retryAfterOf(failed.failure) },
      topics.tiersMs,
      nowMs,
      clock.random(),
    )
    const story = storyOfFailure(failed)
    if (plan.kind === 'exhausted') {
      const spent = { ...settling, task: { ...task, ...failed.progress, firstFailedMs } }
      return this.#bury(spent, { ...story, exhausted: plan.by })
    }
    const next = { ...task, ...failed.progress, attempt: task.attempt + 1, firstFailedMs }
    const headers = headersOfTask(next, {
      ...story,
      ruleVersion: rule.version,
      dueMs: plan.dueMs,
      counted: processId,
    })
    const { key, value } = task.event.record
    const record = { topic: topics.tier(plan.tierMs), key, value, headers }
    const produced = await this.#produce(record, ticket, hasResults(next) ? 'tell' : 'wait')
    if (produced === 'too-large') {
      return this.#bury(inPlace(settling, failed.progress), { ...story, ...resultsTooLarge })
    }
    if (produced !== 'stored') return meters.skipped('reassigned')
    meters.retried(failed.failure.kind)
    this.#tell('an attempt failed; the task is tried again', next, { ...story, dueMs: plan.dueMs })
    ticket.taskSettled()
  }

  async #bury(
    settling: Settling,
    story: Omit<TaskStory, 'reason'> & { readonly reason: DeadReason },
  ): Promise<void> {
    const { task, ticket, rule, meters } = settling
    const headers = headersOfTask(task, { ...story, ruleVersion: rule?.version ?? null })
    const record = {
      topic: this.#parts.topics.dead,
      key: Buffer.from(task.id),
      // Never null: that would end the dead letter's own key. The header `sluice-tombstone` says it.
      value: task.event.record.value ?? Buffer.alloc(0),
      headers,
    }
    const produced = await this.#produce(record, ticket, hasResults(task) ? 'tell' : 'wait')
    // Without the results it is as large as its event, which the bus has. A redrive begins anew.
    if (produced === 'too-large') return this.#bury(inPlace(settling, startOf(task.way)), story)
    if (produced !== 'stored') return meters.skipped('reassigned')
    meters.dead(story.reason)
    this.#tell('a task went to the dead letters', task, story)
    ticket.taskSettled()
  }

  /** Each kind of failure of each rule is said once, then every ten seconds with a count. */
  #tell(sentence: string, task: Task, story: Omit<TaskStory, 'counted'>): void {
    const { reason, status, error, request, exhausted } = story
    const kind = `${sentence} ${task.rule} ${reason} ${status ?? ''}`
    const fields = { rule: task.rule, reason, error, request, task: task.id, exhausted }
    this.#parts.log.warn(kind, fields, sentence)
  }

  #produce(
    record: NewRecord,
    ticket: Ticket,
    tooLarge: ProduceOptions['tooLarge'],
  ): Promise<Produced> {
    const { producer, signal } = this.#parts
    return producer.produce(record, { isGivenUp: () => ticket.isOver, signal, tooLarge })
  }
}

/** The same task, as far as it has come. */
function inPlace<Kind extends Settling>(settling: Kind, progress: Progress): Kind {
  return { ...settling, task: { ...settling.task, ...progress } }
}

const resultsTooLarge = {
  reason: 'too-large',
  error:
    'too-large: with the results of its steps a retry is above what the bus takes for a record',
} as const

const noStory = {
  ruleVersion: null,
  status: null,
  request: null,
  dueMs: null,
  exhausted: null,
  counted: null,
} as const

function storyOfFailure({ failure, request }: Failed): TaskStory & { readonly reason: DeadReason } {
  return {
    ...noStory,
    reason: deadReasonOf(failure),
    status: failure.kind === 'status' ? failure.status : null,
    error: describeFailure(failure),
    request,
  }
}

function retryAfterOf(failure: Failure): number | null {
  return failure.kind === 'status' ? failure.retryAfterMs : null
}
