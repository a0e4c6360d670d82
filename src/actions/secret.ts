import type { CompileContext } from '../rules/action-kind.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { ReportAction } from './report-action.ts'

/** Stands for every secret where no config is known: such rules are checked and never run. */
const unknownSecret = '***'

/** The value of a secret, or `null` after reporting that there is none of this name. */
export function secretOf(
  name: string,
  { secrets }: Pick<CompileContext, 'secrets'>,
  at: readonly (string | number)[],
  report: ReportAction,
): string | null {
  if (secrets === null) return unknownSecret
  const value = secrets.get(name)
  if (value !== undefined) return value
  const hint = didYouMean(name, secrets.keys()) ?? 'add it to the secrets of the config'
  report(at, 'unknown-secret', `there is no secret \`${name}\``, hint)
  return null
}
