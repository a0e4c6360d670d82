import type { Interval, Scalar } from '../condition.ts'

/** One thing that can be looked up in an event: a rule may be filed under it. */
export type Key =
  | {
      readonly kind: 'one-of'
      readonly values: ReadonlySet<Scalar>
      /** The texts among `values` are folded, and so is what is looked up. */
      readonly ci: boolean
    }
  | {
      readonly kind: 'prefix' | 'suffix' | 'contains'
      readonly text: string
      readonly ci: boolean
    }
  | { readonly kind: 'range'; readonly interval: Interval }
  | { readonly kind: 'cidr'; readonly source: string }
  /** `beyond`: the test asks more than that the field is there, but nothing that can be looked up. */
  | { readonly kind: 'present'; readonly beyond: string | null }
  | { readonly kind: 'absent' }
  /** Texts of together more UTF-16 units: a rule whose regex would read them may be in doubt. */
  | { readonly kind: 'too-long'; readonly unitsMax: number }
