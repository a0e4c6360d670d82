import { isUtf8 } from 'node:buffer'
import { isJsonObject, type Json } from '../model/json.ts'
import { headerText } from '../model/record.ts'
import { blockKeys, type FieldPath } from './condition.ts'

/** Why a text is not a path. */
export interface FieldPathProblem {
  readonly message: string
  readonly hint: string
}

const headersPrefix = '@headers.'

const recordFields: Readonly<Record<string, FieldPath['read']>> = {
  '@topic': ({ record }) => record.topic,
  // A key that is not text counts as absent, as it does in templates.
  '@key': ({ record }) =>
    record.key !== null && isUtf8(record.key) ? record.key.toString('utf8') : undefined,
  '@partition': ({ record }) => record.partition,
  '@offset': ({ record }) =>
    record.offset <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(record.offset)
      : String(record.offset),
  '@timestamp': ({ record }) => record.timestampMs,
}

/** Names of the record, for messages. */
const recordFieldNames: readonly string[] = [...Object.keys(recordFields), `${headersPrefix}<name>`]

/**
 * Parses a dotted path of `when`; what is split here is not split per event. Paths that name no
 * part of the record start at `from`.
 */
export function parseFieldPath(
  path: string,
  from: 'event' | 'element',
): FieldPath | FieldPathProblem {
  if (path.startsWith('@')) return parseRecordPath(path)
  const steps = splitPath(path)
  if (!Array.isArray(steps)) return steps
  return {
    text: joinPath(steps),
    from,
    steps,
    read: from === 'event' ? ofEvent(steps) : ofElement(steps),
  }
}

export function isFieldPath(path: FieldPath | FieldPathProblem): path is FieldPath {
  return 'read' in path
}

function parseRecordPath(path: string): FieldPath | FieldPathProblem {
  if (path.startsWith(headersPrefix)) {
    const name = path.slice(headersPrefix.length).replaceAll('\\.', '.')
    if (name === '') return { message: 'a header has no name', hint: 'write `@headers.<name>`' }
    const text = headersPrefix + name
    return {
      text,
      from: 'record',
      steps: [],
      read: ({ record }) => headerText(record.headers, name) ?? undefined,
    }
  }
  const read = Object.hasOwn(recordFields, path) ? recordFields[path] : undefined
  if (read !== undefined) return { text: path, from: 'record', steps: [], read }
  const known = recordFieldNames.join(', ')
  return {
    message: `a record has no \`${path}\``,
    hint: `known are ${known}; a field of that name is written \`\\${path}\``,
  }
}

/** Hot: called for every event and test. A path of one name or two is read without a loop. */
function ofEvent(steps: readonly string[]): FieldPath['read'] {
  const [first, second] = steps
  if (steps.some(isInherited)) return ({ body }) => fieldBelow(body, steps)
  if (first !== undefined && second === undefined) return ({ body }) => plainFieldOf(body, first)
  if (first !== undefined && second !== undefined && steps.length === 2) {
    return ({ body }) => plainFieldOf(plainFieldOf(body, first), second)
  }
  return ({ body }) => plainFieldBelow(body, steps)
}

function ofElement(steps: readonly string[]): FieldPath['read'] {
  const [first, second] = steps
  if (steps.some(isInherited)) return (_event, element) => fieldBelow(element, steps)
  if (first !== undefined && second === undefined) {
    return (_event, element) => plainFieldOf(element, first)
  }
  return (_event, element) => plainFieldBelow(element, steps)
}

/** The value below `start` on a way of names; `undefined` when it is absent, which null is not. */
export function fieldBelow(start: Json | undefined, steps: readonly string[]): Json | undefined {
  let value = start
  for (let i = 0; i < steps.length; i++) {
    value = fieldOf(value, steps[i] ?? '')
    if (value === undefined) return undefined
  }
  return value
}

/**
 * Own properties of objects only: an event cannot make a rule see `constructor`, `length` or what
 * `__proto__` leads to. Nothing below a list is read: which of its elements would be meant?
 */
function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return value !== undefined && isJsonObject(value) && Object.hasOwn(value, name)
    ? value[name]
    : undefined
}

/** Whether every object has something of this name that is not its own. */
export function isInherited(name: string): boolean {
  return name in Object.prototype
}

/** The same as `fieldBelow`, for names that are not inherited. */
function plainFieldBelow(start: Json | undefined, steps: readonly string[]): Json | undefined {
  let value = start
  for (let i = 0; i < steps.length; i++) {
    value = plainFieldOf(value, steps[i] ?? '')
    if (value === undefined) return undefined
  }
  return value
}

/** The same as `fieldOf`, for a name that is not inherited: asking whose it is takes most of the time. */
function plainFieldOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as { readonly [key: string]: Json })[name] // as: an object that is no array
}

/** The one spelling of a path, which parses to the same names. */
export function joinPath(steps: readonly string[]): string {
  const text = joinSteps(steps)
  const isWord = (blockKeys as readonly string[]).includes(text) // as: only to ask
  return isWord || text.startsWith('@') ? `\\${text}` : text
}

/** Names as they stand behind the first one of a path, and in templates: no word has a meaning there. */
export function joinSteps(steps: readonly string[]): string {
  return steps.map((step) => step.replace(/[.\\]/g, '\\$&')).join('.')
}

/** `\.` is a dot within a name, `\\` a backslash; at the start, `\` takes a word's meaning away. */
function splitPath(path: string): string[] | FieldPathProblem {
  const steps: string[] = []
  let step = ''
  const escapesWord = /^\\[^.\\]/.test(path)
  for (let i = escapesWord ? 1 : 0; i < path.length; i++) {
    const character = path.charAt(i)
    if (character === '\\') {
      const next = path.charAt(++i)
      if (next !== '.' && next !== '\\') {
        return {
          message: `\`\\${next}\` means nothing in a path`,
          hint: 'a dot in a name is written `\\.`, a backslash `\\\\`',
        }
      }
      step += next
    } else if (character === '.') {
      steps.push(step)
      step = ''
    } else {
      step += character
    }
  }
  steps.push(step)
  if (!steps.includes('')) return steps
  return {
    message: `${JSON.stringify(path)} is not a path: a name is empty`,
    hint: 'names are joined by single dots; a dot in a name is written `\\.`',
  }
}
