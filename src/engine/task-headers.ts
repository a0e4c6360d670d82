import type { Event } from '../model/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { lineageHeaders, lineageOf } from '../model/lineage.ts'
import type { BusRecord, Headers } from '../model/record.ts'
import { headerText, originOf } from '../model/record.ts'
import type { Progress, Task } from '../model/task.ts'
import { newTask } from '../model/task.ts'
import { isDeeperThan, resultLevelsMax } from './kept-results.ts'
import { traceparentOf } from './traceparent.ts'

/**
 * A task as a record of a retry topic or of the dead letters, and back (docs/delivery.md, 4).
 *
 * The event's own value and headers stay as they were; ours stand beside them under `sluice-`. The
 * event's time is a header and not the record's timestamp, because the bus expires records by
 * timestamp and would drop the retry of an old event at once.
 */
export const taskHeaders = {
  task: 'sluice-task',
  rule: 'sluice-rule',
  ruleVersion: 'sluice-rule-version',
  origin: 'sluice-origin',
  /** The event's own key where the record's key is the task's. */
  key: 'sluice-key',
  timestamp: 'sluice-timestamp',
  /** The event's value is null. Among the dead letters a null value would end the letter's key. */
  tombstone: 'sluice-tombstone',
  attempt: 'sluice-attempt',
  /** Index of the case that the rule takes. */
  way: 'sluice-way',
  step: 'sluice-step',
  item: 'sluice-item',
  /** Hash of what stood before that action. */
  place: 'sluice-place',
  /** What the steps so far gave to later ones, as JSON. */
  results: 'sluice-results',
  due: 'sluice-due',
  /** When the window is over that the task waits for, where its tier is too short for that. */
  windowDue: 'sluice-window-due',
  firstFailed: 'sluice-first-failed',
  reason: 'sluice-reason',
  status: 'sluice-status',
  error: 'sluice-error',
  request: 'sluice-request',
  exhausted: 'sluice-exhausted',
  /** The process whose ladder counts the task as pending. */
  counted: 'sluice-counted',
} as const

const ours: ReadonlySet<string> = new Set(Object.values(taskHeaders))

/** What the headers say about how a task came to be here. */
export interface TaskStory {
  readonly ruleVersion: string | null
  readonly reason: string
  readonly status: number | null
  readonly error: string
  /** Method and URL of the last request, secrets masked; `null` when none was rendered. */
  readonly request: string | null
  readonly dueMs: number | null
  /** The end of its wait for a window, where that is behind `dueMs`. */
  readonly windowDueMs: number | null
  readonly exhausted: 'attempts' | 'age' | null
  readonly counted: string | null
}

/** The event's own headers followed by ours; ours from an earlier trip are replaced. */
export function headersOfTask(task: Task, story: TaskStory): Headers {
  const { event } = task
  const texts: [string, string | null][] = [
    [taskHeaders.task, task.id],
    [taskHeaders.rule, task.rule],
    [taskHeaders.ruleVersion, story.ruleVersion],
    [taskHeaders.origin, event.id],
    [taskHeaders.timestamp, new Date(event.record.timestampMs).toISOString()],
    [taskHeaders.tombstone, event.record.value === null ? 'true' : null],
    [taskHeaders.attempt, String(task.attempt)],
    [taskHeaders.way, String(task.way)],
    [taskHeaders.step, String(task.step)],
    [taskHeaders.item, task.item === 0 ? null : String(task.item)],
    [taskHeaders.place, task.place],
    [taskHeaders.results, hasResults(task) ? JSON.stringify(task.results) : null],
    [taskHeaders.due, isoOrNull(story.dueMs)],
    [taskHeaders.windowDue, isoOrNull(story.windowDueMs)],
    [taskHeaders.firstFailed, isoOrNull(task.firstFailedMs)],
    [taskHeaders.reason, story.reason],
    [taskHeaders.status, story.status === null ? null : String(story.status)],
    [taskHeaders.error, story.error],
    [taskHeaders.request, story.request],
    [taskHeaders.exhausted, story.exhausted],
    [taskHeaders.counted, story.counted],
    ...lineageTexts(task),
  ]
  const key: Headers = event.record.key === null ? [] : [[taskHeaders.key, event.record.key]]
  return [
    ...withoutTaskHeaders(event.record.headers),
    ...key,
    ...texts.flatMap(([name, text]): Headers => (text === null ? [] : [[name, Buffer.from(text)]])),
  ]
}

export function hasResults({ results }: Pick<Task, 'results'>): boolean {
  return Object.keys(results).length > 0
}

