import { expect } from 'chai'
import { originProber, type OriginProberOptions } from '../../src/drivers/undici/probe-origin.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Failure } from '../../src/model/failure.ts'
import {
  hostileServer,
  silentServer,
  swallowingPort,
  testCa,
  type Certificate,
  type HostileServer,
} from '../support/hostile-server.ts'

/** Far above what a local connection takes. */
const longMs = 10_000

describe('a probe of an origin', () => {
  let server: HostileServer | null = null
  afterEach(async () => {
    await server?.close()
    server = null
  })

  const probe = (
    origin: string,
    options: Partial<OriginProberOptions> = {},
    timeoutMs = longMs,
  ): Promise<Failure | null> =>
    originProber({
      clock: systemClock,
      egress: 'public',
      allowCidrs: ['127.0.0.1'],
      denyCidrs: [],
      ...options,
    })(origin, timeoutMs)

  it('finds nothing wrong with a server that listens, and sends it nothing', async () => {
    server = await hostileServer()
    expect(await probe(`http://127.0.0.1:${server.port}`)).to.equal(null)
    expect(server.accepted).to.equal(1)
    expect(server.requests).to.deep.equal([])
  })

  it('says refused where nobody listens', async () => {
    server = await hostileServer()
    const { port } = server
    await server.close()
    expect(await probe(`http://127.0.0.1:${port}`)).to.include({ kind: 'refused' })
  })

  it('says dns for a name that does not resolve', async () => {
    const failure = await probe('http://nowhere.invalid', {
      lookup: (_name, _options, callback) => {
        const error = new Error('getaddrinfo ENOTFOUND nowhere.invalid')
        setImmediate(() => callback(Object.assign(error, { code: 'ENOTFOUND' }), []))
      },
    })
    expect(failure).to.include({ kind: 'dns' })
  })

  it('is stopped by the guard before it connects', async () => {
    server = await hostileServer()
    const failure = await probe(`http://127.0.0.1:${server.port}`, { allowCidrs: [] })
    expect(failure).to.include({ kind: 'guard', reason: 'loopback' })
    expect(server.accepted).to.equal(0)
  })

  it('goes where connect_to says, for the certificate of the name', async () => {
    server = await hostileServer({ tls: 'good' })
    const options = { connectTo: { 'secure.test:443': `127.0.0.1:${server.port}` } }
    expect(await probe('https://secure.test', { ...options, ca: [testCa] })).to.equal(null)
    expect(
      await probe('https://elsewhere.test', {
        connectTo: { 'elsewhere.test:443': `127.0.0.1:${server.port}` },
        ca: [testCa],
      }),
    ).to.include({ kind: 'tls' })
  })

  const certificates: readonly { tls: Certificate; isTrusted: boolean }[] = [
    { tls: 'good', isTrusted: true },
    { tls: 'expired', isTrusted: false },
    { tls: 'other-name', isTrusted: false },
    { tls: 'self-signed', isTrusted: false },
  ]
  for (const { tls, isTrusted } of certificates) {
    it(`${isTrusted ? 'takes' : 'does not take'} the certificate "${tls}"`, async () => {
      server = await hostileServer({ tls })
      const failure = await probe(`https://localhost:${server.port}`, {
        ca: [testCa],
        allowCidrs: ['127.0.0.1', '::1'],
      })
      expect(failure?.kind ?? null).to.equal(isTrusted ? null : 'tls')
    })
  }

  it('gives up on a target that swallows connects, and on one that never secures', async () => {
    const swallowing = await swallowingPort()
    const silent = await silentServer()
    try {
      const origins = [`http://127.0.0.1:${swallowing.port}`, `https://127.0.0.1:${silent.port}`]
      for (const origin of origins) {
        expect(await probe(origin, {}, 100), origin).to.include({ kind: 'timeout' })
      }
    } finally {
      await swallowing.close()
      await silent.close()
    }
  })
})
