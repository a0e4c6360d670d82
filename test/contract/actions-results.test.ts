import { expect } from 'chai'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { httpKind } from '../../src/actions/http.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { HttpCaller } from '../../src/ports/http-caller.ts'
import { compileAction, fakeTools, requestOf } from '../support/action-fixture.ts'
import { aScope } from '../support/template-fixture.ts'
import { localCaller } from '../support/local-caller.ts'

const long = JSON.stringify({ text: 'x'.repeat(2_000) })

/** What the server answers, by path. */
const answers: Readonly<Record<string, { readonly type: string; readonly body: string | Buffer }>> =
  {
    '/json': { type: 'application/json; charset=utf-8', body: '{"id":7,"__proto__":{"a":1}}' },
    '/text': { type: 'text/plain', body: 'zwölf' },
    '/long': { type: 'application/json', body: long },
    '/latin1': { type: 'text/plain; charset=iso-8859-1', body: Buffer.from('zwölf', 'latin1') },
  }

describe('an answer that is kept, from a real server', () => {
  let server: Server
  let caller: HttpCaller
  let origin: string

  before(async () => {
    server = createServer((request, response) => {
      const { type, body } = answers[request.url ?? ''] ?? { type: 'text/plain', body: '' }
      response.writeHead(200, { 'content-type': type, 'set-cookie': ['a=1', 'b=2'] }).end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // as: it listens on TCP
    caller = localCaller()
  })

  after(async () => {
    await caller.close()
    server.close()
    await once(server, 'close')
  })

  async function kept(path: string): Promise<Outcome> {
    const spec = { url: origin + path }
    const { action } = compileAction(httpKind, spec, { keepsResult: true })
    const { signal } = new AbortController()
    return requestOf(action, aScope({})).perform({ ...fakeTools(), http: caller }, 5_000, signal)
  }

  it('has its status, its body as JSON, and its headers without cookies', async () => {
    const outcome = await kept('/json')
    expect(outcome).to.have.nested.property('result.status', 200)
    expect(outcome).to.have.nested.property('result.body.id', 7)
    expect(outcome).to.have.nested.property('result.headers.content-type').that.matches(/json/)
    expect(outcome).to.not.have.nested.property('result.headers.set-cookie')
  })

  it('has its body as text where it is none', async () => {
    expect(await kept('/text')).to.have.nested.property('result.body', 'zwölf')
  })

  for (const [path, kind] of [
    ['/long', 'too-large'],
    ['/latin1', 'undecodable'],
  ] as const) {
    it(`is a dead letter, ${kind}, for ${path}`, async () => {
      const outcome = await kept(path)
      expect(outcome).to.have.property('kind', 'dead')
      expect(outcome).to.have.nested.property('failure.kind', kind)
    })
  }
})
