import { expect } from 'chai'
import { createHmac } from 'node:crypto'
import type { Failure } from '../../../src/model/failure.ts'
import type { Json } from '../../../src/model/json.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import type { HttpAnswer, HttpRequest } from '../../../src/ports/http-caller.ts'
import { httpKind } from '../../../src/actions/http.ts'
import { httpSchema } from '../../../src/actions/http-schema.ts'
import { compileAction, fakeTools, requestOf } from '../../support/action-fixture.ts'
import { aScope, noonMs } from '../../support/template-fixture.ts'

const event = { id: 7, title: 'C++ / notes', wiki: 'enwiki', domain: 'en.wikipedia.org' }
const lineage = {
  'sluice-root': 'edits/0/7',
  'sluice-root-time': '2026-11-24T11:59:59.000Z',
  'sluice-hops': '1',
  'sluice-path': 'purge-page',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

/** The request that reaches the caller. */
async function sent(spec: Json, body: Json = event): Promise<HttpRequest> {
  const { action, problems } = compileAction(httpKind, spec)
  expect(problems).to.deep.equal([])
  const tools = fakeTools()
  await requestOf(action, aScope(body)).perform(tools, 1_000, new AbortController().signal)
  const [call] = tools.calls
  return call?.request ?? expect.fail('no call was made')
}

async function outcomeOf(spec: Json, answer: HttpAnswer): Promise<Outcome> {
  const { action } = compileAction(httpKind, spec)
  return requestOf(action, aScope(event)).perform(
    fakeTools(answer),
    1_000,
    new AbortController().signal,
  )
}

function response(status: number, headers: Record<string, string> = {}): HttpAnswer {
  return { kind: 'response', status, headers, body: Buffer.alloc(0), isCut: false }
}

describe('an http action sends', () => {
  it('the request of the first rule in the docs', async () => {
    const spec = {
      method: 'PURGE',
      url: 'http://cdn.internal/wiki/{{event.title}}',
      headers: { Host: '{{event.domain}}' },
    }
    expect(await sent(spec)).to.deep.equal({
      method: 'PURGE',
      url: 'http://cdn.internal/wiki/C%2B%2B%20%2F%20notes',
      headers: { ...lineage, host: 'en.wikipedia.org' },
      body: null,
    })
  })

  const bodies: { name: string; spec: Record<string, Json>; type: string; bytes: string }[] = [
    {
      name: 'a JSON tree whose types survive',
      spec: { json: { id: '{{event.id}}', t: 'T {{event.title}}', n: [null] } },
      type: 'application/json',
      bytes: '{"id":7,"t":"T C++ / notes","n":[null]}',
    },
    {
      name: 'a form',
      spec: { form: { title: '{{event.title}}', 'a b': 1, ok: true } },
      type: 'application/x-www-form-urlencoded',
      bytes: 'title=C%2B%2B+%2F+notes&a+b=1&ok=true',
    },
    {
      name: 'text',
      spec: { text: 'é {{event.title}}' },
      type: 'text/plain; charset=utf-8',
      bytes: 'é C++ / notes',
    },
    {
      name: 'the bytes of the event',
      spec: { body: 'event' },
      type: 'application/json',
      bytes: JSON.stringify(event),
    },
    { name: 'null as JSON', spec: { json: null }, type: 'application/json', bytes: 'null' },
  ]
  for (const { name, spec, type, bytes } of bodies) {
    it(`${name} as a body, by POST unless told otherwise`, async () => {
      const request = await sent({ url: 'http://h/', ...spec })
      expect(request.method).to.equal('POST')
      expect(request.headers['content-type']).to.equal(type)
      expect(String(request.body)).to.equal(bytes)
      const put = await sent({
        url: 'http://h/',
        method: 'PUT',
        headers: { 'Content-Type': 'x/y' },
        ...spec,
      })
      expect([put.method, put.headers['content-type']]).to.deep.equal(['PUT', 'x/y'])
    })
  }

  it('no body and no content type by GET', async () => {
    const { method, headers, body } = await sent({
      url: 'http://h/',
      query: { id: '{{event.id}}' },
    })
    expect([method, body, headers]).to.deep.equal(['GET', null, lineage])
  })

  it('a bearer token, or a user and a password', async () => {
    const bearer = await sent({ url: 'http://h/', auth: { bearer: 'example-key' } })
    expect(bearer.headers['authorization']).to.equal('Bearer key')
    const basic = await sent({
      url: 'http://h/',
      auth: { basic: { user: 'ü', password: 'example-key' } },
    })
    const value = `Basic ${Buffer.from('ü:key').toString('base64')}`
    expect(basic.headers['authorization']).to.equal(value)
  })

  it('a signature of exactly the bytes that it sends', async () => {
    const spec = { url: 'http://h/', json: { t: 'é' }, sign: { secret: 'example-key' } }
    const { body, headers } = await sent(spec)
    const digest = createHmac('sha256', 'key')
      .update(body ?? '')
      .digest('hex')
    expect(headers['x-sluice-signature']).to.equal(`sha256=${digest}`)
    const named = await sent({
      ...spec,
      sign: { secret: 'example-key', header: 'X-Hub-Signature-256' },
    })
    expect(named.headers['x-hub-signature-256']).to.equal(`sha256=${digest}`)
  })

  it('lineage that a header can carry, whatever came in on the bus', async () => {
    const { action } = compileAction(httpKind, { url: 'http://h/' })
    const scope = aScope(event)
    const root = 'a\r\nx: y\ud800' + 'é'.repeat(2_000)
    const tools = fakeTools()
    const hostile = { ...scope, lineage: { ...scope.lineage, root } }
    await requestOf(action, hostile).perform(tools, 1_000, new AbortController().signal)
    const value = tools.calls[0]?.request.headers['sluice-root'] ?? ''
    expect(value).to.match(/^a%0D%0Ax%3A%20y%EF%BF%BD%C3%A9[\x21-\x7e]*$/)
    expect(value.length).to.be.at.most(1_024)
  })

  it('its time-out and signal on to the caller', async () => {
    const { action } = compileAction(httpKind, { url: 'http://h/' })
    const tools = fakeTools({ kind: 'aborted' })
    const outcome = await requestOf(action, aScope(event)).perform(tools, 321, AbortSignal.abort())
    expect(outcome).to.deep.equal({ kind: 'aborted' })
    expect(tools.calls[0]?.timeoutMs).to.equal(321)
  })
})

describe('an http action says of itself', () => {
  it('what it calls, as written', () => {
    const { action } = compileAction(httpKind, { method: 'PURGE', url: 'http://h/{{event.title}}' })
    expect(action).to.include({
      kind: 'http',
      target: 'PURGE http://h/{{event.title}}',
      emitsTo: null,
      calls: 'http://h',
    })
  })

  const origins = [
    { url: 'HTTPS://Cdn.Example:443/{{event.id}}', calls: 'https://cdn.example' },
    { url: 'http://cdn.example:8080?q={{event.id}}', calls: 'http://cdn.example:8080' },
    { url: 'http://{{event.host}}.example/', calls: null },
  ]
  for (const { url, calls } of origins) {
    it(`that ${url} calls ${calls ?? 'what an event says'}`, () => {
      const { action } = compileAction(httpKind, { url, allow_hosts: ['*.example'] })
      expect(action?.calls).to.equal(calls)
    })
  }

  it('what it called, without secrets', async () => {
    const { action } = compileAction(httpKind, {
      url: 'http://h/{{event.id}}?sig={{event.id | hmac: example-key}}',
      auth: { bearer: 'example-key' },
    })
    const request = requestOf(action, aScope(event))
    expect(request.summary).to.equal('GET http://h/7?sig=***')
    const tools = fakeTools()
    await request.perform(tools, 1_000, new AbortController().signal)
    expect(tools.calls[0]?.request.url).to.match(/sig=[0-9a-f]{64}$/)
  })
})

describe('an http action does not render', () => {
  const cases: {
    name: string
    spec: Json
    body?: Json
    failure: { kind: string; message: RegExp }
  }[] = [
    {
      name: 'what is missing',
      spec: { url: 'http://h/{{event.nope}}' },
      failure: { kind: 'template', message: /{{event.nope}} is missing/ },
    },
    {
      name: 'a host that is not allowed',
      spec: { url: 'http://{{event.domain}}/', allow_hosts: ['cdn.internal'] },
      failure: { kind: 'guard', message: /en\.wikipedia\.org is not in allow_hosts/ },
    },
    {
      name: 'a host header that is none',
      spec: { url: 'http://h/', headers: { host: 'a/{{event.wiki}}' } },
      failure: { kind: 'template', message: /host/ },
    },
    {
      name: 'a header that would become two',
      spec: { url: 'http://h/', headers: { 'x-title': '{{event.title}}' } },
      body: { title: 'a\r\nx: y' },
      failure: { kind: 'template', message: /a header cannot carry/ },
    },
    {
      name: 'a JSON body above its bound',
      spec: { url: 'http://h/', json: ['{{event.t}}', '{{event.t}}'] },
      body: { t: 'a'.repeat(600_000) },
      failure: { kind: 'too-large', message: /a body of/ },
    },
    {
      name: 'a text body above its bound in bytes',
      spec: { url: 'http://h/', text: '{{event.t}}' },
      body: { t: 'é'.repeat(600_000) },
      failure: { kind: 'too-large', message: /a body of/ },
    },
  ]
  for (const { name, spec, body = event, failure } of cases) {
    it(name, () => {
      const { action, problems } = compileAction(httpKind, spec)
      expect(problems).to.deep.equal([])
      const made = action?.render(aScope(body))
      if (made?.kind !== 'failed') return expect.fail('it was rendered')
      expect(made.failure.kind).to.equal(failure.kind)
      expect('message' in made.failure ? made.failure.message : '').to.match(failure.message)
    })
  }

  it('a tombstone as a body', () => {
    const { action } = compileAction(httpKind, { url: 'http://h/', body: 'event' })
    expect(action?.render(aScope(null, { value: null }))).to.have.property('kind', 'failed')
  })
})

describe('an answer becomes', () => {
  const purge = { method: 'PURGE', url: 'http://h/' }
  const post = { method: 'POST', url: 'http://h/' }
  const status = (code: number, retryAfterMs: number | null = null): Failure => ({
    kind: 'status',
    status: code,
    retryAfterMs,
  })
  const cases: { name: string; spec: Json; answer: HttpAnswer; want: Outcome }[] = [
    {
      name: '204',
      spec: post,
      answer: response(204),
      want: { kind: 'success', detail: 'ok', result: null },
    },
    {
      name: 'a purge of nothing',
      spec: purge,
      answer: response(404),
      want: { kind: 'success', detail: 'already_absent', result: null },
    },
    {
      name: 'a purge',
      spec: purge,
      answer: response(200),
      want: { kind: 'success', detail: 'ok', result: null },
    },
    {
      name: '404',
      spec: post,
      answer: response(404),
      want: { kind: 'dead', failure: status(404) },
    },
    {
      name: '302',
      spec: post,
      answer: response(302, { location: '/' }),
      want: { kind: 'dead', failure: status(302) },
    },
    {
      name: '503',
      spec: post,
      answer: response(503),
      want: { kind: 'retry', failure: status(503) },
    },
    {
      name: '429 with seconds to wait',
      spec: post,
      answer: response(429, { 'retry-after': '30' }),
      want: { kind: 'retry', failure: status(429, 30_000) },
    },
    {
      name: '503 with a date to wait for',
      spec: post,
      answer: response(503, { 'retry-after': new Date(noonMs + 5_000).toUTCString() }),
      want: { kind: 'retry', failure: status(503, 5_000) },
    },
    {
      name: '404, by retry_on',
      spec: { ...post, retry_on: [404] },
      answer: response(404),
      want: { kind: 'retry', failure: status(404) },
    },
    {
      name: '404, by success_on',
      spec: { ...post, success_on: ['4xx'] },
      answer: response(404),
      want: { kind: 'success', detail: 'ok', result: null },
    },
    {
      name: '503, by drop_on',
      spec: { ...post, drop_on: ['5xx'] },
      answer: response(503),
      want: { kind: 'dead', failure: status(503) },
    },
    ...(['refused', 'reset', 'dns', 'tls'] as const).map((kind) => ({
      name: kind,
      spec: post,
      answer: { kind: 'failed', failure: { kind, message: 'x' } } as const,
      want: { kind: 'retry', failure: { kind, message: 'x' } } as const,
    })),
    {
      name: 'timeout',
      spec: post,
      answer: { kind: 'failed', failure: { kind: 'timeout', afterMs: 1 } },
      want: { kind: 'retry', failure: { kind: 'timeout', afterMs: 1 } },
    },
    {
      name: 'timeout, by drop_on',
      spec: { ...post, drop_on: ['timeout'] },
      answer: { kind: 'failed', failure: { kind: 'timeout', afterMs: 1 } },
      want: { kind: 'dead', failure: { kind: 'timeout', afterMs: 1 } },
    },
    {
      name: 'too-large',
      spec: post,
      answer: { kind: 'failed', failure: { kind: 'too-large', message: 'x' } },
      want: { kind: 'dead', failure: { kind: 'too-large', message: 'x' } },
    },
  ]
  for (const { name, spec, answer, want } of cases) {
    it(`${want.kind} for ${name}`, async () => {
      expect(await outcomeOf(spec, answer)).to.deep.equal(want)
    })
  }

  it('what the rule says, where the action is silent', async () => {
    const rule = { on: ['404'], neverOn: ['503'], successOn: ['409'] }
    const retry = {
      attemptsMax: 1,
      ageMaxMs: null,
      firstMs: 1,
      factor: 1,
      maxMs: 1,
      jitter: 0,
      ...rule,
    }
    const { action } = compileAction(httpKind, { ...post, drop_on: [404] }, { retry })
    const kindOf = async (code: number) => {
      const tools = fakeTools(response(code))
      const { signal } = new AbortController()
      return (await requestOf(action, aScope(event)).perform(tools, 1, signal)).kind
    }
    expect([await kindOf(404), await kindOf(503), await kindOf(409)]).to.deep.equal([
      'dead',
      'dead',
      'success',
    ])
  })

  it('dead, where the guard refused the address', async () => {
    const failure: Failure = { kind: 'guard', reason: 'loopback', message: '127.0.0.1 is loopback' }
    const { action } = compileAction(httpKind, post)
    const tools = fakeTools({ kind: 'failed', failure })
    const outcome = await requestOf(action, aScope(event)).perform(
      tools,
      1,
      new AbortController().signal,
    )
    expect(outcome).to.deep.equal({ kind: 'dead', failure })
  })
})

describe('an http action is refused at load for', () => {
  const url = 'http://h/'
  const cases: { spec: Record<string, Json>; at: string; code: string; message: RegExp }[] = [
    {
      spec: { method: 'post' },
      at: 'method',
      code: 'action-method',
      message: /"post" is not a method/,
    },
    { spec: { method: 'A B' }, at: 'method', code: 'action-method', message: /not a method/ },
    { spec: { method: 'CONNECT' }, at: 'method', code: 'action-method', message: /CONNECT/ },
    {
      spec: { json: 1, text: 'a' },
      at: 'text',
      code: 'action-body',
      message: /`json` or `text`, not both/,
    },
    { spec: { form: {}, body: 'event' }, at: 'body', code: 'action-body', message: /not both/ },
    {
      spec: { form: { '{{event.a}}': 1 } },
      at: 'form.{{event.a}}',
      code: 'action-body',
      message: /literal/,
    },
    { spec: { json: { a: '{{a}}' } }, at: 'json.a', code: 'template-path', message: /`a`/ },
    {
      spec: { headers: { 'a b': '1' } },
      at: 'headers.a b',
      code: 'action-header',
      message: /not the name of a header/,
    },
    {
      spec: { headers: { '{{event.a}}': '1' } },
      at: 'headers.{{event.a}}',
      code: 'action-header',
      message: /not the name/,
    },
    {
      spec: { headers: { X: '1', x: '2' } },
      at: 'headers.x',
      code: 'action-header',
      message: /twice/,
    },
    ...['Content-Length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'expect'].map(
      (name) => ({
        spec: { headers: { [name]: '1' } },
        at: `headers.${name}`,
        code: 'action-header',
        message: /set by the HTTP client/,
      }),
    ),
    ...['sluice-root', 'Sluice-Task', 'traceparent'].map((name) => ({
      spec: { headers: { [name]: '1' } },
      at: `headers.${name}`,
      code: 'action-header',
      message: /set by Sluice/,
    })),
    {
      spec: { headers: { x: 'a\nb' } },
      at: 'headers.x',
      code: 'template-syntax',
      message: /cannot carry/,
    },
    { spec: { auth: {} }, at: 'auth', code: 'action-auth', message: /one of/ },
    {
      spec: { auth: { bearer: 'exmple-key' } },
      at: 'auth.bearer',
      code: 'unknown-secret',
      message: /exmple-key/,
    },
    {
      spec: { auth: { basic: { user: 'a:b', password: 'example-key' } } },
      at: 'auth.basic.user',
      code: 'action-auth',
      message: /colon/,
    },
    {
      spec: { auth: { basic: { user: 'a', password: 'x' } } },
      at: 'auth.basic.password',
      code: 'unknown-secret',
      message: /^what `auth.basic.password` holds is not the name of a secret$/,
    },
    {
      spec: { auth: { bearer: 'example-key' }, headers: { Authorization: 'x' } },
      at: 'headers.Authorization',
      code: 'action-header',
      message: /twice/,
    },
    {
      spec: { sign: { secret: 'example-key' } },
      at: 'sign',
      code: 'action-body',
      message: /no body/,
    },
    {
      spec: { text: 'a', sign: { secret: 'x' } },
      at: 'sign.secret',
      code: 'unknown-secret',
      message: /^what `sign.secret` holds is not the name of a secret$/,
    },
    {
      spec: { text: 'a', sign: { secret: 'example-key', header: 'te' } },
      at: 'sign.header',
      code: 'action-header',
      message: /`te`/,
    },
    {
      spec: { allow_hosts: ['a:80'] },
      at: 'allow_hosts.0',
      code: 'action-hosts',
      message: /not a host/,
    },
    {
      spec: { success_on: ['timeout'] },
      at: 'success_on.0',
      code: 'action-outcome',
      message: /cannot be a success/,
    },
    {
      spec: { retry_on: [404, '6xx'] },
      at: 'retry_on.1',
      code: 'action-outcome',
      message: /"6xx"/,
    },
    { spec: { drop_on: ['guard'] }, at: 'drop_on.0', code: 'action-outcome', message: /"guard"/ },
    { spec: { query: { a: '{{nope}}' } }, at: 'query.a', code: 'template-path', message: /nope/ },
  ]
  for (const { spec, at, code, message } of cases) {
    it(JSON.stringify(spec), () => {
      const { action, problems } = compileAction(httpKind, { url, ...spec })
      expect(action).to.equal(null)
      expect(problems.map((one) => [one.at.join('.'), one.code])).to.deep.equal([[at, code]])
      expect(problems[0]?.message).to.match(message)
    })
  }

  it('a secret that a header cannot carry, without showing it', () => {
    const secrets = new Map([['token', 'hidden\n']])
    const { action, problems } = compileAction(
      httpKind,
      { url, auth: { bearer: 'token' } },
      { secrets },
    )
    expect(action).to.equal(null)
    expect(problems.map(({ code }) => code)).to.deep.equal(['action-auth'])
    expect(JSON.stringify(problems)).to.not.include('hidden')
  })

  it('a host that the config does not allow', () => {
    const spec = { url: 'http://{{event.domain}}/', allow_hosts: ['*.wikipedia.org', 'evil.org'] }
    const { problems } = compileAction(httpKind, spec, { allowHosts: ['*.wikipedia.org'] })
    expect(problems.map((one) => one.at.join('.'))).to.deep.equal(['allow_hosts.1'])
    const own = { url: 'http://{{event.domain}}/' }
    expect(
      compileAction(httpKind, own, { allowHosts: ['*.wikipedia.org'] }).problems,
    ).to.deep.equal([])
  })

  it('everything that is wrong, at once', () => {
    const spec = { url: '{{a}}', method: 'x', auth: {}, headers: { te: '{{b}}' } }
    const { problems } = compileAction(httpKind, spec)
    expect(problems.map((one) => one.at.join('.'))).to.have.members([
      'url',
      'method',
      'auth',
      'headers.te',
      'headers.te',
    ])
  })
})

describe('the schema of http', () => {
  it('refuses unknown keys and wrong values', () => {
    const cases: Json[] = [
      {},
      { url: 'http://h/', uri: 'x' },
      { url: 'http://h/', redirect: 'follow' },
      { url: 'http://h/', body: 'bytes' },
      { url: 'http://h/', headers: { a: null } },
      { url: 'http://h/', auth: { bearer: 'a', digest: 'b' } },
      { url: 'http://h/', success_on: 404 },
      {
        url: 'http://h/',
        query: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`q${i}`, i])),
      },
    ]
    for (const spec of cases)
      expect(httpSchema.safeParse(spec).success, JSON.stringify(spec)).to.equal(false)
    expect(httpSchema.safeParse({ url: 'http://h/', redirect: 'never' }).success).to.equal(true)
  })

  it('takes the keys that every kind takes', () => {
    const spec = { url: 'http://h/', as: 'page', each: '{{event.items}}' }
    expect(httpSchema.safeParse(spec).success).to.equal(true)
    expect(httpSchema.safeParse({ ...spec, as: 'not a name' }).success).to.equal(false)
  })

  it('describes every key', () => {
    for (const [key, schema] of Object.entries(httpSchema.shape)) {
      expect(schema.description, key).to.match(/\.$/)
    }
  })

  it('takes the names of secrets unchecked where no config is known', () => {
    const spec = { url: 'http://h/', auth: { bearer: 'any' }, text: 'a', sign: { secret: 'other' } }
    expect(compileAction(httpKind, spec, { secrets: null }).problems).to.deep.equal([])
  })
})
