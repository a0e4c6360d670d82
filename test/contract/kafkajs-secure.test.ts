import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import type { KafkaSasl, KafkaTls } from '../../src/drivers/kafkajs/options.ts'
import { PortError } from '../../src/ports/port-error.ts'
import { isServiceHere } from '../services/availability.ts'
import type { KafkaBroker } from '../services/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import { kafkaOptions } from './kafkajs-client.ts'
import { RecordingSink } from './recording-sink.ts'

const pem = (name: string) =>
  readFile(new URL(`../support/certificates/${name}`, import.meta.url), 'utf8')

const username = 'alice'
const password = randomUUID()

function secureKafka(): void {
  let kafka: KafkaBroker
  let folder: string
  let trusted: KafkaTls

  before(async function () {
    this.timeout(10 * 60_000) // the jars may have to be fetched
    const [key, certificate, ca] = await Promise.all(['good.key', 'good.pem', 'ca.pem'].map(pem))
    folder = await mkdtemp(join(tmpdir(), 'sluice-secure-'))
    trusted = { ca: ca ?? '', cert: certificate ?? '', key: key ?? '', servername: null }
    kafka = await startKafka({
      secure: { key: key ?? '', certificate: certificate ?? '', ca: ca ?? '', username, password },
    })
  })
  after(async () => {
    await kafka.close()
    await rm(folder, { recursive: true })
  })

  /** Produces a record and reads it back in a group, as this user over this TLS. */
  async function roundTrip(sasl: KafkaSasl | null, tls: KafkaTls | null): Promise<string> {
    const timing = { request: 3_000, produce: 3_000 }
    const bus = openKafkaBus(kafkaOptions(kafka.secureBrokers, { sasl, tls, timing }))
    try {
      const topic = `topic-${randomUUID()}`
      const rest = { replication: 1, retentionMs: null, retentionBytes: null, compacted: false }
      await bus.admin.ensureTopics([{ name: topic, partitions: 1, ...rest }])
      const value = Buffer.from('secret')
      await bus.produce([{ topic, key: null, value, headers: [] }])
      const sink = new RecordingSink()
      const options = { group: randomUUID(), topics: [topic], startAt: 'earliest' } as const
      await bus.consume({ ...options, stateDir: null, revokeGraceMs: 1_000 }, sink)
      await sink.until('the record', () => sink.texts().length === 1, 20_000)
      return sink.texts().join()
    } finally {
      await bus.close()
    }
  }

  async function codeOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(
      () => 'let in',
      (error: unknown) => (error instanceof PortError ? error.code : String(error)),
    )
  }

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
    it(`lets a user in by ${mechanism}`, async () => {
      expect(await roundTrip({ mechanism, username, password }, trusted)).to.equal('secret')
    })

    it(`denies one with the wrong password by ${mechanism}`, async () => {
      const wrong = { mechanism, username, password: 'wrong' }
      expect(await codeOf(roundTrip(wrong, trusted))).to.equal('denied')
    })
  }

  it('lets a user in by the token in a file, as it is when the connection is made', async () => {
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, 'stale')
    const sasl = { mechanism: 'oauthbearer', tokenFile } as const
    expect(await codeOf(roundTrip(sasl, trusted))).not.to.equal('let in')
    await writeFile(tokenFile, `${unsignedToken(username)}\n`)
    expect(await roundTrip(sasl, trusted)).to.equal('secret')
  })

  const sasl = { mechanism: 'plain', username, password } as const
  const refusals = [
    { name: 'whose signer we do not trust', change: { ca: null } },
    { name: 'under another name', change: { servername: 'elsewhere.test' } },
  ]
  for (const { name, change } of refusals) {
    it(`does not talk to a broker ${name}`, async () => {
      expect(await codeOf(roundTrip(sasl, { ...trusted, ...change }))).to.equal('unreachable')
    })
  }

  it('is not let in without a certificate of its own', async () => {
    const tls = { ...trusted, cert: null, key: null }
    expect(await codeOf(roundTrip(sasl, tls))).to.equal('unreachable')
  })
}

/** A token that only a broker for tests believes. Source: RFC 7519, 6 (unsecured JWTs). */
function unsignedToken(sub: string): string {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub, iat: nowSeconds, exp: nowSeconds + 600 })}.`
}

// The runner says when there is no broker to be had here, and tells the reader.
if (isServiceHere('kafka')) {
  describe('Kafka behind TLS and SASL', function () {
    this.timeout(60_000) // each wait has its own deadline; this only ends what hangs
    secureKafka()
  })
}
