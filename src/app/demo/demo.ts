import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AdminStartError } from '../../admin/start-admin.ts'
import { exitCode } from '../../cli/exit-code.ts'
import type { DemoOptions } from '../../cli/program-deps.ts'
import { systemClock } from '../../drivers/system-clock.ts'
import { ownTopics } from '../../engine/own-topics.ts'
import type { DemoDocument, StatusDocument } from '../../model/status.ts'
import { renderProblems } from '../../schema/render-problem.ts'
import type { Daemon } from '../daemon.ts'
import { startDaemon } from '../daemon.ts'
import { StartError, StoppedWhileStarting } from '../lifecycle.ts'
import type { House } from '../load.ts'
import { load } from '../load.ts'
import { createLogger } from '../logging.ts'
import { stopSignal } from '../stop-signal.ts'
import { isDrained, recordsOf } from './drained.ts'
import { demoTopic, play, recordedEdits } from './recording.ts'
import { Screen } from './screen.ts'
import type { DemoTarget } from './target.ts'
import { openDemoTarget } from './target.ts'
import { actionsOf } from '../../rules/rule.ts'

/** How the command line prints a status. */
export type RenderStatus = (status: StatusDocument) => string

/** Those of the defaults, and two short ones, so that a retry is seen while one watches. */
const tiers = ['2s', '5s', '10s', '1m', '10m', '1h']

/** The rules that ship with Sluice: beside `src`, and beside `dist`. */
const rulesFolder = fileURLToPath(new URL('../../../rules', import.meta.url))

/** How often it is looked whether all is done, and how long a drain may take: the longest retries, twice. */
const lookEveryMs = 200
const drainMsMax = 60_000

/**
 * `sluice demo`: the daemon as it ships on an embedded bus of its own, a local target that stands in
 * for the services that the rules call, and the recorded edits. Gives the exit code.
 */
