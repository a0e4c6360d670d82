import type { Json, JsonObject } from '../../model/json.ts'
import type { Sourced, SourcedMap } from '../../schema/lenient-yaml.ts'
import { convertEntries, convertText, convertTree } from './convert-template.ts'
import { convertUri, type UriContext } from './convert-uri.ts'
import { readTemplate } from './read-template.ts'
import { entryOf, jsonOf, textOf } from './sourced.ts'

export interface ExecContext extends UriContext {
  /** What change-propagation puts before the topics that it writes to: `eqiad.`, or nothing. */
  readonly producePrefix: string
}

export interface ConvertedExec {
  /** Steps that could be said; perhaps none. */
  readonly steps: readonly JsonObject[]
  /** A host comes from data and nobody said which it may be. */
  readonly lacksHosts: boolean
}

/** Steps that a person wrote; above it a config is no config. */
const stepsMax = 100

/** `do` from `exec`: one request or a list. What cannot be said is noted and left out. */
export function convertExec(exec: Sourced, context: ExecContext): ConvertedExec {
  const all = exec.kind === 'list' ? exec.items : [exec]
  const requests = all.slice(0, stepsMax)
  if (all.length > stepsMax) {
    const why = `${all.length} requests in one rule, above ${stepsMax}`
    context.note(exec.line, '`exec`', why, 'those behind them were left out')
  }
  const steps: JsonObject[] = []
  let lacksHosts = false
  for (const request of requests) {
    if (request.kind !== 'map' || textOf(request, 'uri') === null) {
      context.note(
        request.line,
        '`exec`',
        'it is no request with a `uri`',
        'this step was left out',
      )
      continue
    }
    const converted = isProduce(request)
      ? convertProduce(request, context)
      : convertCall(request, context)
    steps.push(...converted.steps)
    lacksHosts ||= converted.lacksHosts
  }
  return { steps, lacksHosts }
}

function isProduce(request: SourcedMap): boolean {
  return /^\/(?:sys|\{[^}/]*sys\})\/queue\/events\/?$/.test(textOf(request, 'uri') ?? '')
}

const nothing: ConvertedExec = { steps: [], lacksHosts: false }

/** Keys of a request that change-propagation sets itself, whatever is written. */
const setByThem = new Set(['followRedirect', 'retries', 'timeout', 'encoding'])

function convertCall(request: SourcedMap, context: ExecContext): ConvertedExec {
  const { note } = context
  const uri = entryOf(request, 'uri')
  const method = (textOf(request, 'method') ?? 'get').toUpperCase()
  const url = convertUri(textOf(request, 'uri') ?? '', uri?.line ?? request.line, context)
  const headers = convertHeaders(request, context)
  const query = convertTable(request, 'query', 'query', context)
  const body = convertBody(request, context)
  for (const [key, { line, value }] of request.entries) {
    if (['uri', 'method', 'headers', 'query', 'body'].includes(key) || setByThem.has(key)) continue
    if (key === 'agentOptions' && JSON.stringify(jsonOf(value)) === '{"keepAlive":true}') continue
    note(line, `\`exec.${key}\``, 'an action of ours has no such setting', 'it was left out')
  }
  if (url === null || headers === undefined || query === undefined || body === undefined)
    return nothing
  const lacksHosts = url.allowHosts?.length === 0
  if (lacksHosts) {
    note(
      uri?.line ?? request.line,
      `\`uri: ${textOf(request, 'uri') ?? ''}\``,
      'the host comes from data, and the rule does not say which hosts it may be',
      `written with \`enabled: false\` and \`allow_hosts: [${hostUnknown}]\`; write the hosts, or import with --allow-hosts`,
    )
  }
  return {
    lacksHosts,
    steps: [
      {
        http: {
          method,
          url: url.url,
          ...(query === null ? {} : { query }),
          ...(headers === null ? {} : { headers }),
          ...body,
          ...(url.allowHosts === null
            ? {}
            : { allow_hosts: lacksHosts ? [hostUnknown] : url.allowHosts }),
        },
      },
    ],
  }
}

/** A name that never is one (RFC 2606). */
const hostUnknown = 'replace-me.invalid'

/** Names that the HTTP client writes by itself, or that ours does. */
const headersLeftOut =
  /^(?:connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|sluice-.*|traceparent)$/i

/** `null`: there are none. `undefined`: one could not be said, which has been noted. */
function convertHeaders(request: SourcedMap, context: ExecContext): Json | null | undefined {
  const entry = entryOf(request, 'headers')
  if (entry?.value.kind !== 'map') return convertTable(request, 'headers', 'text', context)
  for (const [name, { line }] of entry.value.entries) {
    if (!headersLeftOut.test(name)) continue
    context.note(
      line,
      `\`headers.${name}\``,
      'it is set by the HTTP client, or by Sluice',
      'it was left out',
    )
  }
  const entries = new Map([...entry.value.entries].filter(([name]) => !headersLeftOut.test(name)))
  if (entries.size === 0) return null
  return convertScalars({ ...entry.value, entries }, 'headers', 'text', context)
}

function convertTable(
  request: SourcedMap,
  key: string,
  place: 'query' | 'text',
  context: ExecContext,
): Json | null | undefined {
  const entry = entryOf(request, key)
  if (entry === null) return null
  if (entry.value.kind === 'map') return convertScalars(entry.value, key, place, context)
  context.note(
    entry.line,
    `\`exec.${key}\``,
    'it is no map of names to values',
    'this step was left out',
  )
  return undefined
}

