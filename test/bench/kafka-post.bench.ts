import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import { startKafka } from '../services/kafka.ts'
import { startRedis } from '../services/redis.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { silentLogger } from '../support/silent-logger.ts'

/*
 * `npm run bench`: recorded edits from Kafka, one POST each, by a bare loop and by Sluice: without
 * windows, and with a window on every task, in Redis and in the embedded store. Every edit is of a
 * page of its own, so that each window lets its task act. In turn in one run on one machine, with
 * the same broker, target and events. Prints rates at the target, CPU per 100,000 events, and the
 * medians of the ratios. EVENTS and ROUNDS set the size, ARMS names those to run, with commas between.
 */
const events = Number(process.env['EVENTS'] ?? 200_000)
const rounds = Number(process.env['ROUNDS'] ?? 2)
const partitions = 4
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface Arm {
  readonly name: string
  readonly run: (origin: string, group: string) => Promise<Run>
}

interface Run {
  readonly perSecond: number
  readonly cpuPer100k: number
  /** Round trips to the store. */
  readonly storeTrips: number
}

const onceById = { key: '{{event.meta.id}}', window: '1h', keep: 'first' }
const bothByPage = { key: '{{event.wiki}}:{{event.title}}', window: '5s', keep: 'both' }
const allArms: readonly Arm[] = [
  { name: 'bare', run: runBare },
  { name: 'plain', run: (...at) => runSluice(...at, null, 'embedded') },
  { name: 'redis-first', run: (...at) => runSluice(...at, onceById, 'redis') },
  { name: 'redis-both', run: (...at) => runSluice(...at, bothByPage, 'redis') },
  { name: 'embedded-first', run: (...at) => runSluice(...at, onceById, 'embedded') },
  { name: 'embedded-both', run: (...at) => runSluice(...at, bothByPage, 'embedded') },
]
const asked = process.env['ARMS']?.split(',')
const arms = allArms.filter(({ name }) => asked?.includes(name) ?? true)

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
const broker = await startKafka()
const redis = await startRedis()
const target = spawn(process.execPath, ['--import=tsx', here('counting-target.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
try {
  const origin = `http://127.0.0.1:${(await firstLine(target)).trim()}`
  await fill()
  const runs = new Map<string, Run[]>(arms.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    for (const { name, run } of arms) {
      const figures = await run(origin, `${name}-${round}`)
      runs.get(name)?.push(figures)
      print(`round ${round}, ${name}`, figures)
    }
  }
  printRatios(runs)
} finally {
  target.kill()
  await redis.close()
  await broker.close()
  await rm(folder, { recursive: true, force: true })
}

async function fill(): Promise<void> {
  const recorded = new URL(
    '../../src/app/demo/recording/recentchange-enwiki-2023-07-29.ndjson',
    import.meta.url,
  )
  const edits = (await readFile(recorded, 'utf8')).trimEnd().split('\n')
  const bus = openKafkaBus({
    brokers: broker.brokers,
    clientId: 'bench',
    tls: null,
    sasl: null,
    rack: null,
    clock: systemClock,
    logger: silentLogger,
    compression: 'none', // kafkajs alone reads nothing else but gzip
  })
  const spec = { name: 'edits', partitions, replication: 1, compacted: false }
  await bus.admin.ensureTopics([{ ...spec, retentionMs: null, retentionBytes: null }])
  for (let from = 0; from < events; from += 2_000) {
    await bus.produce(
      Array.from({ length: Math.min(2_000, events - from) }, (_, i) => {
        const edit = edits[(from + i) % edits.length] ?? ''
        const fresh = edit
          .replace(/"id":"[0-9a-f-]{36}"/, `"id":"${from + i}"`)
          .replace('"title":"', `"title":"${from + i} `)
        const partition = (from + i) % partitions
        return { topic: 'edits', partition, key: null, value: Buffer.from(fresh), headers: [] }
      }),
    )
  }
  await bus.close()
}

async function runBare(origin: string, group: string): Promise<Run> {
  await fetch(origin, { method: 'DELETE' })
  const args = [here('bare-loop.ts'), broker.brokers.join(','), 'edits', group, origin, `${events}`]
  const child = spawn(process.execPath, ['--import=tsx', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const printed = JSON.parse(await firstLine(child)) as { cpuSeconds: number } // as: what bare-loop prints
  return {
    perSecond: await rateAt(origin),
    cpuPer100k: (printed.cpuSeconds * 1e5) / events,
    storeTrips: 0,
  }
}

async function runSluice(
  origin: string,
  group: string,
  dedup: Readonly<Record<string, string>> | null,
  store: 'embedded' | 'redis',
): Promise<Run> {
  await fetch(origin, { method: 'DELETE' })
  await redis.cli(['FLUSHALL'])
  const rules = join(folder, group)
  await mkdir(rules)
  const post = {
    method: 'POST',
    url: `${origin}/`,
    json: { id: '{{event.meta.id}}', title: '{{event.title}}' },
  }
  const rule = { topics: ['edits'], do: { http: post }, concurrency: 64 }
  await writeFile(
    join(rules, 'post.yaml'),
    JSON.stringify({ rules: { post: dedup === null ? rule : { ...rule, dedup } } }),
  )
  await writeFile(
    join(rules, 'config.yml'),
    JSON.stringify({
      bus: { kind: 'kafka', path: join(folder, group), kafka: { brokers: broker.brokers } },
      store: store === 'redis' ? { kind: 'redis', redis: { url: redis.url } } : { kind: store },
      rules: { path: join(rules, 'post.yaml') },
      lanes: { default: { group, start_at: 'earliest' } },
      http: { allow_cidrs: ['127.0.0.0/8'] },
      admin: { listen: '127.0.0.1:0' },
    }),
  )
  const daemon = new DaemonProcess(['run', '-c', join(rules, 'config.yml')])
  try {
    const admin = await daemon.adminUrl()
    const startedCpu = await metricOf(admin, 'process_cpu_seconds_total')
    while ((await statsAt(origin)).count < events) await new Promise((r) => setTimeout(r, 200))
    const cpuSeconds = (await metricOf(admin, 'process_cpu_seconds_total')) - startedCpu
    const storeTrips = await metricOf(admin, 'sluice_store_seconds_count')
    return { perSecond: await rateAt(origin), cpuPer100k: (cpuSeconds * 1e5) / events, storeTrips }
  } finally {
    await daemon.stop()
  }
}

/** NaN when there is none of that name. */
async function metricOf(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
}

async function statsAt(origin: string) {
  const answer = await (await fetch(origin)).json()
  return answer as { count: number; firstMs: number; lastMs: number } // as: what counting-target sends
}

async function rateAt(origin: string): Promise<number> {
  const { count, firstMs, lastMs } = await statsAt(origin)
  return count / ((lastMs - firstMs) / 1_000)
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('stdout is a pipe')
  const ended = once(child, 'exit').then(() => {
    throw new Error('a process of the bench ended without a word')
  })
  const said = once(child.stdout, 'data').then(([chunk]) => String(chunk))
  return Promise.race([said, ended])
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN
}

function print(name: string, { perSecond, cpuPer100k, storeTrips }: Run): void {
  const figures = `${perSecond.toFixed(0)}/s, ${cpuPer100k.toFixed(1)} CPU s per 100,000`
  const trips = storeTrips > 0 ? `, ${(events / storeTrips).toFixed(0)} events a round trip` : ''
  console.log(`${name}: ${figures}${trips}`)
}

/** Of rounds, not of medians: the machine is not the same in each. */
function printRatios(runs: ReadonlyMap<string, readonly Run[]>): void {
  for (const base of ['bare', 'plain']) {
    const against = runs.get(base) ?? []
    for (const [name, own] of runs) {
      const rate = median(own.map((run, i) => run.perSecond / (against[i]?.perSecond ?? NaN)))
      const cpu = median(own.map((run, i) => run.cpuPer100k / (against[i]?.cpuPer100k ?? NaN)))
      if (name === base || name === 'bare' || Number.isNaN(rate)) continue
      console.log(`${name} beside ${base}: rate ${rate.toFixed(2)} x, CPU ${cpu.toFixed(2)} x`)
    }
  }
}
