import type { Problem } from '../../model/problem.ts'
import { formatDuration } from '../../model/units.ts'
import type { RetryPolicy } from '../retry-policy.ts'
import type { Linted } from './linted.ts'

/**
 * A window that lasts longer than a failed task is tried again. Only what succeeded opens a window:
 * a dead letter gives its key back, so that while a target is down for longer than the retries last,
 * each event of the key is tried in its turn. A rule that asks for no retries knows that.
 *
 * @param tiersMs - ascending
 */
export function windowAboveRetries(
  { rule, at, document }: Linted,
  tiersMs: readonly number[],
): readonly Problem[] {
  const window = rule.dedup?.window ?? null
  if (window === null || rule.retry.attemptsMax < 2 || tiersMs.length === 0) return []
  // In order they wait in place, exactly; else in a tier that is long enough.
  const spanMs = retrySpanMs(rule.retry, rule.order === 'key' ? [] : tiersMs)
  if (window.ms <= spanMs) return []
  return [
    document.problemAt([...at, 'dedup', 'window'], 'value', {
      severity: 'warning',
      code: 'window-above-retries',
      message:
        `the window of ${formatDuration(window.ms)} outlasts the retries, which are spent after ${roughly(spanMs)}: ` +
        'a task that has failed until then is a dead letter, and the next event of its key is acted on within the same window',
      hint: 'nothing is lost by it; for `once in a window` while a target is down for long, raise `retry` or shorten `window`',
    }),
  ]
}

/** From the first failure to the last attempt, chance left aside. Without tiers each delay is as it is. */
function retrySpanMs(
  { attemptsMax, firstMs, factor, maxMs, ageMaxMs }: RetryPolicy,
  tiersMs: readonly number[],
): number {
  let spanMs = 0
  for (let attempt = 1; attempt < attemptsMax; attempt++) {
    const wantedMs = Math.min(maxMs, firstMs * factor ** (attempt - 1))
    spanMs += tiersMs.find((tier) => tier >= wantedMs) ?? tiersMs.at(-1) ?? wantedMs
    if (ageMaxMs !== null && spanMs >= ageMaxMs) return ageMaxMs
  }
  return spanMs
}

/** In whole units of which there are at least two: people do not think of 4270s. */
function roughly(ms: number): string {
  const units = [86_400_000, 3_600_000, 60_000, 1_000]
  const unit = units.find((one) => ms >= 2 * one) ?? 1
  const rounded = Math.round(ms / unit) * unit
  const text = formatDuration(rounded)
  return rounded === ms ? text : `about ${text}`
}