function convertScalars(
  map: SourcedMap,
  key: string,
  place: 'query' | 'text',
  context: ExecContext,
): JsonObject | undefined {
  return convertEntries(map, (value, name) => {
    if (value.kind === 'scalar' && value.value !== null) {
      if (typeof value.value !== 'string') return value.value
      return convertText(value.value, value.line, place, context) ?? undefined
    }
    context.note(
      value.line,
      `\`${key}.${name}\``,
      'a value here is a text, a number, true or false',
      'this step was left out; write it by hand',
    )
    return undefined
  })
}

/** The body, under the key of ours that says what it is; `undefined` when it could not be said. */
function convertBody(request: SourcedMap, context: ExecContext): JsonObject | undefined {
  const entry = entryOf(request, 'body')
  if (entry === null) return {}
  const { line, value } = entry
  const type = contentTypeOf(request)
  if (type.startsWith('multipart/')) {
    context.note(line, '`exec.body`', 'ours sends no multipart bodies', 'this step was left out')
    return undefined
  }
  if (value.kind === 'map' && type.startsWith('application/x-www-form-urlencoded')) {
    const form = convertScalars(value, 'body', 'text', context)
    return form === undefined ? undefined : { form }
  }
  if (value.kind !== 'scalar' || typeof value.value !== 'string') {
    const json = convertTree(value, context)
    return json === undefined ? undefined : { json }
  }
  return convertTextBody(value.value, line, type, context)
}

function convertTextBody(
  source: string,
  line: number,
  type: string,
  context: ExecContext,
): JsonObject | undefined {
  const [first, ...others] = readTemplate(source)
  const isOneTag = first?.kind === 'tag' && others.length === 0
  if (!isOneTag) {
    const text = convertText(source, line, 'text', context)
    return text === null ? undefined : { text }
  }
  const text = convertText(source, line, 'text', context)
  if (text === null) return undefined
  if (text === '{{event}}') return { body: 'event' }
  if (type !== '' && !type.startsWith('application/json')) return { text }
  context.note(
    line,
    `\`body: ${source}\``,
    'change-propagation sends a text as it is and anything else as JSON',
    'written as JSON, in which a text has quotes; write `text:` for `json:` if it is one',
  )
  return { json: text }
}

function contentTypeOf(request: SourcedMap): string {
  const headers = entryOf(request, 'headers')?.value
  if (headers?.kind !== 'map') return ''
  for (const [name, { value }] of headers.entries) {
    if (name.toLowerCase() === 'content-type' && value.kind === 'scalar') {
      return String(value.value).toLowerCase()
    }
  }
  return ''
}

/** Events that a rule puts on the bus: one `emit` each. */
function convertProduce(request: SourcedMap, context: ExecContext): ConvertedExec {
  const body = entryOf(request, 'body')
  if (body === null) {
    context.note(
      request.line,
      '`exec.body`',
      'there is no event to produce',
      'this step was left out',
    )
    return nothing
  }
  const items = body.value.kind === 'list' ? body.value.items : [body.value]
  const steps = items.flatMap((item, index) => {
    const step = convertEvent(item, index + 1, context)
    return step === null ? [] : [step]
  })
  return { steps, lacksHosts: false }
}

const topicForm = /^[A-Za-z0-9._-]{1,249}$/

function convertEvent(event: Sourced, number: number, context: ExecContext): JsonObject | null {
  const { note, producePrefix } = context
  const meta = entryOf(event, 'meta')?.value ?? null
  const topicEntry = entryOf(meta, 'topic') ?? entryOf(meta, 'stream')
  const topic = textOf(meta, 'topic') ?? textOf(meta, 'stream')
  if (event.kind !== 'map' || meta?.kind !== 'map' || topic === null) {
    note(
      event.line,
      '`exec.body`',
      'the event does not say its topic in `meta.topic`',
      'this step was left out; write an `emit`',
    )
    return null
  }
  if (!topicForm.test(topic)) {
    note(
      topicEntry?.line ?? event.line,
      `\`meta.topic: ${topic}\``,
      'the topic of `emit` cannot come from data: topics are made at start, and loops are found at load',
      'this step was left out; write one rule per topic',
    )
    return null
  }
  const value = convertTree(event, context)
  if (value === undefined) return null
  const missing = ['id', 'dt', 'request_id'].filter((key) => !meta.entries.has(key))
  if (missing.length > 0) {
    note(
      event.line,
      `\`${missing.map((key) => `meta.${key}`).join('`, `')}\``,
      'change-propagation fills in what an event does not say',
      'id from the place of the record, the same at every attempt, and dt from the clock were written where they were missing; request_id was not: lineage is in the headers of the record',
    )
  }
  const filled: JsonObject = {
    ...(missing.includes('id') ? { id: `{{@topic}}/{{@partition}}/{{@offset}}/${number}` } : {}),
    ...(missing.includes('dt') ? { dt: '{{now}}' } : {}),
  }
  const tree = value as JsonObject // as: a map gives a map
  const ofMeta = tree['meta'] as JsonObject // as: it was a map
  return {
    emit: { topic: producePrefix + topic, value: { ...tree, meta: { ...ofMeta, ...filled } } },
  }
}
