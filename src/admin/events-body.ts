import { isUtf8 } from 'node:buffer'
import { emitSchema } from './documents.ts'
import { AdminProblem, type ProblemAt } from './problem-document.ts'
import type { NewEvent } from './source.ts'

/** What one request may bring: one page of work for the bus, held in memory until it is durable. */
export const emitBodyBytesMax = 16 * 2 ** 20
export const emitEventsMax = 10_000
/** Faults told at once; more say nothing new. */
const errorsMax = 20

export interface EmitRequest {
  readonly topic: string
  readonly events: readonly NewEvent[]
}

/**
 * Reads `{topic, events: [{key, value, headers}]}`. Values are written anew as JSON, so that numbers
 * beyond 2^53 lose digits; lines keep every byte. All or nothing: throws an `AdminProblem` that names
 * every fault found.
 */
export function eventsOfJson(body: unknown, eventBytesMax: number): EmitRequest {
  const read = emitSchema.safeParse(body)
  if (!read.success) {
    const errors = read.error.issues.map(({ path, message }) => ({ at: placeOf(path), message }))
    throw badEvents(errors)
  }
  const { topic, events } = read.data
  const made = events.map(({ key, value, headers }) => ({
    key,
    value: value === null ? null : Buffer.from(JSON.stringify(value), 'utf8'),
    headers: Object.entries(headers),
  }))
  return checked({ topic, events: made }, eventBytesMax, (i) => `events[${i}]`)
}

/** Reads one event per line, without keys or headers; empty lines count for nothing. */
export function eventsOfLines(body: Buffer, topic: unknown, eventBytesMax: number): EmitRequest {
  if (typeof topic !== 'string' || topic === '') {
    throw new AdminProblem('bad-request', 'name the topic of the lines as ?topic=...')
  }
  if (!isUtf8(body)) throw new AdminProblem('bad-event', 'the lines are not UTF-8')
  const events: NewEvent[] = []
  const lineNumbers: number[] = []
  const errors: ProblemAt[] = []
  for (const { bytes, number } of linesOf(body)) {
    const text = bytes.toString('utf8').trim()
    if (text === '') continue
    if (events.length === emitEventsMax) throw tooMany(`more than ${emitEventsMax}`)
    const fault = jsonFault(text)
    if (fault !== null) errors.push({ at: `line ${number}`, message: fault })
    events.push({ key: null, value: Buffer.from(text, 'utf8'), headers: [] })
    lineNumbers.push(number)
  }
  if (errors.length > 0) throw badEvents(errors)
  if (events.length === 0) throw new AdminProblem('bad-event', 'there is no event in the body')
  return checked({ topic, events }, eventBytesMax, (i) => `line ${lineNumbers[i]}`)
}

function checked(
  request: EmitRequest,
  eventBytesMax: number,
  placeOf: (index: number) => string,
): EmitRequest {
  if (request.events.length > emitEventsMax) throw tooMany(String(request.events.length))
  const errors = request.events.flatMap(({ value }, i) => {
    const bytes = value?.length ?? 0
    const message = `${bytes} bytes, above the ${eventBytesMax} of limits.event`
    return bytes > eventBytesMax ? [{ at: placeOf(i), message }] : []
  })
  if (errors.length > 0) throw badEvents(errors)
  return request
}

function tooMany(count: string): AdminProblem {
  return new AdminProblem('too-large', `${count} events at once; send at most ${emitEventsMax}`)
}

function badEvents(errors: readonly ProblemAt[]): AdminProblem {
  const [first] = errors
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : ''
  return new AdminProblem('bad-event', `${first?.at}: ${first?.message}${more}`, {
    errors: errors.slice(0, errorsMax),
  })
}

function jsonFault(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Lines that are not empty, one at a time: a body of line breaks only must not become millions. */
function* linesOf(body: Buffer): Generator<{ readonly bytes: Buffer; readonly number: number }> {
  let from = 0
  for (let number = 1; from < body.length; number++) {
    const found = body.indexOf(0x0a, from)
    const to = found === -1 ? body.length : found
    if (to > from) yield { bytes: body.subarray(from, to), number }
    from = to + 1
  }
}

/** `events[2].key`; `body` for the document as a whole. */
function placeOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
  return text === '' ? 'body' : text.replace(/^\./, '')
}
