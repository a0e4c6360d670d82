import { hash } from 'node:crypto'
import { describeFailure } from '../model/failure.ts'
import { isLoop } from '../model/lineage.ts'
import type { DeadReason, SkipReason } from '../model/outcome.ts'
import { deadReasonOf } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Firing, Rule, Sample } from '../rules/rule.ts'
import type { Scope } from '../rules/scope.ts'
import { notRendered } from '../rules/template.ts'
import { wayOf } from './attempt.ts'
import { beforeSteps, scopeOf } from './task-scope.ts'

/** Whether a rule that matched acts on the event, and if not, why not. */
export type Verdict =
  | { readonly kind: 'run' }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'dead'; readonly reason: DeadReason; readonly error: string }

export interface AdmitContext {
  readonly nowMs: number
  /** Derived events between the first event and this one, `limits.max_hops`. */
  readonly hopsMax: number
}

const run: Verdict = { kind: 'run' }

/**
 * Decides whether the rule of `firing` acts on an event that it matches. The checks run from cheap
 * to dear; those with a side effect (windows) will have their place at the end.
 */
export function admit(firing: Firing, task: Task, context: AdmitContext): Verdict {
  const verdict = readmit(firing, task, context)
  if (verdict.kind !== 'run') return verdict
  const { rule } = firing
  const { sample } = wayOf(rule, task)
  return sample === null ? run : sampled(sample, task, rule, context.nowMs)
}

/**
 * The same for a task that was admitted once: a retry, or one that was handed over. It is not
 * sampled again. It may have become too old, unless it has begun: half of it would be worse than
 * a late one.
 */
export function readmit(
  { rule, doubt }: Firing,
  task: Task,
  { nowMs, hopsMax }: AdmitContext,
): Verdict {
  const { event } = task
  if (!rule.enabled) return skip('disabled')
  if (doubt !== null) return skip(doubt)
  if (isLoop(event.lineage, rule.name, hopsMax)) {
    const way = [...event.lineage.path, rule.name].join(' -> ')
    const error = `${event.lineage.hops} hops from ${event.lineage.root}: ${way}`
    return { kind: 'dead', reason: 'loop', error }
  }
  return isTooOld(rule, task, nowMs) ? skip('too-old') : run
}

function skip(reason: SkipReason): Verdict {
  return { kind: 'skip', reason }
}

function isTooOld({ maxAgeMs, maxRootAgeMs }: Rule, task: Task, nowMs: number): boolean {
  if (maxAgeMs === null && maxRootAgeMs === null) return false
  if (task.step > 0 || task.item > 0) return false
  const { record, lineage } = task.event
  if (maxAgeMs !== null && nowMs - record.timestampMs > maxAgeMs) return true
  return maxRootAgeMs !== null && nowMs - lineage.rootTimeMs > maxRootAgeMs
}

function sampled({ rate, key }: Sample, task: Task, rule: Rule, nowMs: number): Verdict {
  if (rate >= 1) return run
  if (key === null) return isSampled(task.event.id, rate) ? run : skip('sampled')
  const text = keyText(
    key,
    scopeOf(task, rule, wayOf(rule, task).captures(task.event), nowMs, beforeSteps),
  )
  if (typeof text !== 'string') return text
  return isSampled(text, rate) ? run : skip('sampled')
}

function keyText(key: NonNullable<Sample['key']>, scope: Scope): string | Verdict {
  try {
    return key(scope)
  } catch (error) {
    const ended = notRendered(error)
    // A key stands before the steps and reads none of them.
    if (ended.kind === 'no-result') throw error
    const { failure } = ended
    return {
      kind: 'dead',
      reason: deadReasonOf(failure),
      error: `the key of \`sample\`: ${describeFailure(failure)}`,
    }
  }
}

/**
 * Whether a share of `rate` takes `key`. By the key alone, so that rules with the same key and rate
 * act on the same things, and one with a higher rate on those and more.
 *
 * SHA-1, though a CRC would cost less: a CRC is linear, so keys that differ in their last digits,
 * as ids do, fall into steps and not evenly. Nothing here must withstand an attacker.
 */
export function isSampled(key: string, rate: number): boolean {
  const first32Bits = Number.parseInt(hash('sha1', key, 'hex').slice(0, 8), 16)
  return first32Bits < rate * 2 ** 32
}
