import type { Headers } from './record.ts'
import { headerText } from './record.ts'

/**
 * Where an event comes from (docs/delivery.md, lineage). Derived events and HTTP calls carry it, so
 * that a storm can be traced to the one edit that set it off and a loop ends by itself.
 */
export interface Lineage {
  /** Id of the first event. */
  readonly root: string
  /** Event time of the first event, milliseconds since 1970. Never changes along the way. */
  readonly rootTimeMs: number
  /** How many derived events lie between the first event and this one. */
  readonly hops: number
  /** Names of the rules on the way, oldest first. */
  readonly path: readonly string[]
  /** W3C trace context, or `null` when the event came without one. */
  readonly traceparent: string | null
}

export const lineageHeaders = {
  root: 'sluice-root',
  rootTime: 'sluice-root-time',
  hops: 'sluice-hops',
  path: 'sluice-path',
  traceparent: 'traceparent',
} as const

const traceparentForm = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/**
 * Reads the lineage from a record's headers. A record without them is a first event: its own id
 * and time are the root's. What does not parse counts as absent, since anybody can write headers.
 */
export function lineageOf(headers: Headers, ownId: string, ownTimeMs: number): Lineage {
  const traceparent = wellFormedTraceparent(headerText(headers, lineageHeaders.traceparent))
  const root = headerText(headers, lineageHeaders.root)
  if (root === null) return { root: ownId, rootTimeMs: ownTimeMs, hops: 0, path: [], traceparent }
  const rootTimeMs = Date.parse(headerText(headers, lineageHeaders.rootTime) ?? '')
  const hops = Number(headerText(headers, lineageHeaders.hops) ?? '0')
  const path = headerText(headers, lineageHeaders.path) ?? ''
  return {
    root,
    rootTimeMs: Number.isNaN(rootTimeMs) ? ownTimeMs : rootTimeMs,
    hops: Number.isSafeInteger(hops) && hops >= 0 ? hops : 0,
    path: path === '' ? [] : path.split(','),
    traceparent,
  }
}

function wellFormedTraceparent(text: string | null): string | null {
  return text !== null && traceparentForm.test(text) ? text : null
}

/** How a derived event or a call names its lineage. `lineage` is that of the thing being sent. */
export function lineageToText(lineage: Lineage): readonly (readonly [string, string])[] {
  const texts: (readonly [string, string])[] = [
    [lineageHeaders.root, lineage.root],
    [lineageHeaders.rootTime, new Date(lineage.rootTimeMs).toISOString()],
    [lineageHeaders.hops, String(lineage.hops)],
    [lineageHeaders.path, lineage.path.join(',')],
  ]
  if (lineage.traceparent !== null) texts.push([lineageHeaders.traceparent, lineage.traceparent])
  return texts
}

/** The lineage of what `rule` makes out of an event with lineage `from`. */
export function lineageBehind(from: Lineage, rule: string, traceparent: string): Lineage {
  return { ...from, hops: from.hops + 1, path: [...from.path, rule], traceparent }
}

/** Rule runs of one name that a path may hold before the next counts as a loop (delivery, 5). */
const selfMax = 1

/** Whether `rule` acting on an event with this lineage would go round in a circle. */
export function isLoop(lineage: Lineage, rule: string, hopsMax: number): boolean {
  if (lineage.hops > hopsMax) return true
  if (lineage.path.length === 0) return false
  return lineage.path.filter((name) => name === rule).length > selfMax
}
