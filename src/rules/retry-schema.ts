import { z } from 'zod'
import { durationForm, formatDuration } from '../model/units.ts'
import { insteadOfMap, refuse } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'
import { ruleDefaults } from './rule-defaults.ts'

/** Each is far above what a person writes. */
const attemptsMax = 100

const fallback = ruleDefaults.retry

const dayMs = 86_400_000

const outcomeForm = /^([2-5]xx|[2-5]\d\d|timeout|refused|reset|dns|tls)$/

const outcomes = z
  .array(
    z
      .union(
        [
          z.string().meta({ pattern: outcomeForm.source }),
          z.int().meta({ minimum: 200, maximum: 599 }),
        ],
        { error: 'an outcome such as `5xx`, `429` or `timeout`' },
      )
      .transform(String)
      .pipe(
        z.string().regex(outcomeForm, {
          error: 'a status (`503`, `5xx`) or timeout, refused, reset, dns, tls',
        }),
      ),
  )
  .max(attemptsMax)

const backoff = z
  .strictObject(
    {
      first: durationMs({ max: 7 * dayMs })
        .optional()
        .describe('Delay after the first failure.')
        .meta({ default: formatDuration(fallback.firstMs) }),
      factor: z
        .number()
        .min(1)
        .max(100)
        .optional()
        .describe('Growth per attempt.')
        .meta({ default: fallback.factor }),
      max: durationMs({ max: 7 * dayMs })
        .optional()
        .describe('The longest delay, also for what a target asks by Retry-After.')
        .meta({ default: formatDuration(fallback.maxMs) }),
      jitter: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe('Share of the delay that chance may add.')
        .meta({ default: fallback.jitter }),
    },
    {
      error: insteadOfMap((value) =>
        typeof value === 'string' && durationForm.test(value) ? `first: ${value}` : 'first: 10s',
      ),
    },
  )
  .superRefine(({ first, max }, context) => {
    if (first === undefined || max === undefined || first <= max) return
    refuse(context, 'bad-value', '`first` is longer than `max`', null, ['first'])
  })

export const retry = z
  .strictObject(
    {
      attempts: z
        .int()
        .min(1)
        .max(attemptsMax)
        .optional()
        .describe('Attempts in all, the first included.')
        .meta({ default: fallback.attemptsMax }),
      max_age: durationMs()
        .optional()
        .describe('Give up when this long has passed since the first failure. Without it never.')
        .meta({ examples: ['1d'] }),
      backoff: backoff.optional().describe('How long it waits before the next attempt.'),
      on: outcomes
        .optional()
        .describe('Outcomes to try again on, beside those of the action kind.')
        .meta({ examples: [[404, '5xx', 'timeout']] }),
      never_on: outcomes
        .optional()
        .describe('Outcomes that go to the dead letters at once.')
        .meta({ examples: [[409, 'dns']] }),
      success_on: outcomes
        .optional()
        .describe('Outcomes that count as success.')
        .meta({ examples: [[404, 410]] }),
    },
    {
      error: insteadOfMap((value) =>
        typeof value === 'number' && Number.isInteger(value) ? `attempts: ${value}` : 'attempts: 5',
      ),
    },
  )
  .describe('When a failed task is tried again.')
  .meta({ examples: [{ attempts: 6, backoff: { first: '5s', max: '10m' } }] })
