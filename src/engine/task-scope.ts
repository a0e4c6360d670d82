import type { Json } from '../model/json.ts'
import { lineageBehind } from '../model/lineage.ts'
import type { Task } from '../model/task.ts'
import type { Rule } from '../rules/rule.ts'
import type { Scope } from '../rules/scope.ts'
import { traceparentOf } from './traceparent.ts'

/** Where in a way a template is rendered. */
export interface Place {
  readonly step: number
  /** Index of the element, 0 in a step without `each`. */
  readonly item: number
  readonly element: Json | undefined
  readonly results: Scope['steps']
}

/** The beginning of a way, where its key and its sample are rendered. */
export const beforeSteps: Place = { step: 0, item: 0, element: undefined, results: {} }

/** What the templates of a task read at one place of its way. */
export function scopeOf(
  task: Task,
  rule: Pick<Rule, 'name'>,
  match: Scope['match'],
  nowMs: number,
  { step, item, element, results }: Place,
): Scope {
  const { event } = task
  return {
    event,
    rule: { name: rule.name },
    match,
    item: element,
    steps: results,
    nowMs,
    lineage: lineageBehind(event.lineage, rule.name, traceparentOf(task, step, item)),
  }
}
