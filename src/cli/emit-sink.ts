import type { Config } from '../config/config.ts'
import { isJsonObject, type Json } from '../model/json.ts'
import { formatSize } from '../model/units.ts'
import type { Bus } from '../ports/bus.ts'
import { PortError } from '../ports/port-error.ts'
import type { Clock } from '../ports/clock.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { askAdmin, complaintOf, type AdminAddress, type BodyFault } from './admin-client.ts'
import type { Complaint } from './complain.ts'
import type { EventLine, LineFault } from './event-lines.ts'
import { inexactInteger } from './exact-numbers.ts'
import { exitCode } from './exit-code.ts'

/** How long the daemon may take over a batch: its bus may have to come back first. */
const batchMsMax = 60_000

/** Why a batch did not go through. */
interface BatchFailure extends Complaint {
  /** What of the batch is on the bus: nothing, or nobody knows. */
  readonly emitted: 'none' | 'unknown'
  /** The line that is to blame, where one is. */
  readonly fault?: LineFault
}

/** One way to the bus. */
export interface EmitSink {
  /** For people: `through the daemon at http://..`. */
  readonly way: string
  /** Why this way cannot carry a line, or `null`. */
  faultOf(line: EventLine): LineFault | null
  /** Puts a batch on the bus in order; `null` once it is durable. */
  emit(events: readonly EventLine[]): Promise<BatchFailure | null>
  close(): Promise<void>
}

/** Through a running daemon, which checks rights and bounds. */
export function daemonSink(topic: string, address: AdminAddress, clock: Clock): EmitSink {
  return {
    way: `through the daemon at ${address.url}`,
    faultOf: daemonFault,
    async emit(events) {
      const { path, mediaType, bytes } = bodyOf(topic, events)
      const request = { path, body: { mediaType, bytes }, withinMs: batchMsMax }
      const answer = await askAdmin(address, { ...request, method: 'POST' }, clock)
      switch (answer.kind) {
        case 'answer':
          return null
        case 'foreign':
          return { ...complaintOf(answer, address), emitted: 'none' }
        case 'unreachable':
          return {
            ...complaintOf(answer, address),
            emitted: answer.mayHaveArrived ? 'unknown' : 'none',
          }
        case 'problem': {
          const fault = faultOfBody(answer.faults, events)
          if (fault !== null) return { ...complaintOf(answer, address), emitted: 'none', fault }
          if (answer.code === 'unknown-topic') {
            const near = await nearTopicOf(address, topic, clock)
            const complaint = complaintOf(answer, address)
            return { ...complaint, hint: near ?? complaint.hint, emitted: 'none' }
          }
          const isUnknown = ['bus-unreachable', 'bus-refused', 'internal'].includes(answer.code)
          return { ...complaintOf(answer, address), emitted: isUnknown ? 'unknown' : 'none' }
        }
      }
    },
    close: () => Promise.resolve(),
  }
}

/** Topics that are asked for: what stands behind the first page was not mistyped for one of it. */
const topicsMax = 1_000

/** The topic of the daemon that was probably meant, or `null`; the hint is worth no second complaint. */
async function nearTopicOf(
  address: AdminAddress,
  topic: string,
  clock: Clock,
): Promise<string | null> {
  const path = `api/v1/topics?limit=${topicsMax}`
  const answer = await askAdmin(address, { method: 'GET', path }, clock)
  const items = answer.kind === 'answer' && isJsonObject(answer.value) ? answer.value['items'] : []
  if (!Array.isArray(items)) return null
  const names = items.flatMap((item: Json) => {
    const name = isJsonObject(item) ? item['name'] : null
    return typeof name === 'string' ? [name] : []
  })
  return didYouMean(topic, names)
}

/** A daemon counts from the first event of the batch; people count from the top of the file. */
function faultOfBody(
  [fault]: readonly BodyFault[],
  events: readonly EventLine[],
): LineFault | null {
  const [, line, index] = /^(?:line (\d+)$|events\[(\d+)\])/.exec(fault?.at ?? '') ?? []
  const event = events[line === undefined ? Number(index) : Number(line) - 1]
  if (fault === undefined || event === undefined) return null
  return { line: event.line, column: 1, message: fault.message }
}

