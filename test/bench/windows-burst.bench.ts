import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { StatusDocument } from '../../src/model/status.ts'
import type { Bus } from '../../src/ports/bus.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { silentLogger } from '../support/silent-logger.ts'

/*
 * `npm run bench:burst`: a million edits of a thousand pages, as fast as the embedded bus takes them,
 * through a daemon with `keep: both, window: 5s`. Prints how often a page was acted on, how often in
 * any 5 seconds, how many events waited in a tier topic, and, on Linux, the memory of the daemon. It
 * fails when the last edit of a page was not the last that was acted on. EVENTS and PAGES set the
 * size.
 */
const events = Number(process.env['EVENTS'] ?? 1_000_000)
const pages = Number(process.env['PAGES'] ?? 1_000)
const windowMs = 5_000
const partitions = 4
const topic = 'edits'
const perProduce = 1_000
const everyMs = 250

interface Call {
  readonly n: number
  readonly atMs: number
}

const callsByPage = new Map<number, Call[]>()
const target = createServer((request, response) => {
  let text = ''
  request.on('data', (chunk: Buffer) => (text += chunk.toString()))
  request.on('end', () => {
    const { page, n } = JSON.parse(text) as { page: number; n: number } // as: what the rule sends
    const calls = callsByPage.get(page) ?? []
    callsByPage.set(page, [...calls, { n, atMs: performance.now() }])
    response.end()
  })
})
await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))

const folder = await mkdtemp(join(tmpdir(), 'sluice-burst-'))
const path = join(folder, 'state')
const parts = { path, clock: systemClock, logger: silentLogger, recordBytesMax: 2 ** 20 }
const bus = await openEmbeddedBus(parts)
const spec = { name: topic, partitions, replication: 1, compacted: false }
await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
const daemon = new DaemonProcess(['run', '-c', await configured()])
try {
  const admin = await daemon.adminUrl()
  const startMs = performance.now()
  const producing = produceAll(bus).then(() => performance.now())
  const ownMiB: number[] = []
  let readMs = 0
  while (!(await isOver(admin))) {
    ownMiB.push(await ownMemoryMiB(daemon.pid))
    if (readMs === 0 && (await metricOf(admin, 'sluice_events_total')) >= events) {
      readMs = performance.now()
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  const seconds = (untilMs: number): string => ((untilMs - startMs) / 1_000).toFixed(1)
  const producedMs = await producing
  if (readMs === 0) readMs = performance.now()
  const perSecond = (events / (readMs - startMs)) * 1_000
  const runs = [...callsByPage.values()].map((calls) => calls.length)
  console.log(`${events} events of ${pages} pages: produced in ${seconds(producedMs)} s,`)
  console.log(
    `  read in ${seconds(readMs)} s (${perSecond.toFixed(0)}/s), all over in ${seconds(performance.now())} s`,
  )
  console.log(
    `runs: ${runs.reduce((sum, count) => sum + count, 0)}, a page ${Math.min(...runs)} to ${Math.max(...runs)}`,
  )
  console.log(`runs of one page in any ${windowMs / 1_000} s: at most ${mostInWindow()}`)
  console.log(`handed to a tier: ${await handedOver(bus)}`)
  const tenths = Array.from({ length: 10 }, (_, i) => Math.floor((i * ownMiB.length) / 10))
  const overTime = tenths.map((from, i) => Math.max(...ownMiB.slice(from, tenths[i + 1])))
  console.log(
    `memory of the daemon, the log's file aside, in ten parts of that time: ${overTime.join(', ')} MiB`,
  )
  const stale = pagesActedOnStale()
  console.log(`pages whose last edit was not acted on last: ${stale.length}`)
  console.log(JSON.stringify((await statusOf(admin)).rules[0]?.ladder))
  if (stale.length > 0) process.exitCode = 1
} finally {
  await daemon.stop()
  await bus.close()
  target.close()
  await rm(folder, { recursive: true, force: true })
}

async function configured(): Promise<string> {
  const { port } = target.address() as AddressInfo // as: it listens on a TCP port
  const purge = {
    topics: [topic],
    key: '{{event.page}}',
    dedup: { window: `${windowMs}ms`, keep: 'both' },
    do: {
      http: {
        method: 'POST',
        url: `http://127.0.0.1:${port}/`,
        json: { page: '{{event.page}}', n: '{{event.n}}' },
      },
    },
    concurrency: 64,
  }
  const config = {
    bus: { kind: 'embedded', path },
    rules: { path: join(folder, 'rules') },
    lanes: { default: { start_at: 'earliest' } },
    http: { allow_cidrs: ['127.0.0.0/8'] },
    admin: { listen: '127.0.0.1:0' },
  }
  await mkdir(config.rules.path)
  await writeFile(join(config.rules.path, 'purge.yaml'), JSON.stringify({ rules: { purge } }))
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config))
  return join(folder, 'config.yaml')
}

/** Edits of all pages in turn; all of one page are in one partition. */
async function produceAll(to: Bus): Promise<void> {
  for (let from = 0; from < events; from += perProduce) {
    await to.produce(
      Array.from({ length: Math.min(perProduce, events - from) }, (_, i) => {
        const n = from + i
        const page = n % pages
        const value = Buffer.from(JSON.stringify({ page, n, text: 'x'.repeat(200) }))
        return { topic, partition: page % partitions, key: null, value, headers: [] }
      }),
    )
  }
}

async function isOver(admin: string): Promise<boolean> {
  if (pagesActedOnStale().length > 0) return false
  const { bus: at, rules } = await statusOf(admin)
  const pending = Object.values(rules[0]?.ladder.pending ?? {})
  return at.lag_events === 0 && pending.every((count) => count === 0)
}

function pagesActedOnStale(): readonly number[] {
  const all = Array.from({ length: pages }, (_, page) => page)
  return all.filter((page) => {
    const lastEdit = page + Math.floor((events - 1 - page) / pages) * pages
    return callsByPage.get(page)?.at(-1)?.n !== lastEdit
  })
}

/** The most calls of one page that arrived within the length of a window. */
function mostInWindow(): number {
  let most = 0
  for (const calls of callsByPage.values()) {
    for (const [at, { atMs }] of calls.entries()) {
      const within = calls.slice(at).filter((call) => call.atMs < atMs + windowMs)
      most = Math.max(most, within.length)
    }
  }
  return most
}

async function handedOver(from: Bus): Promise<number> {
  const tiers = ['10s', '1m', '10m', '1h'].map((tier) => `sluice.retry.${tier}`)
  const marks = await Promise.all(tiers.map((tier) => from.admin.watermarks(tier)))
  return marks.flat().reduce((sum, { high }) => sum + Number(high), 0)
}

/** Linux counts what it has mapped of the embedded log as the daemon's; that is left out. */
async function ownMemoryMiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^RssAnon:\s+(\d+) kB/m.exec(text)?.[1]) / 1_024)
}

async function statusOf(admin: string): Promise<StatusDocument> {
  const answer = await fetch(`${admin}/api/v1/status`)
  return (await answer.json()) as StatusDocument // as: what the admin API promises
}

/** The sum over all labels. */
async function metricOf(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  const lines = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
}
