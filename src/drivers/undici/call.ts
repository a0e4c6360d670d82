import type { Socket } from 'node:net'
import type { Client, Dispatcher } from 'undici'
import type { HttpAnswer } from '../../ports/http-caller.ts'
import type { Running } from './running-calls.ts'

/**
 * What of a body above `maxResponseBytes` is read and dropped to keep the connection. Reading a
 * megabyte costs about as much as a new connection with TLS; beyond it the connection goes.
 */
const droppedBytesMax = 2 ** 20

/** One connection, reopened by undici when needed: at most one call at a time, so no pipelining. */
export interface Connection {
  readonly client: Client
  /** The socket last opened or being opened. */
  socket: Socket | null
  call: Call | null
}

/** What a call tells its owner, exactly once. */
export interface CallEnd {
  readonly answer: HttpAnswer | { readonly kind: 'error'; readonly error: unknown }
  /** Whether the connection can carry the next call. */
  readonly isReusable: boolean
}

/**
 * One call: undici's handler and our record of it in one object, since there is one of each per
 * call. Whatever comes first ends it; what comes later is ignored.
 *
 * Hot. The handler is of undici 7's older form, which gives raw headers: the newer one makes a
 * controller and parses all headers for every call (docs/decisions, undici).
 */
export class Call implements Dispatcher.DispatchHandler, Running {
  /** What undici is given. */
  readonly dispatch: Dispatcher.DispatchOptions
  readonly signal: AbortSignal
  readonly startedMs: number
  readonly dueMs: number
  place = -1
  /** Set by the origin while undici has the call. */
  connection: Connection | null = null
  readonly #maxResponseBytes: number
  readonly #onEnd: (call: Call, end: CallEnd) => void
  #isEnded = false
  #status = 0
  #rawHeaders: readonly Buffer[] = []
  #chunks: Buffer[] = []
  #keptBytes = 0
  #droppedBytes = 0

  constructor(options: {
    readonly dispatch: Dispatcher.DispatchOptions
    readonly signal: AbortSignal
    readonly startedMs: number
    readonly timeoutMs: number
    readonly maxResponseBytes: number
    readonly onEnd: (call: Call, end: CallEnd) => void
  }) {
    this.dispatch = options.dispatch
    this.signal = options.signal
    this.startedMs = options.startedMs
    this.dueMs = options.startedMs + options.timeoutMs
    this.#maxResponseBytes = options.maxResponseBytes
    this.#onEnd = options.onEnd
  }

  onDeadline(): void {
    const failure = { kind: 'timeout', afterMs: Math.round(this.dueMs - this.startedMs) } as const
    this.#end({ kind: 'failed', failure }, false)
  }

  onAbort(): void {
    this.#end({ kind: 'aborted' }, false)
  }

  /** undici asks for it; a call is ended by destroying its connection, whatever state that is in. */
  onConnect(): void {}

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    // Called for every 1xx as well; the last call is the answer's.
    this.#status = status
    this.#rawHeaders = rawHeaders
    return true
  }

  onData(chunk: Buffer): boolean {
    const roomBytes = this.#maxResponseBytes - this.#keptBytes
    if (chunk.length <= roomBytes) {
      // undici's chunks are windows on the socket's buffer, which is not reused: no copy needed.
      this.#chunks.push(chunk)
      this.#keptBytes += chunk.length
      return true
    }
    if (roomBytes > 0) {
      this.#chunks.push(chunk.subarray(0, roomBytes))
      this.#keptBytes += roomBytes
    }
    this.#droppedBytes += chunk.length - Math.max(0, roomBytes)
    if (this.#droppedBytes > droppedBytesMax) this.#end(this.#response(), false)
    return true
  }

  onComplete(): void {
    this.#end(this.#response(), true)
  }

  onError(error: unknown): void {
    this.#end({ kind: 'error', error }, false)
  }

  #response(): HttpAnswer {
    const body = bodyOf(this.#chunks, this.#keptBytes)
    return new Response(this.#status, this.#rawHeaders, body, this.#droppedBytes > 0)
  }

  #end(answer: CallEnd['answer'], isReusable: boolean): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#chunks = []
    this.#onEnd(this, { answer, isReusable })
  }
}

const noBytes = Buffer.alloc(0)

function bodyOf(chunks: readonly Buffer[], bytes: number): Buffer {
  const [first] = chunks
  if (first === undefined) return noBytes
  return chunks.length === 1 ? first : Buffer.concat(chunks, bytes)
}

/** Reads the headers when someone asks: of most answers only the status is of interest. */
class Response {
  readonly kind = 'response'
  readonly status: number
  readonly body: Buffer
  readonly isCut: boolean
  readonly #rawHeaders: readonly Buffer[]
  #headers: Readonly<Record<string, string>> | null = null

  constructor(status: number, rawHeaders: readonly Buffer[], body: Buffer, isCut: boolean) {
    this.status = status
    this.#rawHeaders = rawHeaders
    this.body = body
    this.isCut = isCut
  }

  get headers(): Readonly<Record<string, string>> {
    return (this.#headers ??= headersOf(this.#rawHeaders))
  }
}

/** Lower-case names; the last value of a repeated one. Without a prototype: names are the target's. */
function headersOf(raw: readonly Buffer[]): Record<string, string> {
  // as: Object.create gives any; nothing but the strings below is put in.
  const headers = Object.create(null) as Record<string, string>
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]?.toString('latin1') ?? ''
    headers[name.toLowerCase()] = raw[i + 1]?.toString('latin1') ?? ''
  }
  return headers
}
