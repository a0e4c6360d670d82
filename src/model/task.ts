import type { Event } from './event.ts'
import type { Json } from './json.ts'

/** How far a task has come. What has succeeded is not repeated. */
export interface Progress {
  /** 0-based index of the way of the rule that the task takes. */
  readonly way: number
  /** 0-based index of the step to go on with; those before it have succeeded. */
  readonly step: number
  /** 0-based index of the element to go on with where that step has `each`; else 0. */
  readonly item: number
  /**
   * What the steps so far gave, by the name behind `as`. The list of a step that stopped in the
   * middle of its elements holds those that succeeded.
   */
  readonly results: Readonly<Record<string, Json>>
  /** What stood before that place in the rule (`Step.place`); `null`: nothing did, or nobody noted it. */
  readonly place: string | null
}

/** One (rule, event) to carry out. */
export interface Task extends Progress {
  /** `rule/topic/partition/offset`: the same through retries, restarts and replicas. */
  readonly id: string
  readonly rule: string
  readonly event: Event
  /** 1-based number of the attempt that comes next. */
  readonly attempt: number
  /** When the first attempt failed, milliseconds since 1970; `null` before that. */
  readonly firstFailedMs: number | null
}

function taskId(rule: string, eventId: string): string {
  return `${rule}/${eventId}`
}

/** The beginning of a way, with nothing done yet. */
export function startOf(way: number): Progress {
  return { way, step: 0, item: 0, results: {}, place: null }
}

/** The task that a match makes. */
export function newTask(rule: string, event: Event, way: number): Task {
  return {
    id: taskId(rule, event.id),
    rule,
    event,
    attempt: 1,
    way,
    step: 0,
    item: 0,
    results: {},
    place: null,
    firstFailedMs: null,
  }
}
