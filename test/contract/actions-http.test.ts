import { expect } from 'chai'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { httpKind } from '../../src/actions/http.ts'
import type { HttpCaller } from '../../src/ports/http-caller.ts'
import { compileAction, fakeTools, requestOf } from '../support/action-fixture.ts'
import { aScope } from '../support/template-fixture.ts'
import { localCaller } from '../support/local-caller.ts'

/** The action with the real client and a real server: what was rendered is what arrives. */
describe('an http action on the wire', () => {
  let server: Server
  let caller: HttpCaller
  let origin: string
  const received: { request: IncomingMessage; body: string }[] = []

  before(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ request, body })
        response.writeHead(503, { 'retry-after': '7' }).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // as: it listens on TCP
    caller = localCaller()
  })

  beforeEach(() => void received.splice(0))

  after(async () => {
    await caller.close()
    server.close()
    await once(server, 'close')
  })

  const titles = [
    'C++ / notes',
    "n'é (b)!*",
    'a?b#c&d=e;f%2F%',
    'a\\..\\b',
    '\r\nx: y\0',
    '@evil.org:80',
    '\u202e😀',
    '[|]^`{}"<>',
  ]
  for (const title of titles) {
    it(`arrives in its places: ${JSON.stringify(title)}`, async () => {
      const { action } = compileAction(httpKind, {
        method: 'PURGE',
        url: `${origin}/wiki/{{event.t}}/x?q={{event.t}}&m=1`,
        headers: { host: '{{event.d}}' },
        json: { title: '{{event.t}}' },
        sign: { secret: 'example-key' },
      })
      const request = requestOf(action, aScope({ t: title, d: 'en.wikipedia.org' }))
      const { signal } = new AbortController()
      const outcome = await request.perform({ ...fakeTools(), http: caller }, 5_000, signal)

      expect(outcome).to.deep.equal({
        kind: 'retry',
        failure: { kind: 'status', status: 503, retryAfterMs: 7_000 },
      })
      const [got] = received
      if (got === undefined || received.length > 1) return expect.fail('not exactly one request')
      const { method, url = '', headers } = got.request
      expect([method, headers.host]).to.deep.equal(['PURGE', 'en.wikipedia.org'])
      expect(origin + url).to.equal(request.summary.slice('PURGE '.length))
      const [path = '', query] = url.split('?')
      const [, , encoded = '', last] = path.split('/')
      expect([decodeURIComponent(encoded), last]).to.deep.equal([title, 'x'])
      expect([...new URLSearchParams(query)]).to.deep.equal([
        ['q', title],
        ['m', '1'],
      ])
      expect(JSON.parse(got.body)).to.deep.equal({ title })
      expect(headers['x-sluice-signature']).to.equal(
        `sha256=${createHmac('sha256', 'key').update(got.body).digest('hex')}`,
      )
      expect(headers['sluice-root']).to.equal('edits/0/7')
    })
  }
})
