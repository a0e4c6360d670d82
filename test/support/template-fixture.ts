import type { Json } from '../../src/model/json.ts'
import type { Lineage } from '../../src/model/lineage.ts'
import type { BusRecord } from '../../src/model/record.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { createTemplateCompiler } from '../../src/rules/template-compiler.ts'
import type { TemplateNames } from '../../src/rules/template-read.ts'
import { RenderError, type TemplateCompiler } from '../../src/rules/template.ts'

/** 2026-11-24T12:00:00Z. */
export const noonMs = Date.UTC(2026, 10, 24, 12)

export interface ReportedProblem {
  readonly at: readonly (string | number)[]
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
}

const lineage: Lineage = {
  root: 'edits/0/7',
  rootTimeMs: noonMs - 1_000,
  hops: 1,
  path: ['purge-page'],
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

/** What templates read, at noon, of an event with this body. */
export function aScope(
  body: Json,
  record: Partial<BusRecord> = {},
  scope: Partial<Scope> = {},
): Scope {
  return {
    event: {
      id: 'edits/2/42',
      record: {
        topic: 'edits',
        partition: 2,
        offset: 42n,
        key: Buffer.from('enwiki:7'),
        value: Buffer.from(JSON.stringify(body)),
        headers: [['content.type', Buffer.from('application/json')]],
        timestampMs: noonMs - 5_000,
        ...record,
      },
      body,
      lineage: { ...lineage, hops: 0, path: [] },
    },
    rule: { name: 'purge-page' },
    match: { title: 'Main_page' },
    item: undefined,
    steps: {},
    nowMs: noonMs,
    lineage,
    ...scope,
  }
}

/** A compiler with a map, a list and a secret, and what it reported. */
export function aCompiler(
  secrets: ReadonlyMap<string, string> | null = exampleSecrets,
  names: TemplateNames = exampleNames,
): {
  readonly compiler: TemplateCompiler
  readonly problems: ReportedProblem[]
} {
  const problems: ReportedProblem[] = []
  const compiler = createTemplateCompiler({
    ...names,
    lists: exampleLists,
    secrets,
    report: (at, code, message, hint) => problems.push({ at, code, message, hint }),
  })
  return { compiler, problems }
}

export const exampleLists: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['example-map', { enwiki: 'en.wikipedia.org', ranks: 7 }],
  ['example-list', ['testwiki']],
])
/** What a template may name beside the event. */
export const exampleNames: TemplateNames = {
  captures: ['title', 'other'],
  steps: [
    { name: 'page', kind: 'http', keys: ['status', 'headers', 'body'], isList: false },
    { name: 'calls', kind: 'http', keys: ['status', 'headers', 'body'], isList: true },
    { name: 'sent', kind: 'emit', keys: ['topic', 'partition', 'offset'], isList: false },
  ],
  hasItem: true,
  isKey: false,
}
export const exampleSecrets: ReadonlyMap<string, string> = new Map([['example-key', 'key']])

/** What `render` gives, or the error that it throws: `template: {{event.x}} is missing ...`. */
export function renderedOrError<Result>(render: () => Result): Result | string {
  try {
    return render()
  } catch (error) {
    if (error instanceof RenderError) return `${error.kind}: ${error.message}`
    throw error
  }
}
