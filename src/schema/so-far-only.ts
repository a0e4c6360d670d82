import type { z } from 'zod'
import { refuse } from './check-shape.ts'

/**
 * For a setting that is named with several values and has one so far. Setting another is refused as
 * such, never passed over.
 */
export function soFarOnly<Schema extends z.ZodType>(
  schema: Schema,
  key: string,
  value: z.output<Schema>,
): Schema {
  return schema.superRefine((given, context) => {
    if (given === value) return
    refuse(context, 'not-supported-yet', `\`${key}: ${String(given)}\` is not supported yet`)
  })
}
