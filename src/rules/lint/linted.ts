import type { Places } from '../../schema/reporter.ts'
import type { At } from '../../schema/yaml-document.ts'
import type { Rule } from '../rule.ts'

/** A rule without an error of its own, and where it is written. */
export interface Linted {
  readonly rule: Rule
  readonly at: At
  readonly document: Places
  /** Has neither `when` nor `unless`. */
  readonly matchesAll: boolean
  /** `dedup.key` as it is written; `null`: it is that of the rule, or there is no `dedup`. */
  readonly dedupKey: string | null
}
