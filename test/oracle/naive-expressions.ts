import type { Event } from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'

/*
 * `expr` of the naive interpreter: no language, but a handful of expressions, each beside what it
 * means, in plain words of this language.
 */

export interface Specimen {
  readonly source: string
  /** `error`: the expression cannot be evaluated on this event. */
  readonly means: (event: Event) => boolean | 'error'
  /** A body for which it holds, for the events that nearly match. */
  readonly body: Json
}

export const specimens: readonly Specimen[] = [
  {
    source: 'event.size > 5',
    means: ({ body }) => numberAt(body, 'size', (size) => size > 5),
    body: { size: 6 },
  },
  {
    source: 'has(event.size) && event.size > 5',
    means: ({ body }) =>
      own(body, 'size') === undefined && isMap(body)
        ? false
        : numberAt(body, 'size', (size) => size > 5),
    body: { size: 6 },
  },
  {
    source: 'event.kind == "edit" || event.kind == "move"',
    means: ({ body }) => {
      const kind = own(body, 'kind')
      return kind === undefined ? 'error' : kind === 'edit' || kind === 'move'
    },
    body: { kind: 'edit' },
  },
  {
    source: 'record.topic == "edits" && record.partition == 1',
    means: ({ record }) => record.topic === 'edits' && record.partition === 1,
    body: {},
  },
]

function numberAt(body: Json, name: string, holds: (value: number) => boolean): boolean | 'error' {
  const value = own(body, name)
  return typeof value === 'number' ? holds(value) : 'error'
}

function own(body: Json, name: string): Json | undefined {
  if (!isMap(body)) return undefined
  return Object.hasOwn(body, name) ? body[name] : undefined
}

function isMap(body: Json): body is { readonly [key: string]: Json } {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
}
