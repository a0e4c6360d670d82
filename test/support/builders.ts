import type { Json } from '../../src/model/json.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { BusRecord, Headers } from '../../src/model/record.ts'
import { eventOf } from '../../src/engine/task-headers.ts'
import type { Event } from '../../src/model/event.ts'
import type { Action } from '../../src/rules/action-kind.ts'
import type { RetryPolicy } from '../../src/rules/retry-policy.ts'
import type { Rule, Way } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'

export const retryPolicy: RetryPolicy = {
  attemptsMax: 5,
  ageMaxMs: null,
  firstMs: 10_000,
  factor: 4,
  maxMs: 3_600_000,
  jitter: 0,
  on: [],
  neverOn: [],
  successOn: [],
}

export function aRecord(record: Partial<BusRecord> & { body?: Json } = {}): BusRecord {
  const { body = {}, ...rest } = record
  return {
    topic: 'edits',
    partition: 0,
    offset: 0n,
    key: null,
    value: Buffer.from(JSON.stringify(body)),
    headers: [],
    timestampMs: 0,
    ...rest,
  }
}

export function anEvent(body: Json = {}, record: Partial<BusRecord> = {}): Event {
  return eventOf(aRecord({ ...record, body }), body)
}

export function headersOf(texts: Readonly<Record<string, string>>): Headers {
  return Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)])
}

/** What an action of a test does; the call is made when the engine attempts it. */
export type Perform = (scope: Scope, signal: AbortSignal, timeoutMs: number) => Promise<Outcome>

export function anAction(perform: Perform, action: Partial<Action> = {}): Action {
  return {
    kind: 'test',
    target: 'test',
    emitsTo: null,
    calls: null,
    sendsContent: true,
    render: (scope) => ({
      kind: 'ready',
      request: {
        summary: `TEST ${scope.event.id}`,
        perform: (_tools, timeoutMs, signal) => perform(scope, signal, timeoutMs),
      },
    }),
    ...action,
  }
}

/** One way that is always taken, of these actions. */
export function waysOf(...actions: readonly Action[]): readonly Way[] {
  const steps = actions.map((action) => ({ action, as: null, each: null, place: null }))
  return [{ condition: null, sample: null, steps, captures: () => ({}) }]
}

/** A rule that acts on every event of `edits`. */
export function aRule(perform: Perform, rule: Partial<Rule> = {}): Rule {
  const names = rule.topics?.names ?? ['edits']
  return {
    name: 'purge',
    file: 'rules/test.yaml',
    line: 1,
    description: null,
    owner: null,
    labels: {},
    version: 'abcdef012345',
    enabled: true,
    lane: 'default',
    topics: { text: names.join(), names, globs: [], matches: (topic) => names.includes(topic) },
    mode: 'live',
    condition: { kind: 'all', of: [], at: [] },
    ways: waysOf(anAction(perform)),
    fire: () => ({ way: 0, doubt: null }),
    key: null,
    maxAgeMs: null,
    maxRootAgeMs: null,
    concurrency: 30,
    concurrencyPerKey: null,
    order: 'none',
    dedup: null,
    timeoutMs: 10_000,
    retry: retryPolicy,
    ...rule,
  }
}

export const success: Outcome = { kind: 'success', detail: 'ok', result: null }

export function status(code: number, retryAfterMs: number | null = null): Outcome {
  return { kind: 'retry', failure: { kind: 'status', status: code, retryAfterMs } }
}

export function refusal(code: number): Outcome {
  return { kind: 'dead', failure: { kind: 'status', status: code, retryAfterMs: null } }
}
