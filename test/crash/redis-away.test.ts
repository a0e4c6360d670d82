import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { StatusDocument } from '../../src/model/status.ts'
import { isServiceHere } from '../services/availability.ts'
import type { RedisServer } from '../services/redis.ts'
import { startRedis, until } from '../services/redis.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { LedgerTarget } from '../support/ledger-target.ts'
import { seeded, seedOfRun } from '../support/seed.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { tempFolder } from '../support/temp-folder.ts'

const ids = 10_000
/** Each id comes twice, the second time behind all others: further than a process remembers by itself. */
const events = 2 * ids
const concurrency = 40
const topic = 'edits'
/** Above what a busy machine may take: only an outage is one. */
const timeBoxMs = 1_000
/** What was called so long before may not have been marked yet: a call, and a time-box. */
const unmarkedMs = 500 + timeBoxMs

type OnOutage = 'run' | 'wait'

/*
 * The promise of delivery.md, 1.5, with a real daemon and a real Redis: 20,000 events, every second
 * one a duplicate, while Redis is killed, frozen or emptied. None is missing, whatever happens; what
 * is acted on twice is what the outage had to do with. Run with SEED=n to have the same delays again.
 */
if (isServiceHere('redis')) {
  describe('20,000 events, and Redis', function () {
    this.timeout(120_000)
    const folder = tempFolder('redis-away')
    let redis: RedisServer
    let target: LedgerTarget
    let daemon: DaemonProcess

    beforeEach(async () => {
      redis = await startRedis({ isPersistent: true })
      target = await LedgerTarget.open(seeded(seedOfRun()))
    })

    afterEach(async () => {
      await daemon.kill()
      await target.close()
      await redis.close()
    })

    async function start(onOutage: OnOutage): Promise<void> {
      await produce(join(folder(), 'state'))
      await mkdir(join(folder(), 'rules'))
      await writeFile(join(folder(), 'rules', 'post.yaml'), ruleFile(target.port, onOutage))
      await writeFile(join(folder(), 'config.yaml'), configFile(folder(), redis.url))
      daemon = new DaemonProcess(['run', '-c', join(folder(), 'config.yaml')])
    }

    async function status(): Promise<StatusDocument> {
      const answer = await fetch(`${await daemon.adminUrl()}/api/v1/status`)
      return (await answer.json()) as StatusDocument // as: what the admin API promises
    }

    /** Waits until nothing is left to do, and gives the ladder of the rule. */
    async function settled() {
      await until('every event is settled', async () => {
        const ladder = (await status()).rules[0]?.ladder
        const skipped = Object.values(ladder?.skipped ?? {}).reduce((sum, count) => sum + count, 0)
        return (ladder?.done ?? 0) + skipped >= events
      })
      const [rule] = (await status()).rules
      if (rule === undefined) throw new Error('the daemon has a rule')
      return rule.ladder
    }

    /** How many calls arrived between two moments. */
    function callsIn(fromMs: number, untilMs: number): number {
      return target.calls.filter(({ atMs }) => atMs >= fromMs && atMs <= untilMs).length
    }

    /** Takes Redis away for a while, in the middle of the first half. */
    async function outage(awayMs: number, goAway: () => unknown, comeBack: () => unknown) {
      await target.sawAtLeast(ids * 0.4)
      const awayFromMs = performance.now()
      await goAway()
      await until('the store is degraded', async () => (await status()).store.degraded)
      const shown = (await status()).store
      await new Promise((r) => setTimeout(r, awayFromMs + awayMs - performance.now()))
      const backFromMs = performance.now()
      await comeBack()
      await until('it has healed', async () => !(await status()).store.degraded)
      const healedMs = performance.now()
      console.log(`      status: ${JSON.stringify(shown)}`)
      for (const line of daemon.lines.filter(({ store }) => store === 'redis')) {
        console.log(`      log: ${JSON.stringify(line)}`)
      }
      return { awayFromMs, backFromMs, healedMs }
    }

    function tell(what: string): void {
      const { calls, repeats } = target
      console.log(`      calls ${calls.length}, repeats ${repeats}; ${what}`)
    }

    const ways = [
      {
        name: 'killed for three seconds',
        awayMs: 3_000,
        goAway: () => redis.kill(),
        comeBack: () => redis.start(),
      },
      {
        name: 'frozen for five seconds',
        awayMs: 5_000,
        goAway: () => redis.pause(),
        comeBack: () => redis.continue(),
      },
    ]
    for (const { name, awayMs, goAway, comeBack } of ways) {
      it(`${name}: none is missing, and twice runs what the outage met`, async () => {
        await start('run')
        const { awayFromMs, backFromMs, healedMs } = await outage(awayMs, goAway, comeBack)
        const ladder = await settled()
        const met = callsIn(awayFromMs - unmarkedMs, healedMs)
        tell(`${met} met by the outage, healed in ${Math.round(healedMs - backFromMs)} ms`)
        expect(target.missing(ids)).to.deep.equal([])
        expect(target.repeats).to.be.at.most(met)
        expect(ladder).to.deep.include({ matched: events, done: target.calls.length, dead: {} })
        expect(callsIn(awayFromMs + unmarkedMs, backFromMs), 'it went on').to.be.above(0)
      })

      it(`${name}, and a rule that waits for it: none is missing, and none runs meanwhile`, async () => {
        await start('wait')
        const { awayFromMs, backFromMs, healedMs } = await outage(awayMs, goAway, comeBack)
        await settled()
        tell(`healed in ${Math.round(healedMs - backFromMs)} ms`)
        expect(target.missing(ids)).to.deep.equal([])
        expect(callsIn(awayFromMs + unmarkedMs, backFromMs)).to.equal(0)
        // Calls that were under way when it went away could not be marked.
        expect(target.repeats).to.be.at.most(concurrency)
      })
    }

    it('emptied: none is missing, and twice runs what had been marked', async () => {
      await start('run')
      await target.sawAtLeast(ids * 0.6)
      await redis.cli(['FLUSHALL'])
      const marked = target.seen
      const noticed = await daemon.said(emptiedLine)
      console.log(`      log: ${noticed.msg}`)
      await settled()
      tell(`${marked} marked when it was emptied`)
      expect(target.missing(ids)).to.deep.equal([])
      expect(target.repeats).to.be.within(1, marked)
      expect((await status()).store).to.deep.include({ degraded: false })
    })

    it('that stays: each is acted on once', async () => {
      await start('run')
      const { done, skipped } = await settled()
      tell('no outage')
      expect({ done, skipped }).to.deep.equal({ done: ids, skipped: { duplicate: ids } })
      expect(target.missing(ids)).to.deep.equal([])
    })
  })
}

