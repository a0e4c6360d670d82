import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { askAdmin, complaintOf, type AdminAnswer } from '../../../src/cli/admin-client.ts'
import { systemClock } from '../../../src/drivers/system-clock.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const status = { method: 'GET', path: 'api/v1/status' } as const
const problem = JSON.stringify({ code: 'forbidden', detail: 'this needs the role operator' })
const faulty = JSON.stringify({
  ...{ code: 'bad-event', detail: 'line 2: not JSON' },
  errors: [{ at: 'line 2', message: 'not JSON' }, { at: 3 }, null],
})

describe('asking a daemon', () => {
  let server: Server
  let url = ''
  let listener: RequestListener
  beforeEach(async () => {
    server = createServer((request, response) => listener(request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // as: it listens on TCP
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const answers: readonly {
    name: string
    status: number
    body: string
    want: AdminAnswer
  }[] = [
    { name: 'a document', status: 200, body: '{"a":1}', want: { kind: 'answer', value: { a: 1 } } },
    {
      name: 'health that is not good',
      status: 503,
      body: '{"ok":false,"failing":["bus"]}',
      want: { kind: 'answer', value: { ok: false, failing: ['bus'] } },
    },
    {
      name: 'a problem document',
      status: 403,
      body: problem,
      want: {
        kind: 'problem',
        code: 'forbidden',
        detail: 'this needs the role operator',
        faults: [],
      },
    },
    {
      name: 'a problem document with faults',
      status: 400,
      body: faulty,
      want: {
        ...{ kind: 'problem', code: 'bad-event', detail: 'line 2: not JSON' },
        faults: [{ at: 'line 2', message: 'not JSON' }],
      },
    },
    {
      name: 'a page of somebody else',
      status: 200,
      body: '<html>',
      want: { kind: 'foreign', why: 'it answered 200 without a document of Sluice' },
    },
    {
      name: 'a proxy that cannot reach it',
      status: 502,
      body: '{"error":"bad gateway"}',
      want: { kind: 'foreign', why: 'it answered 502 without a document of Sluice' },
    },
    {
      name: 'a redirect, which is not followed',
      status: 302,
      body: '',
      want: { kind: 'foreign', why: 'it answered 302 without a document of Sluice' },
    },
  ]
  for (const { name, status: code, body, want } of answers) {
    it(`is answered by ${name}`, async () => {
      listener = (_request, response) => response.writeHead(code, { location: '/x' }).end(body)
      expect(await askAdmin({ url, token: null }, status, systemClock)).to.deep.equal(want)
    })
  }

  it('sends the token, the body and its kind to a path below the address', async () => {
    const seen: unknown[] = []
    listener = (request, response) => {
      const { method, url: path, headers } = request
      request.setEncoding('utf8').on('data', (text) => seen.push(text))
      request.on('end', () => {
        seen.push([method, path, headers.authorization, headers['content-type']])
        response.end('{}')
      })
    }
    const body = { mediaType: 'application/x-ndjson', bytes: Buffer.from('1\n') }
    const address = { url: `${url}/sluice`, token: 'ops-token' }
    await askAdmin(address, { method: 'POST', path: 'api/v1/events?topic=a', body }, systemClock)
    expect(seen).to.deep.equal([
      '1\n',
      ['POST', '/sluice/api/v1/events?topic=a', 'Bearer ops-token', 'application/x-ndjson'],
    ])
  })

  it('ends when an answer takes too long, and says that the request may have arrived', async () => {
    const clock = new FakeClock()
    const arrived = new Promise<void>((resolve) => {
      listener = () => resolve()
    })
    const asked = askAdmin({ url, token: null }, { ...status, withinMs: 3_000 }, clock)
    await arrived
    await clock.advance(3_000)
    expect(await asked).to.deep.equal({
      kind: 'unreachable',
      why: 'no answer within 3 s',
      mayHaveArrived: true,
    })
  })

  it('ends when an answer stops half way', async () => {
    listener = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":', () => response.destroy())
    }
    const answer = await askAdmin({ url, token: null }, status, systemClock)
    expect(answer).to.include({ kind: 'unreachable', mayHaveArrived: true })
  })

  it('leaves no timer behind', async () => {
    const clock = new FakeClock()
    listener = (_request, response) => response.end('{}')
    await askAdmin({ url, token: null }, status, clock)
    expect(clock.pending).to.equal(0)
  })

  it('says that nobody listens, and that nothing has arrived', async () => {
    server.close()
    await once(server, 'close')
    expect(await askAdmin({ url, token: null }, status, systemClock)).to.deep.equal({
      kind: 'unreachable',
      why: 'connection refused',
      mayHaveArrived: false,
    })
  })
})

describe('an answer that is none', () => {
  const address = { url: 'http://127.0.0.1:8090', token: null }
  const cases: readonly {
    answer: Exclude<AdminAnswer, { kind: 'answer' }>
    exitCode: number
    message: string
    hint: string
  }[] = [
    {
      answer: { kind: 'unreachable', why: 'connection refused', mayHaveArrived: false },
      exitCode: 3,
      message: 'no daemon answers at http://127.0.0.1:8090 (connection refused)',
      hint: 'start one with `sluice run`, or name the one that you mean with --admin',
    },
    {
      answer: { kind: 'foreign', why: 'it answered 200 without a document of Sluice' },
      exitCode: 3,
      message:
        'what answers at http://127.0.0.1:8090 is not Sluice: it answered 200 without a document of Sluice',
      hint: 'name the daemon with --admin',
    },
    {
      answer: { kind: 'problem', code: 'unauthorized', detail: 'send a token', faults: [] },
      exitCode: 1,
      message: 'the daemon at http://127.0.0.1:8090 says: send a token [unauthorized]',
      hint: 'give a token with --token, or better in SLUICE_TOKEN',
    },
    {
      answer: { kind: 'problem', code: 'bus-unreachable', detail: 'no broker answers', faults: [] },
      exitCode: 3,
      message: 'the daemon at http://127.0.0.1:8090 says: no broker answers [bus-unreachable]',
      hint: 'the daemon goes on by itself once its bus is back; try again then',
    },
    {
      answer: { kind: 'problem', code: 'of-a-later-version', detail: 'no', faults: [] },
      exitCode: 1,
      message: 'the daemon at http://127.0.0.1:8090 says: no [of-a-later-version]',
      hint: 'its log says more',
    },
  ]
  for (const { answer, ...want } of cases) {
    it(`reads "${want.message}"`, () => {
      expect(complaintOf(answer, address)).to.deep.equal(want)
    })
  }
})
