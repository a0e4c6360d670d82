import type { Json } from '../../src/model/json.ts'
import type { BusRecord } from '../../src/model/record.ts'
import { chance, pick, type Random } from './chance.ts'
import { scalars, topics, words } from './pool.ts'

/* One thing of an event that is not as a rule wants it. */

/** A record that is still being written. */
export type DraftRecord = { -readonly [K in keyof BusRecord]?: BusRecord[K] } & { topic: string }

/** Changes one thing of the record. */
export function spoilRecord(record: DraftRecord, random: Random): void {
  const headers = record.headers ?? []
  const changes: readonly (() => void)[] = [
    () => (record.key = null),
    () => (record.key = Buffer.from([0xc3, 0x28])),
    () => (record.key = Buffer.from(pick(words, random))),
    () => (record.partition = (record.partition ?? 0) + 1),
    () => (record.offset = (record.offset ?? 0n) + 1n),
    () => (record.offset = 2n ** 60n),
    () => (record.timestampMs = (record.timestampMs ?? 0) + 1),
    () => (record.headers = []),
    () => (record.headers = [...headers, ['source', null]]),
    () => (record.headers = [['source', Buffer.from('x')], ...headers]),
    () => (record.headers = headers.map(([name, value]) => [name.toUpperCase(), value])),
    () => (record.topic = pick(topics, random)),
  ]
  pick(changes, random)()
}

/** The body with one thing changed, at any depth. */
export function spoilBody(body: Json, random: Random): Json {
  const places = placesIn(body)
  if (places.length === 0 || chance(random, 0.05)) return pick<Json>([body, [body], null], random)
  return changed(body, pick(places, random), (value) => spoilt(value, random))
}

type Place = readonly (string | number)[]

function placesIn(value: Json, at: Place = []): readonly Place[] {
  if (typeof value !== 'object' || value === null) return []
  const keys: readonly (string | number)[] = Array.isArray(value)
    ? [...value.keys()]
    : Object.keys(value)
  return keys.flatMap((key) => {
    const place = [...at, key]
    return [place, ...placesIn(below(value, key), place)]
  })
}

function below(value: Json, key: string | number): Json {
  return (value as { readonly [key: string | number]: Json })[key] ?? null // as: a place in it
}

/** A copy in which the value at a place is another one, or left out. */
function changed(
  value: Json,
  [key, ...rest]: Place,
  change: (value: Json) => readonly Json[] | Renamed,
): Json {
  if (typeof value !== 'object' || value === null || key === undefined) return value
  const entries: readonly (readonly [string | number, Json])[] = Array.isArray(value)
    ? [...(value as readonly Json[]).entries()] // as: isArray forgets what the members are
    : Object.entries(value)
  const result = entries.flatMap(([name, one]): readonly (readonly [string | number, Json])[] => {
    if (name !== key) return [[name, one]]
    if (rest.length > 0) return [[name, changed(one, rest, change)]]
    const instead = change(one)
    if (isRenamed(instead)) return [[instead.by(String(name)), one]]
    return instead.map((other) => [name, other])
  })
  return Array.isArray(value) ? result.map(([, one]) => one) : Object.fromEntries(result)
}

/** The value stays, and its name is another. */
interface Renamed {
  readonly by: (name: string) => string
}

function isRenamed(change: readonly Json[] | Renamed): change is Renamed {
  return 'by' in change
}

/** Of UTF-16; about a longer text no regex can say anything. */
export const unitsSeen = 65_536

/**
 * What makes a text long: a letter that no class of a generated regex holds. Over a run of those
 * that one does, the naive interpreter's own engine, which goes back, would take minutes.
 */
export const filling = '-'

/** What stands in place of a value: nothing, or another one; in a list perhaps two. */
function spoilt(value: Json, random: Random): readonly Json[] | Renamed {
  const ways: (() => readonly Json[] | Renamed)[] = [
    () => [],
    () => [null],
    () => [[value]],
    () => [[pick(scalars, random), value]],
    () => [{ to: value }],
    () => [pick(scalars, random)],
    () => ({ by: (name) => `${name}.` }),
    () => ({ by: (name) => name.toUpperCase() }),
  ]
  if (typeof value === 'string')
    ways.push(...textChanges(value, random), ...textChanges(value, random))
  if (typeof value === 'number') ways.push(...numberChanges(value), ...numberChanges(value))
  if (typeof value === 'boolean' || value === null)
    ways.push(
      () => [String(value)],
      () => [0],
      () => [''],
    )
  if (Array.isArray(value)) ways.push(...listChanges(value as readonly Json[], random)) // as: isArray forgets what the members are
  return pick(ways, random)()
}

function textChanges(text: string, random: Random): readonly (() => readonly Json[])[] {
  return [
    () => [text.toUpperCase()],
    () => [text.toLowerCase()],
    () => [text.slice(0, -1)],
    () => [text.slice(1)],
    () => [`${text}x`],
    () => [` ${text}`],
    () => [`${text}.`],
    () => [Number.isFinite(Number(text)) ? Number(text) : text],
    () => [chance(random, 0.3) ? text.padEnd(unitsSeen + 1, filling) : text],
    () => [chance(random, 0.1) ? text.padEnd(unitsSeen, filling) : `${text}\n`],
  ]
}

function numberChanges(number: number): readonly (() => readonly Json[])[] {
  return [
    () => [number + 1],
    () => [number - 1],
    () => [number + 0.5],
    () => [-number],
    () => [String(number)],
    () => [number !== 0],
  ]
}

function listChanges(list: readonly Json[], random: Random): readonly (() => readonly Json[])[] {
  return [
    () => [list.toReversed()],
    () => [list.slice(1)],
    () => [list.slice(0, -1)],
    () => [[...list, pick(scalars, random)]],
    () => [list.map((one, i) => (i === 0 ? [one] : one))],
    () => [list[0] ?? null],
    () => [[]],
    () => [[...list, ...list]],
    () => [chance(random, 0.3) ? filledUp(list, random) : list],
  ]
}

/** The list with its texts made so long that they have together as much as a regex sees, or more. */
export function filledUp(list: readonly Json[], random: Random): readonly Json[] {
  const texts = list.filter((one) => typeof one === 'string')
  const units = unitsSeen + pick([0, 1], random)
  const share = Math.floor(units / Math.max(1, texts.length))
  let left = units
  let textsLeft = texts.length
  return list.map((one) => {
    if (typeof one !== 'string') return one
    const length = --textsLeft === 0 ? left : share
    left -= length
    return one.slice(0, length).padEnd(length, filling)
  })
}
