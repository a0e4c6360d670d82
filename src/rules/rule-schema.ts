import { z } from 'zod'
import { laterKeys, refuse } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'
import { soFarOnly } from '../schema/so-far-only.ts'
import { ruleTestSchema } from './rule-test-schema.ts'

/** A rule's name becomes a metric label and part of topic names: short, plain, stable. */
const ruleNameForm = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Bounds of what a rule may say; each is far above what a person writes. */
const attemptsMax = 100
const concurrencyMax = 10_000
const topicsMax = 1_000
const labelsMax = 32
const testsMax = 1_000

const hourMs = 3_600_000

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
    first: durationMs({ max: 7 * 24 * hourMs })
      .optional()
      .describe('Delay after the first failure. Default: `10s`.'),
    factor: z.number().min(1).max(100).optional().describe('Growth per attempt. Default: 4.'),
    max: durationMs({ max: 7 * 24 * hourMs })
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

const retry = z
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

const concurrency = z
  .union(
    [
      z.int().min(1).max(concurrencyMax),
      z
        .strictObject({
          limit: z.int().min(1).max(concurrencyMax),
          scope: soFarOnly(z.enum(['process', 'cluster']), 'scope', 'process').optional(),
        })
        .register(laterKeys, { keys: ['per_key'] }),
    ],
    { error: 'a whole number, or `{ limit }`' },
  )
  .describe('Attempts at once in this process. Default: 30.')

const topicList = z
  .array(z.string({ error: 'the name of a topic, or a glob' }), { error: 'a list of topics' })
  .min(1)
  .max(topicsMax)

const topics = z
  .union(
    [
      topicList,
      z
        .strictObject({ include: topicList, exclude: topicList.optional() })
        .register(laterKeys, { keys: ['unclaimed'] }),
    ],
    { error: 'a list of topics, or `{ include, exclude }`' },
  )
  .describe('Names and globs (`*`). Topics made later that fit a glob are read without a restart.')

const text = (max: number) => z.string().min(1).max(max)

/** What `defaults` may hold, and every rule may. */
const shared = {
  owner: text(200).optional().describe('Who answers for it. Shown by every tool.'),
  labels: z
    .record(text(63), text(200))
    .refine((labels) => Object.keys(labels).length <= labelsMax, {
      error: `at most ${labelsMax} labels`,
    })
    .optional()
    .describe('For people and tools; names to texts.'),
  enabled: z
    .boolean()
    .optional()
    .describe('false: loaded, checked, never run; shown as disabled. Default: true.'),
  mode: soFarOnly(z.enum(['live', 'shadow']), 'mode', 'live')
    .optional()
    .describe('`live` is what a rule does without it; `shadow` is not supported yet.'),
  lane: z
    .string()
    .optional()
    .describe('The lane of the config that reads for this rule. Default: `default`.'),
  concurrency: concurrency.optional(),
  timeout: durationMs({ max: hourMs })
    .optional()
    .describe('One attempt, from connect to last byte. Default: `10s`.'),
  retry: retry.optional(),
}

/** Named by the language, not built yet. */
const laterRuleKeys = [
  'cases',
  'key',
  'order',
  'rate',
  'dedup',
  'max_age',
  'max_root_age',
  'sample',
  'breaker',
  'for_each',
  'extends',
  'abstract',
  'hold',
]

export const defaultsSchema = z
  .strictObject(shared)
  .register(laterKeys, { keys: laterRuleKeys })
  .describe("For every rule of this file; a rule's own key replaces the whole value.")

export const ruleSchema = z
  .strictObject({
    description: text(2_000).optional().describe('What it is for. Shown by every tool.'),
    ...shared,
    topics,
    when: z
      .unknown()
      .optional()
      .describe('Paths to tests, all of which must hold. Left out: every event.'),
    unless: z
      .unknown()
      .optional()
      .describe('A list of conditions; if one holds, the rule does not run.'),
    do: z.unknown().optional().describe('One action or a list, carried out in order.'),
    tests: z
      .array(ruleTestSchema)
      .max(testsMax)
      .optional()
      .describe('Cases beside the rule, run by `sluice test`: section 6.'),
  })
  .register(laterKeys, { keys: laterRuleKeys })

export const ruleFileSchema = z
  .strictObject({
    defaults: z.unknown().optional().describe('For every rule of this file.'),
    lists: z
      .record(z.string(), z.unknown(), { error: 'a map of names to lists' })
      .optional()
      .describe('Named lists for `in`, and maps for the pipe `lookup`.'),
    rules: z.record(
      z.string().regex(ruleNameForm, {
        error: 'a rule name: lower-case letters, digits and `-`, at most 63',
      }),
      z.unknown(),
      { error: 'a map of names to rules' },
    ),
  })
  .register(laterKeys, { keys: ['ticks'] })

export type RuleShape = z.infer<typeof ruleSchema>
export type DefaultsShape = z.infer<typeof defaultsSchema>
