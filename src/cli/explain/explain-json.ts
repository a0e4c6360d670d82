import type { Json, JsonObject } from '../../model/json.ts'
import type { Headers } from '../../model/record.ts'
import { shallow } from '../../model/shallow.ts'
import type { Inspected } from '../../rules/inspect-condition.ts'
import type { Explanation, Shown, ShownWindow } from './explanation.ts'

/** What `explain --json` prints (docs/operations.md); keys may be added, none goes. */
export function documentOf(explanation: Explanation): JsonObject {
  const { rule, event, outcome, reason, why, conditions, cases, taken } = explanation
  return {
    rule: rule.name,
    file: rule.file,
    line: rule.line,
    event: event.id,
    outcome,
    reason,
    why,
    conditions: treeOf(conditions),
    cases: cases.map((one) => (one === null ? null : treeOf(one))),
    case: taken,
    captures: explanation.captures,
    requests: explanation.previews.map(requestOf),
    key: explanation.key,
    window: explanation.window === null ? null : documentOfWindow(explanation.window),
  }
}

function documentOfWindow({ window, key, version }: ShownWindow): JsonObject {
  const keep = window?.keep ?? null
  return { window_s: window === null ? null : window.ms / 1_000, keep, key, version }
}

function treeOf(part: Inspected): JsonObject {
  const { kind, path, test, value, truth, decided, nearMiss, doubt, children } = part
  return {
    kind,
    path,
    test,
    // JSON has no word for what is absent.
    ...(value === undefined ? {} : { value: shallow(value) }),
    holds: typeof truth === 'boolean' ? truth : null,
    decided,
    near_miss: nearMiss,
    doubt: typeof truth === 'boolean' ? null : { reason: truth, why: doubt },
    ...(children.length === 0 ? {} : { children: children.map(treeOf) }),
  }
}

function requestOf(preview: Shown): JsonObject {
  const { step, item } = preview
  switch (preview.kind) {
    case 'http': {
      const { method, url, headers, body } = preview.request
      return { step, item, kind: 'http', method, url, headers, body: bodyOf(body) }
    }
    case 'emit': {
      const { topic, key, value, headers } = preview.record
      const texts = { topic, key: key?.toString('utf8') ?? null, headers: headersOf(headers) }
      return { step, item, kind: 'emit', ...texts, value: value === null ? null : bodyOf(value) }
    }
    case 'failed':
      return { step, item, kind: 'failed', error: preview.why }
    case 'needs-result':
      return { step, item, kind: 'needs-result', of: preview.of }
    case 'more':
      return { step, item, kind: 'more', elements: preview.elements }
    case 'empty':
      return { step, item, kind: 'empty' }
  }
}

/** JSON as JSON, all else as text. */
export function bodyOf(body: string | Buffer | null): Json {
  if (body === null) return null
  const text = body.toString()
  try {
    return shallow(JSON.parse(text) as Json) // as: what JSON.parse gives
  } catch {
    return text
  }
}

export function headersOf(headers: Headers): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.map(([name, value]) => [name, value?.toString('utf8') ?? '']))
}
