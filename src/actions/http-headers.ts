import type { Lineage } from '../model/lineage.ts'
import { lineageHeaders } from '../model/lineage.ts'

/** Names that the HTTP client writes by itself, or that only concern one connection (RFC 9110, 7.6.1). */
const framing = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const ours: ReadonlySet<string> = new Set(Object.values(lineageHeaders))

const nameForm = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Why an action may not set a header of this name, or `null` if it may. `name` is in lower case. */
export function headerRefusal(name: string): string | null {
  if (!nameForm.test(name)) return 'is not the name of a header'
  if (framing.has(name)) return 'is set by the HTTP client and cannot be given'
  if (ours.has(name) || name.startsWith('sluice-')) return 'is set by Sluice'
  return null
}

/** `name`, `name:port`, `1.2.3.4`, `[::1]:80`. */
const hostForm = /^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/** Whether `value` can be a `host` header: a cache takes it for a part of the address. */
export function isHostHeader(value: string): boolean {
  return hostForm.test(value)
}

const printableAscii = /^[\x20-\x7e]*$/
export const isHeaderText = (text: string): boolean => printableAscii.test(text)

/** Longer than any id we make; what comes in on the bus may be as long as a record. */
const lineageLengthMax = 1_024

type LineageHeaders = Record<
  (typeof lineageHeaders)[Exclude<keyof typeof lineageHeaders, 'traceparent'>],
  string
>

/**
 * What a call tells about its lineage, as a new object that the caller goes on filling. Ids come from
 * record headers that anybody can write, so what a header cannot carry is percent-encoded here and
 * what is too long is cut. Hot: the names are spelled out because an object that is written in one
 * go costs a fraction of one that grows name by name.
 */
export function headersOfLineage(lineage: Lineage): Record<string, string> {
  const headers: LineageHeaders & Record<string, string> = {
    'sluice-root': carried(lineage.root),
    'sluice-root-time': new Date(lineage.rootTimeMs).toISOString(),
    'sluice-hops': String(lineage.hops),
    'sluice-path': carried(lineage.path.join(',')),
  }
  if (lineage.traceparent !== null) headers['traceparent'] = lineage.traceparent
  return headers
}

function carried(text: string): string {
  const value = isHeaderText(text) ? text : encodeURIComponent(wellFormed(text))
  return value.length <= lineageLengthMax ? value : value.slice(0, lineageLengthMax)
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
