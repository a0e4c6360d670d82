import type { Failure } from '../model/failure.ts'
import { invariant } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Progress, Task } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Action, ActionTools } from '../rules/action-kind.ts'
import { elementsOf } from '../rules/elements.ts'
import type { Rule, Step, Way } from '../rules/rule.ts'
import type { Scope } from '../rules/scope.ts'
import { KeptResults, resultsBytesMax } from './kept-results.ts'
import type { RuleMeters } from './meters.ts'
import { scopeOf } from './task-scope.ts'

/** How one attempt of a task ended, and where a next one has to begin. */
export type AttemptResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'aborted' }
  | {
      readonly kind: 'retry' | 'dead'
      readonly failure: Failure
      /** Up to the action that failed; what has succeeded before it is not repeated. */
      readonly progress: Progress
      /** What was asked for, secrets masked; `null` when nothing could be rendered. */
      readonly request: string | null
    }

export interface AttemptTools {
  readonly clock: Clock
  readonly actions: ActionTools
  /** Given when the process can wait no longer. */
  readonly signal: AbortSignal
}

/** What an attempt counts. */
export type AttemptMeters = Pick<RuleMeters, 'attemptStarts' | 'actionEnded'>

/**
 * Carries out the way of a task from where it stands on, in order, up to the first failure, all of
 * it under the one deadline of the rule. Never rejects.
 */
export async function attempt(
  task: Task,
  rule: Rule,
  tools: AttemptTools,
  meters: AttemptMeters,
): Promise<AttemptResult> {
  const { event } = task
  meters.attemptStarts(event.record.timestampMs, event.lineage.rootTimeMs)
  const run = new AttemptRun(task, rule, tools, meters)
  const { steps } = run.way
  for (let step = task.step; step < steps.length; step++) {
    const one = steps[step]
    if (one === undefined) break
    const stopped = await (one.each === null ? run.once(step, one) : run.forEach(step, one))
    if (stopped !== null) return stopped
  }
  return { kind: 'done' }
}

type Stopped = Exclude<AttemptResult, { kind: 'done' }>

/** The way that the rule takes for the task; an intake sees to it that there is one. */
export function wayOf(rule: Rule, task: Task): Way {
  const way = rule.ways[task.way]
  invariant(way !== undefined, `rule ${rule.name} has no way ${task.way}`)
  return way
}

/** One attempt under way. */
class AttemptRun {
  readonly way: Way
  readonly #task: Task
  readonly #rule: Rule
  readonly #tools: AttemptTools
  readonly #meters: AttemptMeters
  readonly #match: Scope['match']
  readonly #dueMs: number
  readonly #results: KeptResults

  constructor(task: Task, rule: Rule, tools: AttemptTools, meters: AttemptMeters) {
    this.#task = task
    this.#rule = rule
    this.#tools = tools
    this.#meters = meters
    this.way = wayOf(rule, task)
    this.#match = this.way.captures(task.event)
    this.#dueMs = tools.clock.monotonic() + rule.timeoutMs
    this.#results = new KeptResults(task)
  }

  /** Carries out a step without `each`; `null`: it succeeded. */
  async once(step: number, { action, as }: Step): Promise<Stopped | null> {
    const ended = await this.#carryOut(action, step, 0, undefined)
    if ('stopped' in ended) return ended.stopped
    if (as === null || this.#results.keep(as, ended.result)) return null
    return this.#isTooMuch(as, step, 0)
  }

  /** Carries out a step for each of its elements, one after the other; `null`: all succeeded. */
  async forEach(step: number, { action, as, each }: Step): Promise<Stopped | null> {
    const first = step === this.#task.step ? this.#task.item : 0
    invariant(each !== null, 'the step has no elements')
    const found = elementsOf(each, this.#scopeAt(step, first, undefined))
    invariant(found.kind !== 'no-result', 'a step reads a result before it is there')
    if (found.kind === 'failed') return this.#stop('dead', found.failure, step, first, null)
    const list = as === null ? null : this.#results.list(as)
    for (let item = first; item < found.elements.length; item++) {
      const ended = await this.#carryOut(action, step, item, found.elements[item])
      if ('stopped' in ended) return ended.stopped
      if (as !== null && list?.add(ended.result) === false) return this.#isTooMuch(as, step, item)
    }
    return null
  }

  async #carryOut(
    action: Action,
    step: number,
    item: number,
    element: Json | undefined,
  ): Promise<{ readonly result: Json } | { readonly stopped: Stopped }> {
    const { clock, actions, signal } = this.#tools
    const rendered = action.render(this.#scopeAt(step, item, element))
    invariant(rendered.kind !== 'no-result', 'a step reads a result before it is there')
    if (rendered.kind === 'failed') {
      return { stopped: this.#stop('dead', rendered.failure, step, item, null) }
    }
    const { request } = rendered
    const startedMs = clock.monotonic()
    const leftMs = this.#dueMs - startedMs
    const outcome: Outcome =
      leftMs > 0
        ? await request.perform(actions, leftMs, signal)
        : { kind: 'retry', failure: { kind: 'timeout', afterMs: this.#rule.timeoutMs } }
    this.#meters.actionEnded(action.kind, outcomeLabel(outcome), clock.monotonic() - startedMs)
    if (outcome.kind === 'success') return outcome
    if (outcome.kind === 'aborted') return { stopped: outcome }
    return { stopped: this.#stop(outcome.kind, outcome.failure, step, item, request.summary) }
  }

  #scopeAt(step: number, item: number, element: Json | undefined): Scope {
    const place = { step, item, element, results: this.#results.all }
    return scopeOf(this.#task, this.#rule, this.#match, this.#tools.clock.now(), place)
  }

  #stop(
    kind: 'retry' | 'dead',
    failure: Failure,
    step: number,
    item: number,
    request: string | null,
  ): Stopped {
    const progress = { way: this.#task.way, step, item, results: this.#results.all }
    return { kind, failure, progress, request }
  }

  /** The action itself succeeded; who brings the task back repeats it. */
  #isTooMuch(as: string, step: number, item: number): Stopped {
    const message = `with that of \`${as}\` the results of the steps are above ${resultsBytesMax} bytes`
    return this.#stop('dead', { kind: 'too-large', message }, step, item, null)
  }
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
