import type { Json, JsonObject } from '../../model/json.ts'
import { formatDuration } from '../../model/units.ts'
import type { SourcedMap } from '../../schema/lenient-yaml.ts'
import type { Note } from './findings.ts'
import { entryOf, numberOf } from './sourced.ts'

/** What change-propagation does when a rule says nothing. */
const theirs = { limit: 2, delayMs: 60_000, factor: 6, timeoutMs: 7 * 60_000, concurrency: 30 }

/** The most that `retry.backoff` takes, and `timeout`. */
const dayMs = 86_400_000
const delayMsMax = 7 * dayMs
const timeoutMsMax = dayMs / 24
/** Above it ours says so. */
const backoffMaxDefaultMs = dayMs / 24
const attemptsMax = 100

const retryKeys = ['retry_limit', 'retry_delay', 'retry_factor', 'retry_on', 'ignore']

/** `defaults` of a file: what change-propagation does when a rule says nothing else. */
export function defaultsOf(options: SourcedMap | null, note: Note): JsonObject {
  const concurrency = options === null ? undefined : positive(options, 'concurrency', note)
  return {
    concurrency: concurrency ?? theirs.concurrency,
    timeout: formatDuration(theirs.timeoutMs),
    retry: retryOf(null, note),
  }
}

/** `retry`, `timeout`, `concurrency` and ages of a rule: those that it sets. */
export function convertLimits(rule: SourcedMap, note: Note): JsonObject {
  const limits: Record<string, Json> = {}
  const concurrency = positive(rule, 'concurrency', note)
  if (concurrency !== undefined) limits['concurrency'] = concurrency
  const timeout = positive(rule, 'timeout', note)
  if (timeout !== undefined) {
    if (timeout > timeoutMsMax) {
      const most = formatDuration(timeoutMsMax)
      note(
        lineOf(rule, 'timeout'),
        `\`timeout: ${timeout}\``,
        `an attempt of ours takes ${most} at most`,
        `${most} was written`,
      )
    }
    limits['timeout'] = formatDuration(Math.round(Math.min(timeout, timeoutMsMax)))
  }
  if (retryKeys.some((key) => rule.entries.has(key))) limits['retry'] = retryOf(rule, note)
  for (const [key, ours] of [
    ['claim_ttl', 'max_age'],
    ['root_claim_ttl', 'max_root_age'],
  ] as const) {
    const seconds = positive(rule, key, note)
    if (seconds !== undefined) limits[ours] = formatDuration(Math.round(seconds * 1_000))
  }
  return limits
}

function retryOf(rule: SourcedMap | null, note: Note): JsonObject {
  const limit = (rule && positive(rule, 'retry_limit', note)) ?? theirs.limit
  const delay = (rule && positive(rule, 'retry_delay', note)) ?? theirs.delayMs
  const factor = (rule && positive(rule, 'retry_factor', note)) ?? theirs.factor
  const first = Math.max(1, Math.round(Math.min(delay, delayMsMax)))
  const longest = Math.round(Math.min(delayMsMax, first * factor ** Math.max(0, limit - 1)))
  const ignored = rule === null ? null : statusesOf(rule, 'ignore', note)
  const success = ignored ?? ['412']
  const retried = (rule === null ? null : statusesOf(rule, 'retry_on', note)) ?? ['501', '505']
  const on = retried.filter((name) => !success.includes(name))
  return {
    attempts: Math.min(attemptsMax, Math.round(limit) + 1),
    backoff: {
      first: formatDuration(first),
      factor: Math.min(100, Math.max(1, factor)),
      ...(longest > backoffMaxDefaultMs ? { max: formatDuration(longest) } : {}),
    },
    ...(on.length === 0 ? {} : { on: on.map(asNumber) }),
    ...(success.length === 0 ? {} : { success_on: success.map(asNumber) }),
  }
}

function asNumber(name: string): Json {
  return /^\d+$/.test(name) ? Number(name) : name
}

/** Statuses that ours tries again without being told. */
const retriedAnyway = new Set(
  ['401', '403', '407', '408', '409', '423', '425', '429'].concat(
    Array.from({ length: 100 }, (_, i) => String(500 + i)).filter(
      (status) => status !== '501' && status !== '505',
    ),
  ),
)

/**
 * The statuses of `retry_on` or `ignore`; `null` when the key is not there. `x` is any digit: two
 * are a class of ours, one is ten statuses, of which those that ours retries anyway are left out.
 */
function statusesOf(
  rule: SourcedMap,
  key: 'retry_on' | 'ignore',
  note: Note,
): readonly string[] | null {
  const entry = entryOf(rule, key)
  if (entry === null) return null
  if (entry.value.kind !== 'map') {
    note(entry.line, `\`${key}\``, 'it is no map with `status`', 'the default was written')
    return null
  }
  const names: string[] = []
  for (const [what, { line, value }] of entry.value.entries) {
    if (what !== 'status') {
      note(
        line,
        `\`${key}.${what}\``,
        'ours looks at the status of an answer and at nothing else of it',
        'leave it out, or have the target answer with a status of its own',
      )
      continue
    }
    for (const item of value.kind === 'list' ? value.items : [value]) {
      const text = item.kind === 'scalar' ? String(item.value) : ''
      const found = statusNames(text)
      if (found === null) {
        note(
          item.line,
          `\`${key}.status: ${text}\``,
          'it is no status',
          'write a status or a class',
        )
      }
      names.push(...(found ?? []))
    }
  }
  const isRetry = key === 'retry_on'
  return [...new Set(names)].filter((name) => !(isRetry && retriedAnyway.has(name)))
}

function statusNames(text: string): readonly string[] | null {
  if (/^[2-5]\d\d$/.test(text)) return [text]
  if (/^[2-5]xx$/.test(text)) return [text]
  if (/^[2-5]\dx$/.test(text))
    return Array.from({ length: 10 }, (_, i) => text.slice(0, 2) + String(i))
  return null
}

/** A number above 0; of 0, which change-propagation takes for not given, it is told. */
function positive(map: SourcedMap, key: string, note: Note): number | undefined {
  const entry = entryOf(map, key)
  if (entry === null) return undefined
  const value = numberOf(entry.value)
  if (value !== null && value > 0) return value
  if (value === 0) {
    note(
      entry.line,
      `\`${key}: 0\``,
      'change-propagation takes 0 for not given, and uses its default',
      key === 'retry_limit'
        ? 'written as it behaved; `retry: { attempts: 1 }` if no retry is meant'
        : 'written as it behaved',
    )
  } else {
    note(entry.line, `\`${key}\``, 'it is no number', 'the default was written')
  }
  return undefined
}

function lineOf(map: SourcedMap, key: string): number {
  return entryOf(map, key)?.line ?? map.line
}
