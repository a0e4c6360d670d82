import type { Problem } from '../../model/problem.ts'
import { actionsOf } from '../rule.ts'
import type { Linted } from './linted.ts'

/**
 * A window that keeps the first event of a thing, before an action that goes by how the thing stands:
 * a purge, a call without a body, a job to render it anew. Of two changes in one window the second is
 * dropped, and what was made of the first stays. Where the key names the event itself only the very
 * same one is dropped.
 */
export function firstDropsLast({ rule, at, document, keys }: Linted): readonly Problem[] {
  if (rule.dedup?.window?.keep !== 'first') return []
  const textOf = (root: string) => keys.find(({ below }) => below[0] === root)?.text
  if (namesAChange(textOf('dedup') ?? textOf('key') ?? '')) return []
  const isByName = rereadForm.test(rule.name)
  const action = actionsOf(rule).find(
    ({ sendsContent, target }) =>
      isByName || !sendsContent || rereadForm.test(target.replace(/\{\{.*?\}\}/g, '')),
  )
  if (action === undefined) return []
  return [
    document.problemAt([...at, 'dedup', 'keep'], 'value', {
      severity: 'warning',
      code: 'first-drops-last',
      message: `\`keep: first\` drops the last change of a burst, and \`${action.target}\` goes by how things stand: what it did for the first change stays`,
      hint: 'write `keep: both`; or, to leave out only the same event twice, a `key` such as "{{event.meta.id}}"',
    }),
  ]
}

/** Work that is done by how the thing stands, whatever the call for it tells: `rerender.page`. */
const rereadForm =
  /(?<![a-z])(?:p?re-?)?(?:render|purg|invalidat|refresh|rebuild|regenerat|reindex|recach)/i

/** What a tag reads: `{{event.meta.id | lower}}` and `{{#event.id}}` read `event.meta.id` and `event.id`. */
const tagForm = /\{\{[#^]?\s*([^\s|{}]+)/g

/** The last name of a path that is another one for each event or each state of a thing. */
const changeForm =
  /^(?:.*_)?(?:uuid|guid|rev|revision|version|etag|sha\d*|hash|digest|checksum|dt|time|timestamp|seq|sequence|offset)(?:_?id)?$/i
const eventIdForm =
  /^(?:.*[_-])?(?:(?:event|message|request|delivery|notification|idempotency)[_-]?(?:id|key)|delivery)$/i

/** Whether a key tells two changes of one thing apart, as far as its names say so. */
function namesAChange(key: string): boolean {
  return [...key.matchAll(tagForm)].some(([, path = '']) => {
    const steps = path.replace(/^@(?:headers\.)?/, '').split('.')
    const last = steps.at(-1) ?? ''
    return (
      path === 'event' ||
      /(?:^|\.)meta\.id$/.test(path) ||
      changeForm.test(last) ||
      eventIdForm.test(last)
    )
  })
}
