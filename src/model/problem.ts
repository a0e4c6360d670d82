/** Something wrong in a rule file or a config file, with all that a person needs to mend it. */
export interface Problem {
  /** As the user named it, relative where they did. */
  readonly file: string
  /** 1-based; 1:1 when the problem is the file as a whole. */
  readonly line: number
  readonly column: number
  readonly severity: 'error' | 'warning'
  /** Stable, kebab-case, listed in docs/errors.md. */
  readonly code: string
  /** What was found and what was expected, in one sentence. */
  readonly message: string
  /** What to do about it, or `null`. */
  readonly hint: string | null
  /** The line of the file, without its end, and how many characters to underline; for the caret. */
  readonly source: { readonly text: string; readonly length: number } | null
}
