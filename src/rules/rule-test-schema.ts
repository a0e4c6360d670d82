import { z } from 'zod'
import type { Json } from '../model/json.ts'
import { deadReasons, skipReasons, type DeadReason, type SkipReason } from '../model/outcome.ts'
import { refuse } from '../schema/check-shape.ts'
import { durationMs } from '../schema/quantities.ts'
import type { TopicSelector } from './rule.ts'
import { exampleTopic } from './topic-selector.ts'

/*
 * `tests` of a rule (docs/rules.md, 6): what may be written, and what whoever runs them is given.
 * What is expected is one list in the order in which things happen, however it was written.
 */

/** One case beside a rule. */
export interface RuleTest {
  readonly rule: string
  readonly name: string
  readonly file: string
  /** Of the case, 1-based. */
  readonly line: number
  /** At least one, in the order of `atMs`. */
  readonly events: readonly TestEvent[]
  /** What the targets answer, call by call. */
  readonly responses: readonly TestResponse[]
  /** What happens, in order. At least one. */
  readonly expect: readonly Expected[]
}

export interface TestEvent {
  readonly body: Json
  /** Milliseconds after the start of the case. */
  readonly atMs: number
  /** How old the event is when it arrives, in milliseconds: its record's time lies that far back. */
  readonly ageMs: number
  readonly topic: string
  readonly key: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** A stubbed answer, or why there is none. */
export type TestResponse = {
  /** Milliseconds from the call to its end. */
  readonly delayMs: number
} & (
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'error'; readonly error: ResponseError }
)

export type ResponseError = (typeof responseErrors)[number]

const responseErrors = ['timeout', 'refused', 'reset', 'dns', 'tls'] as const

/** One thing that happens. Fields that are `undefined` were not written and are not compared. */
export type Expected = {
  /** Milliseconds from the start of the case; `null`: whenever that is. */
  readonly atMs: number | null
} & ExpectedThing

type ExpectedThing =
  | { readonly kind: 'http'; readonly fields: ExpectedHttp }
  | { readonly kind: 'emit'; readonly fields: ExpectedEmit }
  /** An event that the rule does not act on. `no-match`: its condition does not hold. */
  | { readonly kind: 'skip'; readonly reason: 'no-match' | SkipReason }
  /** The task is to be tried again; `null`: whenever that is. */
  | { readonly kind: 'retry'; readonly afterMs: number | null }
  | { readonly kind: 'dead'; readonly reason: DeadReason }

export interface ExpectedHttp {
  readonly method?: string | undefined
  /** As it goes on the wire, query included. */
  readonly url?: string | undefined
  /** Those that are named; `null`: is not sent. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  /** The whole body, as JSON. */
  readonly json?: Json | undefined
  /** The whole body, as a form. */
  readonly form?: Readonly<Record<string, string>> | undefined
  /** The whole body. */
  readonly text?: string | undefined
}

export interface ExpectedEmit {
  readonly topic?: string | undefined
  /** `null`: has none. */
  readonly key?: string | null | undefined
  /** Those that are named; `null`: is not there. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  /** The whole value, as JSON; `null` is a tombstone. */
  readonly value?: Json | undefined
}

/** Far above what a person writes beside a rule. */
const eventsMax = 1_000
const entriesMax = 100

const weekMs = 7 * 86_400_000

/** Events and what is expected of them lie within a year of the start. */
const caseMsMax = 52 * weekMs

const scalar = z
  .union([z.string(), z.number(), z.boolean()], { error: 'a text, a number, true or false' })
  .transform(String)

const texts = z.record(z.string(), scalar).refine((map) => Object.keys(map).length <= entriesMax, {
  error: `a map of at most ${entriesMax} entries`,
})

const textsOrNull = z
  .record(z.string(), scalar.nullable())
  .refine((map) => Object.keys(map).length <= entriesMax, {
    error: `a map of at most ${entriesMax} entries`,
  })

