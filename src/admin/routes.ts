import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from '../ports/metrics.ts'
import { PortError } from '../ports/port-error.ts'
import type { Access, Caller } from './access.ts'
import type { HealthDocument } from './documents.ts'
import { emitBodyBytesMax, eventsOfJson, eventsOfLines } from './events-body.ts'
import { openApiDocument } from './openapi.ts'
import { pageOf } from './page.ts'
import { AdminProblem } from './problem-document.ts'
import type { AdminSource, PartHealth } from './source.ts'

export interface RouteOptions {
  readonly source: AdminSource
  readonly metrics: Metrics
  readonly access: Access
  /** Whether `/metrics` is for everybody who reaches the listener. */
  readonly publicMetrics: boolean
  readonly version: string
  readonly eventBytesMax: number
}

type Query = Readonly<Record<string, unknown>>

/** Every route of the admin API, in the order of docs/admin-api.md. */
export function addRoutes(server: FastifyInstance, options: RouteOptions): void {
  const { source, metrics, access } = options

  server.get<{ Querystring: Query }>('/health/live', (request, reply) => {
    const { ok, parts } = source.isLive()
    return reply.code(ok ? 200 : 503).send(healthOf(request, access, ok, parts))
  })

  server.get<{ Querystring: Query }>('/health/ready', (request, reply) => {
    const parts = source.readiness()
    const ok = parts.every((part) => part.ok)
    return reply.code(ok ? 200 : 503).send(healthOf(request, access, ok, parts))
  })

  server.get('/metrics', async (request, reply) => {
    if (!options.publicMetrics) access.demand('viewer', callerOf(request))
    return reply.type(metrics.contentType).send(await metrics.expose())
  })

  const openApi = JSON.stringify(openApiDocument(options.version))
  server.get('/api/v1/openapi.json', (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(openApi),
  )

  server.get('/api/v1/status', (request) => {
    access.demand('viewer', callerOf(request))
    return source.status()
  })

  server.get<{ Querystring: Query }>('/api/v1/rules', (request, reply) => {
    access.demand('viewer', callerOf(request))
    return reply.send(pageOf(source.rules(), request.query))
  })

  server.get<{ Params: { rule: string } }>('/api/v1/rules/:rule', (request, reply) => {
    access.demand('viewer', callerOf(request))
    const rule = source.rule(request.params.rule)
    if (rule === undefined) {
      throw new AdminProblem(
        'unknown-rule',
        `no rule is called ${JSON.stringify(request.params.rule)}`,
      )
    }
    return reply.send(rule)
  })

  server.get<{ Querystring: Query }>('/api/v1/topics', async (request, reply) => {
    access.demand('viewer', callerOf(request))
    const topics = await throughBus(() => source.topics())
    return reply.send(pageOf(topics, request.query))
  })

  server.post<{ Querystring: Query }>(
    '/api/v1/events',
    {
      bodyLimit: emitBodyBytesMax,
      // Before the body is read: nobody sends 16 MiB to be told that he may not.
      onRequest: (request, _reply, done) => {
        access.demand('operator', callerOf(request))
        done()
      },
    },
    async (request, reply) => {
      const { body, query } = request
      const { topic, events } = Buffer.isBuffer(body)
        ? eventsOfLines(body, query['topic'], options.eventBytesMax)
        : eventsOfJson(body, options.eventBytesMax)
      await throughBus(() => source.emit(topic, events))
      return reply.send({ topic, emitted: events.length })
    },
  )
}

function healthOf(
  request: FastifyRequest<{ Querystring: Query }>,
  access: Access,
  ok: boolean,
  parts: readonly PartHealth[],
): HealthDocument {
  const failing = parts.filter((part) => !part.ok).map((part) => part.name)
  if (request.query['verbose'] === undefined) return { ok, failing }
  // Probes have no token; addresses and errors are not for everybody.
  const maySeeDetail = access.allows('viewer', callerOf(request))
  return {
    ok,
    failing,
    parts: parts.map((part) => (maySeeDetail ? part : { ...part, detail: '' })),
  }
}

function callerOf(request: FastifyRequest): Caller {
  const { method, headers, socket } = request
  return { method, headers, peer: socket.remoteAddress ?? '' }
}

/** Tells trouble of the bus as a problem that says whether asking again can help. */
async function throughBus<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof PortError)) throw error
    switch (error.code) {
      case 'unknown-topic':
        throw new AdminProblem('unknown-topic', error.message, { cause: error })
      case 'too-large':
        throw new AdminProblem('too-large', error.message, { cause: error })
      case 'invalid':
        throw new AdminProblem('bad-request', error.message, { cause: error })
      case 'denied':
      case 'damaged':
      case 'full':
        throw new AdminProblem('bus-refused', error.message, { cause: error })
      case 'unreachable':
      case 'closed':
      case 'not-owner':
        throw new AdminProblem('bus-unreachable', error.message, { cause: error })
    }
  }
}
