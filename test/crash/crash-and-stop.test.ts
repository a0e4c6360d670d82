import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Bus } from '../../src/ports/bus.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { LedgerTarget } from '../support/ledger-target.ts'
import { seeded, seedOfRun } from '../support/seed.ts'
import type { BusUnderTest } from './buses.ts'
import { busesUnderTest } from './buses.ts'

const events = 20_000
const concurrency = 100
const kills = 5
/** Commits are made every 500 ms (delivery.md, 2). */
const commitEveryMs = 500

/*
 * The promise of delivery.md, 1, with a real daemon, a real bus and a real `kill -9`: 20,000 events
 * through a rule with concurrency 100 to a target that answers after 0-40 ms. Run with SEED=n to
 * have the same moments again.
 */
for (const open of busesUnderTest) {
  describe(`20,000 events on ${open.name}`, function () {
    this.timeout(300_000)
    const seed = seedOfRun()
    const random = seeded(seed)
    let bus: BusUnderTest
    let target: LedgerTarget
    let folder: string
    let daemons: DaemonProcess[] = []

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'))
      bus = await open.open(folder)
      target = await LedgerTarget.open(random)
      await mkdir(join(folder, 'rules'))
      await writeFile(join(folder, 'rules', 'post.yaml'), ruleFile(target.port, bus.topic))
      await writeFile(join(folder, 'config.yaml'), configFile(folder, bus))
      const spec = { name: bus.topic, partitions: 4, replication: 1 }
      const kept = { retentionMs: null, retentionBytes: null, compacted: false }
      await bus.bus.admin.ensureTopics([{ ...spec, ...kept }])
    })

    afterEach(async () => {
      await Promise.all(daemons.map((daemon) => daemon.kill()))
      daemons = []
      await target.close()
      await bus.close()
      await rm(folder, { recursive: true, force: true })
    })

    function start(): DaemonProcess {
      const daemon = new DaemonProcess(['run', '-c', join(folder, 'config.yaml')])
      daemons.push(daemon)
      return daemon
    }

    /** Waits until every event has arrived and the daemon has nothing left to do. */
    async function untilDone(daemon: DaemonProcess): Promise<void> {
      await target.sawAtLeast(events)
      expect(await daemon.stop(), daemon.transcript()).to.equal(0)
    }

    it(`misses none after kill -9 at ${kills} random moments, and repeats what was at risk at most`, async () => {
      await produce(bus.bus, bus.topic)
      let daemon = start()
      let startedMs = 0
      let allowed = 0
      const figures: string[] = []
      for (let kill = 1; kill <= kills; kill++) {
        await daemon.said('ready')
        // Some share of what is left, so that each kill comes in the middle of work.
        const until = target.seen + Math.ceil((events - target.seen) * (0.05 + 0.25 * random()))
        await target.sawAtLeast(until)
        const atMs = performance.now()
        await daemon.kill()
        const atRisk = target.atRisk(startedMs, atMs, commitEveryMs)
        allowed += Math.max(atRisk, concurrency)
        figures.push(`${target.seen} seen, ${atRisk} at risk`)
        startedMs = atMs
        daemon = start()
      }
      await untilDone(daemon)
      console.log(`      seed ${seed}; kills at: ${figures.join('; ')}`)
      console.log(
        `      calls ${target.calls.length}, repeats ${target.repeats} of at most ${allowed}`,
      )
      expect(target.missing(events)).to.deep.equal([])
      expect(target.repeats).to.be.at.most(allowed)
    })

    it('misses none and repeats none over SIGTERM and a new start', async () => {
      await produce(bus.bus, bus.topic)
      const first = start()
      await target.sawAtLeast(Math.ceil(events * (0.2 + 0.4 * random())))
      expect(await first.stop(), first.transcript()).to.equal(0)
      const stoppedAt = target.seen
      await untilDone(start())
      console.log(`      seed ${seed}; stopped at ${stoppedAt}, calls ${target.calls.length}`)
      expect(target.missing(events)).to.deep.equal([])
      expect(target.repeats).to.equal(0)
    })

    it('misses none while a second daemon joins and leaves in the middle', async () => {
      await produce(bus.bus, bus.topic)
      const first = start()
      await target.sawAtLeast(Math.ceil(events * 0.1))
      const second = start()
      await second.said('partitions assigned')
      await target.sawAtLeast(target.seen + Math.ceil((events - target.seen) * 0.3))
      expect(await second.stop(), second.transcript()).to.equal(0)
      await untilDone(first)
      console.log(`      seed ${seed}; calls ${target.calls.length}, repeats ${target.repeats}`)
      expect(target.missing(events)).to.deep.equal([])
    })
  })
}

async function produce(bus: Bus, topic: string): Promise<void> {
  const batch = 1_000
  for (let from = 0; from < events; from += batch) {
    await bus.produce(
      Array.from({ length: batch }, (_, i) => ({
        topic,
        partition: (from + i) % 4,
        key: null,
        value: Buffer.from(JSON.stringify({ id: from + i, text: 'x'.repeat(200) })),
        headers: [],
      })),
    )
  }
}

function ruleFile(port: number, topic: string): string {
  return `
rules:
  post:
    topics: [${topic}]
    do:
      http:
        method: POST
        url: "http://127.0.0.1:${port}/"
        json: { id: "{{event.id}}" }
    concurrency: ${concurrency}
`
}

function configFile(folder: string, bus: BusUnderTest): string {
  return `
bus: ${JSON.stringify({ ...bus.config, path: join(folder, 'state') })}
rules: { path: ${JSON.stringify(join(folder, 'rules'))} }
lanes: { default: { group: ${bus.topic}, start_at: earliest } }
http: { allow_cidrs: [127.0.0.0/8] }
admin: { listen: "127.0.0.1:0" }
log: { format: json }
shutdown: { drain: 20s }
`
}
