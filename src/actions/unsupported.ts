import { z } from 'zod'
import type { ReportAction } from './problem-code.ts'

/** A key of the language that is not built yet: known to the schema, so that it is told apart from
 * a slip, and refused by `reportUnsupported`. */
export const unsupported = z.unknown().optional().describe('Not supported yet.')

/** Reports those of `keys` that `spec` holds. */
export function reportUnsupported<Key extends string>(
  spec: { readonly [key in Key]?: unknown },
  keys: readonly Key[],
  report: ReportAction,
): void {
  for (const key of keys) {
    if (spec[key] !== undefined)
      report([key], 'not-supported-yet', `\`${key}\` is not supported yet`)
  }
}
