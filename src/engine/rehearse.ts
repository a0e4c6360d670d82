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
    }
  | { readonly reason: 'template-error'; readonly error: string; readonly step: number }

/** Requests of one task that a log line names. */
const requestsTold = 10

/**
 * Renders what is left of the way of a task, up to the first step that reads the result of another
 * one, and performs nothing.
 */
export function rehearse(task: Task, rule: Rule, nowMs: number): Rehearsal {
  const way = wayOf(rule, task)
  const match = way.captures(task.event)
  const requests: string[] = []
  for (let step = task.step; step < way.steps.length; step++) {
    const place = { step, item: 0, element: undefined, results: null }
    const stopped = rehearseStep(
      way.steps[step],
      scopeOf(task, rule, match, nowMs, place),
      requests,
    )
    if (stopped === null) continue
    if (stopped.kind === 'no-result') return { reason: 'shadow', requests, needs: stopped.step }
    return { reason: 'template-error', error: describeFailure(stopped.failure), step }
  }
  return { reason: 'shadow', requests, needs: null }
}

function rehearseStep(
  step: Step | undefined,
  scope: Scope,
  requests: string[],
): NotRendered | null {
  if (step === undefined) return null
  const found = step.each === null ? null : elementsOf(step.each, scope)
  if (found !== null && found.kind !== 'elements') return found
  const scopes = found === null ? [scope] : found.elements.map((item) => ({ ...scope, item }))
  for (const one of scopes) {
    const rendered = step.action.render(one)
    if (rendered.kind !== 'ready') return rendered
    if (requests.length < requestsTold) requests.push(rendered.request.summary)
  }
  return null
}
