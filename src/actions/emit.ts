import { z } from 'zod'
import type { Json } from '../model/json.ts'
import { lineageHeaders, lineageToText } from '../model/lineage.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Headers, NewRecord } from '../model/record.ts'
import type { ProducedAt } from '../ports/bus.ts'
import { PortError } from '../ports/port-error.ts'
import type { Action, ActionKind, ActionTools, CompileContext } from '../rules/action-kind.ts'
import { PipeFailure, timeMsOf } from '../rules/pipes.ts'
import type { Scope } from '../rules/scope.ts'
import { stepKeys } from '../rules/step-schema.ts'
import { bodyBytesMax } from '../rules/template-compiler.ts'
import { RenderError, type JsonTemplate, type TextTemplate } from '../rules/template.ts'
import type { ReportAction } from './report-action.ts'
import { jsonBytes, rendered } from './rendered.ts'
import { scalar, table } from './schema-pieces.ts'

/** `do.emit`, as it is written. */
export const emitSchema = z
  .strictObject({
    topic: z
      .string()
      .describe(
        'The topic, literally: it is made at start, and `check` follows events from rule to rule.',
      )
      .meta({ examples: ['rerender.page'] }),
    key: z
      .string()
      .optional()
      .describe('Template of the record key, which also picks the partition. Without it no key.')
      .meta({ examples: ['{{event.wiki}}:{{event.title}}'] }),
    partition_key: z
      .string()
      .optional()
      .describe('Template of a text that picks the partition in place of the key.')
      .meta({ examples: ['{{event.wiki}}'] }),
    headers: table
      .optional()
      .describe('Names are literal, values templates. The lineage headers are filled in by Sluice.')
      .meta({ examples: [{ reason: 'edit' }] }),
    value: z
      .json()
      .optional()
      .describe(
        'The value: a JSON tree whose strings are templates. Without it the bytes of the event as they ' +
          'came. `null` is a tombstone.',
      )
      .meta({ examples: [{ title: '{{event.title}}' }] }),
    timestamp: scalar
      .optional()
      .describe('Template of an RFC 3339 time, or of milliseconds since 1970. Without it now.')
      .meta({ examples: ['{{event.meta.dt}}'] }),
    ...stepKeys,
    as: stepKeys.as
      .describe('A name under which later actions read what came of it: `{{steps.<name>.offset}}`.')
      .meta({ examples: ['moved'] }),
  })
  .describe('Puts a derived event on the bus.')
  .meta({ examples: [{ topic: 'rerender.page', value: { title: '{{event.title}}' } }] })

export type EmitSpec = z.infer<typeof emitSchema>

/** A derived event. */
export const emitKind: ActionKind<EmitSpec> = {
  name: 'emit',
  schema: emitSchema,
  resultKeys: ['topic', 'partition', 'offset'],
  compile: compileEmit,
}

function compileEmit(spec: EmitSpec, context: CompileContext): Action | null {
  let isSound = true
  const report: ReportAction = (at, code, message, hint) => {
    isSound = false
    context.report(at, code, message, hint)
  }
  checkTopic(spec.topic, report)
  const { templates } = context
  const key = spec.key === undefined ? noKey : templates.text(spec.key, 'text', ['key'])
  const partitionKey =
    spec.partition_key === undefined
      ? noKey
      : templates.text(spec.partition_key, 'text', ['partition_key'])
  const value = compileValue(spec.value, context)
  const headers = compileHeaders(spec, context, report)
  const timestamp =
    spec.timestamp === undefined
      ? (scope: Scope) => scope.nowMs
      : templates.json(spec.timestamp, ['timestamp'])
  if (!isSound || key === null || partitionKey === null) return null
  if (value === null || headers === null || timestamp === null) return null
  const { topic } = spec
  const { keepsResult } = context
  return {
    kind: 'emit',
    target: `emit ${topic}`,
    emitsTo: topic,
    calls: null,
    sendsContent: true,
    render: (scope) =>
      rendered(() => {
        const keyText = key(scope)
        const partitionText = partitionKey(scope)
        const record: NewRecord = {
          topic,
          ...(partitionText === null ? {} : { partitionKey: Buffer.from(partitionText) }),
          key: keyText === null ? null : Buffer.from(keyText),
          value: value(scope),
          headers: headersOf(headers, scope),
          timestampMs: timestampOf(timestamp, scope),
        }
        return {
          summary: `emit ${topic}`,
          // No time-out: while the bus is away the event waits, see `perform`.
          perform: (tools, _timeoutMs, signal) => perform(record, keepsResult, tools, signal),
        }
      }),
  }
}

