import { expect } from 'chai'
import type { HttpAnswer, HttpCaller, HttpRequest } from '../../src/ports/http-caller.ts'
import { hostileServer, refusingPort, type HostileServer } from '../support/hostile-server.ts'

/** What the suite needs of a caller: loopback allowed, `maxResponseBytes` 1,000, agent `contract`. */
export type OpenCaller = () => HttpCaller

/** A POST unless told otherwise, with 2 s to spare. */
export function callOf(
  caller: HttpCaller,
  url: string,
  options: Partial<HttpRequest> & { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<HttpAnswer> {
  const { timeoutMs = 2_000, signal = new AbortController().signal, ...request } = options
  return caller.call(
    { method: 'POST', url, headers: {}, body: null, ...request },
    timeoutMs,
    signal,
  )
}

/** The kind of a failure, a status, or `aborted`. */
export function gist(answer: HttpAnswer): string | number {
  if (answer.kind === 'failed') return answer.failure.kind
  return answer.kind === 'response' ? answer.status : answer.kind
}

/** What every HttpCaller promises, against a real server that misbehaves. */
export function httpCallerContract(driver: string, open: OpenCaller): void {
  describe(`HttpCaller contract: ${driver}`, () => {
    let caller: HttpCaller
    let server: HostileServer
    beforeEach(async () => {
      caller = open()
      server = await hostileServer()
    })
    afterEach(async () => {
      await caller.close()
      await server.close()
    })
    const call = (path: string, options: Parameters<typeof callOf>[2] = {}) =>
      callOf(caller, server.origin + path, options)

    it('sends method, path, headers and body as they are', async () => {
      const path = '/a/../b//c%2Fd/%2e%2e?q=%C3%A4&x=1'
      const answer = await call(path, {
        headers: { 'content-type': 'text/plain', 'x-name': 'v' },
        body: 'zwölf',
      })
      expect(answer).to.include({ kind: 'response', status: 200 })
      expect(server.requests).to.have.length(1)
      const [seen] = server.requests
      expect(seen).to.include({ method: 'POST', path, body: 'zwölf' })
      expect(seen?.headers).to.include({
        'content-type': 'text/plain',
        'x-name': 'v',
        'content-length': '6',
        'user-agent': 'contract',
        host: `127.0.0.1:${server.port}`,
      })
    })

    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'OPTIONS']) {
      it(`sends ${method}, twice on end`, async () => {
        expect(gist(await call('/x', { method }))).to.equal(200)
        expect(gist(await call('/x', { method }))).to.equal(200)
        expect(server.requests.map((one) => one.method)).to.deep.equal([method, method])
      })
    }

    const pathTable = [
      { url: '', path: '/' },
      { url: '?a=/b', path: '/?a=/b' },
      { url: '/p#fragment', path: '/p' },
      { url: '#fragment', path: '/' },
    ]
    for (const { url, path } of pathTable) {
      it(`asks for ${path} when the URL ends in ${JSON.stringify(url)}`, async () => {
        await call(url)
        expect(server.requests[0]?.path).to.equal(path)
      })
    }

    it('sends bytes as bytes', async () => {
      await call('/x', { body: Buffer.from('bytes') })
      expect(server.requests[0]?.body).to.equal('bytes')
    })

    it('lets the request name its agent and its host, and goes to the host of the URL', async () => {
      await call('/x', { headers: { host: 'elsewhere.test', 'user-agent': 'mine' } })
      const headers = server.requests[0]?.headers
      expect(headers).to.include({ host: 'elsewhere.test', 'user-agent': 'mine' })
    })

    for (const status of [200, 201, 204, 301, 302, 304, 307, 400, 404, 429, 500, 503]) {
      it(`gives ${status} as an answer`, async () => {
        const answer = await call(`/status/${status}?retry-after=7&location=/elsewhere`)
        expect(gist(answer)).to.equal(status)
        if (answer.kind === 'response') expect(answer.headers['retry-after']).to.equal('7')
        expect(server.requests).to.have.length(1)
      })
    }

    it('gives the last value of a repeated header, under its lower-case name', async () => {
      const answer = await call('/repeated-header')
      if (answer.kind !== 'response') throw new Error(`got ${gist(answer)}`)
      expect(answer.headers['x-twice']).to.equal('last')
      expect(Object.keys(answer.headers)).to.include('__proto__')
    })

    for (const { bytes, kept } of [
      { bytes: 0, kept: 0 },
      { bytes: 999, kept: 999 },
      { bytes: 1_000, kept: 1_000 },
      { bytes: 1_001, kept: 1_000 },
      { bytes: 200_000, kept: 1_000 },
    ]) {
      it(`keeps ${kept} bytes of a body of ${bytes}, and the connection`, async () => {
        const answer = await call(`/body/${bytes}`)
        expect(answer.kind === 'response' && answer.body.length).to.equal(kept)
        expect(answer).to.have.property('isCut', kept < bytes)
        await call('/next')
        expect(server.accepted).to.equal(1)
      })
    }

    it('does not read a body without end: it answers with the head and drops the connection', async () => {
      const answer = await call(`/body/${1e9}`)
      expect(answer.kind === 'response' && answer.body.length).to.equal(1_000)
      expect(answer).to.have.property('isCut', true)
      await call('/next')
      expect(server.accepted).to.equal(2)
    })

    for (const status of [102, 103]) {
      it(`takes the answer behind a ${status}`, async () => {
        const answer = await call(`/informational/${status}`)
        if (answer.kind !== 'response') throw new Error(`got ${gist(answer)}`)
        expect(answer.status).to.equal(200)
        expect(answer.body.toString()).to.equal('final')
        expect(answer.headers).to.not.have.property('x-early')
      })
    }

    const broken = [
      { path: '/reset-before-headers', want: 'reset' },
      { path: '/reset-in-headers', want: 'reset' },
      { path: '/reset-in-body', want: 'reset' },
      { path: '/end-before-headers', want: 'reset' },
      { path: '/end-in-body', want: 'reset' },
      { path: '/not-http', want: 'reset' },
      { path: '/headers/20000', want: 'too-large' },
      { path: '/stall-before-headers', want: 'timeout' },
      { path: '/stall-in-headers', want: 'timeout' },
      { path: '/stall-in-body', want: 'timeout' },
      { path: '/trickle?bytes=1000&every=5', want: 'timeout' },
    ]
    for (const { path, want } of broken) {
      it(`calls ${path} a failure of kind ${want}, asks once, and goes on`, async () => {
        expect(gist(await call(path, { timeoutMs: 100 }))).to.equal(want)
        expect(server.requests).to.have.length(1)
        expect(gist(await call('/next'))).to.equal(200)
      })
    }

    it('says refused when nobody listens', async () => {
      const answer = await callOf(caller, `http://127.0.0.1:${await refusingPort()}/`)
      expect(gist(answer)).to.equal('refused')
    })

    it('tells a timeout with its length, not before its time and not much later', async () => {
      const startedMs = performance.now()
      const answer = await call('/stall-before-headers', { timeoutMs: 120 })
      const tookMs = performance.now() - startedMs
      expect(answer).to.deep.equal({ kind: 'failed', failure: { kind: 'timeout', afterMs: 120 } })
      expect(tookMs).to.be.within(119, 620) // some 130 on a free machine
    })

    it('takes a slow body that is over in time', async () => {
      const answer = await call('/trickle?bytes=10&every=5')
      expect(answer.kind === 'response' && answer.body.toString()).to.equal('x'.repeat(10))
    })

    const wrong = [
      { name: 'a URL that is none', request: { url: 'no url' } },
      { name: 'a relative URL', request: { url: '/path' } },
      { name: 'another scheme', request: { url: 'ftp://127.0.0.1/' } },
      { name: 'credentials in the URL', request: { url: 'http://user:secret@127.0.0.1/' } },
      { name: 'a space in the path', request: { url: 'http://127.0.0.1/a b' } },
      { name: 'a line break in a header', request: { headers: { 'x-a': 'b\r\nx-c: d' } } },
      { name: 'a header name that is none', request: { headers: { 'x y': 'z' } } },
      { name: 'a method that is none', request: { method: 'GET /' } },
      { name: 'a transfer encoding', request: { headers: { 'transfer-encoding': 'chunked' } } },
    ]
    for (const { name, request } of wrong) {
      it(`blames the request for ${name}, and sends nothing`, async () => {
        const answer = await call('/x', request)
        expect(gist(answer)).to.equal('template')
        expect(JSON.stringify(answer)).to.not.include('secret')
        expect(server.requests).to.have.length(0)
      })
    }

    it('ends a call with its signal, on the way and before', async () => {
      const stopping = new AbortController()
      const { signal } = stopping
      const onTheWay = call('/stall-before-headers', { signal })
      await server.seen(1)
      stopping.abort()
      expect(gist(await onTheWay)).to.equal('aborted')
      expect(gist(await call('/x', { signal }))).to.equal('aborted')
      expect(server.requests).to.have.length(1)
    })

    it('ends all calls of one signal and no other', async () => {
      const stopping = new AbortController()
      const ended = Array.from({ length: 20 }, () =>
        call('/stall-before-headers', { signal: stopping.signal }),
      )
      const other = call('/trickle?bytes=10&every=5')
      await server.seen(1)
      stopping.abort()
      expect(new Set((await Promise.all(ended)).map(gist))).to.deep.equal(new Set(['aborted']))
      expect(gist(await other)).to.equal(200)
    })

    it('ends what is under way when it is closed, and takes nothing more', async () => {
      const calls = Array.from({ length: 20 }, () => call('/stall-before-headers'))
      await server.seen(1)
      await caller.close()
      expect(new Set((await Promise.all(calls)).map(gist))).to.deep.equal(new Set(['aborted']))
      expect(gist(await call('/x'))).to.equal('aborted')
    })

    it('replaces a kept connection that the target has closed', async () => {
      for (let i = 0; i < 5; i++) {
        expect(gist(await call('/x'))).to.equal(200)
        server.closeIdle()
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(server.requests).to.have.length(5)
    })

    it('sends no request twice, also where the target closes behind each answer', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, () => call('/close-behind')))
      const answered = answers.filter((answer) => gist(answer) === 200).length
      const reset = answers.filter((answer) => gist(answer) === 'reset').length
      expect(answered + reset).to.equal(50)
      expect(server.requests.length).to.be.within(answered, 50)
    })
  })
}
