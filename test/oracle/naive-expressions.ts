import type { Event } from '../../src/model/event.ts'
import type { Json } from '../../src/model/json.ts'

/*
 * `expr` of the naive interpreter: no language, but a handful of expressions, each beside what it
 * means, in plain words of this language.
 */

type Meaning = boolean | 'error'

export interface Specimen {
  readonly source: string
  /** `error`: the expression cannot be evaluated on this event. `element` is the body outside `some`. */
  readonly means: (event: Event, element: Json) => Meaning
  /** A body, or an element, for which it holds: for the events that nearly match. */
  readonly body: Readonly<Record<string, Json>>
}

/** Of the body and the record. */
export const specimens: readonly Specimen[] = [
  {
    source: 'event.size > 5',
    means: ({ body }) => numberAt(body, 'size', (size) => size > 5),
    body: { size: 6 },
  },
  {
    source: 'has(event.size) && event.size > 5',
    means: ({ body }) =>
      own(body, 'size') === undefined ? false : numberAt(body, 'size', (size) => size > 5),
    body: { size: 6 },
  },
  {
    source: 'event.kind == "edit" || event.kind == "move"',
    means: ({ body }) => valueAt(body, 'kind', (kind) => kind === 'edit' || kind === 'move'),
    body: { kind: 'edit' },
  },
  {
    source: '!(event.kind == "edit")',
    means: ({ body }) => valueAt(body, 'kind', (kind) => kind !== 'edit'),
    body: { kind: 'move' },
  },
  {
    source: 'event.size in [9, 10.0, "10"]',
    means: ({ body }) => valueAt(body, 'size', (size) => [9, 10, '10'].includes(size as string)), // as: only to ask
    body: { size: 10 },
  },
  {
    source: 'event.size + 1 == event.length',
    means: ({ body }) => {
      const size = own(body, 'size')
      const length = own(body, 'length')
      return typeof size !== 'number' || length === undefined ? 'error' : size + 1 === length
    },
    body: { size: 10, length: 11 },
  },
  {
    source: 'event.tags.exists(tag, tag == "edit")',
    means: ({ body }) => valueAt(body, 'tags', holdsEdit),
    body: { tags: ['x', 'edit'] },
  },
  {
    source: 'event.wiki.matches("^en[a-z]*$")',
    means: ({ body }) =>
      valueAt(body, 'wiki', (wiki) => {
        if (typeof wiki !== 'string' || wiki.length > 65_536) return 'error'
        return /^en[a-z]*$/u.test(wiki)
      }),
    body: { wiki: 'enwiki' },
  },
  {
    source: 'record.topic == "edits" && record.partition == 1',
    means: ({ record }) => record.topic === 'edits' && record.partition === 1,
    body: {},
  },
]

/** Of an element of `some`, which a plain expression does not know. */
export const elementSpecimens: readonly Specimen[] = [
  {
    source: 'element.ns > 5',
    means: (_event, element) => numberAt(element, 'ns', (ns) => ns > 5),
    body: { ns: 6 },
  },
  {
    source: 'has(element.to) && element.to == event.kind',
    means: ({ body }, element) => {
      const to = own(element, 'to')
      if (to === undefined) return false
      // Both are texts when they are the same here; a list or a map would be asked in depth.
      return valueAt(body, 'kind', (kind) => same(kind, to))
    },
    body: { to: 'edit' },
  },
]

function same(a: Json, b: Json): boolean {
  const isPlain = typeof a !== 'object' || a === null
  return isPlain ? a === b : JSON.stringify(a) === JSON.stringify(b)
}

/** Over the elements of a list, or over the names of a map. */
function holdsEdit(tags: Json): Meaning {
  if (typeof tags !== 'object' || tags === null) return 'error'
  return Array.isArray(tags) ? tags.includes('edit') : Object.keys(tags).includes('edit')
}

function numberAt(from: Json, name: string, holds: (value: number) => boolean): Meaning {
  const value = own(from, name)
  return typeof value === 'number' ? holds(value) : 'error'
}

function valueAt(from: Json, name: string, holds: (value: Json) => Meaning): Meaning {
  const value = own(from, name)
  return value === undefined ? 'error' : holds(value)
}

function own(from: Json, name: string): Json | undefined {
  if (typeof from !== 'object' || from === null || Array.isArray(from)) return undefined
  return Object.getOwnPropertyDescriptor(from, name)?.value as Json | undefined // as: of a Json value
}
