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
import type { RetryPlan } from './retry-plan.ts'
import { planRetry } from './retry-plan.ts'
import type { TaskStory } from './task-headers.ts'
import { hasResults, headersOfTask } from './task-headers.ts'
import type { Ticket } from './ticket.ts'

type Failed = Extract<AttemptResult, { kind: 'retry' | 'dead' }>

/** What the window of a key is told of the run that has it. */
export interface WindowMark {
  acted(): Promise<void>
  failed(dueInMs: number): Promise<void>
}

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

/** What came of a task that was attempted. */
export type Settled =
  /** It was acted on. */
  | { readonly kind: 'done' }
  /** It is durable elsewhere: a retry or a dead letter. */
  | { readonly kind: 'handed-on' }
  /** Nothing is known: its event stays unsettled, for whoever has it next. */
  | { readonly kind: 'left' }
  /** In order: it is tried again where it is, `waitMs` later, and holds its key until then. */
  | { readonly kind: 'waits'; readonly task: Task; readonly waitMs: number }

/** A task with what it needs to be settled. */
export interface Settling {
  readonly task: Task
  readonly ticket: Ticket
  /** The rule by whose text it ran; `null` where there is none. */
  readonly rule: Rule | null
  readonly meters: Pick<
    RuleMeters,
    'started' | 'ended' | 'done' | 'retried' | 'retriesInPlace' | 'waitsInTier' | 'dead' | 'skipped'
  >
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

