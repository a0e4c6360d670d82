import type { Failure } from '../model/failure.ts'
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

/** A template reads the result of `step`, and no step was carried out (`Scope.steps` is null). */
export class NoResult extends RenderError {
  readonly step: string

  constructor(step: string) {
    super('template', `the step \`${step}\` was not carried out`)
    this.step = step
  }
}

export type NotRendered =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'no-result'; readonly step: string }

/** What a template threw, as a value. Anything but a `RenderError` is a bug and is thrown on. */
export function notRendered(error: unknown): NotRendered {
  if (error instanceof NoResult) return { kind: 'no-result', step: error.step }
  if (!(error instanceof RenderError)) throw error
  const { kind, message } = error
  // All that a template can do against the guard is to name another host.
  const failure: Failure = kind === 'guard' ? { kind, reason: 'host', message } : { kind, message }
  return { kind: 'failed', failure }
}

/** Path of a value below what is being compiled: `['headers', 'host']`. */
export type At = readonly (string | number)[]

/** Codes that the compiler reports. */
export type TemplateProblemCode = Extract<
  ProblemCode,
  `template-${string}` | 'unknown-list' | 'unknown-secret'
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
