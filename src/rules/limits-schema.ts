import { z } from 'zod'
import { parseDurationMs } from '../model/units.ts'
import { refuse } from '../schema/check-shape.ts'
import { quote } from '../schema/describe.ts'
import { durationMs } from '../schema/quantities.ts'

/*
 * How much a rule may do at once, how often and in which order: `concurrency`, `rate`, `order`,
 * `dedup`, `breaker`. What is read in full here and not built yet is refused behind the schema
 * (not-built-yet.ts), so that a mistake in it is told as well.
 */

/** Each is far above what a person means. */
const concurrencyMax = 10_000
const rateMax = 1_000_000
const failuresMax = 10_000

const dayMs = 86_400_000

/** What a key, a version or a URL may be written with. */
const template = z.string().min(1).max(8_192)

const scope = z
  .enum(['process', 'cluster'])
  .describe(
    '`process`: of each replica on its own. `cluster`: of all together. Default: `process`.',
  )

const limit = z.int().min(1).max(concurrencyMax)

export const concurrency = z
  .union(
    [
      limit,
      z.strictObject({
        limit: limit.describe('Attempts at once, of all keys.'),
        per_key: limit.optional().describe('Attempts at once for one key of the rule.'),
        scope: scope.optional(),
      }),
    ],
    { error: 'a whole number, or `{ limit }`' },
  )
  .describe('Attempts at once in this process. Default: 30.')

const rateText = z.string().transform((text, context) => {
  const [, many = '', unit = ''] = /^(\d+(?:\.\d+)?)\/(s|m|h|d)$/.exec(text) ?? []
  const perMs = parseDurationMs(`1${unit}`)
  const limit = Number(many)
  if (perMs !== null && limit > 0 && limit <= rateMax) return { limit, per: perMs }
  const message = `${quote(text)} is not a rate such as \`200/s\``
  refuse(context, 'bad-value', message, `a number up to ${rateMax}, and /s, /m, /h or /d`)
  return z.NEVER
})

export const rate = z
  .union(
    [
      rateText,
      z.strictObject({
        limit: z.number().positive().max(rateMax).describe('Attempts in that time.'),
        per: durationMs({ max: dayMs }).describe('The time: `1s`.'),
        key: template
          .optional()
          .describe('Template: a bucket for each value. Default: one bucket.'),
        scope: scope.optional(),
      }),
    ],
    { error: 'a rate such as `200/s`, or `{ limit, per }`' },
  )
  .describe('Attempts in a time, a token bucket: `200/s`, or `{ limit, per, key, scope }`.')

export const order = z
  .enum(['none', 'key'])
  .describe(
    '`none`, or `key`: tasks of one key run one at a time and in the order in which they arrived. ' +
      'Default: `none`.',
  )

export const dedup = z
  .strictObject({
    key: template
      .optional()
      .describe("Template of what makes two events the same. Default: the rule's `key`."),
    window: durationMs({ max: 30 * dayMs })
      .optional()
      .describe('How long a key is remembered.'),
    keep: z
      .enum(['first', 'last', 'both'])
      .optional()
      .describe(
        '`first`: act on the first of a window. `last`: wait until it is quiet, act on the newest. ' +
          '`both`: act at once, and once more with the newest when the window ends. Default: `both`.',
      ),
    max_wait: durationMs({ max: 30 * dayMs })
      .optional()
      .describe('With `keep: last`: the longest that the first one waits.'),
    version: template
      .optional()
      .describe(
        'Template of a number or a time: an event that is not above the newest done is skipped.',
      ),
    on_outage: z
      .enum(['run', 'wait'])
      .optional()
      .describe(
        'Without the store: `run` acts without the window, `wait` holds the task. Default: `run`.',
      ),
  })
  .superRefine(({ window, keep, max_wait: maxWait, version }, context) => {
    if (window === undefined && version === undefined) {
      const hint = 'write `window: 5s`, or the `version` by which a newer event is known'
      refuse(context, 'missing-key', '`window` is missing, expected a duration', hint)
    } else if (window === undefined && keep !== undefined) {
      refuse(context, 'bad-value', '`keep` is about a `window`, and there is none', null, ['keep'])
    }
    if (maxWait === undefined) return
    if (keep !== 'last') {
      refuse(context, 'bad-value', '`max_wait` goes with `keep: last`', null, ['max_wait'])
    } else if (window !== undefined && maxWait < window) {
      refuse(context, 'bad-value', '`max_wait` is shorter than `window`', null, ['max_wait'])
    }
  })
  .describe('Windows in which events of one key count as the same.')

export const breaker = z
  .strictObject({
    failures: z
      .int()
      .min(1)
      .max(failuresMax)
      .optional()
      .describe('Failures in a row that open it.'),
    window: durationMs({ max: dayMs }).optional().describe('The time in which they are counted.'),
    probe_every: durationMs({ max: dayMs })
      .optional()
      .describe('How often one task is tried while it is open.'),
  })
  .describe('When calls to an origin stop for a while because it fails.')
