import type { Problem } from '../../model/problem.ts'
import type { RuleTest } from '../rule-test-schema.ts'
import type { Linted } from './linted.ts'
import { hasField } from './unseen-fields.ts'

/**
 * A key that is a path and no tag, `key: event.page_id`: the same text for every event, so that all
 * of them are one thing, and a window drops what has nothing to do with one another. A word that is
 * no name of a field is taken to be meant: one window for the whole rule is a good wish.
 */
export function bareKeys(
  { keys, at, document }: Linted,
  tests: readonly RuleTest[],
): readonly Problem[] {
  const bodies = tests.flatMap(({ events }) => events.map(({ body }) => body))
  return keys.flatMap(({ below, text }) => {
    const isField = bodies.some((body) => hasField(body, text.split('.')))
    if (text.includes('{{') || !(isField || pathForm.test(text))) return []
    const path = rootForm.test(text) ? text : `event.${text}`
    return [
      document.problemAt([...at, ...below], 'value', {
        severity: 'warning',
        code: 'looks-like-a-tag',
        message: `\`${text}\` looks like a tag and is none: it is one key for all events`,
        hint: `write \`"{{${path}}}"\``,
      }),
    ]
  })
}

/** Names joined by dots, a name of the record, or a name as fields of ids have it. */
const pathForm =
  /^(?:@?[A-Za-z_][\w-]*(?:\.[\w-]+)+|@(?:key|topic|partition|offset|timestamp)|\w+_(?:id|key))$/
const rootForm = /^(?:@|(?:event|match|rule)\.)/
