import type { RetryPolicy } from './retry-policy.ts'

/** What a rule is where neither it nor its file says otherwise (docs/rules.md, 1). */
export const ruleDefaults = {
  lane: 'default',
  concurrency: 30,
  timeoutMs: 10_000,
  dedup: {
    keep: 'both' as const,
    onOutage: 'run' as const,
    /** With `keep: last`, how many windows the first event waits at most. */
    waitWindows: 10,
  },
  retry: {
    attemptsMax: 5,
    ageMaxMs: null,
    firstMs: 10_000,
    factor: 4,
    maxMs: 3_600_000,
    jitter: 0.2,
    on: [],
    neverOn: [],
    successOn: [],
  } satisfies RetryPolicy as RetryPolicy, // as: the literal's `null` and `[]` are narrower than the policy
}
