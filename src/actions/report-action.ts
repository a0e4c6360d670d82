import type { ProblemCode } from '../schema/problem-code.ts'

/** Reports what is wrong, at a path below the action, beside the problems of its templates. */
export type ReportAction = (
  at: readonly (string | number)[],
  code: Extract<ProblemCode, `action-${string}` | 'unknown-secret'>,
  message: string,
  hint?: string,
) => void
