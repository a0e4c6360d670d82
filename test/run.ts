import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Availability, ServiceName } from './services/availability.ts'
import { kafkaAvailability, startKafka } from './services/kafka.ts'
import { redisAvailability, startRedis } from './services/redis.ts'

/*
 * `npm test`: everything that must be true before a change lands, in the order in which it fails
 * fastest. Starts the services that it needs and ends them. The last line is `N passed, N failed`.
 */

interface Tally {
  passed: number
  failed: number
}

interface Service {
  readonly name: ServiceName
  readonly title: string
  availability(): Promise<Availability>
  start(): Promise<RunningService>
}

interface RunningService {
  /** Where tests find it. */
  readonly env: NodeJS.ProcessEnv
  close(): Promise<void>
}

const services: readonly Service[] = [
  {
    name: 'kafka',
    title: 'Kafka',
    availability: kafkaAvailability,
    async start() {
      const broker = await startKafka()
      return {
        env: { TEST_KAFKA_BROKERS: broker.brokers.join(',') },
        close: () => broker.close(),
      }
    },
  },
  {
    name: 'redis',
    title: 'Redis',
    availability: redisAvailability,
    async start() {
      const server = await startRedis()
      return { env: { TEST_REDIS_URL: server.url }, close: () => server.close() }
    },
  },
]

const isCi = process.env['CI'] === 'true'
const total: Tally = { passed: 0, failed: 0 }
const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))

for (const name of ['check:types', 'check:lint', 'check:layers', 'check:format', 'check:unused']) {
  await step(name)
}
const isBuilt = await step('build')
await suite('unit', ['test/unit/**/*.test.ts', 'test/oracle/**/*.test.ts'])
await suite('model', ['test/model/**/*.test.ts'])
await suite('scenario', ['test/scenario/**/*.test.ts'])
await suite('rules', ['test/rules/**/*.test.ts', 'test/mistakes/**/*.test.ts'])
const running: RunningService[] = []
const without: ServiceName[] = []
const notRun: string[] = []
try {
  for (const service of services) {
    const found = await prepared(service)
    const started = found.ok ? await startedOrNull(service) : null
    if (started === null) without.push(service.name)
    else running.push(started)
    if (!found.ok) {
      notRun.push(`all that needs ${service.title}. ${found.missing}. To run it: ${found.remedy}`)
    }
  }
  const env = running.reduce<NodeJS.ProcessEnv>((all, service) => ({ ...all, ...service.env }), {
    SLUICE_TEST_WITHOUT: without.join(','),
  })
  await suite('contract', ['test/contract/**/*.test.ts'], env)
  if (isBuilt) {
    await suite('program', ['test/program/**/*.test.ts'], env)
    await suite('crash', ['test/crash/**/*.test.ts'], env)
    await suite('faults', ['test/faults/**/*.test.ts'], env)
  }
} finally {
  await Promise.all(running.map((service) => service.close()))
  await rm(folder, { recursive: true, force: true })
}
if (isCi) total.failed += notRun.length
for (const what of notRun) console.log(`\nNot run: ${what}`)
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

/** Runs an npm script; it counts as one. */
async function step(script: string): Promise<boolean> {
  console.log(`\n== ${script}`)
  const code = await run('npm', ['run', '--silent', script])
  if (code === 0) total.passed += 1
  else total.failed += 1
  return code === 0
}

/** Runs test files in a process of their own; each test counts. */
async function suite(name: string, files: readonly string[], env: NodeJS.ProcessEnv = {}) {
  console.log(`\n== ${name}`)
  const report = join(folder, `${name}.json`)
  const args = ['--import=tsx', '--forbid-only', '--forbid-pending', '--reporter']
  const reporter = ['test/support/tally-reporter.cjs', '--reporter-option', `tally=${report}`]
  const code = await run('npx', ['mocha', ...args, ...reporter, ...files], env)
  const tally = await readTally(report)
  total.passed += tally.passed
  // A run that broke before or behind its tests has failed, whatever it had counted.
  total.failed += code !== 0 && tally.failed === 0 ? 1 : tally.failed
}

async function readTally(file: string): Promise<Tally> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Tally // as: what tally-reporter wrote
  } catch {
    return { passed: 0, failed: 0 }
  }
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  const [code] = (await once(child, 'exit')) as [number | null] // as: node's types say any
  return code
}

/** `null` when it does not start: that is a failure, and the rest is run all the same. */
async function startedOrNull(service: Service): Promise<RunningService | null> {
  try {
    return await service.start()
  } catch (error) {
    console.log(`\n${service.title} did not start: ${String(error)}`)
    total.failed += 1
    return null
  }
}

/** Finds a service, or installs what it lacks where that is allowed. */
async function prepared(service: Service): Promise<Availability> {
  const found = await service.availability()
  if (found.ok || !found.remedy.startsWith('apt-get ')) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return found
  console.log(`\n== ${found.remedy}`)
  await run('apt-get', ['update'])
  // Debian starts a service when it is installed, but not in this runlevel: tests start their own.
  await run('apt-get', ['install', '-y', ...found.remedy.split(' ').slice(2)], { RUNLEVEL: '1' })
  return service.availability()
}
