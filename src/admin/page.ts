import { AdminProblem } from './problem-document.ts'

export const pageSizeDefault = 100
export const pageSizeMax = 1_000

/** A part of a list that is sorted by name. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** `null`: this is the last page. */
  readonly next_cursor: string | null
}

/**
 * The page that `query` asks for with `limit` and `cursor`. A cursor stands for the name of the last
 * item of the page before: what comes or goes between two pages shifts nothing. `sorted` is by name.
 */
export function pageOf<Item extends { readonly name: string }>(
  sorted: readonly Item[],
  query: Readonly<Record<string, unknown>>,
): Page<Item> {
  const limit = limitOf(query['limit'])
  const after = nameOf(query['cursor'])
  const rest = after === null ? sorted : sorted.filter(({ name }) => name > after)
  const items = rest.slice(0, limit)
  const last = items.at(-1)
  const isLast = last === undefined || items.length === rest.length
  return { items, next_cursor: isLast ? null : cursorOf(last.name) }
}

function limitOf(given: unknown): number {
  if (given === undefined) return pageSizeDefault
  const limit = typeof given === 'string' && /^\d{1,4}$/.test(given) ? Number(given) : 0
  if (limit >= 1 && limit <= pageSizeMax) return limit
  throw new AdminProblem('bad-request', `limit must be a whole number from 1 to ${pageSizeMax}`)
}

function cursorOf(name: string): string {
  return Buffer.from(`name:${name}`, 'utf8').toString('base64url')
}

function nameOf(cursor: unknown): string | null {
  if (cursor === undefined) return null
  const text = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString('utf8') : ''
  if (text.startsWith('name:')) return text.slice('name:'.length)
  throw new AdminProblem('bad-request', 'cursor must be the next_cursor of a page before')
}