/** Lineage that the event's own headers do not say already: a first event has none. */
function lineageTexts(task: Task): [string, string | null][] {
  const { lineage, record } = task.event
  // What the target was sent, so that a dead letter is found in its traces.
  const trace = lineage.traceparent === null ? traceparentOf(task, task.step, task.item) : null
  if (headerText(record.headers, lineageHeaders.root) !== null) {
    return [[lineageHeaders.traceparent, trace]]
  }
  return [
    [lineageHeaders.traceparent, trace],
    [lineageHeaders.root, lineage.root],
    [lineageHeaders.rootTime, new Date(lineage.rootTimeMs).toISOString()],
    [lineageHeaders.hops, String(lineage.hops)],
  ]
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

function withoutTaskHeaders(headers: Headers): Headers {
  return headers.filter(([name]) => !ours.has(name))
}

/** What a record of a retry topic says, before its event is decoded. */
export interface StoredTask {
  readonly rule: string
  /** The record as it first came to us. */
  readonly record: BusRecord
  readonly attempt: number
  readonly progress: Progress
  readonly dueMs: number
  readonly windowDueMs: number | null
  readonly firstFailedMs: number | null
  readonly counted: string | null
}

/** Reads a record that `headersOfTask` made; `null` when it is not one. */
export function readStoredTask(record: BusRecord): StoredTask | null {
  const text = (name: string): string | null => headerText(record.headers, name)
  const rule = text(taskHeaders.rule)
  const origin = /^([^/]+)\/(\d+)\/(\d+)$/.exec(text(taskHeaders.origin) ?? '')
  const attempt = Number(text(taskHeaders.attempt))
  const dueMs = Date.parse(text(taskHeaders.due) ?? '')
  const timestampMs = Date.parse(text(taskHeaders.timestamp) ?? '')
  const firstFailedMs = Date.parse(text(taskHeaders.firstFailed) ?? '')
  const windowDueMs = Date.parse(text(taskHeaders.windowDue) ?? '')
  const [, topic, partition, offset] = origin ?? []
  if (rule === null || topic === undefined || partition === undefined || offset === undefined) {
    return null
  }
  const progress = progressOf(text)
  if (!isCount(attempt) || attempt < 1 || progress === null) return null
  if (Number.isNaN(dueMs) || Number.isNaN(timestampMs)) return null
  return {
    rule,
    record: {
      topic,
      partition: Number(partition),
      offset: BigInt(offset),
      key: keyOf(record.headers),
      value: text(taskHeaders.tombstone) === null ? record.value : null,
      headers: withoutTaskHeaders(record.headers),
      timestampMs,
    },
    attempt,
    progress,
    dueMs,
    windowDueMs: Number.isNaN(windowDueMs) ? null : windowDueMs,
    firstFailedMs: Number.isNaN(firstFailedMs) ? null : firstFailedMs,
    counted: text(taskHeaders.counted),
  }
}

/** Records of a version that knew no ways and no elements say nothing about them. */
function progressOf(text: (name: string) => string | null): Progress | null {
  const way = Number(text(taskHeaders.way) ?? '0')
  const step = Number(text(taskHeaders.step))
  const item = Number(text(taskHeaders.item) ?? '0')
  const results = resultsOf(text(taskHeaders.results))
  if (!isCount(way) || !isCount(step) || !isCount(item) || results === null) return null
  return { way, step, item, results, place: text(taskHeaders.place) }
}

function resultsOf(text: string | null): JsonObject | null {
  if (text === null) return {}
  try {
    const value = JSON.parse(text) as Json // as: what JSON.parse gives
    // One level more than a result, for the map of them.
    return isJsonObject(value) && !isDeeperThan(value, resultLevelsMax + 1) ? value : null
  } catch {
    return null // not ours: the record is told as no task
  }
}

function keyOf(headers: Headers): Buffer | null {
  return headers.findLast(([name]) => name === taskHeaders.key)?.[1] ?? null
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** The task of a stored record whose event has been decoded. */
export function restoredTask(stored: StoredTask, event: Event): Task {
  const { rule, attempt, progress, firstFailedMs } = stored
  return { ...newTask(rule, event, progress.way), ...progress, attempt, firstFailedMs }
}

/** An event around a record that was decoded elsewhere; lineage from its headers. */
export function eventOf(record: BusRecord, body: Event['body']): Event {
  const id = originOf(record)
  return { id, record, body, lineage: lineageOf(record.headers, id, record.timestampMs) }
}
