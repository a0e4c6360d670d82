import type { Failure } from '../model/failure.ts'
import { lineageBehind } from '../model/lineage.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { ActionTools } from '../rules/action-kind.ts'
import type { Rule } from '../rules/rule.ts'
import type { RuleMeters } from './meters.ts'
import { traceparentOf } from './traceparent.ts'

/** How one attempt of a task ended, and where a next one has to begin. */
export type AttemptResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'aborted' }
  | {
      readonly kind: 'retry' | 'dead'
      readonly failure: Failure
      /** The action that failed; those before it have succeeded and are not repeated. */
      readonly step: number
      /** What was asked for, secrets masked; `null` when nothing could be rendered. */
      readonly request: string | null
    }

export interface AttemptTools {
  readonly clock: Clock
  readonly actions: ActionTools
  /** Given when the process can wait no longer. */
  readonly signal: AbortSignal
}

/**
 * Carries out the actions of a task from `task.step` on, in order, up to the first failure, all of
 * them under the one deadline of the rule. Never rejects.
 */
export async function attempt(
  task: Task,
  rule: Rule,
  tools: AttemptTools,
  meters: RuleMeters,
): Promise<AttemptResult> {
  const { clock } = tools
  const { event } = task
  meters.attemptStarts(event.record.timestampMs, event.lineage.rootTimeMs)
  const startedMs = clock.monotonic()
  const steps = rule.ways[0]?.steps ?? []
  for (let step = task.step; step < steps.length; step++) {
    const action = steps[step]?.action
    if (action === undefined) break
    const rendered = action.render({
      event,
      rule: { name: rule.name },
      match: {},
      item: undefined,
      steps: {},
      nowMs: clock.now(),
      lineage: lineageBehind(event.lineage, rule.name, traceparentOf(task, step)),
    })
    if (rendered.kind === 'failed') {
      return { kind: 'dead', failure: rendered.failure, step, request: null }
    }
    if (rendered.kind === 'no-result') break
    const { request } = rendered
    const actionStartedMs = clock.monotonic()
    const leftMs = rule.timeoutMs - (actionStartedMs - startedMs)
    const outcome: Outcome =
      leftMs > 0
        ? await request.perform(tools.actions, leftMs, tools.signal)
        : { kind: 'retry', failure: { kind: 'timeout', afterMs: rule.timeoutMs } }
    meters.actionEnded(action.kind, outcomeLabel(outcome), clock.monotonic() - actionStartedMs)
    if (outcome.kind === 'aborted') return outcome
    if (outcome.kind !== 'success') {
      return { kind: outcome.kind, failure: outcome.failure, step, request: request.summary }
    }
  }
  return { kind: 'done' }
}

/** A closed set: `ok`, `already_absent`, `aborted`, or the kind of the failure. */
function outcomeLabel(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'success':
      return outcome.detail
    case 'aborted':
      return 'aborted'
    case 'retry':
    case 'dead':
      return outcome.failure.kind
  }
}
