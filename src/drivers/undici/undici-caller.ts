import type { Dispatcher } from 'undici'
import type { Failure } from '../../model/failure.ts'
import type { Clock } from '../../ports/clock.ts'
import type { HttpAnswer, HttpCaller, HttpRequest } from '../../ports/http-caller.ts'
import { Call, type CallEnd } from './call.ts'
import { failureOf } from './failure-of.ts'
import { Origin } from './origin.ts'
import { RunningCalls } from './running-calls.ts'
import { hostOf, Targets, type TargetOptions } from './targets.ts'

export interface UndiciCallerOptions extends TargetOptions {
  readonly clock: Clock
  /** Connections to one origin, those being opened included. */
  readonly connectionsPerOrigin: number
  /** How much of a response body is kept. */
  readonly maxResponseBytes: number
  /** For requests that name none. */
  readonly userAgent: string
}

/**
 * Origins remembered; above it one that is idle is closed and forgotten. When more than these are in
 * use at once, the calls in flight are the bound.
 */
const originsMax = 1_000

/**
 * Calls over HTTP/1.1 with kept connections, one call per connection at a time.
 *
 * Never tries again by itself. A kept connection that the target closed before our request was
 * written is replaced unseen, since nothing was sent; once bytes are written, a reset leaves it open
 * whether the target acted, and is told as `reset`. Throws when a CIDR, a certificate or an entry of
 * `connectTo` is none.
 */
export function undiciCaller(options: UndiciCallerOptions): HttpCaller {
  const { clock } = options
  const running = new RunningCalls(clock)
  const origins = new Origins(options)
  let isClosed = false

  return {
    call(request, timeoutMs, signal) {
      if (isClosed || signal.aborted) return Promise.resolve({ kind: 'aborted' })
      const place = origins.of(request.url)
      if ('failure' in place) return Promise.resolve({ kind: 'failed', failure: place.failure })
      return new Promise((resolve) => {
        const call = new Call({
          dispatch: dispatchOf(request, place, options.userAgent),
          signal,
          startedMs: clock.monotonic(),
          timeoutMs,
          maxResponseBytes: options.maxResponseBytes,
          onEnd: (ended, end) => {
            running.delete(ended)
            place.origin.ended(ended, end.isReusable)
            resolve(answerOf(end, ended, clock))
          },
        })
        running.add(call)
        place.origin.start(call)
      })
    },
    connections: () => origins.connections(),
    async close() {
      isClosed = true
      running.close()
      await origins.close()
    },
  }
}

function answerOf(end: CallEnd, call: Call, clock: Clock): HttpAnswer {
  const { answer } = end
  if (answer.kind !== 'error') return answer
  const failure = failureOf(answer.error, clock.monotonic() - call.startedMs)
  return { kind: 'failed', failure }
}

/** Hot: what undici takes, with the headers flat, as it wants them in the end. */
function dispatchOf(
  request: HttpRequest,
  { origin, path }: Place,
  userAgent: string,
): Dispatcher.DispatchOptions {
  const headers: string[] = []
  let namesAgent = false
  for (const name of Object.keys(request.headers)) {
    const value = request.headers[name]
    if (value === undefined) continue
    if (name === 'user-agent') namesAgent = true
    headers.push(name, value)
  }
  if (!namesAgent) headers.push('user-agent', userAgent)
  // `servername` is missing from undici's types, not from undici.
  const dispatch = {
    path,
    method: request.method,
    headers,
    body: request.body,
    servername: origin.servername,
  }
  return dispatch
}

interface Place {
  readonly origin: Origin
  /** Path and query as they stand in the URL: parsing it would rewrite `..` and `%2e`. */
  readonly path: string
}

/** The origins in use, by name: `https://host:port`, without a default port. */
class Origins {
  readonly #options: UndiciCallerOptions
  readonly #targets: Targets
  readonly #byName = new Map<string, Origin>()

  constructor(options: UndiciCallerOptions) {
    this.#options = options
    this.#targets = new Targets(options)
  }

  of(url: string): Place | { readonly failure: Failure } {
    const start = url.indexOf('://') + 3
    const slash = url.indexOf('/', start)
    const end = slash === -1 ? url.length : slash
    const known = start < 3 ? undefined : this.#byName.get(url.slice(0, end))
    return known === undefined ? this.#find(url) : { origin: known, path: pathOf(url, end) }
  }

  connections(): readonly { origin: string; connected: number; pending: number }[] {
    return [...this.#byName.values()].map((origin) => ({
      origin: origin.name,
      connected: origin.connected,
      pending: origin.waiting,
    }))
  }

  async close(): Promise<void> {
    const origins = [...this.#byName.values()]
    this.#byName.clear()
    await Promise.all(origins.map((origin) => origin.close()))
  }

  /** For an origin that is new or written in another way, and for what is wrong. */
  #find(text: string): Place | { readonly failure: Failure } {
    const wrong = (why: string) => {
      // Not the URL itself: it may carry a secret, and this message ends in logs and dead letters.
      return { failure: { kind: 'template', message: `the URL cannot be called: ${why}` } } as const
    }
    if (!URL.canParse(text)) return wrong('it is not an absolute URL')
    const url = new URL(text)
    const isHttp = url.protocol === 'https:' || url.protocol === 'http:'
    if (!isHttp) return wrong('only http: and https: are known')
    if (url.username !== '' || url.password !== '') return wrong('it carries credentials')
    const authorityEnd = text.slice(text.indexOf('://') + 3).search(/[/?#]/)
    const end = authorityEnd === -1 ? text.length : text.indexOf('://') + 3 + authorityEnd
    return { origin: this.#byName.get(url.origin) ?? this.#add(url), path: pathOf(text, end) }
  }

  #add(url: URL): Origin {
    if (this.#byName.size >= originsMax) this.#closeOneIdle()
    const origin = new Origin({
      name: url.origin,
      servername: hostOf(url),
      target: this.#targets.of(url),
      tools: this.#targets.tools,
      connectionsMax: this.#options.connectionsPerOrigin,
    })
    this.#byName.set(url.origin, origin)
    return origin
  }

  /** Rather one without connections, whose end costs nothing. */
  #closeOneIdle(): void {
    const idle = [...this.#byName].filter(([, origin]) => origin.isIdle)
    const [name, origin] = idle.find(([, { connected }]) => connected === 0) ?? idle[0] ?? []
    if (name === undefined || origin === undefined) return
    this.#byName.delete(name)
    void origin.close() // never rejects
  }
}

function pathOf(url: string, authorityEnd: number): string {
  const fragment = url.indexOf('#', authorityEnd)
  const path = url.slice(authorityEnd, fragment === -1 ? url.length : fragment)
  return path.startsWith('/') ? path : `/${path}`
}
