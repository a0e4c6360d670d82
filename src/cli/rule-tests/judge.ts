import { isDeepStrictEqual } from 'node:util'
import type { Happened } from '../../engine/trial/trial.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'
import type { NewRecord } from '../../model/record.ts'
import { headerText } from '../../model/record.ts'
import { formatDuration } from '../../model/units.ts'
import type { HttpRequest } from '../../ports/http-caller.ts'
import type { Expected, ExpectedEmit, ExpectedHttp } from '../../rules/rule-test-schema.ts'

/** What a case expected and what happened, both as one would write them below `expect`. */
export interface Judgement {
  readonly ok: boolean
  /** Each entry is a map of what happens, `{ http: {..} }`, and of `at` where it is asked for. */
  readonly expected: readonly JsonObject[]
  /** The same fields of what happened; of what nothing was expected of, the chief ones. */
  readonly actual: readonly JsonObject[]
  /** What happened beside it and tells why, as sentences. */
  readonly notes: readonly string[]
}

/**
 * Compares what happened with what a case expects.
 *
 * Effects are compared when the case speaks of effects, or says that nothing happens; skips and
 * retries when it speaks of those: a case about the second attempt need not tell of the first. A
 * dead letter is never passed over. A case that waited for one in vain shows the effects as well,
 * of which it did not speak.
 */
export function judge(expected: readonly Expected[], happened: readonly Happened[]): Judgement {
  const compared = happened.filter(({ kind }) => isCompared(kind, expected))
  const wanted = expected.map(wantedText)
  const isTimed = expected.some(({ atMs }) => atMs !== null)
  const textOf = (one: Happened, i: number): JsonObject => actualText(one, expected[i], isTimed)
  const actual = compared.map(textOf)
  const isInVain = actual.length < wanted.length && !compared.some(({ kind }) => kind === 'dead')
  return {
    ok: isDeepStrictEqual(wanted, actual),
    expected: wanted,
    actual: isInVain ? withEffects(expected, happened).map(textOf) : actual,
    notes: happened.flatMap(noteOf),
  }
}

/** What is compared, and calls and derived events in any case. */
function withEffects(
  expected: readonly Expected[],
  happened: readonly Happened[],
): readonly Happened[] {
  return happened.filter(
    ({ kind }) => kind === 'http' || kind === 'emit' || isCompared(kind, expected),
  )
}

function isCompared(kind: Happened['kind'], expected: readonly Expected[]): boolean {
  const speaksOf = (...kinds: readonly Expected['kind'][]): boolean =>
    expected.some((one) => kinds.includes(one.kind))
  switch (kind) {
    case 'http':
    case 'emit':
      return speaksOf('http', 'emit', 'skip')
    case 'skip':
    case 'retry':
      return speaksOf(kind)
    case 'dead':
      return true
  }
}

function wantedText(one: Expected): JsonObject {
  return one.atMs === null ? wantedThing(one) : { at: timeText(one.atMs), ...wantedThing(one) }
}

/** The start of a case is written as events have it. */
function timeText(atMs: number): string {
  return atMs === 0 ? '0s' : formatDuration(atMs)
}

function wantedThing(one: Expected): JsonObject {
  switch (one.kind) {
    case 'http':
    case 'emit':
      return { [one.kind]: written({ ...one.fields }) }
    case 'retry':
      return { retry: one.afterMs === null ? {} : { after: formatDuration(one.afterMs) } }
    case 'skip':
    case 'dead':
      return { [one.kind]: one.reason }
  }
}

/** Without the fields that were not written. */
function written(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as JsonObject // as: what is undefined has just been left out
}

/** @param isTimed - when it happened is told where nothing was expected as well */
function actualText(one: Happened, expected: Expected | undefined, isTimed: boolean): JsonObject {
  const isAsked = expected === undefined ? isTimed : expected.atMs !== null
  const thing = actualThing(one, expected)
  return isAsked ? { at: timeText(one.atMs), ...thing } : thing
}

