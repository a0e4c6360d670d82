import type { RetryPolicy } from './retry-policy.ts'
import { ruleDefaults } from './rule-defaults.ts'
import type { RuleShape } from './rule-schema.ts'
import type { Rule } from './rule.ts'

type Settings = Pick<
  Rule,
  | 'description'
  | 'owner'
  | 'labels'
  | 'enabled'
  | 'mode'
  | 'lane'
  | 'maxAgeMs'
  | 'maxRootAgeMs'
  | 'concurrency'
  | 'concurrencyPerKey'
  | 'order'
  | 'timeoutMs'
  | 'retry'
>

/** What a rule says in plain values, filled up with what the language says where it does not. */
export function settingsOf(shape: RuleShape): Settings {
  const { concurrency = {} } = shape
  const { limit, per_key: perKey } =
    typeof concurrency === 'number' ? { limit: concurrency } : concurrency
  return {
    description: shape.description ?? null,
    owner: shape.owner ?? null,
    labels: shape.labels ?? {},
    enabled: shape.enabled ?? true,
    mode: shape.mode ?? 'live',
    lane: shape.lane ?? ruleDefaults.lane,
    maxAgeMs: shape.max_age ?? null,
    maxRootAgeMs: shape.max_root_age ?? null,
    concurrency: limit ?? ruleDefaults.concurrency,
    concurrencyPerKey: perKey ?? null,
    order: shape.order ?? 'none',
    timeoutMs: shape.timeout ?? ruleDefaults.timeoutMs,
    retry: retryPolicyOf(shape.retry),
  }
}

/** Who raises only `first`, or lowers only `max`, means just that: the other one follows. */
export function retryPolicyOf(shape: RuleShape['retry']): RetryPolicy {
  const fallback = ruleDefaults.retry
  const { first, max, factor, jitter } = shape?.backoff ?? {}
  const firstMs = first ?? Math.min(fallback.firstMs, max ?? fallback.firstMs)
  return {
    attemptsMax: shape?.attempts ?? fallback.attemptsMax,
    ageMaxMs: shape?.max_age ?? fallback.ageMaxMs,
    firstMs,
    factor: factor ?? fallback.factor,
    maxMs: max ?? Math.max(fallback.maxMs, firstMs),
    jitter: jitter ?? fallback.jitter,
    on: shape?.on ?? fallback.on,
    neverOn: shape?.never_on ?? fallback.neverOn,
    successOn: shape?.success_on ?? fallback.successOn,
  }
}