/** With keys, events are read and written anew on the way (see `bodyOf`). */
function daemonFault({ line, bytes, key }: EventLine): LineFault | null {
  const number = key === null ? null : inexactInteger(bytes.toString('utf8'))
  if (number === null) return null
  const message = `with --key a daemon would change the number ${number}, which has too many digits`
  return { line, column: 1, message }
}

/**
 * Lines keep every byte but carry no keys. Keys go in a JSON document, into which each event is put
 * as it was written.
 */
function bodyOf(
  topic: string,
  events: readonly EventLine[],
): { readonly path: string; readonly mediaType: string; readonly bytes: Buffer } {
  if (events.every(({ key }) => key === null)) {
    return {
      path: `api/v1/events?topic=${encodeURIComponent(topic)}`,
      mediaType: 'application/x-ndjson',
      bytes: Buffer.concat(events.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])),
    }
  }
  const parts = events.flatMap(({ key, bytes }, i) => [
    Buffer.from(`${i === 0 ? '' : ','}{"key":${JSON.stringify(key)},"value":`),
    bytes,
    Buffer.from('}'),
  ])
  const head = Buffer.from(`{"topic":${JSON.stringify(topic)},"events":[`)
  return {
    path: 'api/v1/events',
    mediaType: 'application/json',
    bytes: Buffer.concat([head, ...parts, Buffer.from(']}')]),
  }
}

/** Straight to the bus of a config, for when no daemon runs. */
export function busSink(topic: string, bus: Bus, config: Config): EmitSink {
  const { eventBytes } = config.limits
  return {
    way: `straight to the bus (${config.bus.kind})`,
    // What a daemon would not take from us is not put where it would find it.
    faultOf({ line, bytes }) {
      if (bytes.length <= eventBytes) return null
      const message = `${bytes.length} bytes are above \`limits.event\`, ${formatSize(eventBytes)}`
      return { line, column: 1, message }
    },
    async emit(events) {
      try {
        await bus.produce(
          events.map(({ bytes, key }) => ({
            topic,
            key: key === null ? null : Buffer.from(key),
            value: bytes,
            headers: [],
          })),
        )
        return null
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        return { ...(await complaintOfBus(error, topic, bus)), emitted: emittedOf(error) }
      }
    },
    close: () => bus.close(),
  }
}

function emittedOf({ code }: PortError): 'none' | 'unknown' {
  return code === 'unknown-topic' || code === 'invalid' || code === 'denied' ? 'none' : 'unknown'
}

/** Trouble of the bus, as people read it. */
export async function complaintOfBus(
  error: PortError,
  topic: string,
  bus: Bus | null,
): Promise<Complaint> {
  switch (error.code) {
    case 'unknown-topic': {
      const near = bus === null ? null : await nearTopic(topic, bus)
      const hint = 'a daemon makes the topics of its rules when it starts; check the name'
      return { exitCode: exitCode.findings, message: error.message, hint: near ?? hint }
    }
    case 'too-large':
    case 'invalid':
      return {
        exitCode: exitCode.findings,
        message: error.message,
        hint: 'trying again will not help: the event or the topic has to change',
      }
    case 'denied':
      return {
        exitCode: exitCode.unreachable,
        message: error.message,
        hint: 'look at `bus.kafka` of the config, and at the rights that the broker gives',
      }
    case 'full':
    case 'damaged':
    case 'unreachable':
    case 'closed':
    case 'not-owner':
      return {
        exitCode: exitCode.unreachable,
        message: `the bus does not take events: ${error.message}`,
        hint: 'look at `bus` of the config: is it the right one, and does it run?',
      }
  }
}

async function nearTopic(topic: string, bus: Bus): Promise<string | null> {
  try {
    return didYouMean(topic, await bus.admin.listTopics())
  } catch (error) {
    if (error instanceof PortError) return null // the hint is worth no second complaint
    throw error
  }
}
