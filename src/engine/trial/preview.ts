import { describeFailure } from '../../model/failure.ts'
import type { Json } from '../../model/json.ts'
import type { Task } from '../../model/task.ts'
import type { RenderedRequest } from '../../rules/action-kind.ts'
import { elementsOf } from '../../rules/elements.ts'
import type { Rule, Step } from '../../rules/rule.ts'
import type { Scope } from '../../rules/scope.ts'
import type { NotRendered } from '../../rules/template.ts'
import { wayOf } from '../attempt.ts'
import { scopeOf } from '../task-scope.ts'
import { TrialClock } from './trial-clock.ts'
import { trialTools, type Effect } from './trial-tools.ts'

/** What one step of a way would send, or why it cannot be said. */
export type Preview = {
  /** 0-based. */
  readonly step: number
  /** Of a step with `each`, the 0-based element that it is for; else `null`. */
  readonly item: number | null
} & (
  | Effect
  /** What a live task would be dead-lettered for. */
  | { readonly kind: 'failed'; readonly why: string }
  /** It reads the result of the step of that name, which nobody knows before it was carried out. */
  | { readonly kind: 'needs-result'; readonly of: string }
  /** So many further elements of a step with `each` that are not shown. */
  | { readonly kind: 'more'; readonly elements: number }
)

/** Elements of one step that are shown, and as many again of those that fail. */
const elementsShown = 3

/**
 * Renders every step of the way of a task and carries none out. Steps behind one that fails are
 * rendered all the same: who mends the first wants to know of the second.
 */
export async function previewOf(
  task: Task,
  rule: Rule,
  nowMs: number,
): Promise<readonly Preview[]> {
  const way = wayOf(rule, task)
  const match = way.captures(task.event)
  const previews: Preview[] = []
  for (const [step, one] of way.steps.entries()) {
    const scopeAt = (item: number, element: Json | undefined): Scope =>
      scopeOf(task, rule, match, nowMs, { step, item, element, results: null })
    previews.push(...(await previewStep(one, step, scopeAt)))
  }
  return previews
}

async function previewStep(
  { action, each }: Step,
  step: number,
  scopeAt: (item: number, element: Json | undefined) => Scope,
): Promise<readonly Preview[]> {
  const render = async (item: number | null, element: Json | undefined): Promise<Preview[]> => {
    const rendered = action.render(scopeAt(item ?? 0, element))
    if (rendered.kind !== 'ready') return [notSent(rendered, step, item)]
    return (await effectsOf(rendered.request)).map((effect) => ({ step, item, ...effect }))
  }
  if (each === null) return render(null, undefined)
  const found = elementsOf(each, scopeAt(0, undefined))
  if (found.kind !== 'elements') return [notSent(found, step, null)]
  const all: Preview[] = []
  for (const [item, element] of found.elements.entries()) all.push(...(await render(item, element)))
  const failing = all.slice(elementsShown).filter(({ kind }) => kind === 'failed')
  const shown = [...all.slice(0, elementsShown), ...failing.slice(0, elementsShown)]
  const left = all.length - shown.length
  return left > 0 ? [...shown, { step, item: null, kind: 'more', elements: left }] : shown
}

function notSent(reason: NotRendered, step: number, item: number | null): Preview {
  return reason.kind === 'no-result'
    ? { step, item, kind: 'needs-result', of: reason.step }
    : { step, item, kind: 'failed', why: describeFailure(reason.failure) }
}

/** The request goes to tools that take it down and send nothing. */
async function effectsOf(request: RenderedRequest): Promise<readonly Effect[]> {
  const effects: Effect[] = []
  const tools = trialTools([], new TrialClock(0), (effect) => effects.push(effect))
  await request.perform(tools, Infinity, new AbortController().signal)
  return effects
}
