import { z } from 'zod'
import type {
  LadderDocument,
  RuleDocument,
  StatusDocument,
  TopicDocument,
} from '../model/status.ts'
import { adminProblemCodes, type ProblemDocument } from './problem-document.ts'
import type { PartHealth } from './source.ts'

/*
 * The shapes of what goes in and out, for the OpenAPI document and for the tests that hold real
 * answers against it. `satisfies` keeps them equal to the types that the rest of the code uses.
 */

const count = z.int().min(0)
const time = z.iso.datetime({ offset: true })
const countByReason = z.record(z.string(), count)

const ladder = z.strictObject({
  matched: count,
  done: count,
  skipped: countByReason,
  retried: count,
  held: count,
  dead: countByReason,
  pending: z.strictObject({ in_flight: count, queue: count, retry: count, backlog: count }),
}) satisfies z.ZodType<LadderDocument>

export const ruleSchema = z.strictObject({
  name: z.string(),
  file: z.string(),
  state: z.enum(['live', 'held', 'draining', 'closing', 'disabled']),
  mode: z.enum(['live', 'shadow']),
  topics: z.array(z.string()),
  ladder,
  last_match_at: time.nullable(),
  paused: z
    .strictObject({ by: z.string(), reason: z.string(), at: time, until: time.nullable() })
    .nullable(),
}) satisfies z.ZodType<RuleDocument>

export const statusSchema = z.strictObject({
  version: z.string(),
  ready: z.boolean(),
  uptime_s: z.number().min(0),
  bus: z.strictObject({
    kind: z.enum(['embedded', 'kafka']),
    lag_events: count,
    lag_s: z.number().min(0),
  }),
  store: z.strictObject({
    kind: z.enum(['none', 'embedded', 'redis']),
    degraded: z.boolean(),
    trouble: z.strictObject({ reason: z.string(), error: z.string(), since: time }).nullable(),
  }),
  rules: z.array(ruleSchema),
}) satisfies z.ZodType<StatusDocument>

export const topicSchema = z.strictObject({
  name: z.string(),
  partitions: count,
  rules: z.array(z.string()),
}) satisfies z.ZodType<TopicDocument>

const part = z.strictObject({
  name: z.string(),
  ok: z.boolean(),
  detail: z.string(),
}) satisfies z.ZodType<PartHealth>

export const healthSchema = z.strictObject({
  ok: z.boolean(),
  /** Names of the parts that are not ok. */
  failing: z.array(z.string()),
  /** With `?verbose`, all parts. */
  parts: z.array(part).exactOptional(),
})
export type HealthDocument = z.infer<typeof healthSchema>

export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    /** Give it back as `cursor` for the next page; null: this is the last one. */
    next_cursor: z.string().nullable(),
  })
}

const headerName = z.string().min(1).max(255)
const headerValue = z.string().max(16_384)

/** The body of `POST /api/v1/events` as JSON. */
export const emitSchema = z.strictObject({
  topic: z.string().min(1).max(249), // Kafka's bound for a topic name
  events: z
    .array(
      z.strictObject({
        key: z.string().max(65_536).nullable().default(null),
        /** Any JSON; null is a tombstone. */
        value: z.unknown().refine((value) => value !== undefined, 'is missing'),
        headers: z.record(headerName, headerValue).default({}),
      }),
    )
    .min(1),
})

export const emittedSchema = z.strictObject({ topic: z.string(), emitted: count })

export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(adminProblemCodes),
  errors: z.array(z.strictObject({ at: z.string(), message: z.string() })).exactOptional(),
}) satisfies z.ZodType<ProblemDocument>
