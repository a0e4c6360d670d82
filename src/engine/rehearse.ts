import { describeFailure } from '../model/failure.ts'
import type { Task } from '../model/task.ts'
import { elementsOf } from '../rules/elements.ts'
import type { Rule, Step } from '../rules/rule.ts'
import type { Scope } from '../rules/scope.ts'
import type { NotRendered } from '../rules/template.ts'
import { wayOf } from './attempt.ts'
import { scopeOf } from './task-scope.ts'

/** What a rule in shadow mode would have done. */
export type Rehearsal =
  | {
      readonly reason: 'shadow'
      /** What would have been asked for, secrets masked; the first of them. */
      readonly requests: readonly string[]
      /** The step whose result a later one reads: what comes behind it cannot be known. */
      readonly needs: string | null
      /** Elements of steps with `each` that were not rendered, being behind the first hundred. */
      readonly elementsPassedOver: number
    }
  | { readonly reason: 'template-error'; readonly error: string; readonly step: number }

/** Requests of one task that a log line names. */
const requestsTold = 10

/**
 * Elements of one step that are rendered, all in one go: a thousand, as a live rule may have and
 * takes one call after another, would keep other rules waiting. What is alike fails alike.
 */
const elementsRendered = 100

/**
 * Renders what is left of the way of a task, up to the first step that reads the result of another
 * one, and performs nothing. Of a step with `each`, the first elements are rendered.
 */
export function rehearse(task: Task, rule: Rule, nowMs: number): Rehearsal {
  const way = wayOf(rule, task)
  const match = way.captures(task.event)
  const told: Told = { requests: [], elementsPassedOver: 0 }
  for (let step = task.step; step < way.steps.length; step++) {
    const place = { step, item: 0, element: undefined, results: null }
    const stopped = rehearseStep(way.steps[step], scopeOf(task, rule, match, nowMs, place), told)
    if (stopped === null) continue
    if (stopped.kind === 'no-result') return { reason: 'shadow', ...told, needs: stopped.step }
    return { reason: 'template-error', error: describeFailure(stopped.failure), step }
  }
  return { reason: 'shadow', ...told, needs: null }
}

/** What a rehearsal tells, as it goes on. */
interface Told {
  readonly requests: string[]
  elementsPassedOver: number
}

function rehearseStep(step: Step | undefined, scope: Scope, told: Told): NotRendered | null {
  if (step === undefined) return null
  const found = step.each === null ? null : elementsOf(step.each, scope)
  if (found !== null && found.kind !== 'elements') return found
  const elements = found === null ? null : found.elements.slice(0, elementsRendered)
  const scopes = elements === null ? [scope] : elements.map((item) => ({ ...scope, item }))
  for (const one of scopes) {
    const rendered = step.action.render(one)
    if (rendered.kind !== 'ready') return rendered
    if (told.requests.length < requestsTold) told.requests.push(rendered.request.summary)
  }
  if (found !== null) told.elementsPassedOver += found.elements.length - scopes.length
  return null
}
