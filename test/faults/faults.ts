import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seedOfRun } from '../support/seed.ts'
import type { FaultKind } from './kinds.ts'
import { impossibleKinds } from './kinds.ts'
import { readOptions, usage } from './options.ts'
import { report } from './report.ts'
import { runFaults } from './run-faults.ts'
import { describeFault, scheduleOf } from './schedule.ts'

/*
 * `npm run faults`: real daemons, a real bus, Redis and targets that do wrong, under a schedule of
 * faults that is a function of the seed; and a ledger outside of all that judges what came of it.
 * Exit code 0: everything was as promised; 1: it was not; 2: the command line.
 *
 * The small disk is a file system that only this process and its children see: the run is started
 * once more inside a mount namespace of its own, and goes on without that fault where none can be had.
 */

/** Room for the log of a long run, and little enough to be filled in a moment. */
const diskMiB = 256
const diskVariable = 'SLUICE_FAULTS_DISK'
const stopSignals = ['SIGINT', 'SIGTERM'] as const

const options = readOptions(process.argv.slice(2), seedOfRun)
if (typeof options === 'string') {
  console.error(`${options}\n${usage}`)
  process.exit(2)
}

const needsDisk = options.bus === 'embedded' && (options.only?.includes('disk-full') ?? true)
const disk = process.env[diskVariable] ?? null
if (needsDisk && disk === null && !options.isPlan) {
  const code = await onSmallDisk([
    '--seed',
    String(options.seed),
    ...withoutSeed(process.argv.slice(2)),
  ])
  if (code !== null) process.exit(code)
  console.log('no file system can be mounted here: the disk is never full')
}

const without: readonly FaultKind[] = [
  ...(disk === null && !options.isPlan ? (['disk-full'] as const) : []),
  ...(options.store === 'embedded'
    ? (['redis-killed', 'redis-frozen', 'redis-wiped'] as const)
    : []),
]
const lastsMs = options.minutes * 60_000
const { seed, bus, store, daemons, eventsPerSecond, keep } = options
const only = options.only === null ? {} : { only: options.only }
const schedule = scheduleOf({ seed, lastsMs, bus, daemons, ...only, without })
console.log(`seed ${seed}: ${daemons} daemons on ${bus} with the store in ${store}`)
for (const fault of schedule) console.log(describeFault(fault))
for (const [kind, reason] of Object.entries(impossibleKinds))
  console.log(`never ${kind}: ${reason}`)
if (options.isPlan) process.exit(0)

// Daemons would outlive us; the services end by themselves.
for (const signal of stopSignals) process.once(signal, () => process.exit(130))

const world = { seed, bus, store, daemons, eventsPerSecond, disk, keep }
const result = await runFaults(world, schedule, lastsMs, (line) => console.log(line))
console.log(`\n${report(result)}`)
if (result.breaches.length > 0) {
  const again = ['--seed', seed, '--minutes', options.minutes, '--bus', bus, '--store', store]
  console.log(`to see it again: npm run faults -- ${again.join(' ')} --daemons ${daemons}`)
}
process.exit(result.breaches.length === 0 ? 0 : 1)

/** Runs this very program where the folder is a small file system; `null`: that cannot be had. */
async function onSmallDisk(args: readonly string[]): Promise<number | null> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
  const mount = `mount -t tmpfs -o size=${diskMiB}m tmpfs "$0"`
  const program = fileURLToPath(import.meta.url)
  const inside = [folder, process.execPath, '--import', 'tsx', program, ...args]
  try {
    for (const flags of ['-rm', '-m']) {
      if (spawnSync('unshare', [flags, 'sh', '-c', mount, folder]).status !== 0) continue
      const child = spawn('unshare', [flags, 'sh', '-c', `${mount} && exec "$@"`, ...inside], {
        stdio: 'inherit',
        env: { ...process.env, [diskVariable]: folder },
      })
      for (const signal of stopSignals) process.once(signal, () => child.kill(signal))
      const [code] = (await once(child, 'exit')) as [number | null] // as: node's types say any
      return code ?? 1
    }
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function withoutSeed(args: readonly string[]): readonly string[] {
  const at = args.indexOf('--seed')
  return at === -1 ? args : [...args.slice(0, at), ...args.slice(at + 2)]
}
