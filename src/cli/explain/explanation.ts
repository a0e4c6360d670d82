import { admit, type Verdict } from '../../engine/admit.ts'
import { beforeSteps, scopeOf } from '../../engine/task-scope.ts'
import { previewOf, type Preview } from '../../engine/trial/preview.ts'
import { keysOf } from '../../engine/windows/task-keys.ts'
import type { Event } from '../../model/event.ts'
import { newTask, type Task } from '../../model/task.ts'
import { inspectCondition, type Inspected } from '../../rules/inspect-condition.ts'
import type { DedupWindow, Firing, Rule } from '../../rules/rule.ts'
import { RenderError, type TextTemplate } from '../../rules/template.ts'

/** What a step would send, or that it sends nothing: its `each` finds a list without elements. */
export type Shown = Preview | { readonly kind: 'empty'; readonly step: number; readonly item: null }

/** Why a rule does or does not act on one event, and what it would send. */
export interface Explanation {
  readonly rule: Rule
  readonly event: Event
  readonly outcome: 'run' | 'skip'
  /** A reason of skips or of dead letters, or `no-match`; `null`: it runs. */
  readonly reason: string | null
  /** The reason in words; `null` where the tree of conditions says it. */
  readonly why: string | null
  readonly conditions: Inspected
  /** The conditions of `cases` up to the one taken, or of all where none is. */
  readonly cases: readonly (Inspected | null)[]
  /** 0-based index of the case taken; `null`: none is, or the rule has no cases. */
  readonly taken: number | null
  readonly captures: Readonly<Record<string, string>>
  /** In the order of the steps; empty where the match does not hold. */
  readonly previews: readonly Shown[]
  /** The rule's key for this event; `null`: the rule has none, or it cannot be rendered. */
  readonly key: string | null
  /** Where the event stands in its window; `null`: the rule has no `dedup`, or does not match. */
  readonly window: ShownWindow | null
}

/** The `dedup` of a rule for one event. Whether others came before it, only the store knows. */
export interface ShownWindow {
  /** `null`: versions alone. */
  readonly window: DedupWindow | null
  /** `null`: it cannot be rendered. */
  readonly key: string | null
  /** As it is rendered; `null`: there is none, or it cannot be rendered. */
  readonly version: string | null
}

/**
 * Explains by the same match, admission and keys as the daemon's; only the tree is worked out anew,
 * by the slow reader of conditions.
 */
export async function explain(
  rule: Rule,
  event: Event,
  settings: { readonly nowMs: number; readonly hopsMax: number },
): Promise<Explanation> {
  const conditions = inspectCondition(rule.condition, event)
  const reads = rule.topics.matches(event.record.topic)
  const fired = reads ? rule.fire(event) : null
  const cases = casesOf(rule, event, conditions, fired?.doubt === null ? fired.way : null)
  const unkeyed = { key: null, window: null }
  const untaken = { taken: null, captures: {}, previews: [] }
  const nothing = { rule, event, conditions, cases, ...untaken, ...unkeyed }
  if (fired === null) {
    const why = reads ? null : `it does not read the topic ${event.record.topic}`
    return { ...nothing, outcome: 'skip', reason: 'no-match', why }
  }
  const firing: Firing = { rule, ...fired }
  const task = newTask(rule.name, event, fired.way)
  const verdict = admit(firing, task, settings)
  if (fired.doubt !== null) {
    // The tree says why it is in doubt. A disabled rule is skipped for that, in doubt or not.
    const skip = { reason: fired.doubt, why: null }
    return { ...nothing, outcome: 'skip', ...(rule.enabled ? skip : judged(verdict, rule)) }
  }
  const { nowMs } = settings
  return {
    ...nothing,
    ...judged(verdict.kind === 'run' ? keyed(task, rule, nowMs) : verdict, rule),
    taken: hasCases(rule) ? fired.way : null,
    captures: rule.ways[fired.way]?.captures(event) ?? {},
    previews: await shownOf(task, rule, nowMs),
    key: textOf(rule.key, task, rule, nowMs),
    window: windowOf(task, rule, nowMs),
  }
}

/** What becomes of an admitted task once its keys are asked for. */
function keyed(task: Task, rule: Rule, nowMs: number): Verdict {
  const found = keysOf(task, rule, nowMs)
  return found.kind === 'dead' ? found : { kind: 'run' }
}

function windowOf(task: Task, rule: Rule, nowMs: number): ShownWindow | null {
  const { dedup } = rule
  if (dedup === null) return null
  return {
    window: dedup.window,
    key: textOf(dedup.key, task, rule, nowMs),
    version: textOf(dedup.version, task, rule, nowMs),
  }
}

/** Each step has a word of its own: one that sends nothing would be missed without knowing it. */
async function shownOf(task: Task, rule: Rule, nowMs: number): Promise<readonly Shown[]> {
  const previews = await previewOf(task, rule, nowMs)
  const steps = rule.ways[task.way]?.steps ?? []
  return steps.flatMap(({ each }, step): readonly Shown[] => {
    const ofStep = previews.filter((preview) => preview.step === step)
    const isEmpty = each !== null && ofStep.length === 0
    return isEmpty ? [{ kind: 'empty', step, item: null }] : ofStep
  })
}

export function hasCases({ ways }: Rule): boolean {
  return ways.length > 1 || ways[0]?.condition !== null
}

function casesOf(
  rule: Rule,
  event: Event,
  conditions: Inspected,
  taken: number | null,
): readonly (Inspected | null)[] {
  if (!hasCases(rule) || conditions.truth === false) return []
  return rule.ways
    .slice(0, taken === null ? rule.ways.length : taken + 1)
    .map(({ condition }) => (condition === null ? null : inspectCondition(condition, event)))
}

function judged(verdict: Verdict, rule: Rule): Pick<Explanation, 'outcome' | 'reason' | 'why'> {
  if (verdict.kind === 'dead') {
    return { outcome: 'skip', reason: verdict.reason, why: `a dead letter: ${verdict.error}` }
  }
  if (verdict.kind === 'skip') {
    return { outcome: 'skip', reason: verdict.reason, why: wordsOf(verdict.reason) }
  }
  if (rule.mode === 'live') return { outcome: 'run', reason: null, why: null }
  return { outcome: 'skip', reason: 'shadow', why: 'it is in shadow mode: nothing is sent' }
}

function wordsOf(reason: string): string {
  switch (reason) {
    case 'disabled':
      return '`enabled` is false'
    case 'too-old':
      return 'the event, or its root, is older than the rule acts on'
    case 'sampled':
      return 'the event is not among those that `sample` takes'
    default:
      return reason
  }
}

/** `null`: there is no template, or it cannot be rendered. */
function textOf(
  template: TextTemplate | null,
  task: Task,
  rule: Rule,
  nowMs: number,
): string | null {
  if (template === null) return null
  const captures = rule.ways[task.way]?.captures(task.event) ?? {}
  try {
    return template(scopeOf(task, rule, captures, nowMs, beforeSteps))
  } catch (error) {
    if (error instanceof RenderError) return null
    throw error
  }
}
