import { z } from 'zod'

/** More headers, fields or hosts than any target reads. */
export const entriesMax = 100

/** A template, or a value that needs none. */
export const scalar = z.union([z.string(), z.number(), z.boolean()], {
  error: 'a text, a number, true or false',
})

/** Literal names and templates: headers, query values, fields of a form. */
export const table = z
  .record(z.string(), scalar)
  .refine((value) => Object.keys(value).length <= entriesMax, {
    error: `a map of at most ${entriesMax} entries`,
  })
