import type { BusRecord } from '../../src/model/record.ts'
import { headerText, originOf } from '../../src/model/record.ts'
import type { Bus } from '../../src/ports/bus.ts'
import type { Call, DeadLetter, LoggedEvent } from './ledger.ts'
import { topics } from './rules.ts'

/** Everything of a topic, from all partitions. */
async function readTopic(bus: Bus, topic: string): Promise<readonly BusRecord[]> {
  const all: BusRecord[] = []
  for (const { partition, low, high } of await bus.admin.watermarks(topic)) {
    const range = { topic, partition, from: low, to: high }
    for await (const records of bus.readRange(range)) all.push(...records)
  }
  return all
}

interface EventBody {
  readonly n: number
  readonly page: string
  readonly account: string
  readonly dup: string
  readonly rev: number
  readonly from?: string
}

export interface LogAtTheEnd {
  readonly events: readonly LoggedEvent[]
  readonly unreadable: readonly string[]
  /** Derived events, as calls of the rule that made them. */
  readonly derived: readonly Call[]
  readonly dead: readonly DeadLetter[]
}

/** What the bus has when everything has come to rest. */
export async function readLog(bus: Bus, deadTopic: string): Promise<LogAtTheEnd> {
  const events: LoggedEvent[] = []
  const unreadable: string[] = []
  const derived: Call[] = []
  for (const topic of Object.values(topics)) {
    for (const record of await readTopic(bus, topic)) {
      const event = eventOf(record)
      if (event === null) unreadable.push(originOf(record))
      else events.push(event)
      if (event !== null && event.from !== null) derived.push(callOf(event, event.from))
    }
  }
  const letters = await readTopic(bus, deadTopic)
  return { events, unreadable, derived, dead: letters.map(letterOf) }
}

function eventOf(record: BusRecord): LoggedEvent | null {
  const body = bodyOf(record.value)
  if (body === null) return null
  return {
    id: `${originOf(record)}#${body.n}`,
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    timeMs: record.timestampMs,
    n: body.n,
    page: body.page,
    account: body.account,
    dup: body.dup,
    rev: body.rev,
    from: body.from === undefined ? null : `${body.from}#${body.n}`,
  }
}

/** `null` of what the harness made unreadable on purpose. */
function bodyOf(value: Buffer | null): EventBody | null {
  try {
    const body = JSON.parse(value?.toString() ?? '') as Partial<EventBody> // as: what the producer made
    return body.page === undefined ? null : (body as EventBody) // as: the huge one has no page
  } catch {
    return null
  }
}

/** When it was stored stands for when it was called and answered. */
function callOf(event: LoggedEvent, from: string): Call {
  const { timeMs } = event
  return { rule: 'derive', id: from, life: null, startMs: timeMs, endMs: timeMs, isDone: true }
}

function letterOf(record: BusRecord): DeadLetter {
  const text = (name: string) => headerText(record.headers, name) ?? ''
  const origin = text('sluice-origin')
  const body = bodyOf(record.value)
  return {
    rule: text('sluice-rule'),
    id: body === null ? origin : `${origin}#${body.n}`,
    reason: text('sluice-reason'),
    timeMs: record.timestampMs,
  }
}
