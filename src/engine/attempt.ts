import type { Failure } from '../model/failure.ts'
import { invariant } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Progress, Task } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Action, ActionTools, RenderedRequest } from '../rules/action-kind.ts'
import { elementsOf } from '../rules/elements.ts'
import type { Rule, Step, Way } from '../rules/rule.ts'
import type { Scope } from '../rules/scope.ts'
import type { NotRendered } from '../rules/template.ts'
import {
  KeptResults,
  resultLevelsMax,
  resultsBytesMax,
  type ListOfResults,
} from './kept-results.ts'
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
 * it under the one deadline of the rule. Never rejects. Hot: one await per request and no more.
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
    const elements = run.begin(step, one)
    if (elements === null) return run.stopped
    for (let item = run.item; item < elements.length; item++) {
      const request = run.render(item, elements[item])
      if (request === null) return run.stopped
      if (!run.end(request, await run.perform(request))) return run.stopped
    }
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

/** A step without `each` runs once, for nothing. */
const once: readonly (Json | undefined)[] = [undefined]

/** One attempt under way: at which request it is, what was kept so far, and why it stopped. */
class AttemptRun {
  readonly way: Way
  readonly #task: Task
  readonly #rule: Rule
  readonly #tools: AttemptTools
  readonly #meters: AttemptMeters
  readonly #match: Scope['match']
  readonly #dueMs: number
  /** `null`: no step of this attempt has kept anything so far. */
  #kept: KeptResults | null = null
  #step = 0
  #item = 0
  #action: Action | null = null
  #as: string | null = null
  #place: string | null = null
  #list: ListOfResults | null = null
  #startedMs = 0
  #stopped: Stopped = { kind: 'aborted' }

  constructor(task: Task, rule: Rule, tools: AttemptTools, meters: AttemptMeters) {
    this.#task = task
    this.#rule = rule
    this.#tools = tools
    this.#meters = meters
    this.way = wayOf(rule, task)
    this.#match = this.way.captures(task.event)
    this.#dueMs = tools.clock.monotonic() + rule.timeoutMs
  }

  /** Why the attempt went no further, once something here gave null or false. */
  get stopped(): Stopped {
    return this.#stopped
  }

  /** The element to begin the step with. */
  get item(): number {
    return this.#item
  }

  /** What a step is to be carried out for; `null`: it stopped. */
  begin(step: number, { action, as, each, place }: Step): readonly (Json | undefined)[] | null {
    this.#step = step
    this.#item = step === this.#task.step ? this.#task.item : 0
    this.#action = action
    this.#as = as
    this.#place = place
    this.#list = null
    if (each === null) return once
    const found = elementsOf(each, this.#scopeFor(undefined))
    if (found.kind !== 'elements') return this.#notRendered(found)
    // A list that ends before the element that failed is another list: none of it has been done.
    if (this.#item >= found.elements.length) this.#item = 0
    if (as !== null) this.#list = this.#keeper.list(as, this.#item)
    return found.elements
  }

  /** The request for one element; `null`: it stopped. */
  render(item: number, element: Json | undefined): RenderedRequest | null {
    invariant(this.#action !== null, 'a request before its step')
    this.#item = item
    const rendered = this.#action.render(this.#scopeFor(element))
    return rendered.kind === 'ready' ? rendered.request : this.#notRendered(rendered)
  }

  perform(request: RenderedRequest): Promise<Outcome> {
    const { clock, actions, signal } = this.#tools
    this.#startedMs = clock.monotonic()
    const leftMs = this.#dueMs - this.#startedMs
    if (leftMs > 0) return request.perform(actions, leftMs, signal)
    const failure = { kind: 'timeout', afterMs: this.#rule.timeoutMs } as const
    return Promise.resolve({ kind: 'retry', failure })
  }

  /** Counts how a request ended and keeps what it gave; `false`: it stopped. */
  end(request: RenderedRequest, outcome: Outcome): boolean {
    const tookMs = this.#tools.clock.monotonic() - this.#startedMs
    this.#meters.actionEnded(this.#action?.kind ?? '', outcomeLabel(outcome), tookMs)
    switch (outcome.kind) {
      case 'success':
        return this.#as === null || this.#keep(this.#as, outcome.result)
      case 'aborted':
        this.#stopped = outcome
        return false
      case 'retry':
      case 'dead':
        this.#stop(outcome.kind, outcome.failure, request.summary)
        return false
    }
  }

  /** The action itself succeeded where it gave too much; who brings the task back repeats it. */
  #keep(as: string, result: Json): boolean {
    const isKept = this.#list === null ? this.#keeper.keep(as, result) : this.#list.add(result)
    if (isKept) return true
    const bound = `${resultsBytesMax} bytes, or nested deeper than ${resultLevelsMax} levels`
    const message = `with that of \`${as}\` the results of the steps are above ${bound}`
    this.#stop('dead', { kind: 'too-large', message }, null)
    return false
  }

  get #keeper(): KeptResults {
    return (this.#kept ??= new KeptResults(this.#task))
  }

  get #results(): Task['results'] {
    return this.#kept?.all ?? this.#task.results
  }

  #scopeFor(element: Json | undefined): Scope {
    const place = { step: this.#step, item: this.#item, element, results: this.#results }
    return scopeOf(this.#task, this.#rule, this.#match, this.#tools.clock.now(), place)
  }

  #notRendered(why: NotRendered): null {
    invariant(why.kind !== 'no-result', 'a step reads a result before it is there')
    this.#stop('dead', why.failure, null)
    return null
  }

  #stop(kind: 'retry' | 'dead', failure: Failure, request: string | null): void {
    const at = { way: this.#task.way, step: this.#step, item: this.#item }
    const progress = { ...at, results: this.#results, place: this.#place }
    this.#stopped = { kind, failure, progress, request }
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
