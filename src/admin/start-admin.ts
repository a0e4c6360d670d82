import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'
import { Access, type AdminToken } from './access.ts'
import { addressSet, formatAddress, isLoopback, parseListenAddress } from './listen-address.ts'
import { AdminProblem, problemMediaType, type AdminProblemCode } from './problem-document.ts'
import { addRoutes } from './routes.ts'
import type { AdminSource } from './source.ts'

export interface AdminOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly listen: string
  readonly tokens: readonly AdminToken[]
  /** CIDRs of proxies that decide themselves who may ask, when there are no tokens. */
  readonly trustedProxies: readonly string[]
  readonly publicMetrics: boolean
  readonly version: string
  /** `limits.event`. */
  readonly eventBytesMax: number
  readonly source: AdminSource
  readonly metrics: Metrics
  readonly logger: Logger
}

export interface Admin {
  /** `http://127.0.0.1:8090`, with the port that was taken. */
  readonly address: string
  /** Ends open connections as well. Idempotent. */
  close(): Promise<void>
}

/** The admin API could not start. The message says what to change. */
export class AdminStartError extends Error {
  override readonly name = 'AdminStartError'
  readonly code: 'bad-listen' | 'needs-tokens' | 'bad-token' | 'address-in-use' | 'cannot-listen'

  constructor(code: AdminStartError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Everything but events is small. */
const bodyBytesMax = 64 * 1_024
/** Operators, probes and scrapers; anything above is a leak on their side. */
const connectionsMax = 1_000
/** From the first byte of a request to its last. */
const requestMsMax = 30_000

/**
 * Starts the HTTP listener of operations.md, 3. Rejects with an `AdminStartError` when the address
 * cannot be had, or is open to others while nothing says who may ask.
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const address = parseListenAddress(options.listen)
  if (address === null) {
    const detail = `admin.listen is ${JSON.stringify(options.listen)}`
    throw new AdminStartError('bad-listen', `${detail}; write host:port, as in 127.0.0.1:8090`)
  }
  const { tokens, trustedProxies, logger } = options
  const isOpen = !isLoopback(address.host)
  if (isOpen && tokens.length === 0 && trustedProxies.length === 0) {
    throw new AdminStartError(
      'needs-tokens',
      `admin.listen is ${options.listen}, which others can reach, and anyone could then emit events; ` +
        'set admin.tokens, or admin.trusted_proxies, or listen on 127.0.0.1',
    )
  }
  if (tokens.some(({ value }) => !/^\S+$/.test(value))) {
    throw new AdminStartError('bad-token', 'a token of admin.tokens is empty or has spaces in it')
  }

  const server = fastify({
    logger: false, // a line per scrape tells nothing; changes and faults are told by us
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMsMax,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
  })
  server.server.maxConnections = connectionsMax
  server.addContentTypeParser(
    ['application/x-ndjson', 'application/jsonl'],
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  )
  server.removeContentTypeParser('text/plain') // a form of another site can send it unasked
  answerWithProblems(server, logger)
  const proxies = trustedProxies.length === 0 ? null : addressSet(trustedProxies)
  addRoutes(server, { ...options, access: new Access(tokens, proxies) })

  try {
    await server.listen(address)
  } catch (error) {
    await server.close()
    throw startError(options.listen, error)
  }
  const bound = server.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return {
    address: `http://${formatAddress({ host: address.host, port })}`,
    close: () => server.close(),
  }
}

function answerWithProblems(server: FastifyInstance, logger: Logger): void {
  server.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    done()
  })
  server.setNotFoundHandler((request, reply) =>
    send(
      reply,
      new AdminProblem('not-found', `${request.method} ${pathOf(request.url)} is not here`),
    ),
  )
  server.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = error instanceof AdminProblem ? error : problemOf(error)
    if (problem.code === 'internal') {
      logger.error({ err: error, path: pathOf(request.url) }, 'the admin API could not answer')
    }
    return send(reply, problem)
  })
}

function send(reply: FastifyReply, problem: AdminProblem): FastifyReply {
  if (problem.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="sluice"')
  return reply.code(problem.status).type(problemMediaType).send(problem.toDocument())
}

/** What fastify finds wrong with a request, in our words; anything else is a fault of ours. */
function problemOf(error: FastifyError): AdminProblem {
  const code = problemByStatus[error.statusCode ?? 500]
  if (code === undefined) {
    return new AdminProblem('internal', 'the log of Sluice says more', { cause: error })
  }
  return new AdminProblem(code, error.message, { cause: error })
}

const problemByStatus: Readonly<Record<number, AdminProblemCode>> = {
  400: 'bad-request',
  404: 'not-found',
  413: 'too-large',
  415: 'unsupported-media-type',
}

/** Without the query, which is not ours to repeat. */
function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? ''
}

function startError(listen: string, error: unknown): AdminStartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new AdminStartError(
      'address-in-use',
      `${listen} is in use, perhaps by another Sluice; stop that, or set admin.listen to another port`,
      { cause: error },
    )
  }
  const why = error instanceof Error ? error.message : String(error)
  return new AdminStartError(
    'cannot-listen',
    `could not listen on ${listen}: ${why}; set admin.listen to an address of this machine`,
    { cause: error },
  )
}
