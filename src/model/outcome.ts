import type { Failure, FailureKind } from './failure.ts'
import type { Json } from './json.ts'

/** How one action of a task ended. */
export type Outcome =
  | {
      readonly kind: 'success'
      readonly detail: 'ok' | 'already_absent'
      /** What later steps read as `steps.<name>`; `null` when it is not kept. */
      readonly result: Json
    }
  /** Worth another attempt. */
  | { readonly kind: 'retry'; readonly failure: Failure }
  /** The request itself is wrong: another attempt would fail alike. */
  | { readonly kind: 'dead'; readonly failure: Failure }
  /** The process is stopping or lost the partition: nothing is known, nothing may be settled. */
  | { readonly kind: 'aborted' }

/** Why a (rule, event) is not acted on. A skip is not an error; it is counted by its reason. */
export type SkipReason =
  | 'disabled'
  /** A regex of the rule sees a value of more than 64 KiB. */
  | 'value-too-long'
  /** An `expr` of the rule cannot be evaluated on this event. */
  | 'expr-error'
  /** Older than `max_age`, or its root older than `max_root_age`. */
  | 'too-old'
  /** Not among those that `sample` takes. */
  | 'sampled'
  /** With `keep: first`: another event of its key was acted on in this window. */
  | 'duplicate'
  /** A newer event of its key was acted on, is going to be, or is among the dead letters. */
  | 'superseded'
  /** The rule is in shadow mode: everything was done but the side effect. */
  | 'shadow'
  /** In shadow mode: what would be a dead letter with this reason if the rule were live. */
  | 'template-error'
  /** A retry whose event the rule, as it is by now, does not match any more. */
  | 'no-longer-matches'
  /** Matched here, but the partition went elsewhere before it was run: its next owner runs it. */
  | 'reassigned'

const allSkipReasons: Readonly<Record<SkipReason, true>> = {
  disabled: true,
  'value-too-long': true,
  'expr-error': true,
  'too-old': true,
  sampled: true,
  duplicate: true,
  superseded: true,
  shadow: true,
  'template-error': true,
  'no-longer-matches': true,
  reassigned: true,
}

export const skipReasons = Object.keys(allSkipReasons) as readonly SkipReason[] // as: see its type

/** Why a task went to the dead letters: header `sluice-reason`, label of `sluice_rule_dead_total`. */
export type DeadReason = Exclude<FailureKind, 'template'> | 'template-error' | 'loop' | 'rule-gone'

const allDeadReasons: Readonly<Record<DeadReason, true>> = {
  timeout: true,
  refused: true,
  reset: true,
  dns: true,
  tls: true,
  status: true,
  guard: true,
  'too-large': true,
  'template-error': true,
  loop: true,
  'rule-gone': true,
  undecodable: true,
}

export const deadReasons = Object.keys(allDeadReasons) as readonly DeadReason[] // as: see its type

/** The failure of an action as the reason of a dead letter. */
export function deadReasonOf(failure: Failure): DeadReason {
  return failure.kind === 'template' ? 'template-error' : failure.kind
}
