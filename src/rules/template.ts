import type { Json } from '../model/json.ts'
import type { ProblemCode } from '../schema/problem-code.ts'
import type { Scope } from './scope.ts'

/** Renders to a text that is already encoded for its position. Throws `RenderError` and only that. */
export type TextTemplate = (scope: Scope) => string
/** Renders a `json:` tree; a value that is exactly one tag keeps its type. Throws `RenderError`. */
export type JsonTemplate = (scope: Scope) => Json

export interface UrlTemplate {
  /** The URL as it goes on the wire: absolute, encoded, already in the form a URL parser gives it. */
  readonly render: TextTemplate
  /** The same for people: what was made with a secret (`| hmac`) reads `***`. */
  readonly renderMasked: TextTemplate
}

/** Where a text goes, which decides how values are escaped and what they may hold. */
export type Position =
  | 'header' // a header value: printable ASCII, no control characters
  | 'form' // a value of an application/x-www-form-urlencoded body
  | 'text' // a body or a key as it is: nothing is escaped

/** What could not be rendered and why, in a sentence that names the tag. */
export class RenderError extends Error {
  override readonly name = 'RenderError'
  readonly kind: 'template' | 'guard' | 'too-large'

  constructor(kind: 'template' | 'guard' | 'too-large', message: string) {
    super(message)
    this.kind = kind
  }
}

/** Path of a value below what is being compiled: `['headers', 'host']`. */
export type At = readonly (string | number)[]

/** Codes that the compiler reports. */
export type TemplateProblemCode = Extract<
  ProblemCode,
  `template-${string}` | 'unknown-list' | 'unknown-secret' | 'not-supported-yet'
>

/** Compiles templates of one action. Each method reports what is wrong, at `at`, and gives `null`. */
export interface TemplateCompiler {
  text(source: string, position: Position, at: At): TextTemplate | null
  /** URL and query become one encoded, absolute URL; see docs/rules.md, 3 for what never changes. */
  url(
    source: string,
    query: Readonly<Record<string, string>>,
    allowHosts: readonly string[],
    at: { readonly url: At; readonly query: At },
  ): UrlTemplate | null
  json(source: Json, at: At): JsonTemplate | null
}
