import type { CompileContext } from '../rules/action-kind.ts'
import { unknownSecret } from '../schema/unknown-secret.ts'
import type { ReportAction } from './report-action.ts'

/** Stands for every secret where no config is known: such rules are checked and never run. */
const unreadSecret = '***'

/** The value of a secret, or `null` after reporting that there is none of this name. */
export function secretOf(
  name: string,
  { secrets }: Pick<CompileContext, 'secrets'>,
  at: readonly (string | number)[],
  report: ReportAction,
): string | null {
  if (secrets === null) return unreadSecret
  const value = secrets.get(name)
  if (value !== undefined) return value
  const { message, hint } = unknownSecret(at.join('.'), name, secrets.keys())
  report(at, 'unknown-secret', message, hint)
  return null
}
