import type { Event } from './event.ts'

/** One (rule, event) to carry out. */
export interface Task {
  /** `rule/topic/partition/offset`: the same through retries, restarts and replicas. */
  readonly id: string
  readonly rule: string
  readonly event: Event
  /** 1-based number of the attempt that comes next. */
  readonly attempt: number
  /** 0-based index of the action to begin with; those before it have succeeded. */
  readonly step: number
  /** When the first attempt failed, milliseconds since 1970; `null` before that. */
  readonly firstFailedMs: number | null
}

export function taskId(rule: string, eventId: string): string {
  return `${rule}/${eventId}`
}

/** The task that a match makes. */
export function newTask(rule: string, event: Event): Task {
  return { id: taskId(rule, event.id), rule, event, attempt: 1, step: 0, firstFailedMs: null }
}
