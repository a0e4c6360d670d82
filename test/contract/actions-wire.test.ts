import { expect } from 'chai'
import fc from 'fast-check'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { httpKind } from '../../src/actions/http.ts'
import type { HttpCaller } from '../../src/ports/http-caller.ts'
import { compileAction, fakeTools } from '../support/action-fixture.ts'
import { hostileValues } from '../support/hostile-values.ts'
import { aScope } from '../support/template-fixture.ts'
import { localCaller } from '../support/local-caller.ts'

/*
 * What really goes over the socket, taken apart by hand: no HTTP parser of Node's stands between
 * the bytes and the judgement. One request per connection, so a second one that a value smuggled
 * into the first would be seen as well.
 */
describe('whatever an event holds, on the wire', () => {
  const received: string[] = []
  const sockets = new Set<Socket>()
  let server: Server
  let caller: HttpCaller
  let port: number

  before(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      let bytes = ''
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        bytes += chunk.toString('latin1')
        if (!isWhole(bytes)) return
        received.push(bytes)
        socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port // as: it listens on TCP
    caller = localCaller()
  })

  after(async () => {
    await caller.close()
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })

  it('there is one request, with the line, the names and the length of the template', async function () {
    this.timeout(20_000)
    const { action } = compileAction(httpKind, {
      method: 'PURGE',
      url: `http://127.0.0.1:${port}/wiki/{{event.a}}/{{item}}?q={{steps.page.body}}&m=1`,
      headers: { host: '{{match.title | default: "cdn.internal"}}', 'x-key': '{{@key | uri}}' },
      form: { f: '{{event.a}}', g: '{{event.b}}' },
    })
    let count = 0
    await fc.assert(
      fc.asyncProperty(hostileValues, fc.boolean(), async ({ a, b, c, d, key }, isHostile) => {
        const match: Record<string, string> = isHostile ? { title: String(b) } : {}
        const scope = { item: c, steps: { page: { body: d } }, match }
        const made = action?.render(aScope({ a, b }, { key: Buffer.from(key) }, scope))
        if (made?.kind !== 'ready') return
        received.length = 0
        const { signal } = new AbortController()
        await made.request.perform({ ...fakeTools(), http: caller }, 5_000, signal)
        expect(received).to.have.length(1)
        judge(received[0] ?? '')
        count++
      }),
      { numRuns: 600 },
    )
    expect(count).to.be.above(40)
  })

  function judge(bytes: string): void {
    const end = bytes.indexOf('\r\n\r\n')
    const [line = '', ...fields] = bytes.slice(0, end).split('\r\n')
    expect(line).to.match(/^PURGE \/wiki\/[^/?#\s]+\/[^/?#\s]+\?q=[^&?#\s]*&m=1 HTTP\/1\.1$/)
    expect(line).to.match(/^[\x20-\x7e]+$/)
    for (const segment of line.slice('PURGE /'.length).split(/[/? ]/)) {
      expect(decodeURIComponent(segment)).to.not.be.oneOf(['.', '..'])
    }
    const names = fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase())
    expect([...names].sort()).to.deep.equal([
      ...['connection', 'content-length', 'content-type', 'host', 'sluice-hops', 'sluice-path'],
      ...['sluice-root', 'sluice-root-time', 'traceparent', 'user-agent', 'x-key'],
    ])
    for (const field of fields) expect(field).to.match(/^[\w-]+: [\x20-\x7e]*$/)
    const length = Number(/^content-length: (\d+)$/im.exec(bytes)?.[1])
    expect(bytes.length - end - 4).to.equal(length)
    expect(bytes.slice(end + 4)).to.match(/^f=[\w.*+%-]*&g=[\w.*+%-]*$/)
  }
})

/** As long as its `content-length` says, or longer. */
function isWhole(bytes: string): boolean {
  const end = bytes.indexOf('\r\n\r\n')
  const length = Number(/^content-length: (\d+)$/im.exec(bytes.slice(0, end + 2))?.[1] ?? 0)
  return end !== -1 && bytes.length >= end + 4 + length
}
