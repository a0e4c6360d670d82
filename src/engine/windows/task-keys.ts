import { describeFailure } from '../../model/failure.ts'
import { invariant } from '../../model/invariant.ts'
import type { DeadReason } from '../../model/outcome.ts'
import { deadReasonOf } from '../../model/outcome.ts'
import type { Stamp } from '../../model/stamp.ts'
import { versionOf } from '../../model/stamp.ts'
import type { Task } from '../../model/task.ts'
import type { Rule } from '../../rules/rule.ts'
import type { Scope } from '../../rules/scope.ts'
import { notRendered, type TextTemplate } from '../../rules/template.ts'
import { wayOf } from '../attempt.ts'
import { beforeSteps, scopeOf } from '../task-scope.ts'

/** What a task is about, as far as its rule asks for it. */
export interface TaskKeys {
  /** The rule's `key`, where order or a limit goes by it; else `null`. */
  readonly key: string | null
  /** Where the task stands in its window; `null`: the rule has no `dedup`. */
  readonly window: { readonly key: string; readonly stamp: Stamp } | null
}

export type KeysResult =
  | { readonly kind: 'keys'; readonly keys: TaskKeys }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly error: string }

const none: KeysResult = { kind: 'keys', keys: { key: null, window: null } }

/** Whether `keysOf` has anything to render. */
function goesByKey({ order, concurrencyPerKey, dedup }: Rule): boolean {
  return order === 'key' || concurrencyPerKey !== null || dedup !== null
}

/** Renders the keys of a task. What cannot be rendered is a dead letter, as in a request. */
export function keysOf(task: Task, rule: Rule, nowMs: number): KeysResult {
  if (!goesByKey(rule)) return none
  const scope = scopeOf(task, rule, wayOf(rule, task).captures(task.event), nowMs, beforeSteps)
  const { dedup } = rule
  const key = hasKeyLimit(rule) ? rendered(rule.key, scope, 'key') : null
  if (key !== null && typeof key !== 'string') return key
  if (dedup === null) return { kind: 'keys', keys: { key, window: null } }
  const ofWindow = rendered(dedup.key, scope, 'the key of `dedup`')
  if (typeof ofWindow !== 'string') return ofWindow
  const version = dedup.version === null ? null : versionFrom(dedup.version, scope)
  if (version !== null && typeof version !== 'string') return version
  const { topic, partition, offset, timestampMs: timeMs } = task.event.record
  const stamp = { version, source: `${topic}/${partition}`, offset, timeMs }
  return { kind: 'keys', keys: { key, window: { key: ofWindow, stamp } } }
}

function hasKeyLimit({ order, concurrencyPerKey }: Rule): boolean {
  return order === 'key' || concurrencyPerKey !== null
}

type Dead = Extract<KeysResult, { kind: 'dead' }>

function rendered(template: TextTemplate | null, scope: Scope, what: string): string | Dead {
  invariant(template !== null, `a rule that goes by key has none: ${what}`)
  try {
    return template(scope)
  } catch (error) {
    const ended = notRendered(error)
    if (ended.kind === 'no-result') throw error // a key stands before the steps and reads none
    const { failure } = ended
    return dead(deadReasonOf(failure), `${what}: ${describeFailure(failure)}`)
  }
}

function versionFrom(template: TextTemplate, scope: Scope): string | Dead {
  const text = rendered(template, scope, 'the version of `dedup`')
  if (typeof text !== 'string') return text
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return (
    versionOf(text) ??
    dead('template-error', `the version of \`dedup\`: neither number nor RFC 3339 time: ${shown}`)
  )
}

function dead(reason: DeadReason, error: string): Dead {
  return { kind: 'dead', reason, error }
}
