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
  /** The templates of its keys, as far as it names any. */
  readonly keys: readonly WrittenKey[]
}

/** A key as it is written, and where in the rule: `['dedup', 'key']`. */
interface WrittenKey {
  readonly below: At
  readonly text: string
}
