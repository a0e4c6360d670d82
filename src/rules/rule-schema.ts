import { z } from 'zod'
import { formatDuration } from '../model/units.ts'
import { laterKeys, strayKeys } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'
import { hintForWord, keyOfCase, keyOfRule } from './key-synonyms.ts'
import { breaker, concurrency, dedup, order, rate } from './limits-schema.ts'
import { retry } from './retry-schema.ts'
import { ruleDefaults } from './rule-defaults.ts'
import { ruleTestSchema } from './rule-test-schema.ts'

/** A rule's name becomes a metric label and part of topic names: short, plain, stable. */
export const ruleNameForm = /^[a-z0-9][a-z0-9-]{0,62}$/

/**
 * The same, or one of which `for_each` fills in a part: that may be of any length, because what comes
 * out is looked at again. A tag that it does not fill in would stay in the name.
 */
export const writtenNameForm =
  /^(?:[a-z0-9][a-z0-9-]{0,62}|[a-z0-9-]*\{\{\s*[#^/&>]?\s*each\b[^{}]*\}\}(?:[a-z0-9-]|\{\{\s*[#^/&>]?\s*each\b[^{}]*\}\})*)$/

/** Bounds of what a rule may say; each is far above what a person writes. */
const topicsMax = 1_000
const labelsMax = 32
const testsMax = 1_000
const casesMax = 100
const elementsMax = 10_000

const hourMs = 3_600_000

const topicList = z
  .array(z.string({ error: 'the name of a topic, or a glob' }), { error: 'a list of topics' })
  .min(1)
  .max(topicsMax)

const topics = z
  .union(
    [
      topicList,
      z.strictObject({
        include: topicList.describe('Names and globs.').meta({ examples: [['mediawiki.job.*']] }),
        exclude: topicList
          .optional()
          .describe('Those among them that are left out again.')
          .meta({ examples: [['mediawiki.job.test*']] }),
        unclaimed: z
          .boolean()
          .optional()
          .describe('true: leaves out every topic that another rule names without a wildcard.')
          .meta({ default: false }),
      }),
    ],
    { error: 'a list of topics, or `{ include, exclude }`' },
  )
  .describe(
    'Names and globs (`*`), or `{ include, exclude, unclaimed }`. Topics made later that fit a glob ' +
      'are read without a restart.',
  )
  .meta({
    examples: [['mediawiki.page_change.v1'], { include: ['mediawiki.job.*'], unclaimed: true }],
  })

const text = (max: number) => z.string().min(1).max(max)

const template = text(8_192)

const sampleSchema = z
  .strictObject({
    rate: z
      .number()
      .min(0)
      .max(1)
      .describe('The share of events: 0.1 is a tenth.')
      .meta({ examples: [0.1] }),
    key: template
      .optional()
      .describe(
        'Template: events of one key are taken or left together. Without it the id of the event.',
      )
      .meta({ examples: ['{{event.page.page_id}}'] }),
  })
  .describe('A stable share of the events. Without it all of them.')
  .meta({ examples: [{ rate: 0.1, key: '{{event.user}}' }] })

/** What `defaults` may hold, and every rule may. */
const shared = {
  owner: text(200)
    .optional()
    .describe('Who answers for it. Shown by every tool.')
    .meta({ examples: ['web-performance'] }),
  labels: z
    .record(text(63), text(200))
    .refine((labels) => Object.keys(labels).length <= labelsMax, {
      error: `at most ${labelsMax} labels`,
    })
    .optional()
    .describe('For people and tools; names to texts.')
    .meta({ examples: [{ team: 'search', tier: 'gold' }] }),
  enabled: z
    .boolean()
    .optional()
    .describe('false: loaded, checked, never run; shown as disabled.')
    .meta({ default: true }),
  mode: z
    .enum(['live', 'shadow'])
    .optional()
    .describe('`shadow`: everything but the side effect: rendered, counted.')
    .meta({ default: 'live' }),
  lane: z
    .string()
    .optional()
    .describe('The lane of the config that reads for this rule.')
    .meta({ default: ruleDefaults.lane }),
  key: template
    .optional()
    .describe('Template: the thing that a task is about, such as a page.')
    .meta({ examples: ['{{event.wiki_id}}:{{event.page.page_id}}'] }),
  max_age: durationMs()
    .optional()
    .describe('Events older than this are skipped (`too-old`). Without it none is too old.')
    .meta({ examples: ['1h'] }),
  max_root_age: durationMs()
    .optional()
    .describe('The same by the time of the event at the root of its chain.')
    .meta({ examples: ['1d'] }),
  sample: sampleSchema.optional(),
  order: order.optional(),
  concurrency: concurrency.optional(),
  rate: rate.optional(),
  dedup: dedup.optional(),
  timeout: durationMs({ max: hourMs })
    .optional()
    .describe('One attempt, from connect to last byte.')
    .meta({ default: formatDuration(ruleDefaults.timeoutMs) }),
  retry: retry.optional(),
  breaker: breaker.optional(),
}

export const defaultsSchema = z
  .strictObject(shared)
  .register(laterKeys, { keys: ['hold'] })
  .describe("For every rule of this file; a rule's own key replaces the whole value.")

/** The keys of a match, of a rule and of a case. What they hold is read by parse-condition.ts. */
const match = {
  when: z
    .unknown()
    .optional()
    .describe('Paths to tests, all of which must hold. Left out: every event.')
    .meta({ examples: [{ kind: 'edit', 'page.namespace': 0 }] }),
  unless: z
    .unknown()
    .optional()
    .describe('A list of conditions; if one holds, the rule does not run.')
    .meta({ examples: [[{ 'user.is_bot': true }]] }),
}

const doing = {
  do: z
    .unknown()
    .optional()
    .describe('One action or a list, carried out in order.')
    .meta({ examples: [{ http: { url: 'http://cdn.internal/{{event.title}}' } }] }),
}

/** Actions beside `do` and paths beside `when` instead of below them. */
const strays = {
  leaves: 'do',
  hintFor(key: string): string | null {
    if (key === 'http' || key === 'emit') return 'an action stands below `do:`'
    return /[.@]/.test(key) ? 'paths stand below `when:`' : hintForWord(key)
  },
  keyFor: keyOfRule,
}

export const caseSchema = z
  .strictObject({
    ...match,
    ...doing,
    sample: sampleSchema.optional(),
  })
  .register(strayKeys, { ...strays, keyFor: keyOfCase })

export const ruleSchema = z
  .strictObject({
    description: text(2_000)
      .optional()
      .describe('What it is for. Shown by every tool.')
      .meta({ examples: ['Drop the CDN copy of a page that was edited'] }),
    ...shared,
    extends: z
      .string()
      .optional()
      .describe('Name of another rule, of any file: what is not written here is taken from it.')
      .meta({ examples: ['purge-page'] }),
    abstract: z
      .boolean()
      .optional()
      .describe('true: only there for others to extend; need not be complete.')
      .meta({ default: false }),
    for_each: z
      .array(z.record(z.string(), z.json()))
      .min(1)
      .max(elementsMax)
      .optional()
      .describe('A list of maps: one rule each, in which `{{each.x}}` is filled in at load.')
      .meta({ examples: [[{ wiki: 'enwiki' }, { wiki: 'dewiki' }]] }),
    topics,
    ...match,
    cases: z
      .array(caseSchema)
      .min(1)
      .max(casesMax)
      .optional()
      .describe('A list of `{ when, unless, do, sample }`: the first that holds is carried out.')
      .meta({
        examples: [[{ when: { kind: 'delete' }, do: { emit: { topic: 'pages.gone' } } }]],
      }),
    ...doing,
    tests: z
      .array(ruleTestSchema)
      .max(testsMax)
      .optional()
      .describe('Cases beside the rule, run by `sluice test`.')
      .meta({
        examples: [[{ name: 'a test page is not', event: {}, expect: { skip: 'no-match' } }]],
      }),
  })
  .register(strayKeys, strays)
  .register(laterKeys, { keys: ['hold'] })

/** A rule that only serves others need not say everything. */
export const abstractRuleSchema = ruleSchema
  .extend({ topics: topics.optional() })
  .register(strayKeys, strays)
  .register(laterKeys, { keys: ['hold'] })

export const ruleFileSchema = z
  .strictObject({
    defaults: z
      .unknown()
      .optional()
      .describe("For every rule of this file; a rule's own key replaces the whole value.")
      .meta({ examples: [{ owner: 'search' }] }),
    lists: z
      .record(z.string(), z.unknown(), { error: 'a map of names to lists' })
      .optional()
      .describe('Named lists for `in`, and maps for the pipe `lookup`; or `{ file }` of one.')
      .meta({ examples: [{ 'quiet-wikis': ['testwiki'], ids: { file: 'lists/ids.txt' } }] }),
    rules: z
      .record(
        z.string().regex(writtenNameForm, {
          error: 'a rule name: lower-case letters, digits and `-`, at most 63',
        }),
        z.unknown(),
        { error: 'a map of names to rules' },
      )
      .describe('The rules by name. A name is unique over all files, and is a metric label.')
      .meta({ examples: [{ 'purge-page': { extends: 'purge' } }] }),
  })
  .register(laterKeys, { keys: ['ticks'] })
  .register(strayKeys, {
    leaves: 'rules',
    hintFor: () => 'a rule stands below `rules:`; beside it there are `lists` and `defaults`',
  })

export type RuleShape = z.infer<typeof abstractRuleSchema>
