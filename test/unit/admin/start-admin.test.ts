import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { z } from 'zod'
import type { AdminToken } from '../../../src/admin/access.ts'
import {
  emittedSchema,
  healthSchema,
  pageSchema,
  problemSchema,
  ruleSchema,
  statusSchema,
  topicSchema,
} from '../../../src/admin/documents.ts'
import { emitBodyBytesMax, emitEventsMax } from '../../../src/admin/events-body.ts'
import {
  AdminStartError,
  startAdmin,
  type Admin,
  type AdminOptions,
} from '../../../src/admin/start-admin.ts'
import { promMetrics } from '../../../src/drivers/prom-client/prom-metrics.ts'
import { PortError, type PortErrorCode } from '../../../src/ports/port-error.ts'
import { TestAdminSource } from '../../support/admin-source.ts'

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

interface Answered {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly text: string
}

const tokens: readonly AdminToken[] = [
  { name: 'grafana', role: 'viewer', payload: false, value: 'view-token' },
  { name: 'ops', role: 'operator', payload: true, value: 'operate-token' },
  { name: 'root', role: 'admin', payload: true, value: 'admin-token' },
]
const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
const json = { 'content-type': 'application/json' }
const lines = { 'content-type': 'application/x-ndjson' }
const oneEvent = JSON.stringify({ topic: 'edits', events: [{ value: { title: 'Berlin' } }] })

