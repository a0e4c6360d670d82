/*
 * What an answer of an HTTP target means: the table of docs/rules.md, 4, as a total function, and
 * what rules and actions say otherwise. Asked once per answer, which a look into short lists is cheap
 * for; a table of all statuses for each of 100,000 rules is not.
 */

export type Verdict = 'success' | 'retry' | 'dead'

/** Ways in which a call ends without a status. Rules use these names. */
export const networkOutcomes = ['timeout', 'refused', 'dns', 'tls', 'reset'] as const
type NetworkOutcome = (typeof networkOutcomes)[number]

/** One place that says otherwise than the table: an action, or the `retry` of its rule. */
export interface PolicyOverride {
  readonly success: readonly string[]
  readonly dead: readonly string[]
  readonly retry: readonly string[]
}

export interface StatusPolicy {
  ofStatus(status: number): Verdict
  ofNetwork(outcome: NetworkOutcome): Verdict
}

const nameForm = /^[1-5](?:xx|\d\d)$/

/** Whether `name` is an outcome that rules can name: `2xx`, `429`, `timeout`, `refused` ... */
export function isOutcomeName(name: string): boolean {
  return nameForm.test(name) || networkOutcomes.some((known) => known === name)
}

/** The hint for a name that is none. */
export const outcomeNamesHint = `outcomes are statuses (429), classes (5xx), ${networkOutcomes.join(', ')}`

/** Statuses that say about a purge: what should go is not there. */
const absentStatuses = new Set([404, 410, 412])

/** Whether `status` means, for `method`, that there was nothing to do. */
export function isAlreadyAbsent(method: string, status: number): boolean {
  return method === 'PURGE' && absentStatuses.has(status)
}

const retriedStatuses = new Set([401, 403, 407, 408, 409, 423, 425, 429])

/**
 * The default verdict; total over all numbers. A final answer of 1xx is a broken target that would
 * answer alike again. What lies outside 100-599 counts as 5xx (RFC 9110, 15).
 */
export function defaultVerdict(method: string, status: number): Verdict {
  if (isAlreadyAbsent(method, status)) return 'success'
  if (status >= 200 && status <= 299) return 'success'
  if (status >= 100 && status <= 499) return retriedStatuses.has(status) ? 'retry' : 'dead'
  return status === 501 || status === 505 ? 'dead' : 'retry'
}

/**
 * Compiles the policy of one action. Of `overrides` an earlier one wins: the action's before the
 * rule's, both before the table. Within one, a status wins over its class (`404` over `4xx`), and
 * of two lists that name the same, dead letter wins over success and success over retry.
 */
export function compileStatusPolicy(
  method: string,
  overrides: readonly PolicyOverride[],
): StatusPolicy {
  const said = overrides.filter(
    ({ success, dead, retry }) => success.length + dead.length + retry.length > 0,
  )
  return {
    ofStatus(status) {
      const isClassed = status >= 0 && status <= 599
      const names = isClassed ? [String(status), `${Math.floor(status / 100)}xx`] : []
      return overridden(names, said) ?? defaultVerdict(method, status)
    },
    ofNetwork: (outcome) => overridden([outcome], said) ?? 'retry',
  }
}

function overridden(
  names: readonly string[],
  overrides: readonly PolicyOverride[],
): Verdict | null {
  for (const { dead, success, retry } of overrides) {
    for (const name of names) {
      if (dead.includes(name)) return 'dead'
      if (success.includes(name)) return 'success'
      if (retry.includes(name)) return 'retry'
    }
  }
  return null
}
