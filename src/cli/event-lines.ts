import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/json.ts'
import type { BusRecord } from '../model/record.ts'
import { formatSize } from '../model/units.ts'
import { isFieldPath, parseFieldPath } from '../rules/field-path.ts'
import { findJsonFault } from './json-fault.ts'

/** The longest line that is read: four times the largest event that a daemon takes by default. */
export const lineBytesMax = 16 * 2 ** 20

/** One event as it stands in a file. */
export interface EventLine {
  /** 1-based. */
  readonly line: number
  /** JSON text in UTF-8, as it was written. */
  readonly bytes: Buffer
  readonly key: string | null
}

/** Why a line is no event. */
export interface LineFault {
  readonly line: number
  /** 1-based, in characters. */
  readonly column: number
  readonly message: string
  /** The line ends within a value, which it begins with this: the event goes on on the next lines. */
  readonly cutShort?: '{' | '['
}

/** Reads the key of an event; `null` when it has none that could be one. */
export type KeyReader = (body: Json) => string | null

/** The reader of a dotted path as rules write it, or why the text is no such path. */
export function compileKey(path: string): KeyReader | { readonly message: string } {
  if (path.startsWith('@'))
    return { message: 'a key is taken from the event, and not from its record' }
  const parsed = parseFieldPath(path, 'event')
  if (!isFieldPath(parsed)) return parsed
  const lineage = { root: '', rootTimeMs: 0, hops: 0, path: [], traceparent: null }
  return (body) => {
    const value = parsed.read({ id: '', record: noRecord, body, lineage }, undefined)
    return typeof value === 'string' || typeof value === 'number' ? String(value) : null
  }
}

/** A path that does not begin with `@` reads the body alone. */
const noRecord: BusRecord = {
  topic: '',
  partition: 0,
  offset: 0n,
  key: null,
  value: null,
  headers: [],
  timestampMs: 0,
}

const newline = 0x0a
const byteOrderMark = Buffer.from('\uFEFF')

/**
 * The events of a stream, one a line, in order; lines of blanks count for nothing. Ends at the first
 * line that is no event. Holds one line, and what came with it, in memory.
 */
export async function* readEventLines(
  input: AsyncIterable<Uint8Array>,
  keyOf: KeyReader | null,
): AsyncGenerator<EventLine | LineFault, void, undefined> {
  let line = 0
  for await (const bytes of splitLines(input)) {
    line++
    if (bytes === 'too-long') {
      const message = `the line is longer than ${formatSize(lineBytesMax)}`
      yield { line, column: 1, message }
      return
    }
    const event = readLine(line, bytes, keyOf)
    if (event === null) continue
    yield event
    if ('message' in event) return
  }
}

function readLine(
  line: number,
  whole: Buffer,
  keyOf: KeyReader | null,
): EventLine | LineFault | null {
  const hasMark = line === 1 && whole.subarray(0, byteOrderMark.length).equals(byteOrderMark)
  const bytes = hasMark ? whole.subarray(byteOrderMark.length) : whole
  if (!isUtf8(bytes)) return { line, column: columnOfBadByte(bytes), message: 'not UTF-8' }
  const text = bytes.toString('utf8')
  if (text.trim() === '') return null
  let body: Json
  try {
    body = JSON.parse(text) as Json // as: what JSON.parse gives
  } catch (error) {
    const fault = findJsonFault(text)
    if (fault === null) throw error
    const at = { line, column: fault.index + 1, message: `not JSON: ${fault.message}` }
    const first = text.trimStart().charAt(0)
    const isCut = fault.index === text.length && (first === '{' || first === '[')
    return isCut ? { ...at, cutShort: first } : at
  }
  if (keyOf === null) return { line, bytes, key: null }
  const key = keyOf(body)
  if (key !== null) return { line, bytes, key }
  return { line, column: 1, message: 'the event has no text or number where its key should be' }
}

/** How many characters stand before the first byte that is no UTF-8, plus one. */
function columnOfBadByte(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isUtf8(trimmed(bytes.subarray(0, middle)))) good = middle
    else bad = middle
  }
  return trimmed(bytes.subarray(0, good)).toString('utf8').length + 1
}

/** Without the beginning of a character at the end, which a cut in the middle of it leaves. */
function trimmed(bytes: Buffer): Buffer {
  for (let cut = 0; cut <= 3 && cut <= bytes.length; cut++) {
    const lead = bytes[bytes.length - 1 - cut]
    if (lead === undefined || lead < 0x80) return bytes
    if (lead >= 0xc0) {
      const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
      return cut + 1 < length ? bytes.subarray(0, bytes.length - 1 - cut) : bytes
    }
  }
  return bytes
}

/** Lines without their ends; `too-long`, and nothing after it, for one above the bound. */
async function* splitLines(
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer | 'too-long', void, undefined> {
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const given of input) {
    const chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength)
    let from = 0
    for (let to = chunk.indexOf(newline); to !== -1; to = chunk.indexOf(newline, from)) {
      if (restBytes + to - from > lineBytesMax) return yield 'too-long'
      yield withoutReturn(Buffer.concat([...rest, chunk.subarray(from, to)]))
      rest = []
      restBytes = 0
      from = to + 1
    }
    if (from === chunk.length) continue
    rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > lineBytesMax) return yield 'too-long'
  }
  if (restBytes > 0) yield withoutReturn(Buffer.concat(rest))
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 0x0d ? line.subarray(0, -1) : line
}
