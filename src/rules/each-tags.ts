import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { ProblemCode } from '../schema/problem-code.ts'
import type { At } from '../schema/yaml-document.ts'

/*
 * `{{each.x}}`, filled in at load: as text, in texts and keys, before anything else is read of the
 * rule. What comes out is looked at like any other rule, so a value may hold tags of its own.
 */

/** What is wrong with a tag, at the value or key that holds it. */
export type ReportTag = (
  at: At,
  part: 'key' | 'value',
  code: ProblemCode,
  message: string,
  hint: string | null,
) => void

/** Any tag whose path begins with `each`, comments left out. A third brace behind it is not its own. */
const tagForm = /\{\{\s*([{&#^/>]?)\s*each(?![\w-])([^{}]*)\}\}/g
const pathForm = /^((?:\.[^\s.|]+)+)\s*$/

/** Whether a text holds such a tag. */
function hasEachTag(text: string): boolean {
  return text.includes('{{') && text.search(tagForm) !== -1
}

/** Every text of a value, keys included, that holds such a tag. */
export function findEachTags(
  source: Json,
  at: At,
  found: (at: At, part: 'key' | 'value') => void,
): void {
  if (typeof source === 'string') {
    if (hasEachTag(source)) found(at, 'value')
  } else if (Array.isArray(source)) {
    source.forEach((item: Json, i) => findEachTags(item, [...at, i], found))
  } else if (isJsonObject(source)) {
    for (const [key, value] of Object.entries(source)) {
      if (hasEachTag(key)) found([...at, key], 'key')
      findEachTags(value, [...at, key], found)
    }
  }
}

/** Parts without a tag come back as they are, so that ten thousand rules share them. */
export function fillEachTags(source: Json, at: At, each: JsonObject, report: ReportTag): Json {
  if (typeof source === 'string') {
    return fillText(source, each, (code, message, hint) => report(at, 'value', code, message, hint))
  }
  if (Array.isArray(source)) {
    const list = source as readonly Json[] // as: an array of a Json value
    const filled = list.map((item, i) => fillEachTags(item, [...at, i], each, report))
    return filled.every((item, i) => item === list[i]) ? list : filled
  }
  if (!isJsonObject(source)) return source
  return fillMap(source, at, each, report)
}

function fillMap(source: JsonObject, at: At, each: JsonObject, report: ReportTag): JsonObject {
  const filled: Record<string, Json> = {}
  let isChanged = false
  for (const [key, value] of Object.entries(source)) {
    const below = [...at, key]
    const name = fillKey(key, below, each, report)
    if (Object.hasOwn(filled, name)) {
      const message = `\`${name}\` stands twice in one map`
      report(
        below,
        'key',
        'duplicate-key',
        message,
        'two keys are the same once they are filled in',
      )
      continue
    }
    const one = fillEachTags(value, below, each, report)
    if (one !== value || name !== key) isChanged = true
    filled[name] = one
  }
  return isChanged ? filled : source
}

function fillKey(key: string, at: At, each: JsonObject, report: ReportTag): string {
  const told = (code: ProblemCode, message: string, hint: string | null): void =>
    report(at, 'key', code, message, hint)
  const name = fillName(key, each, told)
  if (name !== '__proto__') return name
  told('yaml-key', '`__proto__` cannot be a key', null)
  return key
}

type Tell = (code: ProblemCode, message: string, hint: string | null) => void

/** A text that is one tag and nothing else takes the value as it is. */
function fillText(text: string, each: JsonObject, tell: Tell): Json {
  if (!hasEachTag(text)) return text
  const [tag] = text.match(tagForm) ?? []
  if (tag !== text) return fillName(text, each, tell)
  const [parts] = text.matchAll(tagForm)
  return (parts === undefined ? undefined : valueOf(parts, each, tell)) ?? null
}

/** Always a text. */
export function fillName(text: string, each: JsonObject, tell: Tell): string {
  if (!hasEachTag(text)) return text
  const opensSection = /\{\{\s*[#^]\s*each/.test(text)
  return text.replaceAll(tagForm, (...parts: readonly string[]) => {
    if (parts[1] === '/' && opensSection) return '' // told where it opens
    const value = valueOf(parts, each, tell)
    if (value === undefined) return ''
    if (value !== null && typeof value !== 'object') return String(value)
    const message = `${parts[0]} is ${describeValue(value)} and stands in a text`
    tell('bad-value', message, 'only texts, numbers, true and false can be put into a text')
    return ''
  })
}

/** `undefined` after reporting why there is none. */
function valueOf(
  [tag = '', sigil = '', rest = '']: readonly string[],
  each: JsonObject,
  tell: Tell,
): Json | undefined {
  if (sigil !== '') {
    const isSection = sigil === '#' || sigil === '^' || sigil === '/'
    const what = isSection ? 'a section' : 'a tag of that form'
    tell('template-syntax', `${tag}: ${what} is not filled in at load`, 'write {{each.name}}')
    return undefined
  }
  const path = pathForm.exec(rest)?.[1]
  if (path === undefined) {
    const message = `${tag}: ${rest.includes('|') ? 'pipes are' : 'this is'} not filled in at load`
    tell('template-syntax', message, 'write {{each.name}}, with a name from `for_each`')
    return undefined
  }
  return read(path.slice(1).split('.'), tag, each, tell)
}

function read(
  names: readonly string[],
  tag: string,
  each: JsonObject,
  tell: Tell,
): Json | undefined {
  let value: Json = each
  for (const name of names) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) {
      const known = isJsonObject(value) ? Object.keys(value) : []
      const hint =
        didYouMean(name, known) ?? (known.length === 0 ? null : `known are ${known.join(', ')}`)
      tell('template-path', `${tag}: there is no \`${name}\` in this entry of \`for_each\``, hint)
      return undefined
    }
    value = value[name] ?? null
  }
  return value
}