  /**
   * Settles a task that was attempted. Never rejects.
   *
   * @param run - its place in the window of its key, which must know before its event is settled
   */
  async afterAttempt(
    settling: Settling & { rule: Rule },
    result: AttemptResult,
    run: WindowMark | null,
  ): Promise<Settled> {
    switch (result.kind) {
      case 'done':
        if (run !== null) await run.acted()
        settling.meters.done()
        settling.ticket.taskSettled()
        return { kind: 'done' }
      case 'aborted':
        return left(settling)
      case 'dead':
        return this.#bury(inPlace(settling, result.progress), storyOfFailure(result))
      case 'retry':
        return this.#retryOrBury(settling, result, run)
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
    ticket.taskBegins()
    ticket.taskStarted() // a hand-over of the partition waits for the produce
    await this.#bury(settling, { ...noStory, reason, error: boundedError(error) })
    meters.ended()
    ticket.taskEnded()
  }

  /**
   * Puts a task that has not begun into a tier, due in `dueInMs`. For a hand-over of its partition:
   * another task of the event has begun, and who reads the event anew would repeat it.
   */
  async handOver(settling: Settling & { rule: Rule }, dueInMs = 0): Promise<boolean> {
    const isStored = await this.#toTier(settling, {
      reason: 'handed-over',
      error: 'the partition was handed over before the task began',
      dueInMs,
      counted: null,
    })
    settling.meters.skipped('reassigned') // who picks it up counts it as matched
    return isStored
  }

  /** Puts a task that waits for the end of its window into a tier. `false`: it could not be stored. */
  async toTier(settling: Settling & { rule: Rule }, dueInMs: number): Promise<boolean> {
    const isStored = await this.#toTier(settling, {
      reason: 'window',
      error: 'the task waits for the end of its window',
      dueInMs,
      counted: this.#parts.processId,
    })
    if (isStored) settling.meters.waitsInTier()
    else settling.meters.skipped('reassigned')
    return isStored
  }

  async #toTier(
    { task, ticket, rule, meters }: Settling & { rule: Rule },
    why: { reason: string; error: string; dueInMs: number; counted: string | null },
  ): Promise<boolean> {
    const { clock, topics } = this.#parts
    const { reason, error, dueInMs, counted } = why
    meters.started()
    ticket.taskBegins()
    ticket.taskStarted() // a hand-over of the partition waits for the produce
    const tierMs = topics.tiersMs.find((ms) => ms >= dueInMs) ?? topics.tiersMs.at(-1) ?? 0
    const nowMs = clock.now()
    const headers = headersOfTask(task, {
      ...noStory,
      ruleVersion: rule.version,
      reason,
      error,
      dueMs: nowMs + Math.min(dueInMs, tierMs),
      windowDueMs: dueInMs > tierMs ? nowMs + dueInMs : null,
      counted,
    })
    const { key, value } = task.event.record
    const record = { topic: topics.tier(tierMs), key, value, headers }
    const isStored = (await this.#produce(record, ticket, 'wait')) === 'stored'
    if (isStored) ticket.taskSettled()
    meters.ended()
    ticket.taskEnded()
    return isStored
  }

  async #retryOrBury(
    settling: Settling & { rule: Rule },
    failed: Failed,
    run: WindowMark | null,
  ): Promise<Settled> {
    const { clock, topics } = this.#parts
    const { task, rule, meters } = settling
    const nowMs = clock.now()
    const firstFailedMs = task.firstFailedMs ?? nowMs
    const plan = planRetry(
      rule.retry,
      { attempt: task.attempt, firstFailedMs, retryAfterMs: retryAfterOf(failed.failure) },
      rule.order === 'key' ? noTiers : topics.tiersMs,
      nowMs,
      clock.random(),
    )
    const story = storyOfFailure(failed)
    if (plan.kind === 'exhausted') {
      const spent = { ...settling, task: { ...task, ...failed.progress, firstFailedMs } }
      return this.#bury(spent, { ...story, exhausted: plan.by })
    }
    const next = { ...task, ...failed.progress, attempt: task.attempt + 1, firstFailedMs }
    const waitMs = plan.dueMs - nowMs
    if (rule.order === 'key') {
      meters.retriesInPlace(failed.failure.kind)
      this.#tell(sentenceOfRetry, next, { ...story, dueMs: plan.dueMs })
      return { kind: 'waits', task: next, waitMs }
    }
    if (run !== null) await run.failed(waitMs)
    return this.#toRetryTier({ ...settling, task: next }, plan, failed, story)
  }

  async #toRetryTier(
    settling: Settling & { rule: Rule },
    plan: Extract<RetryPlan, { kind: 'retry' }>,
    { failure }: Failed,
    story: TaskStory & { readonly reason: DeadReason },
  ): Promise<Settled> {
    const { topics, processId } = this.#parts
    const { task, rule, ticket, meters } = settling
    const headers = headersOfTask(task, {
      ...story,
      ruleVersion: rule.version,
      dueMs: plan.dueMs,
      counted: processId,
    })
    const { key, value } = task.event.record
    const record = { topic: topics.tier(plan.tierMs), key, value, headers }
    const produced = await this.#produce(record, ticket, hasResults(task) ? 'tell' : 'wait')
    if (produced === 'too-large') {
      const before = { ...settling, task: { ...task, attempt: task.attempt - 1 } }
      return this.#bury(before, { ...story, ...resultsTooLarge })
    }
    if (produced !== 'stored') return left(settling)
    meters.retried(failure.kind)
    this.#tell(sentenceOfRetry, task, { ...story, dueMs: plan.dueMs })
    ticket.taskSettled()
    return { kind: 'handed-on' }
  }

  async #bury(
    settling: Settling,
    story: Omit<TaskStory, 'reason'> & { readonly reason: DeadReason },
  ): Promise<Settled> {
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
    if (produced !== 'stored') return left(settling)
    meters.dead(story.reason)
    this.#tell('a task went to the dead letters', task, story)
    ticket.taskSettled()
    return { kind: 'handed-on' }
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

/** Nothing is settled: who has the event next carries the task out. */
function left({ meters }: Pick<Settling, 'meters'>): Settled {
  meters.skipped('reassigned')
  return { kind: 'left' }
}

/** In order, a task waits in place: its delay need not be that of a tier. */
const noTiers: readonly number[] = []

const sentenceOfRetry = 'an attempt failed; the task is tried again'

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
  windowDueMs: null,
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
