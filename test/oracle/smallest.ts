import type { Event } from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'
import type { RawFile, RawMap } from './naive.ts'

/*
 * A disagreement found is among dozens of rules and fields. This takes away what does not matter,
 * part by part, so that the rest can be read, and written down as a case.
 */

/** Loads made at most for one disagreement. */
const triesMax = 3_000

export interface Found {
  readonly file: RawFile
  readonly event: Event
}

/** The smallest that still disagrees, of those that lack parts of what was found. */
export async function smallest(
  found: Found,
  disagrees: (candidate: Found) => Promise<boolean>,
): Promise<Found> {
  let best = found
  let tries = 0
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false
    for (const candidate of smaller(best)) {
      if (++tries > triesMax) return best
      if (!(await disagrees(candidate))) continue
      best = candidate
      isSmaller = true
      break
    }
  }
  return best
}

function* smaller({ file, event }: Found): Generator<Found> {
  for (const rules of withOneLess(file.rules)) {
    yield { file: { ...file, rules: rules as RawMap }, event } // as: a map that lacks a part
  }
  for (const body of withOneLess(event.body)) yield { file, event: { ...event, body } }
}

/** Copies of a value that lack one part, the largest parts first. */
function* withOneLess(value: Json): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  const entries = Object.entries(value) as readonly (readonly [string, Json])[] // as: of a Json value
  const rebuilt = (parts: readonly (readonly [string, Json])[]): Json =>
    Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts)
  for (const [name] of entries) yield rebuilt(entries.filter(([one]) => one !== name))
  for (const [name, part] of entries) {
    for (const less of withOneLess(part)) {
      yield rebuilt(entries.map((entry) => (entry[0] === name ? [name, less] : entry)))
    }
  }
}
