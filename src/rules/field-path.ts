import { isUtf8 } from 'node:buffer'
import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { headerText } from '../model/record.ts'

/** Reads one value of an event; `undefined` when it is absent, which null is not. */
export type FieldReader = (event: Event) => Json | undefined

/** Why a text is not a path. */
export interface FieldPathProblem {
  readonly message: string
  readonly hint: string
}

const headersPrefix = '@headers.'

const recordFields: Readonly<Record<string, FieldReader>> = {
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

/** Compiles a dotted path of `when`; what is split here is not split per event. */
export function compileFieldPath(path: string): FieldReader | FieldPathProblem {
  if (path.startsWith(headersPrefix)) {
    const name = path.slice(headersPrefix.length).replaceAll('\\.', '.')
    if (name === '') return { message: 'a header has no name', hint: 'write `@headers.<name>`' }
    return ({ record }) => headerText(record.headers, name) ?? undefined
  }
  if (path.startsWith('@')) {
    const read = Object.hasOwn(recordFields, path) ? recordFields[path] : undefined
    if (read !== undefined) return read
    const known = recordFieldNames.join(', ')
    return {
      message: `a record has no \`${path}\``,
      hint: `known are ${known}; a field of that name is written \`\\${path}\``,
    }
  }
  const steps = splitPath(path)
  if (!Array.isArray(steps)) return steps
  return readerOf(steps)
}

/**
 * Own properties of objects only: an event cannot make a rule see `constructor`, `length` or what
 * `__proto__` leads to. Nothing below a list is read: which of its elements would be meant?
 */
function readerOf(steps: readonly string[]): FieldReader {
  return (event) => {
    let value: Json | undefined = event.body
    for (const step of steps) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
      const below = value as { readonly [key: string]: Json } // as: an object that is no array
      if (!Object.hasOwn(below, step)) return undefined
      value = below[step]
    }
    return value
  }
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
