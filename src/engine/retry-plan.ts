import type { RetryPolicy } from '../rules/retry-policy.ts'

export type RetryPlan =
  | { readonly kind: 'retry'; readonly tierMs: number; readonly dueMs: number }
  | { readonly kind: 'exhausted'; readonly by: 'attempts' | 'age' }

export interface FailedAttempt {
  /** 1-based number of the attempt that has just failed. */
  readonly attempt: number
  /** When the first attempt of the task failed, milliseconds since 1970. */
  readonly firstFailedMs: number
  /** What the target asked for, or `null`. */
  readonly retryAfterMs: number | null
}

/**
 * When and through which tier a failed task comes back, or that it does not.
 *
 * The delay grows by `factor` from `firstMs` to `maxMs`; a target's Retry-After raises it, up to
 * `maxMs` as well. It is then rounded up to a tier, the longest tier standing in for anything above
 * it. Jitter is added behind the tier, never taken off: a task never comes back sooner than its
 * target asked, and tasks that failed together come back apart.
 *
 * @param tiersMs - ascending, at least one
 * @param sample - from [0, 1); passed in so that the function stays pure
 */
export function planRetry(
  policy: RetryPolicy,
  failed: FailedAttempt,
  tiersMs: readonly number[],
  nowMs: number,
  sample: number,
): RetryPlan {
  if (failed.attempt >= policy.attemptsMax) return { kind: 'exhausted', by: 'attempts' }
  const grown = policy.firstMs * policy.factor ** (failed.attempt - 1)
  const wantedMs = Math.min(policy.maxMs, Math.max(grown, failed.retryAfterMs ?? 0))
  const tierMs = tiersMs.find((tier) => tier >= wantedMs) ?? tiersMs.at(-1) ?? wantedMs
  const dueMs = nowMs + Math.round(tierMs * (1 + policy.jitter * sample))
  if (policy.ageMaxMs !== null && dueMs - failed.firstFailedMs > policy.ageMaxMs) {
    return { kind: 'exhausted', by: 'age' }
  }
  return { kind: 'retry', tierMs, dueMs }
}