function actualThing(one: Happened, expected: Expected | undefined): JsonObject {
  switch (one.kind) {
    case 'http':
      return { http: callText(one.request, expected?.kind === 'http' ? expected.fields : null) }
    case 'emit':
      return { emit: recordText(one.record, expected?.kind === 'emit' ? expected.fields : null) }
    case 'skip':
    case 'dead':
      return { [one.kind]: one.reason }
    case 'retry': {
      const isAsked = expected?.kind !== 'retry' || expected.afterMs !== null
      return { retry: isAsked ? { after: formatDuration(one.afterMs) } : {} }
    }
  }
}

/** The fields that were asked for, in the order in which they were; `null`: nothing was. */
function callText(request: HttpRequest, asked: ExpectedHttp | null): JsonObject {
  const { method, url, headers } = request
  if (asked === null) return { method, url }
  const fields: Readonly<Record<keyof ExpectedHttp, () => Json>> = {
    method: () => method,
    url: () => url,
    headers: () => valuesOf(asked.headers, (name) => headers[name.toLowerCase()] ?? null),
    json: () => alike(jsonOr(textOf(request)), asked.json),
    form: () => alike(Object.fromEntries(new URLSearchParams(textOf(request))), asked.form),
    text: () => textOf(request),
  }
  return fieldsAsked(asked, fields)
}

function recordText(record: NewRecord, asked: ExpectedEmit | null): JsonObject {
  const key = (): Json => record.key?.toString('utf8') ?? null
  if (asked === null) return { topic: record.topic, key: key() }
  const fields: Readonly<Record<keyof ExpectedEmit, () => Json>> = {
    topic: () => record.topic,
    key,
    headers: () => valuesOf(asked.headers, (name) => headerText(record.headers, name)),
    value: () =>
      record.value === null ? null : alike(jsonOr(record.value.toString('utf8')), asked.value),
  }
  return fieldsAsked(asked, fields)
}

function fieldsAsked<Fields extends object>(
  asked: Fields,
  fields: Readonly<Record<keyof Fields, () => Json>>,
): JsonObject {
  const names = Object.keys(asked) as (keyof Fields & string)[] // as: a literal of the schema has no others
  const given = names.filter((name) => asked[name] !== undefined)
  return Object.fromEntries(given.map((name) => [name, fields[name]()]))
}

function valuesOf(
  asked: Readonly<Record<string, string | null>> | undefined,
  read: (name: string) => string | null,
): JsonObject {
  return Object.fromEntries(Object.keys(asked ?? {}).map((name) => [name, read(name)]))
}

function textOf({ body }: HttpRequest): string {
  return body === null ? '' : body.toString()
}

/** What is no JSON is shown as the text that it is. */
function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json // as: what JSON.parse gives
  } catch {
    return text
  }
}

/** The same value with its keys in the order of `model`, so that a diff shows what differs. */
function alike(value: Json, model: Json | undefined): Json {
  if (Array.isArray(value)) {
    const models = Array.isArray(model) ? (model as readonly Json[]) : [] // as: an array of a Json value
    return (value as readonly Json[]).map((one, i) => alike(one, models[i])) // as: likewise
  }
  if (!isJsonObject(value) || !isJsonObject(model)) return value
  const names = [...Object.keys(model).filter((name) => Object.hasOwn(value, name))]
  const others = Object.keys(value).filter((name) => !Object.hasOwn(model, name))
  return Object.fromEntries(
    [...names, ...others].map((name) => [name, alike(value[name] ?? null, model[name])]),
  )
}

function noteOf(one: Happened): readonly string[] {
  const at = one.atMs === 0 ? '' : ` at ${timeText(one.atMs)}`
  switch (one.kind) {
    case 'http':
    case 'emit':
      return []
    case 'skip':
      return [`skipped${at}: ${one.reason}${one.why === null ? '' : `, ${one.why}`}`]
    case 'retry':
      return [`an attempt failed${at}: ${one.why}`]
    case 'dead':
      return [`dead${at}: ${one.why}`]
  }
}