/** What Kafka takes for a name. */
const topicForm = /^[A-Za-z0-9._-]{1,249}$/

function checkTopic(topic: string, report: ReportAction): void {
  if (topic.includes('{{')) {
    report(
      ['topic'],
      'action-topic',
      'the topic of `emit` cannot come from data',
      'write one rule per topic: topics are made at start, and loops are found at load',
    )
  } else if (!topicForm.test(topic) || topic === '.' || topic === '..') {
    const hint = 'names hold letters, digits, ., _ and -, at most 249 of them'
    report(['topic'], 'action-topic', `${JSON.stringify(topic)} is not the name of a topic`, hint)
  }
}

const noKey = (): null => null

function compileValue(
  tree: Json | undefined,
  { templates }: CompileContext,
): ((scope: Scope) => Buffer | null) | null {
  if (tree === undefined) return (scope) => scope.event.record.value
  if (tree === null) return () => null
  const template: JsonTemplate | null = templates.json(tree, ['value'])
  return template === null ? null : (scope) => jsonBytes(template(scope), bodyBytesMax)
}

type HeaderTemplates = readonly (readonly [name: string, value: TextTemplate])[]

const ours: ReadonlySet<string> = new Set(Object.values(lineageHeaders))

function compileHeaders(
  spec: EmitSpec,
  context: CompileContext,
  report: ReportAction,
): HeaderTemplates | null {
  const entries = Object.entries(spec.headers ?? {})
  const headers = entries.flatMap(([name, source]) => {
    const at = ['headers', name]
    if (ours.has(name) || name.startsWith('sluice-')) {
      report(at, 'action-header', `\`${name}\` is set by Sluice`)
    } else if (name === '' || name.includes('{{')) {
      report(at, 'action-header', `\`${name}\` cannot be the name of a header`, 'names are literal')
    }
    const value = context.templates.text(String(source), 'text', at)
    return value === null ? [] : [[name, value] as const]
  })
  return headers.length === entries.length ? headers : null
}

function headersOf(templates: HeaderTemplates, scope: Scope): Headers {
  const lineage = lineageToText(scope.lineage)
  const own = templates.map(([name, value]) => [name, value(scope)] as const)
  return [...lineage, ...own].map(([name, text]) => [name, Buffer.from(text)] as const)
}

const digits = /^\d{1,15}$/

function timestampOf(template: JsonTemplate, scope: Scope): number {
  const value = template(scope)
  try {
    const ms = timeMsOf(typeof value === 'string' && digits.test(value) ? Number(value) : value)
    if (ms >= 0) return ms
    throw new PipeFailure('lies before 1970')
  } catch (error) {
    if (!(error instanceof PipeFailure)) throw error
    throw new RenderError('template', `timestamp ${error.message}`)
  }
}

/**
 * Puts the record on the bus. As long as the bus is away the record waits, for as long as it takes:
 * a derived event has no other home, and a retry would need the same bus. Ends with the signal.
 * If a produce failed half-way, trying again may put the record there twice.
 */
async function perform(
  record: NewRecord,
  keepsResult: boolean,
  tools: ActionTools,
  signal: AbortSignal,
): Promise<Outcome> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      const [place] = await tools.bus.produce([record])
      const result = keepsResult && place !== undefined ? resultOf(place) : null
      return { kind: 'success', detail: 'ok', result }
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      const outcome = outcomeOf(error)
      if (outcome !== null) return outcome
    }
    try {
      await tools.pauseBeforeProducingAgain(tries, signal)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
  return { kind: 'aborted' }
}

/** What later steps read: where the record went. An offset above what a number holds is a text. */
function resultOf({ topic, partition, offset }: ProducedAt): Json {
  const isExact = offset <= BigInt(Number.MAX_SAFE_INTEGER)
  return { topic, partition, offset: isExact ? Number(offset) : String(offset) }
}

/** How a refused record ends, or `null` when trying again may help. */
function outcomeOf({ code, message }: PortError): Outcome | null {
  switch (code) {
    case 'too-large':
      return { kind: 'dead', failure: { kind: 'too-large', message } }
    case 'unknown-topic':
    case 'invalid':
      return { kind: 'dead', failure: { kind: 'refused', message: `${code}: ${message}` } }
    case 'closed':
      return { kind: 'aborted' } // we are stopping; whether the record arrived is unknown
    case 'unreachable':
    case 'full':
    case 'damaged':
    case 'denied':
    case 'not-owner':
      return null // an operator mends these; until then nothing may be lost
  }
}
