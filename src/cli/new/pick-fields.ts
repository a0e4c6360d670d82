import type { Json, JsonObject } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'

/*
 * Which fields of an event a rule for it would probably ask for and send: a guess from names, made to
 * be changed by whoever reads it.
 */

/** A field of an event, by its names from the root. */
export interface Field {
  readonly steps: readonly string[]
  /** As an event of a test holds it: of what would not look the same in a file, a stand-in. */
  readonly value: Json
}

export interface Picked {
  /** What kind of event it is, and of which part of the world. At most three; none if no name can be written. */
  readonly asked: readonly Field[]
  /** `asked` says that the field is there, and not which value it has: no value tells events apart. */
  readonly isOfPresence: boolean
  /** What the receiver needs to know; none where no template could read any of it. */
  readonly sent: readonly Field[]
}

/** Fields that are looked at; an event has a few hundred. */
const fieldsMax = 2_000
const depthMax = 4
const textMax = 200
const askedTextMax = 64

/** Names that need no escape, neither in a path nor in a template: of two fields, the plain one is taken. */
const plainName = /^[A-Za-z][A-Za-z0-9_]*$/
const nameMax = 63
/** Blanks that a reader takes for a plain one, and would type as one. */
const oddBlank = /[^\S ]/
/** What would end the path of a tag, or the tag. */
const untaggableName = /[\s|{}]/
/** What YAML, or the screen, would show as something else. */
const oddText = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF]|\{\{/u

const kindName = /(?:^|[^a-z])(?:kind|type|action|event|operation|op|verb|status|state|category)$/i
const spaceName = /(?:^|[^a-z])(?:namespace|namespace_id|ns)$/i
const originName =
  /(?:^|[^a-z])(?:wiki|wiki_id|domain|server_name|tenant|tenant_id|project|project_id|env|region|site)$/i
const idName = /(?:^|[^a-z])(?:id|uuid|key)$/i
const shownName = /(?:^|[^a-z])(?:title|name|email|user|path|url)$/i
const word = /^[A-Za-z][A-Za-z0-9_.:-]*$/

/** Numbers that name a part of the world, as namespaces do, are small. */
const scopeNumberMax = 1_000

export function pickFields(event: JsonObject): Picked {
  const { fields, others } = fieldsOf(event)
  const kind = fields.find((field) => isCalled(field, kindName) && isWord(field))
  const space = fields.find((field) => isCalled(field, spaceName) && isScope(field))
  const origin = fields.find((field) => isCalled(field, originName) && isScope(field))
  const telling = [kind, space, origin].filter((field) => field !== undefined)
  const other =
    fields.find((field) => !isCalled(field, idName) && isTelling(field)) ?? fields[0] ?? others[0]
  const isOfPresence = telling.length === 0 && (other === undefined || !isTelling(other))
  const asked = telling.length > 0 ? telling : other === undefined ? [] : [other]
  const sendable = fields.filter(isSendable)
  const ids = sendable.filter((field) => isCalled(field, idName) && !isAsked(field)).slice(0, 2)
  const shown = sendable.filter((field) => isCalled(field, shownName)).slice(0, 2)
  const sent = [...ids, ...shown]
  return {
    asked,
    isOfPresence,
    sent: sent.length > 0 ? sent : asked.filter((field) => sendable.includes(field)),
  }
}

interface Found {
  /** Texts, numbers and flags: plain names first, and of those the nearest to the root. */
  readonly fields: readonly Field[]
  /** What can be asked for only by its presence. */
  readonly others: readonly Field[]
}

/** What stands below lists is no path. */
function fieldsOf(event: JsonObject): Found {
  const found: Field[] = []
  const others: Field[] = []
  let level: readonly (readonly [readonly string[], Json])[] = [[[], event]]
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    const next: (readonly [readonly string[], Json])[] = []
    for (const [steps, value] of level) {
      for (const [name, below] of Object.entries(isJsonObject(value) ? value : {})) {
        if (!isWritable(name) || found.length + next.length >= fieldsMax) continue
        const path = [...steps, name]
        if (isUsable(below)) found.push({ steps: path, value: below })
        else {
          next.push([path, below])
          others.push({ steps: path, value: standInOf(below) })
        }
      }
    }
    level = next
  }
  const isPlain = (field: Field): boolean => field.steps.every((step) => plainName.test(step))
  return { fields: [...found.filter(isPlain), ...found.filter((one) => !isPlain(one))], others }
}

function isWritable(name: string): boolean {
  const isOdd = oddText.test(name) || oddBlank.test(name)
  // No file of rules may have a key `__proto__`.
  return name !== '' && name !== '__proto__' && name.length <= nameMax && !isOdd
}

/** Of the same kind, and such that a file shows it as it is. */
function standInOf(value: Json): Json {
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'number') return 1
  if (isJsonObject(value)) return {}
  return value === null ? null : []
}

function isSendable({ steps }: Field): boolean {
  return !steps.some((step) => untaggableName.test(step))
}

function isUsable(value: Json): value is string | number | boolean {
  if (typeof value === 'number') {
    const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value)
    return isExact && !Object.is(value, -0)
  }
  if (typeof value === 'string') return value.length <= textMax && !oddText.test(value)
  return typeof value === 'boolean'
}

function isCalled({ steps }: Field, name: RegExp): boolean {
  return name.test(steps.at(-1) ?? '')
}

function isAsked(field: Field): boolean {
  return isCalled(field, spaceName) || isCalled(field, originName)
}

function isWord({ value }: Field): boolean {
  return typeof value === 'string' && value.length <= askedTextMax && word.test(value)
}

function isScope(field: Field): boolean {
  const { value } = field
  return isWord(field) || (typeof value === 'number' && Math.abs(value) <= scopeNumberMax)
}

function isTelling(field: Field): boolean {
  return isWord(field) || typeof field.value === 'boolean'
}
