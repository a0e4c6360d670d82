import { z } from 'zod'
import { durationForm, parseDurationMs } from '../model/units.ts'
import { hasUnknownKey, insteadOfMap, refuse } from '../schema/check-shape.ts'
import { quote } from '../schema/describe.ts'
import { durationMs } from '../schema/quantities.ts'
import { ruleDefaults } from './rule-defaults.ts'

/*
 * How much a rule may do at once, how often and in which order: `concurrency`, `rate`, `order`,
 * `dedup`, `breaker`. How they go together is checked behind the schema (check-limits.ts); what is
 * read in full here and not built yet is refused there too (not-built-yet.ts), so that a mistake in
 * it is told as well.
 */

/** Each is far above what a person means. */
const concurrencyMax = 10_000
const rateMax = 1_000_000
const failuresMax = 10_000

const dayMs = 86_400_000

/** Longer than any log keeps what would be told apart. */
export const dedupWindowMsMax = 30 * dayMs

/** What a key, a version or a URL may be written with. */
const template = z.string().min(1).max(8_192)

const scope = z
  .enum(['process', 'cluster'])
  .describe('`process`: of each replica on its own. `cluster`: of all together; not supported yet.')
  .meta({ default: 'process' })

const limit = z.int().min(1).max(concurrencyMax)

export const concurrency = z
  .union(
    [
      limit,
      z
        .strictObject({
          limit: limit
            .optional()
            .describe('Attempts at once, of all keys.')
            .meta({ default: ruleDefaults.concurrency, examples: [30] }),
          per_key: limit
            .optional()
            .describe('Attempts at once for one `key` of the rule.')
            .meta({ examples: [1] }),
          scope: scope.optional(),
        })
        .superRefine(({ limit: ofAll = ruleDefaults.concurrency, per_key: perKey }, context) => {
          if (perKey === undefined || perKey <= ofAll) return
          const message = `\`per_key: ${perKey}\` is above \`limit: ${ofAll}\``
          refuse(context, 'bad-value', message, null, ['per_key'])
        }),
    ],
    { error: 'a whole number, or `{ limit }`' },
  )
  .describe('Attempts at once: a number, or `{ limit, per_key, scope }`.')
  .meta({ default: ruleDefaults.concurrency, examples: [30, { limit: 100 }] })

const rateForm = /^(\d+(?:\.\d+)?)\/(s|m|h|d)$/

const rateText = z
  .string()
  .meta({ pattern: rateForm.source })
  .transform((text, context) => {
    const [, many = '', unit = ''] = rateForm.exec(text) ?? []
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
        limit: z
          .number()
          .positive()
          .max(rateMax)
          .describe('Attempts in that time.')
          .meta({ examples: [200] }),
        per: durationMs({ max: dayMs })
          .describe('That time.')
          .meta({ examples: ['1s'] }),
        key: template
          .optional()
          .describe('Template: a bucket for each value. Without it one bucket.')
          .meta({ examples: ['{{event.wiki_id}}'] }),
        scope: scope.optional(),
      }),
    ],
    { error: 'a rate such as `200/s`, or `{ limit, per }`' },
  )
  .describe(
    'Attempts in a time, a token bucket: `200/s`, or `{ limit, per, key, scope }`. Not supported yet.',
  )
  .meta({ examples: ['200/s', { limit: 10, per: '1m', key: '{{event.wiki_id}}' }] })

export const order = z
  .enum(['none', 'key'])
  .describe(
    '`none`, or `key`: tasks of one `key` run one at a time, in the order in which they arrived, ' +
      'retries included.',
  )
  .meta({ default: 'none' })

export const dedup = z
  .strictObject(
    {
      key: template
        .optional()
        .describe('Template of what makes two events the same. Without it the `key` of the rule.')
        .meta({ examples: ['{{event.meta.id}}'] }),
      window: durationMs({ max: dedupWindowMsMax })
        .optional()
        .describe('How long a key is remembered.')
        .meta({ examples: ['5s'] }),
      keep: z
        .enum(['first', 'last', 'both'])
        .optional()
        .describe(
          '`first`: act on the first of a window. `last`: wait until it is quiet, act on the newest. ' +
            '`both`: act at once, and once more with the newest when the window ends.',
        )
        .meta({ default: ruleDefaults.dedup.keep }),
      max_wait: durationMs({ max: dedupWindowMsMax })
        .optional()
        .describe(
          `With \`keep: last\`: the longest that the first one waits. Without it ${ruleDefaults.dedup.waitWindows} windows.`,
        )
        .meta({ examples: ['1m'] }),
      version: template
        .optional()
        .describe(
          'Template of a number or a time: an event that is not above the newest done is skipped.',
        )
        .meta({ examples: ['{{event.rev_id}}'] }),
      on_outage: z
        .enum(['run', 'wait'])
        .optional()
        .describe('Without the store: `run` acts without the window, `wait` holds the task.')
        .meta({ default: ruleDefaults.dedup.onOutage }),
    },
    {
      error: insteadOfMap((value) =>
        typeof value === 'string' && durationForm.test(value) ? `window: ${value}` : 'window: 5s',
      ),
    },
  )
  .superRefine(({ window, keep, max_wait: maxWait, version }, context) => {
    if (window === undefined && version === undefined) {
      if (hasUnknownKey(context)) return
      const hint = 'write `window: 5s`, or the `version` by which a newer event is known'
      refuse(context, 'missing-key', '`window` is missing, expected a duration', hint)
    } else if (window === undefined && keep !== undefined) {
      refuse(context, 'bad-value', '`keep` is about a `window`, and there is none', null, ['keep'])
    }
    if (maxWait === undefined) return
    if (keep === undefined && hasUnknownKey(context)) return
    if (keep !== 'last') {
      refuse(context, 'bad-value', '`max_wait` goes with `keep: last`', null, ['max_wait'])
    } else if (window !== undefined && maxWait < window) {
      refuse(context, 'bad-value', '`max_wait` is shorter than `window`', null, ['max_wait'])
    }
  })
  .describe('Windows in which events of one key count as the same.')
  .meta({
    examples: [{ window: '5s', keep: 'both' }],
    if: { not: { required: ['version'] } },
    then: { required: ['window'] },
  })

export const breaker = z
  .strictObject({
    failures: z
      .int()
      .min(1)
      .max(failuresMax)
      .optional()
      .describe('Failures in a row that open it.')
      .meta({ examples: [10] }),
    window: durationMs({ max: dayMs })
      .optional()
      .describe('The time in which they are counted.')
      .meta({ examples: ['1m'] }),
    probe_every: durationMs({ max: dayMs })
      .optional()
      .describe('How often one task is tried while it is open.')
      .meta({ examples: ['30s'] }),
  })
  .describe('When calls to an origin stop for a while because it fails. Not supported yet.')
  .meta({ examples: [{ failures: 10, window: '1m', probe_every: '30s' }] })
