import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DaemonProcess } from '../support/daemon-process.ts'
import { sluice } from '../support/sluice.ts'

interface Call {
  readonly method: string
  readonly url: string
  readonly body: string
}

/** A target that answers with `status`, or never when told to hang. */
class Target {
  readonly calls: Call[] = []
  status = 200
  hangs = false
  readonly #server: Server
  #wake: () => void = () => {}

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { method = '', url = '' } = request
        this.calls.push({ method, url, body })
        this.#wake()
        if (!this.hangs) response.writeHead(this.status).end()
      })
    })
  }

  static async open(): Promise<Target> {
    const target = new Target()
    await new Promise<void>((resolve) => target.#server.listen(0, '127.0.0.1', resolve))
    return target
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port // as: it listens on a TCP port
  }

  async called(times: number): Promise<void> {
    while (this.calls.length < times) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A process that has the write lock of an LMDB environment until it is killed. */
function holdLock(path: string) {
  const script = `import { open } from 'lmdb'
    open({ path: ${JSON.stringify(path)}, maxDbs: 32 }).transactionSync(() => {
      console.log('held')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const args = ['--input-type=module', '-e', script]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

describe('sluice run', function () {
  this.timeout(60_000)
  let folder: string
  let target: Target
  let daemons: DaemonProcess[] = []

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-run-'))
    await mkdir(join(folder, 'rules'))
    target = await Target.open()
    await rule(`
rules:
  post:
    topics: [edits]
    when: { kind: edit }
    do:
      http: { method: POST, url: "http://127.0.0.1:${target.port}/{{event.title}}", json: "{{event}}" }
`)
  })

  afterEach(async () => {
    await Promise.all(daemons.map((daemon) => daemon.kill()))
    daemons = []
    await target.close()
    await rm(folder, { recursive: true, force: true })
  })

  const rule = (text: string) => writeFile(join(folder, 'rules', 'rule.yaml'), text)

  const settings = (...more: string[]) =>
    ['http.allow_cidrs=[127.0.0.0/8]', 'lanes.default.start_at=earliest', ...more].flatMap(
      (one) => ['--set', one],
    )

  function start(...more: string[]): DaemonProcess {
    const daemon = new DaemonProcess(['run', ...settings('admin.listen=127.0.0.1:0', ...more)], {
      cwd: folder,
    })
    daemons.push(daemon)
    return daemon
  }

  it('without a config file reads ./rules, keeps ./data and makes the calls that rules say', async () => {
    const daemon = start()
    const admin = await daemon.adminUrl()
    const events = '{"kind":"edit","title":"A b"}\n{"kind":"other"}\n'
    const emitted = await sluice(['emit', 'edits', '--admin', admin], {
      cwd: folder,
      input: events,
    })
    expect(emitted.code, emitted.stderr).to.equal(0)
    await target.called(1)
    expect(target.calls).to.deep.equal([
      { method: 'POST', url: '/A%20b', body: '{"kind":"edit","title":"A b"}' },
    ])
    const status = await sluice(['status', '--json', '--admin', admin])
    expect(JSON.parse(status.stdout)).to.have.nested.property('rules[0].ladder.matched', 1)
    for (const path of ['/health/live', '/health/ready', '/metrics', '/api/v1/openapi.json']) {
      expect((await fetch(admin + path)).status, path).to.equal(200)
    }
    expect(await daemon.stop()).to.equal(0)
  })

  it('gives every metric of a rule from the start, and moves them with its ladder', async () => {
    const daemon = start()
    const admin = await daemon.adminUrl()
    const metric = async (line: string) => {
      const text = await (await fetch(`${admin}/metrics`)).text()
      return text.split('\n').find((one) => one.startsWith(line))
    }
    expect(await metric('sluice_rule_matched_total{rule="post"}')).to.match(/ 0$/)
    expect(await metric('sluice_rule_done_total{rule="post"}')).to.match(/ 0$/)
    await sluice(['emit', 'edits', '--admin', admin], { input: '{"kind":"edit","title":"A"}\n' })
    await target.called(1)
    expect(await daemon.stop()).to.equal(0)
  })

  it('takes events that were emitted while no daemon ran', async () => {
    const input = '{"kind":"edit","title":"early"}\n'
    const ran = await start().adminUrl() // makes the topic
    expect(ran).to.match(/^http/)
    await daemons[0]?.stop()
    await writeFile(join(folder, 'nobody.yaml'), 'admin: { listen: "127.0.0.1:1" }\n')
    const emitted = await sluice(['emit', 'edits', '-c', 'nobody.yaml'], { cwd: folder, input })
    expect(emitted.code, emitted.stderr).to.equal(0)
    start()
    await target.called(1)
    expect(target.calls[0]?.url).to.equal('/early')
  })

  it('with a wrong rule starts nothing, shows where, and exits with 2', async () => {
    await rule('rules:\n  post:\n    topics: edits\n    dou: {}\n')
    const { code, stderr } = await sluice(['run'], { cwd: folder })
    expect(code).to.equal(2)
    expect(stderr).to.include('rules/rule.yaml:4:5').and.include('dou').and.include('^')
  })

  it('whose admin port is taken says so, names the part, and exits with 3', async () => {
    const first = start()
    const { port } = new URL(await first.adminUrl())
    const { code, stderr } = await sluice(
      ['run', ...settings(`admin.listen=127.0.0.1:${port}`, 'log.level=silent')],
      { cwd: folder },
    )
    expect(code).to.equal(3)
    expect(stderr).to.include('could not start the admin API').and.include(port)
  })

  it('whose bus is out of reach waits for it, alive and not ready', async () => {
    const daemon = start(
      'bus.kind=kafka',
      'bus.kafka.brokers=["127.0.0.1:1"]',
      'bus.ensure_topics=off',
    )
    const admin = await daemon.adminUrl()
    expect((await fetch(`${admin}/health/live`)).status).to.equal(200)
    const ready = await fetch(`${admin}/health/ready?verbose`)
    expect(ready.status).to.equal(503)
    daemon.signal('SIGTERM')
    expect(await daemon.exitCode()).to.equal(0)
  })

  it('stops on SIGTERM although it is still starting', async () => {
    // A port that takes connections and says nothing: the start waits for the bus.
    const silent = createTcpServer((socket) => void socket.resume().on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo // as: it listens on a TCP port
    const daemon = start(
      'bus.kind=kafka',
      `bus.kafka.brokers=["127.0.0.1:${port}"]`,
      'shutdown.drain=1s',
    )
    await daemon.said('starting')
    daemon.signal('SIGTERM')
    expect(await daemon.exitCode(), daemon.transcript()).to.equal(0)
    expect(daemon.lines.map(({ msg }) => msg)).to.include('stopped while starting')
    await new Promise((resolve) => silent.close(resolve))
  })

  it('on SIGTERM lets a call finish that is under way', async () => {
    const daemon = start()
    const admin = await daemon.adminUrl()
    target.hangs = true
    await sluice(['emit', 'edits', '--admin', admin], { input: '{"kind":"edit","title":"A"}\n' })
    await target.called(1)
    daemon.signal('SIGTERM')
    await daemon.said('stopping')
    const ended = await Promise.race([daemon.exitCode(), daemon.said('partitions revoked')])
    expect(ended, 'it waits for the call').to.have.property('lane', 'retry')
  })

  it('on SIGTERM ends within shutdown.drain although a target hangs, and the call is made again', async () => {
    const daemon = start('shutdown.drain=2s')
    const admin = await daemon.adminUrl()
    target.hangs = true
    await sluice(['emit', 'edits', '--admin', admin], { input: '{"kind":"edit","title":"A"}\n' })
    await target.called(1)
    expect(await daemon.stop(), 'not a clean stop').to.equal(1)
    expect(daemon.transcript()).to.include('cut off and run again at the next start: post 1')
    target.hangs = false
    start()
    await target.called(2)
    expect(target.calls[1]).to.deep.equal(target.calls[0])
  })

  it('ends although a part cannot stop: another process holds the lock of the embedded log', async () => {
    const daemon = start('shutdown.drain=1s')
    const admin = await daemon.adminUrl()
    await daemon.said('partitions assigned')
    const holder = holdLock(join(folder, 'data'))
    try {
      await once(holder.stdout, 'data')
      // Waits for the lock, and with it the close of the log.
      void fetch(`${admin}/api/v1/events?topic=edits`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: '{"kind":"edit","title":"A"}',
      }).catch(() => {})
      daemon.signal('SIGTERM')
      await daemon.said('part did not stop in time and is left behind')
      expect(await daemon.exitCode(), 'it ends by the signal').to.equal(null)
    } finally {
      holder.kill('SIGKILL')
    }
  })

  it('ends at once on a second SIGTERM', async () => {
    const daemon = start('shutdown.drain=1h')
    const admin = await daemon.adminUrl()
    target.hangs = true
    await sluice(['emit', 'edits', '--admin', admin], { input: '{"kind":"edit","title":"A"}\n' })
    await target.called(1)
    daemon.signal('SIGTERM')
    await daemon.said('stopping')
    daemon.signal('SIGTERM')
    expect(await daemon.exitCode(), 'it ends by the signal').to.equal(null)
  })

  it('never lets a secret into its log, its API or its dead letters', async () => {
    await rule(`
rules:
  post:
    topics: [edits]
    do:
      http:
        url: "http://127.0.0.1:${target.port}/"
        json: { a: 1 }
        auth: { bearer: api-key }
`)
    target.status = 400
    process.env['SLUICE_TEST_KEY'] = 'correct-horse-battery'
    const daemon = start('secrets={"api-key":{"env":"SLUICE_TEST_KEY"}}', 'log.level=debug')
    const admin = await daemon.adminUrl()
    await sluice(['emit', 'edits', '--admin', admin], { input: '{}\n' })
    await target.called(1)
    const shown = await Promise.all(
      ['/metrics', '/api/v1/status', '/api/v1/rules'].map(async (path) =>
        (await fetch(admin + path)).text(),
      ),
    )
    await daemon.stop()
    delete process.env['SLUICE_TEST_KEY']
    expect(shown.join('') + daemon.transcript()).to.not.include('correct-horse')
  })
})
