import { mkdir, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { HealthDocument } from '../../src/admin/documents.ts'
import type { StatusDocument } from '../../src/model/status.ts'
import { isServiceHere } from '../services/availability.ts'
import type { RedisServer } from '../services/redis.ts'
import { startRedis } from '../services/redis.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { sluice } from '../support/sluice.ts'
import { tempFolder } from '../support/temp-folder.ts'

const degraded = 'the store is degraded: until it is back, on_outage of each rule decides'
const emptied =
  'the store was emptied: open windows are forgotten, and events inside them may be acted on again'
const back = 'the store is back'

describe('the store of a daemon', function () {
  this.timeout(60_000)
  let target: Server
  let called: string[] = []
  let daemon: DaemonProcess | null = null
  let redis: RedisServer | null = null

  afterEach(async () => {
    await daemon?.kill()
    daemon = null
    await redis?.close()
    redis = null
    target.closeAllConnections()
    await new Promise((resolve) => target.close(resolve))
  })
  const folder = tempFolder('store') // behind the daemon, which ends before its folder goes

  beforeEach(async () => {
    called = []
    target = createServer((request, response) => {
      called.push(request.url ?? '')
      request.resume().on('end', () => response.end())
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    await mkdir(join(folder(), 'rules'))
    const { port } = target.address() as AddressInfo // as: it listens on a TCP port
    await writeFile(
      join(folder(), 'rules', 'rule.yaml'),
      `rules:
  post:
    topics: [edits]
    when: { kind: edit }
    key: "{{event.title}}"
    dedup: { window: 1m, keep: first, on_outage: run }
    do: { http: { method: POST, url: "http://127.0.0.1:${port}/{{event.title}}", json: "{{event}}" } }
`,
    )
  })

  async function start(...settings: readonly string[]): Promise<DaemonProcess> {
    const all = ['http.allow_cidrs=[127.0.0.0/8]', 'admin.listen=127.0.0.1:0', ...settings]
    const args = all.flatMap((one) => ['--set', one])
    daemon = new DaemonProcess(['run', ...args], { cwd: folder() })
    await daemon.adminUrl()
    return daemon
  }

  const withRedis = ({ url }: RedisServer): readonly string[] => [
    'store.kind=redis',
    `store.redis.url=${url}`,
  ]

  async function emit(admin: string, ...titles: readonly string[]): Promise<void> {
    const response = await fetch(`${admin}/api/v1/events?topic=edits`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: titles.map((title) => JSON.stringify({ kind: 'edit', title })).join('\n'),
    })
    expect(response.status).to.equal(200)
  }

  const documentOf = async <Document>(admin: string, path: string): Promise<Document> => {
    const answer = await fetch(admin + path)
    return (await answer.json()) as Document // as: docs/operations.md
  }

  /** The status, once so many events have come to their end. */
  async function settled(admin: string, count: number): Promise<StatusDocument> {
    for (;;) {
      const status = await documentOf<StatusDocument>(admin, '/api/v1/status')
      const [rule] = status.rules
      const { done = 0, skipped = {} } = rule?.ladder ?? {}
      if (done + (skipped['duplicate'] ?? 0) === count) return status
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async function metric(admin: string, name: string): Promise<number> {
    const text = await (await fetch(`${admin}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${name} `))
    return Number(line?.split(' ').at(-1))
  }

  it('is the embedded one unless another is named, and leaves out what is repeated', async () => {
    const running = await start()
    const admin = await running.adminUrl()
    await emit(admin, 'A', 'B', 'A')
    const status = await settled(admin, 3)
    expect(called).to.have.members(['/A', '/B'])
    expect(status.store).to.deep.equal({ kind: 'embedded', degraded: false, trouble: null })
    expect(status.rules[0]?.ladder).to.deep.include({ done: 2 })
    expect(await metric(admin, 'sluice_store_degraded')).to.equal(0)
    expect(await metric(admin, 'sluice_store_seconds_count')).to.be.greaterThan(0)
    expect(await running.stop()).to.equal(0)
    const again = await start()
    await emit(await again.adminUrl(), 'A', 'C')
    await settled(await again.adminUrl(), 2)
    expect(called, 'a window outlasts a restart').to.have.members(['/A', '/B', '/C'])
    expect(await again.stop()).to.equal(0)
  })

  it('is warned of where daemons of other machines would not see it', async () => {
    const running = await start(
      'bus.kind=kafka',
      'bus.kafka.brokers=["127.0.0.1:1"]',
      'bus.ensure_topics=off',
    )
    const line = await running.said(
      'windows are of this machine only: daemons elsewhere do not see the embedded store',
    )
    expect(line).to.deep.include({ level: 40, rules: ['post'], count: 1 })
  })

  it('that cannot be opened ends the start, and is named', async () => {
    await mkdir(join(folder(), 'data'))
    await writeFile(join(folder(), 'data', 'store'), 'in its place')
    const { code, stderr } = await sluice(
      ['run', '--set', 'admin.listen=127.0.0.1:0', '--set', 'log.level=silent'],
      { cwd: folder() },
    )
    expect(code).to.equal(3)
    expect(stderr).to.include('could not start the store (embedded)')
  })

  const inRedis = isServiceHere('redis') ? describe : () => {}
  inRedis('in Redis', () => {
    it('may go and come back: said in the log, a gauge, status and health, and no event waits', async () => {
      redis = await startRedis()
      const running = await start(...withRedis(redis))
      const admin = await running.adminUrl()
      await emit(admin, 'A', 'B', 'A')
      const well = await settled(admin, 3)
      expect(called).to.have.members(['/A', '/B'])
      expect(well.store).to.deep.equal({ kind: 'redis', degraded: false, trouble: null })

      await redis.kill()
      const line = await running.said(degraded)
      expect(line).to.include({ level: 40, store: 'redis', trouble: 'unreachable' })
      expect(await metric(admin, 'sluice_store_degraded')).to.equal(1)
      const { ready, store } = await documentOf<StatusDocument>(admin, '/api/v1/status')
      expect({ ready, degraded: store.degraded }).to.deep.equal({ ready: true, degraded: true })
      expect(store.trouble).to.include({ reason: 'unreachable' })
      const health = await documentOf<HealthDocument>(admin, '/health/ready?verbose')
      expect(health).to.deep.include({ ok: true, failing: [] })
      const part = health.parts?.find(({ name }) => name === 'store redis')
      expect(part).to.include({ ok: true })
      expect(part?.detail).to.match(/^degraded for \d s: unreachable, /)
      const shown = await sluice(['status', '--admin', admin])
      expect(shown.stdout).to.match(/^store redis: degraded since \S+Z \(unreachable: .+\)$/m)
      await emit(admin, 'D')
      await settled(admin, 4)
      expect(called, 'on_outage: run').to.include('/D')

      await redis.start()
      const healed = await running.said(back)
      expect(healed).to.include({ level: 30, store: 'redis' })
      expect(healed['degraded_s']).to.be.greaterThan(0)
      await running.said(emptied)
      expect(await metric(admin, 'sluice_store_degraded')).to.equal(0)
      expect((await sluice(['status', '--admin', admin])).stdout).not.to.include('store')
      await emit(admin, 'C', 'C')
      await settled(admin, 6)
      expect(called.filter((url) => url === '/C')).to.have.length(1)
      const told = running.lines.filter(({ store: kind }) => kind === 'redis')
      expect(told.map(({ msg }) => msg)).to.have.members(['starting', degraded, emptied, back])
      expect(await running.stop(), running.transcript()).to.equal(0)
    })

    it('that is away at the start keeps no daemon from starting', async () => {
      redis = await startRedis()
      await redis.kill()
      const running = await start(...withRedis(redis))
      expect(await running.said(degraded)).to.include({ trouble: 'unreachable' })
      const admin = await running.adminUrl()
      while (!(await fetch(`${admin}/health/ready`)).ok) {
        await new Promise((resolve) => setTimeout(resolve, 20)) // the lane joins its group
      }
      await redis.start()
      await running.said(back)
      expect(await running.stop()).to.equal(0)
    })

    it('is asked by `check --online`, and refusing us is an error', async () => {
      redis = await startRedis({ password: 'hunter2' })
      const { host, port } = redis
      const config = join(folder(), 'config.yaml')
      await writeFile(
        config,
        `bus: { path: ${join(folder(), 'data')} }
http: { allow_cidrs: [127.0.0.1] }
store:
  kind: redis
  redis: { url: "redis://${host}:${port}", password: pw }
secrets: { pw: { env: PW } }
`,
      )
      const args = ['check', 'rules', '-c', config, '--online']
      const check = (password: string) => sluice(args, { cwd: folder(), env: { PW: password } })
      const well = await check('hunter2')
      expect(well.code, well.stdout).to.equal(0)
      const denied = await check('hunter3')
      expect(denied.code).to.equal(3)
      expect(denied.stdout).to.match(
        /config\.yaml:5:12: error: the store \(redis, redis:\/\/127\.0\.0\.1:\d+\) does not answer as it should: denied, .* \[store-unreachable\]/,
      )
      expect(denied.stdout).not.to.include('hunter3')
    })
  })
})
