import type { Json, JsonObject } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'

/*
 * Which fields of an event a rule for it would probably ask for and send: a guess from names, made to
 * be changed by whoever reads it.
 */

/** A field of an event, by its names from the root. */
export interface Field {
  readonly steps: readonly string[]
  readonly value: string | number | boolean
}

export interface Picked {
  /** What kind of event it is, and of which part of the world. At most three; none if there is no field. */
  readonly asked: readonly Field[]
  /** `asked` says that the field is there, and not which value it has: no value tells events apart. */
  readonly isOfPresence: boolean
  /** What the receiver needs to know: at least one where there is a field. */
  readonly sent: readonly Field[]
}

/** Fields that are looked at; an event has a few hundred. */
const fieldsMax = 2_000
const depthMax = 4
const textMax = 200
const askedTextMax = 64

/** Names that need no escape, neither in a path nor in a template. */
const plainName = /^[A-Za-z][A-Za-z0-9_]{0,62}$/
/** What YAML, or the screen, would show as something else. */
const oddText = /[\p{Cc}\p{Cs}\u2028\u2029\uFEFF]|\{\{/u

const kindName = /(?:^|_)(?:kind|type|action|event|operation|op|verb|status|state|category)$/i
const spaceName = /(?:^|_)(?:namespace|namespace_id|ns)$/i
const originName =
  /(?:^|_)(?:wiki|wiki_id|domain|server_name|tenant|tenant_id|project|project_id|env|region|site)$/i
const idName = /(?:^|_)(?:id|uuid|key)$/i
const shownName = /(?:^|_)(?:title|name|email|user|path|url)$/i
const word = /^[A-Za-z][A-Za-z0-9_.:-]*$/

/** Numbers that name a part of the world, as namespaces do, are small. */
const scopeNumberMax = 1_000

export function pickFields(event: JsonObject): Picked {
  const fields = fieldsOf(event)
  const kind = fields.find((field) => isCalled(field, kindName) && isWord(field))
  const space = fields.find((field) => isCalled(field, spaceName) && isScope(field))
  const origin = fields.find((field) => isCalled(field, originName) && isScope(field))
  const telling = [kind, space, origin].filter((field) => field !== undefined)
  const other = fields.find((field) => !isCalled(field, idName) && isTelling(field)) ?? fields[0]
  const isOfPresence = telling.length === 0 && (other === undefined || !isTelling(other))
  const asked = telling.length > 0 ? telling : other === undefined ? [] : [other]
  const ids = fields.filter((field) => isCalled(field, idName) && !isAsked(field)).slice(0, 2)
  const shown = fields.filter((field) => isCalled(field, shownName)).slice(0, 2)
  const sent = [...ids, ...shown]
  return { asked, isOfPresence, sent: sent.length > 0 ? sent : asked }
}

/** Those nearest to the root first; what stands below lists is no path. */
function fieldsOf(event: JsonObject): readonly Field[] {
  const found: Field[] = []
  let level: readonly (readonly [readonly string[], Json])[] = [[[], event]]
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    const next: (readonly [readonly string[], Json])[] = []
    for (const [steps, value] of level) {
      for (const [name, below] of Object.entries(isJsonObject(value) ? value : {})) {
        if (!plainName.test(name) || found.length + next.length >= fieldsMax) continue
        if (isUsable(below)) found.push({ steps: [...steps, name], value: below })
        else next.push([[...steps, name], below])
      }
    }
    level = next
  }
  return found
}

function isUsable(value: Json): value is Field['value'] {
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
