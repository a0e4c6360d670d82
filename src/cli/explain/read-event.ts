import { open, type FileHandle } from 'node:fs/promises'
import type { Json } from '../../model/json.ts'
import { formatSize } from '../../model/units.ts'
import { findJsonFault } from '../json-fault.ts'
import type { ProgramDeps } from '../program-deps.ts'

/** The largest file that is read: four times the largest event that a daemon takes by default. */
const fileBytesMax = 16 * 2 ** 20

/** An event out of a file, or why there is none. */
export type ReadEvent =
  | { readonly kind: 'event'; readonly body: Json; readonly bytes: Buffer }
  | { readonly kind: 'fault'; readonly message: string; readonly hint: string }

/**
 * Reads the one event of a file: a JSON document on as many lines as it likes, or one line of a file
 * that holds an event a line.
 *
 * @param file - `-` is stdin
 * @param line - 1-based; `null`: the file holds one event
 */
export async function readEvent(
  file: string,
  line: number | null,
  stdin: ProgramDeps['stdin'],
): Promise<ReadEvent> {
  const read = file === '-' ? await readAll(stdin) : await readFile(file)
  const name = file === '-' ? 'stdin' : file
  if (typeof read === 'string') return fault(`${name} cannot be read: ${read}`, 'check its name')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(read)
  } catch {
    return fault(`${name} is not UTF-8`, 'an event is JSON in UTF-8')
  }
  if (line === null) return parse(text, name, 1)
  const one = text.split('\n')[line - 1]
  if (one !== undefined && one.trim() !== '') return parse(one, name, line)
  return fault(`${name} has no event on line ${line}`, 'lines are counted from 1')
}

function parse(text: string, file: string, firstLine: number): ReadEvent {
  try {
    return { kind: 'event', body: JSON.parse(text) as Json, bytes: Buffer.from(text) } // as: what JSON.parse gives
  } catch {
    const events = text.split('\n').filter((line) => line.trim() !== '').length
    if (events > 1 && isJson(text.slice(0, text.indexOf('\n')))) {
      return fault(`${file} holds ${events} events, one a line`, 'say which: --line 1')
    }
    const found = findJsonFault(text) ?? { index: 0, message: 'expected a value' }
    const before = text.slice(0, found.index).split('\n')
    const line = firstLine + before.length - 1
    const column = [...(before.at(-1) ?? '')].length + 1
    return fault(`${file}:${line}:${column}: ${found.message}`, 'an event is one JSON document')
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function fault(message: string, hint: string): ReadEvent {
  return { kind: 'fault', message, hint }
}

/** The bytes, or why there are none. */
async function readFile(file: string): Promise<Buffer | string> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file)
    const { size } = await handle.stat()
    if (size > fileBytesMax) return tooLarge
    return await handle.readFile()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code === 'ENOENT') return 'there is no such file'
    return code === 'EISDIR' ? 'it is a folder' : String(error)
  } finally {
    await handle?.close()
  }
}

const tooLarge = `it is larger than ${formatSize(fileBytesMax)}`

async function readAll(stdin: ProgramDeps['stdin']): Promise<Buffer | string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stdin.read()) {
    bytes += chunk.length
    if (bytes > fileBytesMax) return tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
