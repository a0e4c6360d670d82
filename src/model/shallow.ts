import { isJsonObject, type Json } from './json.ts'

/** Levels of a value that are shown to people. Far above what anyone reads, and below a stack. */
const levelsMax = 100

/**
 * The value with `…` for what is nested deeper than anyone would read. The parser takes what is
 * deeper than a stack, and the writer does not: whatever is shown of an event goes through here.
 */
export function shallow(value: Json, levels = levelsMax): Json {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return '…'
  if (!isJsonObject(value)) return value.map((one) => shallow(one, levels - 1))
  const fields = Object.entries(value).map(([name, one]) => [name, shallow(one, levels - 1)])
  return Object.fromEntries(fields) as Json // as: names and Json values
}