describe('the admin API', () => {
  let source: TestAdminSource
  let logged: { readonly fields: object; readonly sentence: string }[]
  const started: Admin[] = []
  beforeEach(() => {
    source = new TestAdminSource()
    logged = []
  })
  afterEach(async () => {
    await Promise.all(started.splice(0).map((admin) => admin.close()))
  })

  const start = async (options: Partial<AdminOptions> = {}): Promise<Admin> => {
    const log = (fields: object, sentence: string) => void logged.push({ fields, sentence })
    const admin = await startAdmin({
      listen: '127.0.0.1:0',
      tokens: [],
      trustedProxies: [],
      publicMetrics: true,
      version: '0.1.0',
      eventBytesMax: 1_000,
      source,
      metrics: promMetrics(),
      logger: { debug: log, info: log, warn: log, error: log, isDebug: true },
      ...options,
    })
    started.push(admin)
    return admin
  }

  const ask = async (admin: Admin, path: string, asked: Asked = {}): Promise<Answered> => {
    const sent = httpRequest(admin.address + path, {
      method: asked.method ?? 'GET',
      headers: asked.headers ?? {},
    })
    sent.end(asked.body)
    const [answer] = (await once(sent, 'response')) as [IncomingMessage] // as: node says so
    return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) }
  }

  const post = (admin: Admin, body: string | Buffer, headers: Asked['headers'] = {}, query = '') =>
    ask(admin, `/api/v1/events${query}`, { method: 'POST', headers: { ...json, ...headers }, body })

  /** The answer's document, which must be of that shape and nothing more. */
  const documentOf = <Shape extends z.ZodType>(answer: Answered, shape: Shape): z.infer<Shape> =>
    shape.parse(JSON.parse(answer.text))

  const problemOf = (answer: Answered) => {
    expect(answer.headers['content-type']).to.match(/^application\/problem\+json/)
    const problem = documentOf(answer, problemSchema)
    expect(problem.status).to.equal(answer.status)
    return problem
  }

  describe('tells', () => {
    it('the status, in the shape that others rely on', async () => {
      const answer = await ask(await start(), '/api/v1/status')
      expect(answer.status).to.equal(200)
      const status = documentOf(answer, statusSchema)
      expect(status).to.deep.equal(await source.status())
      expect(answer.headers['cache-control']).to.equal('no-store')
    })

    it('each rule by its name, and which there is not', async () => {
      source.ruleNames = ['purge', 'a b/ü']
      const admin = await start()
      const purge = documentOf(await ask(admin, '/api/v1/rules/purge'), ruleSchema)
      expect(purge.name).to.equal('purge')
      const odd = await ask(admin, `/api/v1/rules/${encodeURIComponent('a b/ü')}`)
      expect(documentOf(odd, ruleSchema).name).to.equal('a b/ü')
      expect(problemOf(await ask(admin, '/api/v1/rules/none'))).to.include({
        status: 404,
        code: 'unknown-rule',
        detail: 'no rule is called "none"',
      })
    })

    it('rules page by page, each once, also when some go in between', async () => {
      source.ruleNames = Array.from({ length: 25 }, (_, i) => `rule-${String(i).padStart(2, '0')}`)
      const admin = await start()
      const seen: string[] = []
      let cursor: string | null = ''
      while (cursor !== null) {
        const query: string = cursor === '' ? '' : `&cursor=${cursor}`
        const answer = await ask(admin, `/api/v1/rules?limit=10${query}`)
        const page = documentOf(answer, pageSchema(ruleSchema))
        seen.push(...page.items.map((rule) => rule.name))
        cursor = page.next_cursor
        source.ruleNames = source.ruleNames.filter((name) => name !== 'rule-03')
      }
      expect(seen).to.have.length(25)
      expect(new Set(seen).size).to.equal(25)
    })

    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=1&limit=2',
      'cursor=%20',
      'cursor=a',
    ]) {
      it(`what is wrong with ?${query}`, async () => {
        const problem = problemOf(await ask(await start(), `/api/v1/rules?${query}`))
        expect(problem).to.include({ status: 400, code: 'bad-request' })
      })
    }

    it('topics with the rules that read them', async () => {
      const answer = await ask(await start(), '/api/v1/topics')
      expect(documentOf(answer, pageSchema(topicSchema)).items).to.deep.equal(source.topicDocuments)
    })

    it('numbers, asked by GET and by nobody logged', async () => {
      const answer = await ask(await start(), '/metrics')
      expect(answer.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8')
      expect(answer.text).to.include('process_cpu_seconds_total')
      expect(logged).to.deep.equal([])
    })

    it('that there is nothing, as a problem, without the query', async () => {
      const problem = problemOf(await ask(await start(), '/api/v2/secret?token=x'))
      expect(problem).to.include({ code: 'not-found', detail: 'GET /api/v2/secret is not here' })
    })

    it('nothing of a fault of ours but that the log says more', async () => {
      source.trouble = new Error('secret detail')
      const problem = problemOf(await ask(await start(), '/api/v1/status'))
      expect(problem).to.include({ status: 500, code: 'internal' })
      expect(JSON.stringify(problem)).to.not.include('secret')
      expect(logged.map((line) => line.sentence)).to.deep.equal(['the admin API could not answer'])
    })
  })

  describe('says of its health', () => {
    const down = [
      { name: 'bus', ok: false, detail: 'no answer from 10.0.0.1' },
      { name: 'lane default', ok: true, detail: 'reads' },
    ]
    for (const path of ['/health/live', '/health/ready']) {
      it(`${path}: 200 when all is well, 503 and what is not otherwise`, async () => {
        const admin = await start()
        const well = await ask(admin, path)
        expect([well.status, documentOf(well, healthSchema)]).to.deep.equal([
          200,
          { ok: true, failing: [] },
        ])
        source.parts = down
        const ill = await ask(admin, path)
        expect([ill.status, documentOf(ill, healthSchema)]).to.deep.equal([
          503,
          { ok: false, failing: ['bus'] },
        ])
      })

      it(`${path}?verbose: every part with its detail`, async () => {
        source.parts = down
        const health = documentOf(await ask(await start(), `${path}?verbose`), healthSchema)
        expect(health.parts).to.deep.equal(down)
      })
    }

    it('no details to strangers when there are tokens', async () => {
      source.parts = down
      const admin = await start({ tokens })
      const stranger = documentOf(await ask(admin, '/health/ready?verbose'), healthSchema)
      expect(stranger.parts?.map((part) => part.detail)).to.deep.equal(['', ''])
      const headers = bearer('view-token')
      const viewer = documentOf(
        await ask(admin, '/health/ready?verbose', { headers }),
        healthSchema,
      )
      expect(viewer.parts).to.deep.equal(down)
    })
  })

  describe('takes events', () => {
    it('as JSON, with keys and headers, in order', async () => {
      const admin = await start()
      const body = JSON.stringify({
        topic: 'edits',
        events: [
          { key: 'k', value: { a: 1 }, headers: { 'x-from': 'test' } },
          { value: null },
          { value: 'text' },
        ],
      })
      const answer = await post(admin, body)
      expect(documentOf(answer, emittedSchema)).to.deep.equal({ topic: 'edits', emitted: 3 })
      expect(source.emitted).to.deep.equal([
        {
          topic: 'edits',
          events: [
            { key: 'k', value: Buffer.from('{"a":1}'), headers: [['x-from', 'test']] },
            { key: null, value: null, headers: [] },
            { key: null, value: Buffer.from('"text"'), headers: [] },
          ],
        },
      ])
    })

    it('as lines, byte for byte, empty ones passed by', async () => {
      const admin = await start()
      const body = '{"id": 12345678901234567890}\r\n\n  \n{"b":"ü"}'
      const answer = await post(admin, body, lines, '?topic=edits')
      expect(documentOf(answer, emittedSchema)).to.deep.equal({ topic: 'edits', emitted: 2 })
      const values = source.emitted[0]?.events.map((event) => event.value?.toString())
      expect(values).to.deep.equal(['{"id": 12345678901234567890}', '{"b":"ü"}'])
    })

    const many = (count: number) =>
      JSON.stringify({ topic: 't', events: Array.from({ length: count }, () => ({ value: 1 })) })
    const refused: {
      name: string
      body: string | Buffer
      headers?: Readonly<Record<string, string>>
      query?: string
      code: string
      detail?: RegExp
    }[] = [
      { name: 'no JSON', body: '{"topic"', code: 'bad-request' },
      { name: 'nothing', body: '', code: 'bad-request' },
      { name: 'no topic', body: '{"events":[{"value":1}]}', code: 'bad-event', detail: /^topic: / },
      {
        name: 'no events',
        body: '{"topic":"t","events":[]}',
        code: 'bad-event',
        detail: /^events: /,
      },
      {
        name: 'an unknown key in the second event',
        body: '{"topic":"t","events":[{"value":1},{"value":1,"kee":"x"}]}',
        code: 'bad-event',
        detail: /^events\[1\]: .*kee/,
      },
      {
        name: 'an event without a value',
        body: '{"topic":"t","events":[{"key":"x"}]}',
        code: 'bad-event',
        detail: /^events\[0\]\.value: /,
      },
      {
        name: 'an event above its bound',
        body: JSON.stringify({ topic: 't', events: [{ value: 1 }, { value: 'x'.repeat(1_000) }] }),
        code: 'bad-event',
        detail: /^events\[1\]: 1002 bytes, above the 1000 of limits\.event$/,
      },
      {
        name: 'too many events',
        body: many(emitEventsMax + 1),
        code: 'too-large',
        detail: /10001/,
      },
      {
        name: 'a bad line, with its number',
        body: '{"a":1}\n\n{"b":}\n{"c":1}\n{"d"',
        headers: lines,
        query: '?topic=t',
        code: 'bad-event',
        detail: /^line 3: not JSON: .*, and 1 more$/,
      },
      {
        name: 'lines without a topic',
        body: '{}',
        headers: lines,
        code: 'bad-request',
        detail: /topic=/,
      },
      {
        name: 'lines of nothing',
        body: '\n\n',
        headers: lines,
        query: '?topic=t',
        code: 'bad-event',
      },
      {
        name: 'lines that are not UTF-8',
        body: Buffer.from([0x22, 0xff, 0x22]),
        headers: lines,
        query: '?topic=t',
        code: 'bad-event',
      },
      {
        name: 'too many lines',
        body: '1\n'.repeat(emitEventsMax + 1),
        headers: lines,
        query: '?topic=t',
        code: 'too-large',
      },
      {
        name: 'a body above its bound',
        body: '',
        headers: { 'content-length': String(emitBodyBytesMax + 1) },
        code: 'too-large',
      },
      {
        name: 'a form',
        body: 'topic=t',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        code: 'unsupported-media-type',
      },
      {
        name: 'plain text',
        body: '{}',
        headers: { 'content-type': 'text/plain' },
        code: 'unsupported-media-type',
      },
    ]
    for (const { name, body, headers = {}, query = '', code, detail } of refused) {
      it(`or none: not with ${name}`, async () => {
        const problem = problemOf(await post(await start(), body, headers, query))
        expect(problem.code).to.equal(code)
        if (detail !== undefined) expect(problem.detail).to.match(detail)
        expect(source.emitted).to.deep.equal([])
      })
    }

    it('and tells every bad line, up to a bound', async () => {
      const answer = await post(await start(), 'x\n'.repeat(100), lines, '?topic=t')
      const { errors = [], detail } = problemOf(answer)
      expect(errors).to.have.length(20)
      expect(errors[19]?.at).to.equal('line 20')
      expect(detail).to.match(/and 99 more$/)
    })

    const trouble: [PortErrorCode, number, string][] = [
      ['unknown-topic', 404, 'unknown-topic'],
      ['too-large', 413, 'too-large'],
      ['invalid', 400, 'bad-request'],
      ['denied', 502, 'bus-refused'],
      ['full', 502, 'bus-refused'],
      ['damaged', 502, 'bus-refused'],
      ['unreachable', 503, 'bus-unreachable'],
      ['closed', 503, 'bus-unreachable'],
      ['not-owner', 503, 'bus-unreachable'],
    ]
    for (const [code, status, want] of trouble) {
      it(`and says ${want} when the bus says ${code}`, async () => {
        source.trouble = new PortError('bus', code, 'the bus said so')
        const problem = problemOf(await post(await start(), oneEvent))
        expect(problem).to.include({ status, code: want, detail: 'the bus said so' })
      })
    }
  })

  describe('with tokens', () => {
    const paths = ['/api/v1/status', '/api/v1/rules', '/api/v1/rules/purge', '/api/v1/topics']
    for (const path of paths) {
      it(`tells ${path} to every role and to nobody else`, async () => {
        const admin = await start({ tokens })
        for (const { value } of tokens) {
          expect((await ask(admin, path, { headers: bearer(value) })).status).to.equal(200)
        }
        const answer = await ask(admin, path)
        expect(problemOf(answer)).to.include({ status: 401, code: 'unauthorized' })
        expect(answer.headers['www-authenticate']).to.equal('Bearer realm="sluice"')
      })
    }

    const wrong = [
      'Bearer',
      'Bearer nope',
      'Bearer view-token2',
      'Basic view-token',
      'view-token',
      'Bearer a b',
    ]
    for (const authorization of wrong) {
      it(`does not know ${JSON.stringify(authorization)}`, async () => {
        const answer = await ask(await start({ tokens }), '/api/v1/status', {
          headers: { authorization },
        })
        expect(problemOf(answer).code).to.equal('unauthorized')
      })
    }

    it('takes events from operators and admins only', async () => {
      const admin = await start({ tokens })
      expect(problemOf(await post(admin, oneEvent)).code).to.equal('unauthorized')
      const viewer = problemOf(await post(admin, oneEvent, bearer('view-token')))
      expect(viewer.code).to.equal('forbidden')
      expect(viewer.detail).to.equal('this needs the role operator; the token grafana has viewer')
      expect((await post(admin, oneEvent, bearer('operate-token'))).status).to.equal(200)
      expect((await post(admin, oneEvent, bearer('admin-token'))).status).to.equal(200)
      expect(source.emitted).to.have.length(2)
    })

    it('shows health, its OpenAPI document and, where they are public, metrics to everybody', async () => {
      const open = await start({ tokens })
      for (const path of ['/health/live', '/health/ready', '/api/v1/openapi.json', '/metrics']) {
        expect((await ask(open, path)).status, path).to.equal(200)
      }
      const shut = await start({ tokens, publicMetrics: false })
      expect(problemOf(await ask(shut, '/metrics')).code).to.equal('unauthorized')
      expect((await ask(shut, '/metrics', { headers: bearer('view-token') })).status).to.equal(200)
    })

    it('is reached under any name, by any page that has a token', async () => {
      const headers = {
        ...bearer('operate-token'),
        host: 'sluice.test',
        origin: 'https://console.test',
      }
      expect((await post(await start({ tokens }), oneEvent, headers)).status).to.equal(200)
    })
  })

  describe('on loopback without tokens', () => {
    const table: { name: string; headers: Readonly<Record<string, string>>; ok: boolean }[] = [
      { name: 'a program', headers: {}, ok: true },
      { name: 'a program that says localhost', headers: { host: 'localhost:8090' }, ok: true },
      { name: 'IPv6', headers: { host: '[::1]:8090' }, ok: true },
      {
        name: 'its own page',
        headers: {
          host: 'localhost:8090',
          origin: 'http://localhost:8090',
          'sec-fetch-site': 'same-origin',
        },
        ok: true,
      },
      { name: 'a page of another site', headers: { 'sec-fetch-site': 'cross-site' }, ok: false },
      { name: 'a page of another port', headers: { 'sec-fetch-site': 'same-site' }, ok: false },
      { name: 'an old browser elsewhere', headers: { origin: 'https://evil.test' }, ok: false },
      { name: 'a page without an origin', headers: { origin: 'null' }, ok: false },
      { name: 'a name that was rebound to us', headers: { host: 'evil.test:8090' }, ok: false },
      { name: 'a name like ours', headers: { host: '127.0.0.1.evil.test' }, ok: false },
      { name: 'a host that is none', headers: { host: 'a b' }, ok: false },
    ]
    for (const { name, headers, ok } of table) {
      it(`${ok ? 'takes' : 'refuses'} events from ${name}`, async () => {
        const answer = await post(await start(), oneEvent, headers)
        if (ok) expect(answer.status).to.equal(200)
        else expect(problemOf(answer).code).to.equal('cross-site')
        expect(source.emitted).to.have.length(ok ? 1 : 0)
      })
    }

    it('does not tell its status to a name that was rebound to it', async () => {
      const answer = await ask(await start(), '/api/v1/status', { headers: { host: 'evil.test' } })
      expect(problemOf(answer).code).to.equal('cross-site')
    })
  })

  describe('behind a proxy, without tokens,', () => {
    it('trusts the proxy and nobody else, but for health and public metrics', async () => {
      const behind = await start({ listen: '0.0.0.0:0', trustedProxies: ['127.0.0.0/8', '::1'] })
      const local = {
        address: behind.address.replace('0.0.0.0', '127.0.0.1'),
        close: () => behind.close(),
      }
      expect((await post(local, oneEvent, { host: 'sluice.test' })).status).to.equal(200)

      const elsewhere = await start({ trustedProxies: ['10.0.0.0/8'] })
      const problem = problemOf(await post(elsewhere, oneEvent, { 'x-forwarded-for': '10.0.0.1' }))
      expect(problem).to.include({ code: 'forbidden' })
      expect(problem.detail).to.equal('127.0.0.1 is not one of admin.trusted_proxies')
      expect((await ask(elsewhere, '/health/ready')).status).to.equal(200)
      expect((await ask(elsewhere, '/metrics')).status).to.equal(200)
    })
  })

  describe('does not start', () => {
    const table: { name: string; options: Partial<AdminOptions>; code: string; says: RegExp }[] = [
      {
        name: 'without a port',
        options: { listen: '127.0.0.1' },
        code: 'bad-listen',
        says: /host:port/,
      },
      {
        name: 'on port 70000',
        options: { listen: '127.0.0.1:70000' },
        code: 'bad-listen',
        says: /70000/,
      },
      {
        name: 'open to all',
        options: { listen: '0.0.0.0:0' },
        code: 'needs-tokens',
        says: /admin\.tokens/,
      },
      {
        name: 'open to all on IPv6',
        options: { listen: '[::]:0' },
        code: 'needs-tokens',
        says: /127/,
      },
      {
        name: 'with an empty token',
        options: { tokens: [{ name: 'x', role: 'admin', payload: true, value: '' }] },
        code: 'bad-token',
        says: /empty/,
      },
      {
        name: 'on an address of another machine',
        options: { listen: '192.0.2.1:8090', tokens },
        code: 'cannot-listen',
        says: /192\.0\.2\.1:8090.*admin\.listen/,
      },
    ]
    for (const { name, options, code, says } of table) {
      it(`${name}, and says what to do`, async () => {
        const [outcome] = await Promise.allSettled([start(options)])
        const error: unknown = outcome.status === 'rejected' ? outcome.reason : null
        expect(error).to.be.instanceOf(AdminStartError)
        expect(error).to.include({ code })
        expect((error as AdminStartError).message).to.match(says) // as: asserted above
      })
    }

    it('on a port that is in use, and names it', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo // as: it listens on TCP
      const [outcome] = await Promise.allSettled([start({ listen: `127.0.0.1:${port}` })])
      const error: unknown = outcome.status === 'rejected' ? outcome.reason : null
      expect(error).to.include({ code: 'address-in-use' })
      expect(String(error)).to.include(`127.0.0.1:${port} is in use`)
      other.close()
    })
  })

  it('listens on IPv6 as well, and names its address so that it can be called', async () => {
    const admin = await start({ listen: '[::1]:0' })
    expect(admin.address).to.match(/^http:\/\/\[::1\]:\d+$/)
    expect((await ask(admin, '/health/live')).status).to.equal(200)
  })

  it('ends open connections when it is closed, twice as well', async () => {
    const admin = await start()
    const sent = httpRequest(`${admin.address}/api/v1/events`, { method: 'POST', headers: json })
    sent.flushHeaders()
    const ended = once(sent, 'error')
    await once(sent, 'socket')
    await ask(admin, '/health/live')
    await Promise.all([admin.close(), admin.close()])
    await ended
  })

  it('describes its routes in the OpenAPI document, these and no others', async () => {
    const admin = await start()
    const document = JSON.parse((await ask(admin, '/api/v1/openapi.json')).text) as {
      openapi: string
      paths: Record<string, Record<string, unknown>>
    } // as: compared below
    expect(document.openapi).to.equal('3.1.0')
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of ['get', 'post', 'put', 'delete', 'patch']) {
        const asked = { method: method.toUpperCase() }
        const answer = await ask(admin, path.replace('{rule}', 'purge'), asked)
        const isThere = answer.status !== 404
        expect(isThere, `${method} ${path}`).to.equal(methods[method] !== undefined)
      }
    }
    expect(Object.keys(document.paths)).to.have.length(9)
    expect(JSON.stringify(document)).to.not.match(/"\$ref":"(?!#\/components\/schemas\/)/)
  })
})
