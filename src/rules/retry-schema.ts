import { z } from 'zod'
import { refuse } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'

/** Each is far above what a person writes. */
const attemptsMax = 100

const dayMs = 86_400_000

const outcomes = z
  .array(
    z
      .union([z.string(), z.int()], { error: 'an outcome such as `5xx`, `429` or `timeout`' })
      .transform(String)
      .pipe(
        z.string().regex(/^([2-5]xx|[2-5]\d\d|timeout|refused|reset|dns|tls)$/, {
          error: 'a status (`503`, `5xx`) or timeout, refused, reset, dns, tls',
        }),
      ),
  )
  .max(attemptsMax)

const backoff = z
  .strictObject({
    first: durationMs({ max: 7 * dayMs })
      .optional()
      .describe('Delay after the first failure. Default: `10s`.'),
    factor: z.number().min(1).max(100).optional().describe('Growth per attempt. Default: 4.'),
    max: durationMs({ max: 7 * dayMs })
      .optional()
      .describe('The longest delay, also for what a target asks by Retry-After. Default: `1h`.'),
    jitter: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('Share of the delay that chance may add. Default: 0.2.'),
  })
  .superRefine(({ first, max }, context) => {
    if (first === undefined || max === undefined || first <= max) return
    refuse(context, 'bad-value', '`first` is longer than `max`', null, ['first'])
  })

export const retry = z
  .strictObject({
    attempts: z
      .int()
      .min(1)
      .max(attemptsMax)
      .optional()
      .describe('Attempts in all, the first included. Default: 5.'),
    max_age: durationMs()
      .optional()
      .describe('Give up when this long has passed since the first failure. Default: never.'),
    backoff: backoff.optional(),
    on: outcomes.optional().describe('Outcomes to try again on, beside those of the action kind.'),
    never_on: outcomes.optional().describe('Outcomes that go to the dead letters at once.'),
    success_on: outcomes.optional().describe('Outcomes that count as success.'),
  })
  .describe('When a failed task is tried again.')
