import { printable } from '../model/printable.ts'
import type { ProgramDeps } from './program-deps.ts'
import { stylesFor } from './styles.ts'

/** Why a command did not do what was asked, and what to do about it. */
export interface Complaint {
  readonly exitCode: number
  readonly message: string
  /** What to do next. */
  readonly hint: string
}

/** Tells it on stderr, and gives the exit code. */
export function complain(
  { stderr, env }: Pick<ProgramDeps, 'stderr' | 'env'>,
  { exitCode, message, hint }: Complaint,
): number {
  const { red } = stylesFor(stderr, env)
  stderr.write(`${red('error')}: ${printable(message)}\n  hint: ${printable(hint)}\n`)
  return exitCode
}
