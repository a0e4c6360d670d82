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
import { DaemonProcess } from '../support/daemon-process.ts'
import { silentLogger } from '../support/silent-logger.ts'

/*
 * `npm run bench`: recorded edits from Kafka, one POST each, by Sluice and by a bare loop, in turn
 * in one run on one machine with the same broker, target and events. Prints rates at the target,
 * CPU per 100,000 events, and the ratios. EVENTS and ROUNDS set the size.
 */
const events = Number(process.env['EVENTS'] ?? 200_000)
const rounds = Number(process.env['ROUNDS'] ?? 2)
const partitions = 4
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

interface Run {
  readonly perSecond: number
  readonly cpuPer100k: number
}

const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'))
const broker = await startKafka()
const target = spawn(process.execPath, ['--import=tsx', here('counting-target.ts')], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
try {
  const origin = `http://127.0.0.1:${(await firstLine(target)).trim()}`
  await fill()
  const bare: Run[] = []
  const sluice: Run[] = []
  for (let round = 1; round <= rounds; round++) {
    bare.push(await runBare(origin, `bare-${round}`))
    sluice.push(await runSluice(origin, `sluice-${round}`))
    print(`round ${round}`, bare.at(-1), sluice.at(-1))
  }
  print('median', median(bare), median(sluice))
} finally {
  target.kill()
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
        const fresh = edit.replace(/"id":"[0-9a-f-]{36}"/, `"id":"${from + i}"`)
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
  return { perSecond: await rateAt(origin), cpuPer100k: (printed.cpuSeconds * 1e5) / events }
}

async function runSluice(origin: string, group: string): Promise<Run> {
  await fetch(origin, { method: 'DELETE' })
  const rules = join(folder, group)
  await mkdir(rules)
  const post = {
    method: 'POST',
    url: `${origin}/`,
    json: { id: '{{event.meta.id}}', title: '{{event.title}}' },
  }
  await writeFile(
    join(rules, 'post.yaml'),
    JSON.stringify({ rules: { post: { topics: ['edits'], do: { http: post }, concurrency: 64 } } }),
  )
  await writeFile(
    join(rules, 'config.yml'),
    JSON.stringify({
      bus: { kind: 'kafka', path: join(folder, 'data'), kafka: { brokers: broker.brokers } },
      rules: { path: join(rules, 'post.yaml') },
      lanes: { default: { group, start_at: 'earliest' } },
      http: { allow_cidrs: ['127.0.0.0/8'] },
      admin: { listen: '127.0.0.1:0' },
    }),
  )
  const daemon = new DaemonProcess(['run', '-c', join(rules, 'config.yml')])
  try {
    const admin = await daemon.adminUrl()
    const startedCpu = await cpuSecondsOf(admin)
    while ((await statsAt(origin)).count < events) await new Promise((r) => setTimeout(r, 200))
    const cpuSeconds = (await cpuSecondsOf(admin)) - startedCpu
    return { perSecond: await rateAt(origin), cpuPer100k: (cpuSeconds * 1e5) / events }
  } finally {
    await daemon.stop()
  }
}

async function cpuSecondsOf(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1])
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

function median(runs: readonly Run[]): Run | undefined {
  return runs.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(runs.length / 2)]
}

function print(name: string, bare: Run | undefined, sluice: Run | undefined): void {
  if (bare === undefined || sluice === undefined) return
  const figures = [
    `bare ${bare.perSecond.toFixed(0)}/s, ${bare.cpuPer100k.toFixed(1)} CPU s per 100,000`,
    `sluice ${sluice.perSecond.toFixed(0)}/s, ${sluice.cpuPer100k.toFixed(1)} CPU s per 100,000`,
    `rate ${(sluice.perSecond / bare.perSecond).toFixed(2)} x`,
    `CPU ${(sluice.cpuPer100k / bare.cpuPer100k).toFixed(2)} x`,
  ]
  console.log(`${name}: ${figures.join('; ')}`)
}
