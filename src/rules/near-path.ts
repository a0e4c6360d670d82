import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { nearestName } from '../schema/did-you-mean.ts'
import { foldCase } from './case-folding.ts'
import type { FieldPath } from './condition.ts'
import { fieldBelow, joinPath } from './field-path.ts'

/** Values of an event that are looked at for a field that is absent; more is no near miss. */
const valuesMax = 10_000

/** Names of a path that is looked for elsewhere; a rule would hardly be meant for a longer one. */
const namesMax = 20

/**
 * Where the value of a path that reads nothing may have been meant to be, in half a sentence; `null`
 * where the event gives no hint.
 *
 * @param start - what the path starts at
 * @param headers - names of the record's headers
 */
export function nearPath(path: FieldPath, start: Json, headers: readonly string[]): string | null {
  if (path.from === 'record') return nearHeader(path.text, headers)
  if (!isJsonObject(start)) {
    const noun = path.from === 'event' ? 'the event' : 'the element'
    return `${noun} is no map: it has no fields`
  }
  const names = path.steps
  for (let length = 1; length <= names.length; length++) {
    const above = fieldBelow(start, names.slice(0, length - 1))
    const name = names[length - 1] ?? ''
    if (isJsonObject(above) && Object.hasOwn(above, name)) continue
    return isJsonObject(above)
      ? nearSibling(path, above, length, start)
      : belowNoMap(above ?? null, names.slice(0, length - 1), names.slice(length - 1))
  }
  return null
}

function nearHeader(text: string, headers: readonly string[]): string | null {
  const prefix = '@headers.'
  if (!text.startsWith(prefix)) return null
  const name = text.slice(prefix.length)
  const near = headers.find((one) => foldCase(one) === foldCase(name)) ?? nearestName(name, headers)
  return near === null ? null : `the record has \`${prefix}${near}\``
}

/** What a list holds, or a text, is no field below it. */
function belowNoMap(value: Json, above: readonly string[], below: readonly string[]): string {
  const path = joinPath(above)
  if (!Array.isArray(value)) return `\`${path}\` is no map: nothing is below it`
  const rest = joinPath(below)
  return `\`${path}\` is a list: \`some: { path: ${path}, where: { ${rest}: .. } }\` looks into its elements`
}

/** The first name that is missing, `length` names into the path, misspelt or elsewhere. */
function nearSibling(
  path: FieldPath,
  above: { readonly [key: string]: Json },
  length: number,
  start: Json,
): string | null {
  const names = path.steps
  const name = names[length - 1] ?? ''
  const siblings = Object.keys(above)
  const rest = names.slice(length)
  const dotted = names.slice(length - 1).join('.')
  const near =
    siblings.find((one) => foldCase(one) === foldCase(name)) ??
    siblings.find((one) => one === dotted) ??
    withSameStart(name, siblings) ??
    nearestName(name, siblings)
  if (near !== undefined && near !== null) {
    const found = joinPath([...names.slice(0, length - 1), near, ...(near === dotted ? [] : rest)])
    const isThere =
      near === dotted || rest.length === 0 || fieldBelow(above[near], rest) !== undefined
    if (isThere) return `there is \`${found}\`, not \`${path.text}\``
  }
  const elsewhere = sameLastName(path, start)
  return elsewhere === null ? null : `there is \`${elsewhere}\`, not \`${path.text}\``
}

/** `namespace` for `namespace_id`, and the other way round. */
function withSameStart(name: string, siblings: readonly string[]): string | undefined {
  const isWordOf = (long: string, short: string) => /^[_.-]/.test(long.slice(short.length))
  return siblings.find(
    (one) =>
      (name.startsWith(one) && isWordOf(name, one)) ||
      (one.startsWith(name) && isWordOf(one, name)),
  )
}

/** Another path that ends in the same name, the shortest one, of those that no list is above. */
function sameLastName(path: FieldPath, start: Json): string | null {
  const last = path.steps.at(-1) ?? ''
  let level: (readonly [names: readonly string[], value: Json])[] = [[[], start]]
  let left = valuesMax
  for (let length = 1; length <= namesMax && level.length > 0; length++) {
    const next: typeof level = []
    for (const [names, value] of level) {
      if (!isJsonObject(value)) continue
      if (Object.hasOwn(value, last)) return joinPath([...names, last])
      for (const [name, below] of Object.entries(value)) {
        if (left-- <= 0) return null
        next.push([[...names, name], below])
      }
    }
    level = next
  }
  return null
}
