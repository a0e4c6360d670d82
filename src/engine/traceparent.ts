import { hash } from 'node:crypto'
import type { Event } from '../model/event.ts'
import type { Task } from '../model/task.ts'

/**
 * The W3C trace context of one request. The trace is the event's own, or one made from the root's
 * id: all that an edit sets off is one trace, on every replica and through every retry.
 */
export function traceparentOf(task: Task, step: number, item: number): string {
  const given = task.event.lineage.traceparent
  const element = item === 0 ? '' : `.${item}`
  const span = hash('sha256', `${task.id}#${task.attempt}.${step}${element}`).slice(0, 16)
  if (given !== null) return `${given.slice(0, 36)}${span}${given.slice(52)}`
  return `00-${traceIdOf(task.event)}-${span}-00`
}

function traceIdOf(event: Event): string {
  return hash('sha256', event.lineage.root).slice(0, 32)
}