/** What an event has beside its body. */
const around = {
  at: durationMs({ min: 0, max: caseMsMax })
    .optional()
    .describe('When it arrives, from the start of the case.')
    .meta({ default: '0s', examples: ['3s'] }),
  age: durationMs({ min: 0 })
    .optional()
    .describe('How old it is when it arrives, for `max_age`.')
    .meta({ default: '0s', examples: ['2h'] }),
  topic: z
    .string()
    .optional()
    .describe(
      'Topic of the record. Without it the first that the rule names; of a glob, with `x` for each `*`.',
    )
    .meta({ examples: ['mediawiki.page_change.v1'] }),
  key: z
    .string()
    .optional()
    .describe('Key of the record. Without it none.')
    .meta({ examples: ['7'] }),
  headers: texts
    .optional()
    .describe('Headers of the record.')
    .meta({ examples: [{ source: 'api' }] }),
}

const event = z.strictObject({
  event: z
    .json()
    .describe('The fields of the event.')
    .meta({ examples: [{ kind: 'edit' }] }),
  ...around,
})

const response = z
  .strictObject({
    status: z
      .int()
      .min(100)
      .max(599)
      .optional()
      .describe('Status of the answer.')
      .meta({ default: 200 }),
    headers: texts
      .optional()
      .describe('Headers of the answer.')
      .meta({ examples: [{ 'retry-after': '30' }] }),
    body: z
      .string()
      .optional()
      .describe('Body of the answer, as text.')
      .meta({ examples: ['ok'] }),
    json: z
      .json()
      .optional()
      .describe('Body of the answer, as JSON; with `content-type: application/json`.')
      .meta({ examples: [{ score: 0.9 }] }),
    delay: durationMs({ min: 0, max: weekMs })
      .optional()
      .describe('How long the target takes.')
      .meta({ default: '0s' }),
    error: z
      .enum(responseErrors)
      .optional()
      .describe('No answer but this: `timeout`, `refused`, `reset`, `dns` or `tls`.'),
  })
  .superRefine((given, context) => {
    const { error, body, json } = given
    const beside = (['status', 'headers', 'body', 'json'] as const).find(
      (key) => given[key] !== undefined,
    )
    if (error !== undefined && beside !== undefined) {
      const message = `\`error\` beside \`${beside}\`: a call ends in one of the two`
      refuse(context, 'bad-value', message, null, ['error'])
    }
    if (body !== undefined && json !== undefined) {
      refuse(context, 'bad-value', '`json` beside `body`, expected one of the two', null, ['json'])
    }
  })

const http = z
  .strictObject({
    method: z
      .string()
      .optional()
      .describe('Its method.')
      .meta({ examples: ['PURGE'] }),
    url: z
      .string()
      .optional()
      .describe('The whole URL as it goes on the wire, query included.')
      .meta({ examples: ['http://cdn.internal/wiki/C%2B%2B'] }),
    headers: textsOrNull
      .optional()
      .describe('Those that are named; null: is not sent.')
      .meta({ examples: [{ host: 'en.wikipedia.org', cookie: null }] }),
    json: z
      .json()
      .optional()
      .describe('The whole body, as JSON.')
      .meta({ examples: [{ id: 7 }] }),
    form: texts
      .optional()
      .describe('The whole body, as a form.')
      .meta({ examples: [{ id: '7' }] }),
    text: z
      .string()
      .optional()
      .describe('The whole body, as text.')
      .meta({ examples: ['7'] }),
  })
  .describe('A call. What is written must be equal; what is not written is not compared.')
  .meta({ examples: [{ method: 'PURGE', url: 'http://cdn.internal/wiki/A' }] })

const emit = z
  .strictObject({
    topic: z
      .string()
      .optional()
      .describe('Its topic.')
      .meta({ examples: ['pages.gone'] }),
    key: scalar
      .nullable()
      .optional()
      .describe('Key of the record; null: has none.')
      .meta({ examples: ['7'] }),
    headers: textsOrNull
      .optional()
      .describe('Those that are named; null: is not there.')
      .meta({ examples: [{ source: 'sluice' }] }),
    value: z
      .json()
      .optional()
      .describe('The whole value, as JSON; null is a tombstone.')
      .meta({ examples: [{ page_id: 7 }] }),
  })
  .describe('A derived event. What is written must be equal; what is not written is not compared.')
  .meta({ examples: [{ topic: 'pages.gone', value: { page_id: 7 } }] })

