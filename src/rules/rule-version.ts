import { createHash } from 'node:crypto'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'

/** Hash of what a rule says, 12 hex digits: the order of its keys makes no difference. */
export function versionOf(rule: Json): string {
  return createHash('sha256').update(canonicalJson(rule)).digest('hex').slice(0, 12)
}

/** JSON with the keys of every map in order, so that equal values are equal texts. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const entries = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`)
  return `{${entries.join(',')}}`
}
