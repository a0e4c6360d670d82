import type { Failure } from './failure.ts'

/** How one action of a task ended. */
export type Outcome =
  | { readonly kind: 'success'; readonly detail: 'ok' | 'already_absent' }
  /** Worth another attempt. */
  | { readonly kind: 'retry'; readonly failure: Failure }
  /** The request itself is wrong: another attempt would fail alike. */
  | { readonly kind: 'dead'; readonly failure: Failure }
  /** The process is stopping or lost the partition: nothing is known, nothing may be settled. */
  | { readonly kind: 'aborted' }

/** Why a (rule, event) is not acted on. A skip is not an error; it is counted by its reason. */
export type SkipReason = 'disabled' | 'no-longer-matches'

/** Why a task went to the dead letters: the label of `sluice_rule_dead_total`. */
export type DeadReason =
  | 'exhausted' // attempts or age used up; the failure's own kind stands beside it
  | 'status'
  | 'guard'
  | 'template-error'
  | 'too-large'
  | 'loop'
  | 'rule-gone'
  | 'undecodable'
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'dns'
  | 'tls'