const skip = z
  .enum(['no-match', ...skipReasons])
  .describe(
    'An event is not acted on, for this reason; `no-match` where the condition does not hold.',
  )

const retry = z
  .strictObject({
    after: durationMs()
      .optional()
      .describe('The delay before jitter. Without it any.')
      .meta({ examples: ['10s'] }),
  })
  .describe('The attempt fails and is to be tried again.')
  .meta({ examples: [{ after: '10s' }] })

const dead = z
  .enum(deadReasons as [DeadReason, ...DeadReason[]]) // as: an array of keys that are there
  .describe('The task goes to the dead letters, for this reason.')

const at = durationMs({ min: 0, max: caseMsMax })
  .optional()
  .describe(
    'When that happens, from the start of the case, exactly. Beside one of the others. Without it any time.',
  )
  .meta({ examples: ['5s'] })

function oneOrMany<Schema extends z.ZodType>(schema: Schema) {
  return z
    .union([schema, z.array(schema).min(1).max(eventsMax)])
    .transform((given) => [given].flat())
}

const expectedMap = z
  .strictObject({
    http: oneOrMany(http)
      .optional()
      .describe('One call, or a list of them in order.')
      .meta({ examples: [{ method: 'PURGE' }] }),
    emit: oneOrMany(emit)
      .optional()
      .describe('One derived event, or a list of them in order.')
      .meta({ examples: [{ topic: 'pages.gone' }] }),
    skip: skip.optional(),
    retry: retry.optional(),
    dead: dead.optional(),
    at,
  })
  .superRefine((given, context) => {
    const keys = Object.keys(given).filter((key) => key !== 'at')
    const refused = (key: string, message: string, hint: string | null = null): void =>
      refuse(context, 'bad-value', message, hint, [key])
    if (keys.length === 0) {
      refuse(
        context,
        'bad-value',
        'a case that expects nothing',
        'expect http, emit, skip, retry or dead',
      )
    } else if (given.http !== undefined && given.emit !== undefined) {
      const hint = 'write a list, in the order in which they happen: `- http: {..}`, `- emit: {..}`'
      refused('emit', '`emit` beside `http` does not say which comes first', hint)
    } else if (given.skip !== undefined && keys.length > 1) {
      refused('skip', '`skip` says that nothing happens, and something else is expected as well')
    } else if (given.retry !== undefined && given.dead !== undefined) {
      refused('dead', 'a task is retried or dead, not both at once', 'write a list, in order')
    } else if (given.at !== undefined && expectedOf(given).length > 1) {
      const hint = 'write a list, with `at` beside each: `- { at: 5s, http: {..} }`'
      refused('at', '`at` beside several things does not say when each of them happens', hint)
    }
  })

/** Each entry of the list is one thing that happens. */
const expectedEntry = z
  .strictObject({
    http: http.optional(),
    emit: emit.optional(),
    skip: skip.optional(),
    retry: retry.optional(),
    dead: dead.optional(),
    at,
  })
  .superRefine((given, context) => {
    if (Object.keys(given).filter((key) => key !== 'at').length === 1) return
    const hint = 'write `- ` before each of http, emit, skip, retry and dead'
    refuse(context, 'bad-value', 'an entry of this list is one thing that happens', hint)
  })

const expect = z
  .union([expectedMap, z.array(expectedEntry).min(1).max(eventsMax)], {
    error: 'a map, or a list of what happens in order',
  })
  .describe(
    'What happens: `http`, `emit`, `skip`, `retry`, `dead`, or a list of them in order; each with `at`, or without.',
  )
  .meta({ examples: [{ skip: 'no-match' }] })