export async function runDemo(options: DemoOptions, renderStatus: RenderStatus): Promise<number> {
  const stopping = stopSignal()
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'))
  try {
    return await demoIn(folder, options, renderStatus, stopping)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function demoIn(
  folder: string,
  options: DemoOptions,
  renderStatus: RenderStatus,
  stopping: Promise<string>,
): Promise<number> {
  const screen = new Screen(options.json)
  let signingKey = ''
  const target = await openDemoTarget(
    () => signingKey,
    (request) => screen.request(request),
  )
  try {
    const loaded = await load({ configFile: null, set: settings(folder) })
    if (loaded.problems.length > 0) process.stderr.write(`${renderProblems(loaded.problems)}\n`)
    if (loaded.house === null) return exitCode.usage
    const house = calling(target, loaded.house)
    signingKey = house.config.secrets.get('demo-signing-key')?.reveal() ?? ''
    const daemon = await startOnFreePort(house, options.port, stopping)
    try {
      await show({ daemon, house, options, screen, target, renderStatus, stopping })
    } finally {
      await daemon.stop()
    }
    return exitCode.ok
  } catch (error) {
    if (error instanceof StoppedWhileStarting) return exitCode.ok
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`${error.message}\n`)
    return exitCode.unreachable
  } finally {
    await target.close()
  }
}

function settings(folder: string): readonly string[] {
  const values: Record<string, unknown> = {
    'bus.path': folder,
    'rules.path': rulesFolder,
    'lanes.default.start_at': 'earliest',
    'retry.tiers': tiers,
    // The rules are there to be changed: whatever they call then, it stays on this machine.
    'http.egress': 'internal',
    'http.allow_cidrs': ['127.0.0.0/8'],
    'log.level': 'error',
    'log.format': 'pretty',
  }
  return Object.entries(values).map(([path, value]) => `${path}=${JSON.stringify(value)}`)
}

/** With the target in place of every service that the rules call by plain HTTP. */
function calling(target: DemoTarget, { config, ruleSet }: House): House {
  const connectTo: Record<string, string> = {}
  for (const { calls } of ruleSet.rules.flatMap(actionsOf)) {
    if (calls === null) continue
    const { hostname, port } = new URL(calls)
    connectTo[`${hostname}:${port || '80'}`] = target.address
  }
  return { config: { ...config, http: { ...config.http, connectTo } }, ruleSet }
}

/** With its admin API on `port`; on `null`, on the default one or, if that is taken, any other. */
async function startOnFreePort(
  { config, ruleSet }: House,
  port: number | null,
  stopping: Promise<unknown>,
): Promise<Daemon> {
  const logger = createLogger(config.log, process.stderr.isTTY)
  const start = (admin: number): Promise<Daemon> => {
    const listen = { ...config.admin.listen, port: admin }
    return startDaemon({ ...config, admin: { ...config.admin, listen } }, ruleSet, logger, stopping)
  }
  try {
    return await start(port ?? config.admin.listen.port)
  } catch (error) {
    const cause = error instanceof StartError ? error.cause : null
    const isTaken = cause instanceof AdminStartError && cause.code === 'address-in-use'
    if (port !== null || !isTaken) throw error
    return start(0)
  }
}

interface Show {
  readonly daemon: Daemon
  readonly house: House
  readonly options: DemoOptions
  readonly screen: Screen
  readonly target: DemoTarget
  readonly renderStatus: RenderStatus
  readonly stopping: Promise<string>
}

/** Plays the edits, waits until everything has come to its outcome, and shows what became of it. */
async function show(scene: Show): Promise<void> {
  const { daemon, house, options, screen, target, renderStatus, stopping } = scene
  const startedMs = systemClock.monotonic()
  const interrupted = new AbortController()
  void stopping.then(() => interrupted.abort())
  const edits = await recordedEdits()
  screen.opening({
    edits: edits.length,
    perSecond: options.rate,
    rules: rulesFolder,
    target: target.address,
    admin: daemon.adminUrl,
  })
  await play(edits, daemon.bus, options.rate, interrupted.signal)
  await untilDrained(daemon, house, interrupted.signal)
  const status = await daemon.status()
  const document: DemoDocument = {
    events: await recordsOf(daemon.bus, demoTopic),
    requests: screen.requests,
    derived: await derivedEvents(daemon, house),
    rules: status.rules,
    elapsed_s: Math.round((systemClock.monotonic() - startedMs) / 100) / 10,
  }
  if (options.json) process.stdout.write(`${JSON.stringify(document)}\n`)
  const isOver = options.once || interrupted.signal.aborted
  if (!options.json) screen.closing(document, renderStatus(status), daemon.adminUrl, isOver)
  if (!isOver) await stopping
}

async function untilDrained(daemon: Daemon, { config, ruleSet }: House, signal: AbortSignal) {
  const own = ownTopics(config.bus.prefix, config.retry.tiersMs)
  const groups = [
    ...config.lanes.map(({ name, group }) => ({ group, topics: ruleSet.topicsOf(name, []) })),
    { group: `${config.bus.prefix}.retry`, topics: own.tiersMs.map((ms) => own.tier(ms)) },
  ]
  const endMs = systemClock.monotonic() + drainMsMax
  while (!signal.aborted && systemClock.monotonic() < endMs) {
    // The lag that is shown was looked at a while ago; without this the table could contradict itself.
    const isSeen = async (): Promise<boolean> => (await daemon.status()).bus.lag_events === 0
    if ((await isDrained(daemon.bus, groups)) && (await isSeen())) return
    await systemClock.sleep(lookEveryMs)
  }
}

async function derivedEvents({ bus }: Daemon, { ruleSet }: House): Promise<number> {
  const emitted = ruleSet.rules.flatMap((rule) =>
    actionsOf(rule).flatMap((one) => one.emitsTo ?? []),
  )
  const counts = await Promise.all([...new Set(emitted)].map((topic) => recordsOf(bus, topic)))
  return counts.reduce((sum, count) => sum + count, 0)
}
