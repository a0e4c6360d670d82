/** What actions report at load beside the problems of their templates; listed in docs/errors.md. */
export type ActionProblemCode =
  | 'action-method'
  | 'action-header'
  | 'action-body'
  | 'action-auth'
  | 'action-hosts'
  | 'action-outcome'
  | 'action-topic'
  | 'unknown-secret'

/** Reports at a path below the action, with a code of the closed list. */
export type ReportAction = (
  at: readonly (string | number)[],
  code: ActionProblemCode,
  message: string,
  hint?: string,
) => void
