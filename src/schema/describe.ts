import type { Json } from '../model/json.ts'

/** Characters of a text that a message repeats. */
const shownMax = 40

/** A value as a message names it: `the text "on"`, `the number 5`, `a list`. */
export function describeValue(value: Json | undefined): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return `the text ${quote(value)}`
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? 'a list' : 'a map'
}

/** In quotes, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > shownMax ? `${text.slice(0, shownMax)}…` : text)
}

/** `a`, `b` or `c`. */
export function eitherOf(names: readonly string[]): string {
  if (names.length <= 1) return names.join('')
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