const emptiedLine =
  'the store was emptied: open windows are forgotten, and events inside them may be acted on again'

async function produce(path: string): Promise<void> {
  const parts = { path, clock: systemClock, logger: silentLogger, recordBytesMax: 2 ** 20 }
  const bus = await openEmbeddedBus(parts)
  const spec = { name: topic, partitions: 4, replication: 1, compacted: false }
  await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
  const batch = 1_000
  for (let from = 0; from < events; from += batch) {
    await bus.produce(
      Array.from({ length: batch }, (_, i) => ({
        topic,
        partition: (from + i) % 4,
        key: null,
        value: Buffer.from(JSON.stringify({ id: (from + i) % ids })),
        headers: [],
      })),
    )
  }
  await bus.close()
}

function ruleFile(port: number, onOutage: OnOutage): string {
  return `
rules:
  post:
    topics: [${topic}]
    dedup: { key: "{{event.id}}", window: 1h, keep: first, on_outage: ${onOutage} }
    do:
      http:
        method: POST
        url: "http://127.0.0.1:${port}/"
        json: { id: "{{event.id}}" }
    concurrency: ${concurrency}
`
}

function configFile(folder: string, redisUrl: string): string {
  return `
bus: { kind: embedded, path: ${JSON.stringify(join(folder, 'state'))} }
store: { kind: redis, redis: { url: ${JSON.stringify(redisUrl)} }, timeout: ${timeBoxMs}ms }
rules: { path: ${JSON.stringify(join(folder, 'rules'))} }
lanes: { default: { start_at: earliest } }
http: { allow_cidrs: [127.0.0.0/8] }
admin: { listen: "127.0.0.1:0" }
log: { format: json }
`
}