/** One case of `tests`, as it is written. */
export const ruleTestSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(200)
      .describe('What it shows, as a sentence.')
      .meta({ examples: ['an edit of an article is purged'] }),
    event: z
      .json()
      .optional()
      .describe('The fields of the event.')
      .meta({ examples: [{ kind: 'edit' }] }),
    ...around,
    events: z
      .array(event)
      .min(1)
      .max(eventsMax)
      .optional()
      .describe('Several, each `{ event, at, age, topic, key, headers }`, in the order of `at`.')
      .meta({ examples: [[{ event: { kind: 'edit' } }, { at: '3s', event: { kind: 'move' } }]] }),
    responses: z
      .array(response)
      .max(eventsMax)
      .optional()
      .describe('What the targets answer, in order. Calls without one are answered 200.')
      .meta({ examples: [[{ status: 503 }, { error: 'timeout' }, { status: 200 }]] }),
    expect,
  })
  .superRefine((given, context) => {
    const { events } = given
    if (events === undefined) {
      if (given.event !== undefined) return
      const message = 'a case without an event'
      refuse(context, 'missing-key', message, 'write its fields below `event`')
      return
    }
    for (const key of ['event', ...Object.keys(around)] as const) {
      if (key in given) {
        const hint = 'put it into the entries of `events`'
        refuse(context, 'bad-value', `\`${key}\` beside \`events\``, hint, [key])
      }
    }
    events.forEach(({ at = 0 }, i) => {
      if (at >= (events[i - 1]?.at ?? 0)) return
      const message = 'this event arrives before the one above it'
      refuse(context, 'bad-value', message, 'events stand in the order of `at`', [
        'events',
        i,
        'at',
      ])
    })
  })
  // The same for editors: either of the two.
  .meta({ if: { not: { required: ['events'] } }, then: { required: ['event'] } })

export type RuleTestShape = z.infer<typeof ruleTestSchema>

/** The case as it is run; its place and its rule come from whoever loads it. */
export function ruleTestOf(
  shape: RuleTestShape,
  topics: TopicSelector,
  place: Pick<RuleTest, 'rule' | 'file' | 'line'>,
): RuleTest {
  const { name, events = [shape], responses = [], expect: expected } = shape
  return {
    ...place,
    name,
    events: events.map((one) => ({
      body: one.event ?? null,
      atMs: one.at ?? 0,
      ageMs: one.age ?? 0,
      topic: one.topic ?? exampleTopic(topics),
      key: one.key ?? null,
      headers: one.headers ?? {},
    })),
    responses: responses.map(responseOf),
    expect: Array.isArray(expected) ? expected.flatMap(expectedOf) : expectedOf(expected),
  }
}

function responseOf({ delay, ...given }: z.infer<typeof response>): TestResponse {
  const delayMs = delay ?? 0
  if (given.error !== undefined) return { kind: 'error', error: given.error, delayMs }
  const { status = 200, headers = {}, body, json } = given
  if (json === undefined) return { kind: 'answer', status, headers, body: body ?? '', delayMs }
  const isTyped = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  return {
    kind: 'answer',
    status,
    headers: isTyped ? headers : { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(json),
    delayMs,
  }
}

type ExpectedShape = z.infer<typeof expectedMap> | z.infer<typeof expectedEntry>

/** Effects first, and then how the task stands. */
function expectedOf(given: ExpectedShape): readonly Expected[] {
  const { http, emit, skip, retry, dead } = given
  const atMs = given.at ?? null
  const things: readonly (ExpectedThing | null)[] = [
    ...[http ?? []].flat().map((fields) => ({ kind: 'http', fields }) as const),
    ...[emit ?? []].flat().map((fields) => ({ kind: 'emit', fields }) as const),
    skip === undefined ? null : { kind: 'skip', reason: skip },
    retry === undefined ? null : { kind: 'retry', afterMs: retry.after ?? null },
    dead === undefined ? null : { kind: 'dead', reason: dead },
  ]
  return things.flatMap((thing) => (thing === null ? [] : [{ ...thing, atMs }]))
}
