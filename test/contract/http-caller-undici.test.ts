import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect } from 'chai'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { undiciCaller, type UndiciCallerOptions } from '../../src/drivers/undici/undici-caller.ts'
import type { HttpAnswer, HttpCaller } from '../../src/ports/http-caller.ts'
import {
  hostileServer,
  silentServer,
  swallowingPort,
  testCa,
  type Certificate,
  type HostileServer,
} from '../support/hostile-server.ts'
import { callOf, gist } from './http-caller-contract.ts'

type Lookup = NonNullable<UndiciCallerOptions['lookup']>

/** Answers with the next addresses of the list at each call, the last ones for ever. */
function lookupOf(...answers: readonly (readonly string[])[]): Lookup & { calls: number } {
  const lookup = Object.assign(
    ((_hostname, _options, callback) => {
      const addresses = answers[Math.min(lookup.calls++, answers.length - 1)] ?? []
      const family = (address: string) => (address.includes(':') ? 6 : 4)
      setImmediate(() =>
        callback(
          null,
          addresses.map((address) => ({ address, family: family(address) })),
        ),
      )
    }) satisfies Lookup,
    { calls: 0 },
  )
  return lookup
}

/** Numbers from [0, 1) that a seed decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const worstPaths = [
  ...Array.from({ length: 12 }, () => '/x'),
  '/stall-before-headers',
  '/stall-in-body',
  '/trickle?bytes=20&every=3',
  '/reset-before-headers',
  '/reset-in-headers',
  '/reset-in-body',
  '/end-in-body',
  '/informational/103',
  '/body/100000',
  '/not-http',
  '/close-behind',
  '/close-said',
  '/status/503',
]

function messageOf(answer: HttpAnswer): string {
  if (answer.kind !== 'failed' || !('message' in answer.failure)) return gist(answer).toString()
  return `${answer.failure.kind}: ${answer.failure.message}`
}

describe('the undici caller', () => {
  let caller: HttpCaller
  let server: HostileServer
  const open = (options: Partial<UndiciCallerOptions> = {}) => {
    caller = undiciCaller({
      clock: systemClock,
      egress: 'public',
      allowCidrs: ['127.0.0.1'],
      denyCidrs: [],
      connectionsPerOrigin: 4,
      maxResponseBytes: 1_000,
      userAgent: 'test',
      ...options,
    })
  }
  beforeEach(async () => {
    open()
    server = await hostileServer()
  })
  afterEach(async () => {
    await caller.close()
    await server.close()
  })

  describe('guards', () => {
    const refused: { name: string; options: Partial<UndiciCallerOptions>; host: string }[] = [
      { name: 'a literal', options: { allowCidrs: [] }, host: '127.0.0.1' },
      { name: 'a number for an address', options: { allowCidrs: [] }, host: '2130706433' },
      { name: 'an octal one', options: { allowCidrs: [] }, host: '0177.0.0.1' },
      { name: 'IPv4 in IPv6', options: { allowCidrs: [] }, host: '[::ffff:127.0.0.1]' },
      { name: 'the unspecified address', options: {}, host: '0.0.0.0' },
      { name: 'IPv6 loopback', options: {}, host: '[::1]' },
      { name: 'a name of the system', options: { allowCidrs: [] }, host: 'localhost' },
      {
        name: 'a name for a private address',
        options: { lookup: lookupOf(['10.1.2.3']) },
        host: 'cdn.test',
      },
      {
        name: 'what is denied',
        options: { denyCidrs: ['127.0.0.0/8'], lookup: lookupOf(['127.0.0.1']) },
        host: 'cdn.test',
      },
    ]
    for (const { name, options, host } of refused) {
      it(`${name}, before a byte is sent`, async () => {
        open(options)
        const answer = await callOf(caller, `http://${host}:${server.port}/`)
        expect(gist(answer)).to.equal('guard')
        expect(server.accepted).to.equal(0)
      })
    }

    it('a name that changes its address between two connections', async () => {
      open({ lookup: lookupOf(['127.0.0.1'], ['127.0.0.2']) })
      const url = `http://rebound.test:${server.port}`
      expect(gist(await callOf(caller, `${url}/close-said`))).to.equal(200)
      expect(messageOf(await callOf(caller, `${url}/`))).to.equal(
        'guard: rebound.test (127.0.0.2) is a loopback address and no entry of http.allow_cidrs names it',
      )
    })

    it('with the answer that is connected to: it is asked for once per connection', async () => {
      const lookup = lookupOf(['127.0.0.1'], ['10.0.0.1'])
      open({ lookup })
      const url = `http://once.test:${server.port}/`
      expect(gist(await callOf(caller, url))).to.equal(200)
      expect(gist(await callOf(caller, url))).to.equal(200)
      expect([lookup.calls, server.accepted]).to.deep.equal([1, 1])
    })

    it('each of several addresses, and uses one that may be used', async () => {
      open({ lookup: lookupOf(['10.0.0.1', '::1', '127.0.0.1', 'fe80::1']) })
      expect(gist(await callOf(caller, `http://many.test:${server.port}/`))).to.equal(200)
    })

    it('the address of connectTo, not the one in the URL', async () => {
      open({ connectTo: { 'cdn.internal:80': '127.0.0.2:80', '10.0.0.1:80': '127.0.0.2:80' } })
      expect(messageOf(await callOf(caller, 'http://cdn.internal/'))).to.match(
        /^guard: 127\.0\.0\.2 /,
      )
      expect(messageOf(await callOf(caller, 'http://10.0.0.1/'))).to.match(/^guard: 127\.0\.0\.2 /)
    })
  })

  it('connects where connectTo says and keeps the host of the URL', async () => {
    open({ connectTo: { 'cdn.internal:80': `127.0.0.1:${server.port}` } })
    expect(gist(await callOf(caller, 'http://cdn.internal/wiki', { method: 'PURGE' }))).to.equal(
      200,
    )
    expect(server.requests[0]).to.include({ method: 'PURGE', path: '/wiki' })
    expect(server.requests[0]?.headers.host).to.equal('cdn.internal')
  })

  const startMistakes: { name: string; options: Partial<UndiciCallerOptions> }[] = [
    { name: 'a CIDR', options: { denyCidrs: ['10/8'] } },
    { name: 'an entry of connectTo', options: { connectTo: { 'a:80': 'b' } } },
    { name: 'a certificate', options: { ca: ['-----BEGIN CERTIFICATE-----\nnone\n'] } },
  ]
  for (const { name, options } of startMistakes) {
    it(`does not start with ${name} that is none`, () => {
      expect(() => open(options)).to.throw()
    })
  }

  it('sends methods that only the target knows', async () => {
    const seen: string[] = []
    const odd = createServer((socket) => {
      socket.once('data', (bytes) => {
        seen.push(bytes.toString().split('\r\n')[0] ?? '')
        socket.end('HTTP/1.1 204 Done\r\n\r\n')
      })
    }).listen(0, '127.0.0.1')
    await once(odd, 'listening')
    const { port } = odd.address() as AddressInfo // as: it listens on TCP
    expect(gist(await callOf(caller, `http://127.0.0.1:${port}/a`, { method: 'BAN' }))).to.equal(
      204,
    )
    expect(seen).to.deep.equal(['BAN /a HTTP/1.1'])
    odd.close()
  })

  it('says reset for a 100 that it did not ask for, which undici does not take', async () => {
    const answer = await callOf(caller, `${server.origin}/informational/100`)
    expect(messageOf(answer)).to.equal('reset: bad response (UND_ERR_SOCKET)')
  })

  describe('with names', () => {
    it('says dns when there is no such name, or no address', async () => {
      const failing: Lookup = (hostname, _options, callback) => {
        const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`)
        setImmediate(() => callback(Object.assign(error, { code: 'ENOTFOUND' }), []))
      }
      open({ lookup: failing })
      expect(messageOf(await callOf(caller, 'http://no.test/'))).to.equal(
        'dns: getaddrinfo ENOTFOUND no.test',
      )
      open({ lookup: lookupOf([]) })
      expect(messageOf(await callOf(caller, 'http://no.test/'))).to.match(/^dns: no\.test has no/)
    })

    it('counts a resolver that does not answer into the deadline, and asks it once', async () => {
      let asked = 0
      open({ lookup: () => void asked++ })
      const calls = [1, 2, 3, 4].map(() => callOf(caller, 'http://slow.test/', { timeoutMs: 60 }))
      expect((await Promise.all(calls)).map(gist)).to.deep.equal(calls.map(() => 'timeout'))
      expect(asked).to.equal(1)
    })
  })

  describe('keeps connections', () => {
    it('to so many calls as wait, one at a time each, and no more than allowed', async () => {
      const answers = Array.from({ length: 40 }, () =>
        callOf(caller, `${server.origin}/trickle?bytes=2&every=2`),
      )
      expect(caller.connections()).to.deep.equal([
        { origin: server.origin, connected: 0, pending: 36 },
      ])
      expect(new Set((await Promise.all(answers)).map(gist))).to.deep.equal(new Set([200]))
      expect(server.accepted).to.equal(4)
      expect(caller.connections()).to.deep.equal([
        { origin: server.origin, connected: 4, pending: 0 },
      ])
    })

    it('in order: those that came first go first', async () => {
      open({ connectionsPerOrigin: 1 })
      const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
      await Promise.all(paths.map((path) => callOf(caller, server.origin + path)))
      expect(server.requests.map((one) => one.path)).to.deep.equal(paths)
    })

    it('of an origin under one name, however it is written', async () => {
      const spellings = [server.origin, server.origin.replace('http', 'HTTP'), `${server.origin}?`]
      for (const url of spellings) expect(gist(await callOf(caller, url))).to.equal(200)
      expect(caller.connections()).to.have.length(1)
      expect(server.accepted).to.equal(1)
    })

    it('no longer than the target does', async () => {
      await callOf(caller, `${server.origin}/x`)
      const gone = new Promise<void>((resolve) => {
        const look = () => {
          if (caller.connections()[0]?.connected === 0) resolve()
          else setImmediate(look)
        }
        setImmediate(look)
      })
      server.closeIdle()
      await gone
    })

    it('of a thousand origins, and forgets idle ones for those that come after', async () => {
      open({ lookup: lookupOf(['127.0.0.1']) })
      const urls = Array.from({ length: 1_020 }, (_, i) => `http://host-${i}.test:${server.port}/`)
      const refused = urls.slice(1).map((url) => callOf(caller, url, { headers: { 'x-a': '\n' } }))
      await Promise.all(refused)
      expect(gist(await callOf(caller, urls[0] ?? ''))).to.equal(200)
      await callOf(caller, 'http://one-more.test/', { headers: { 'x-a': '\n' } })
      const kept = caller.connections()
      expect(kept).to.have.length(1_000)
      expect(kept.filter(({ connected }) => connected === 1)).to.have.length(1)
    })

    it('when a request is refused before it is sent', async () => {
      const url = `${server.origin}/x`
      await callOf(caller, url)
      expect(gist(await callOf(caller, url, { headers: { 'x-a': '\n' } }))).to.equal('template')
      await callOf(caller, url)
      expect(server.accepted).to.equal(1)
    })

    it('in number when calls are given up one after the other', async () => {
      for (let i = 0; i < 20; i++) {
        const call = callOf(caller, `${server.origin}/stall-before-headers`, { timeoutMs: 11 })
        expect(gist(await call)).to.equal('timeout')
      }
      expect(gist(await callOf(caller, `${server.origin}/x`))).to.equal(200)
      expect(server.open).to.be.at.most(4)
    })

    it('apart: an origin that hangs does not hold another', async () => {
      const other = await hostileServer()
      const hanging = Array.from({ length: 50 }, () =>
        callOf(caller, `${server.origin}/stall-before-headers`, { timeoutMs: 600 }),
      )
      expect(gist(await callOf(caller, `${other.origin}/x`, { timeoutMs: 500 }))).to.equal(200)
      await Promise.all(hanging)
      await other.close()
    })
  })

  describe('with a target that swallows connects', () => {
    it('keeps nothing of calls that are given up', async () => {
      const hole = await swallowingPort()
      const url = `http://127.0.0.1:${hole.port}/`
      const calls = Array.from({ length: 30 }, () => callOf(caller, url, { timeoutMs: 60 }))
      expect(new Set((await Promise.all(calls)).map(gist))).to.deep.equal(new Set(['timeout']))
      expect(caller.connections()).to.deep.equal([
        { origin: url.slice(0, -1), connected: 0, pending: 0 },
      ])
      await hole.close()
    })
  })

  it('starts no waiting call that ends together with the one before it', async () => {
    const stopping = new AbortController()
    const { signal } = stopping
    const calls = Array.from({ length: 100 }, () =>
      callOf(caller, `${server.origin}/stall-before-headers`, { signal }),
    )
    await server.seen(4)
    stopping.abort()
    await Promise.all(calls)
    // What was opened for a call that was ended at once would be accepted before this one.
    await callOf(caller, `${server.origin}/last`)
    expect([server.accepted, server.requests.length]).to.deep.equal([5, 5])
  })

  for (const tls of [false, true]) {
    it(`ends every call of a crowd against a target that does its worst${tls ? ', with TLS' : ''}`, async () => {
      const target = tls ? await hostileServer({ tls: 'good' }) : server
      open({ ca: [testCa], connectionsPerOrigin: 16 })
      const seed = Number(process.env['TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
      const random = randomOf(seed)
      const stopping = Array.from({ length: 5 }, () => new AbortController())
      const calls = Array.from({ length: 800 }, async (_, i) => {
        const path = worstPaths[Math.floor(random() * worstPaths.length)] ?? '/x'
        const signal = stopping[i % stopping.length]?.signal ?? new AbortController().signal
        const timeoutMs = 1 + Math.floor(random() * 150)
        const method = random() < 0.1 ? 'HEAD' : 'POST'
        await systemClock.sleep(random() * 600)
        const answer = await callOf(caller, target.origin + path, { timeoutMs, signal, method })
        expect(target.open, `connections, seed ${seed}`).to.be.at.most(32) // 16, and 16 being closed
        return gist(answer)
      })
      const aborts = stopping.slice(1).map(async (controller) => {
        await systemClock.sleep(random() * 600)
        controller.abort()
      })
      await Promise.all(aborts)
      const ends = new Set(await Promise.all(calls))
      expect([...ends], `seed ${seed}`).to.include.members([200, 'timeout', 'aborted', 'reset'])
      expect([...ends], `seed ${seed}`).to.not.include('template')
      expect(gist(await callOf(caller, `${target.origin}/after`)), `seed ${seed}`).to.equal(200)
      expect(caller.connections()[0]?.pending).to.equal(0)
      if (tls) await target.close()
    }).timeout(20_000)
  }

  describe('with TLS', () => {
    const table: { certificate: Certificate; host: string; want: string | number }[] = [
      { certificate: 'good', host: 'localhost', want: 200 },
      { certificate: 'good', host: '127.0.0.1', want: 200 },
      { certificate: 'good', host: 'secure.test', want: 200 },
      { certificate: 'good', host: 'wrong.test', want: 'tls' },
      { certificate: 'other-name', host: 'localhost', want: 'tls' },
      { certificate: 'expired', host: 'localhost', want: 'tls' },
      { certificate: 'self-signed', host: 'localhost', want: 'tls' },
    ]
    for (const { certificate, host, want } of table) {
      it(`answers ${want} for ${host} with the certificate ${certificate}`, async () => {
        const secure = await hostileServer({ tls: certificate })
        open({ ca: [testCa], lookup: lookupOf(['127.0.0.1']) })
        const url = `https://${host}:${secure.port}/`
        expect(gist(await callOf(caller, url))).to.equal(want)
        expect(secure.requests).to.have.length(want === 200 ? 1 : 0)
        await secure.close()
      })
    }

    it('trusts no CA of its own accord, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
      const secure = await hostileServer({ tls: 'good' })
      const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        expect(gist(await callOf(caller, `https://127.0.0.1:${secure.port}/`))).to.equal('tls')
      } finally {
        if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
        await secure.close()
      }
    })

    it('checks the name of the URL, whatever the host header and connectTo say', async () => {
      const secure = await hostileServer({ tls: 'good' })
      open({
        ca: [testCa],
        connectTo: {
          'secure.test:443': `127.0.0.1:${secure.port}`,
          'wrong.test:443': `127.0.0.1:${secure.port}`,
        },
      })
      const headers = { host: 'elsewhere.test' }
      expect(gist(await callOf(caller, 'https://secure.test/a', { headers }))).to.equal(200)
      expect(gist(await callOf(caller, 'https://secure.test/b'))).to.equal(200)
      expect(gist(await callOf(caller, 'https://wrong.test/c'))).to.equal('tls')
      expect(secure.requests.map((one) => one.headers.host)).to.deep.equal([
        'elsewhere.test',
        'secure.test',
      ])
      expect(secure.accepted).to.equal(1)
      await secure.close()
    })

    it('says tls when the target speaks HTTP in the clear', async () => {
      expect(gist(await callOf(caller, `https://127.0.0.1:${server.port}/`))).to.equal('tls')
    })

    it('counts the handshake into the deadline, and leaves no connection behind', async () => {
      const silent = await silentServer()
      const answer = await callOf(caller, `https://127.0.0.1:${silent.port}/`, { timeoutMs: 60 })
      expect(gist(answer)).to.equal('timeout')
      while (silent.open > 0) await new Promise((resolve) => setImmediate(resolve))
      expect(caller.connections()).to.have.length(1)
      expect(caller.connections()[0]).to.include({ connected: 0, pending: 0 })
      await silent.close()
    })

    it('says reset when the target resets inside the answer', async () => {
      const secure = await hostileServer({ tls: 'good' })
      open({ ca: [testCa] })
      const url = `https://127.0.0.1:${secure.port}/end-in-body`
      expect(gist(await callOf(caller, url))).to.equal('reset')
      await secure.close()
    })
  })

  it('leaves nothing that keeps the process alive after close', async () => {
    await Promise.all([1, 2, 3].map((i) => callOf(caller, `${server.origin}/${i}`)))
    await caller.close()
    await caller.close()
    while (server.open > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(caller.connections()).to.deep.equal([])
  })
})
