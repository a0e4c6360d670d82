import type { Json } from '../model/json.ts'
import type { Event } from '../model/event.ts'
import type { At } from '../schema/yaml-document.ts'

/*
 * A `when` as a tree, parsed once at load (docs/rules.md, 2). Everything that has to know what a
 * rule asks for reads this one tree: the compiled check that matching runs, the index, `explain`,
 * and the linter.
 */

/** Keys of a block that are no paths. A field of such a name is written with `\\` before it. */
export const blockKeys = ['any', 'all', 'none', 'some', 'expr', 'full_scan'] as const

export type BlockKey = (typeof blockKeys)[number]

export type Scalar = null | boolean | number | string

/**
 * Whether a condition holds. In doubt it is neither: a value is too long for a regex, or an
 * expression fails on this event. Logic is Kleene's (false and doubt is false, true or doubt is
 * true, not doubt is doubt), so that no order of evaluation matters; of two doubts the one that
 * stands first in `Doubt` is named.
 */
export type Truth = boolean | Doubt

export type Doubt = 'value-too-long' | 'expr-error'

export type Condition =
  | {
      readonly kind: 'test'
      readonly path: FieldPath
      readonly test: FieldTest
      readonly written: Json
      readonly at: At
    }
  /** `all` of nothing holds. */
  | { readonly kind: 'all' | 'any' | 'none'; readonly of: readonly Condition[]; readonly at: At }
  /** One and the same element of the list at `path` satisfies `where`, whose paths start there. */
  | {
      readonly kind: 'some'
      readonly path: FieldPath
      readonly where: Condition
      readonly at: At
    }
  | { readonly kind: 'expr'; readonly expr: Expr; readonly at: At }

/** What is asked of the value at a path: an own value, null, a list, or nothing (absent). */
export type FieldTest =
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }
  /** The value itself, or some member of the list that the value is. */
  | { readonly kind: 'element'; readonly test: ElementTest }
  /** True when absent, unless the inner test holds for what is absent. */
  | { readonly kind: 'not'; readonly test: FieldTest }
  | { readonly kind: 'every'; readonly tests: readonly FieldTest[] }
  | { readonly kind: 'has-all' | 'has-only'; readonly members: ReadonlySet<Scalar> }
  /** Of a list. */
  | { readonly kind: 'len'; readonly interval: Interval }
  | { readonly kind: 'same-as' | 'differs-from'; readonly path: FieldPath }

/** What is asked of one value that is no list. */
export type ElementTest =
  /** Equality is a set of one. With `ci` the texts among `values` are folded, and so is what is seen. */
  | {
      readonly kind: 'one-of'
      readonly values: ReadonlySet<Scalar>
      readonly ci: boolean
      /** The name in `lists` where it was written with `in`. */
      readonly list: string | null
    }
  /** With `ci`, `text` is folded. */
  | { readonly kind: 'prefix' | 'suffix' | 'contains'; readonly text: string; readonly ci: boolean }
  | { readonly kind: 'glob'; readonly glob: Glob; readonly ci: boolean }
  | { readonly kind: 'regex'; readonly regex: Regex }
  | { readonly kind: 'range'; readonly interval: Interval }
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'not'; readonly test: ElementTest }
  | { readonly kind: 'every'; readonly tests: readonly ElementTest[] }

/** Numbers from `min` to `max`; an end is left out when it is open. Infinite where it is not given. */
export interface Interval {
  readonly min: number
  readonly minOpen: boolean
  readonly max: number
  readonly maxOpen: boolean
}

/** `*` is any run of characters; the literal pieces around the stars, folded with `ci`. */
export interface Glob {
  readonly source: string
  /** Before the first star, between stars, behind the last one: at least one piece, perhaps empty. */
  readonly pieces: readonly string[]
}

/** A block of addresses, of either family. */
export interface Cidr {
  readonly source: string
  /** False for what is no address, and for one of the other family. */
  readonly contains: (text: string) => boolean
}

/** A regex of RE2's syntax that runs in linear time. Whoever calls checks the length of the text. */
export interface Regex {
  readonly source: string
  /** Ignores case. */
  readonly ci: boolean
  /** `^` and a text, nothing else: the test `prefix` says the same, and is quicker. */
  readonly isPlainPrefix: boolean
  /** Names of its groups. */
  readonly groups: readonly string[]
  /** What every text that matches begins with, or contains; `null` where nothing is proven. */
  readonly literal: {
    readonly kind: 'equals' | 'prefix' | 'contains'
    readonly text: string
  } | null
  readonly test: (text: string) => boolean
  /** Texts of the named groups that took part; `null` where it does not match. */
  readonly captures: (text: string) => Readonly<Record<string, string>> | null
}

/** A CEL expression, checked at load. Never throws. */
export interface Expr {
  readonly source: string
  /** `element` is what the name means within `where` of a `some`. */
  readonly holds: (event: Event, element?: Json) => boolean | { readonly error: string }
}

/** What a dotted path reads. Absent is `undefined`. */
export interface FieldPath {
  /** In one spelling, equal for paths that read the same: `meta.domain`, `@topic`. */
  readonly text: string
  /** Where it starts; `element`: within `where` of a `some`. */
  readonly from: 'event' | 'element' | 'record'
  /** Names from the start on; empty for the record. */
  readonly steps: readonly string[]
  /** `element` is what `element` paths start at; of no meaning to the others. */
  readonly read: (event: Event, element: Json | undefined) => Json | undefined
}
