import type { Problem } from '../model/problem.ts'
import type { ProblemCode } from './problem-code.ts'
import type { At, Complaint } from './yaml-document.ts'

/** Collects what is wrong with one document, at paths of its value. */
export interface Reporter {
  readonly problems: readonly Problem[]
  /** At a value; of what is not there, at the last key on the way. */
  error(at: At, code: ProblemCode, message: string, hint?: string | null): void
  /** At the key of a value. */
  errorAtKey(at: At, code: ProblemCode, message: string, hint?: string | null): void
  /** At the key of a value. */
  warning(at: At, code: ProblemCode, message: string, hint?: string | null): void
  /** The line of the key of a value, 1-based, for messages that name a second place. */
  lineOf(at: At): number
}

/** What a reporter needs of a document: a place for each complaint. */
export interface Places {
  problemAt(at: At, part: 'key' | 'value', complaint: Complaint): Problem
}

/** What a place is asked with; nobody reads it. */
const asked: Complaint = { severity: 'error', code: 'bad-test', message: '', hint: null }

export function createReporter(places: Places): Reporter {
  const problems: Problem[] = []
  const add =
    (severity: Problem['severity'], part: 'key' | 'value') =>
    (at: At, code: ProblemCode, message: string, hint: string | null = null): void => {
      const problem = places.problemAt(at, part, { severity, code, message, hint })
      // The secret itself may stand where its name belongs.
      problems.push(code === 'unknown-secret' ? { ...problem, source: null } : problem)
    }
  return {
    problems,
    error: add('error', 'value'),
    errorAtKey: add('error', 'key'),
    warning: add('warning', 'key'),
    lineOf: (at) => places.problemAt(at, 'key', asked).line,
  }
}

/** In the order in which a reader meets them: by file, line and column. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted(
    (a, b) => byText(a.file, b.file) || a.line - b.line || a.column - b.column,
  )
}

function byText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
