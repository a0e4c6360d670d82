import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Life } from './fleet.ts'
import type { Inflicted } from './inflict.ts'
import { Inflictor, sleep } from './inflict.ts'
import { judge } from './judge.ts'
import type { Verdict } from './judge.ts'
import { judgeLadders, skipsOf, unbalanced } from './ladders.ts'
import type { Disturbance, Ledger } from './ledger.ts'
import type { Produced } from './producer.ts'
import { readLog } from './read-log.ts'
import { rulesUnderTest } from './rules.ts'
import type { Fault } from './kinds.ts'
import { topics } from './rules.ts'
import { lane, retryGroup, World, type WorldOptions } from './world.ts'

export interface RunResult {
  readonly verdict: Verdict
  /** Everything that is wrong, those of the verdict included; empty: the run has passed. */
  readonly breaches: readonly string[]
  readonly inflicted: readonly Inflicted[]
  readonly skips: ReadonlyMap<string, number>
  readonly events: number
  readonly refused: number
  readonly calls: number
  readonly lives: number
  /** From the end of the last fault until nothing was left to do, in milliseconds. */
  readonly drainedMs: number
  /** By kind, the longest from the end of a fault until all daemons were ready and up to date. */
  readonly healedMsMax: ReadonlyMap<string, number>
}

const lookEveryMs = 1_000
/** What members get to finish what is in flight before their partitions are assigned anew. */
const handOverMs = 5_000
/** Twice a session and a lease, and a queue of tasks that wait for their last retry. */
const drainMsMax = 150_000
/** A daemon whose oldest event is younger is up to date: digests wait for as long. */
const upToDateS = 6

/** Plays a schedule, lets everything drain, and judges. */
export async function runFaults(
  options: WorldOptions,
  schedule: readonly Fault[],
  lastsMs: number,
  tell: (line: string) => void,
): Promise<RunResult> {
  const world = await World.open(options)
  process.once('exit', () => world.fleet.killAll())
  try {
    return await new Run(world, tell).play(schedule, lastsMs)
  } finally {
    await world.fleet.close()
    await world.close()
  }
}

class Run {
  readonly #world: World
  readonly #tell: (line: string) => void
  readonly #ladderBreaches = new Set<string>()
  readonly #inflicted: Inflicted[] = []
  readonly #healing = new Set<Inflicted>()
  readonly #healedMs = new Map<string, number>()
  #isOver = false

  constructor(world: World, tell: (line: string) => void) {
    this.#world = world
    this.#tell = tell
  }

  async play(schedule: readonly Fault[], lastsMs: number): Promise<RunResult> {
    const world = this.#world
    world.fleet.start()
    const looking = this.#lookNowAndThen()
    world.producer.start()
    const inflictor = new Inflictor(world)
    await this.#inflictAll(schedule, lastsMs, inflictor)
    const fromMs = Date.now()
    await world.producer.stop()
    const isDrained = await this.#drain()
    const drainedMs = Date.now() - fromMs
    this.#isOver = true
    await looking
    await world.fleet.look()
    const log = await readLog(world.bus, 'sluice.dead')
    const calls = [...world.calls, ...log.derived]
    this.#noteWhatDaemonsTold()
    const { deletedTopics } = inflictor
    const { disturbances } = world
    const ledger = { ...log, calls, disturbances, deletedTopics }
    const verdict = judge(ledger, rulesUnderTest)
    const breaches = [
      ...verdict.breaches,
      ...this.#ladderBreaches,
      ...judgeLadders(world.fleet.lives, world.calls, rulesUnderTest),
      ...this.#lostByTheBus(log.events, deletedTopics),
      ...(isDrained ? [] : [`not drained after ${drainMsMax} ms: ${await this.#whatIsLeft()}`]),
    ]
    await world.fleet.close()
    if (world.options.keep !== null)
      await keep(world.options.keep, ledger, world.producer.acknowledged, world.fleet.lives)
    return {
      verdict,
      breaches: [...breaches, ...world.fleet.surprises],
      inflicted: this.#inflicted,
      skips: new Map(
        rulesUnderTest.map(({ name }) => [name, skipsOf(world.fleet.lives, name)] as const),
      ),
      events: log.events.length,
      refused: world.producer.refused,
      calls: calls.length,
      lives: world.fleet.lives.length,
      drainedMs,
      healedMsMax: this.#healedMs,
    }
  }

  /** Each at its time, whatever became of those before it; resolves when the last has ended. */
  async #inflictAll(schedule: readonly Fault[], lastsMs: number, inflictor: Inflictor) {
    const startMs = Date.now()
    const running = schedule.map(async (fault) => {
      await sleep(fault.atMs)
      try {
        const inflicted = await inflictor.inflict(fault)
        this.#inflicted.push(inflicted)
        if (inflicted.happened) this.#healing.add(inflicted)
      } catch (error) {
        this.#world.fleet.surprises.push(`${fault.kind} could not be inflicted: ${String(error)}`)
      }
    })
    await Promise.all([sleep(lastsMs), ...running])
    this.#tell(`faults ended after ${Math.round((Date.now() - startMs) / 1_000)} s`)
  }

  async #lookNowAndThen(): Promise<void> {
    while (!this.#isOver) {
      await sleep(lookEveryMs)
      const seen = await this.#world.fleet.look()
      for (const { name, status } of this.#world.fleet.lives) {
        if (status === null) continue
        for (const breach of unbalanced(name, status.rules)) this.#ladderBreaches.add(breach)
      }
      if (seen.every((status) => status?.ready === true && status.bus.lag_s < upToDateS)) {
        this.#noteHealed()
      }
    }
  }

  #noteHealed(): void {
    const nowMs = Date.now()
    for (const inflicted of this.#healing) {
      const { kind } = inflicted.fault
      const tookMs = Math.max(0, nowMs - inflicted.untilMs)
      this.#healedMs.set(kind, Math.max(tookMs, this.#healedMs.get(kind) ?? 0))
    }
    this.#healing.clear()
  }

  /** Waits until every offset is committed and nothing is pending in any daemon. */
  async #drain(): Promise<boolean> {
    const untilMs = Date.now() + drainMsMax
    let quiet = 0
    while (Date.now() < untilMs) {
      await sleep(lookEveryMs)
      quiet = (await this.#whatIsLeft()) === '' ? quiet + 1 : 0
      if (quiet === 2) return true // a derived event is on its way between two looks
    }
    return false
  }

  /** In words; empty: nothing. */
  async #whatIsLeft(): Promise<string> {
    const { bus, fleet, targets } = this.#world
    const left: string[] = []
    for (const life of fleet.running()) {
      for (const { name, ladder } of life.status?.rules ?? []) {
        const { in_flight, queue, backlog } = ladder.pending
        if (in_flight + queue + backlog > 0) {
          left.push(`${name} of ${life.name} ${in_flight}+${queue}+${backlog}`)
        }
      }
    }
    for (const [name, { openCalls }] of Object.entries(targets)) {
      if (openCalls > 0) left.push(`${openCalls} calls of ${name}`)
    }
    if (left.length > 0) return left.join(', ')
    try {
      const all = await bus.admin.listTopics()
      const ours = all.filter((topic) => /^sluice\.(retry|backlog)\./.test(topic))
      left.push(...(await this.#uncommitted(lane, Object.values(topics))))
      const retries = ours.filter((topic) => topic.startsWith('sluice.retry.'))
      left.push(...(await this.#uncommitted(retryGroup, retries)))
    } catch (error) {
      left.push(`the bus does not answer: ${String(error)}`)
    }
    return left.join(', ')
  }

  async #uncommitted(group: string, names: readonly string[]): Promise<readonly string[]> {
    const { admin } = this.#world.bus
    const offsets = new Map(
      (await admin.groupOffsets(group, names)).map(({ topic, partition, offset }) => [
        `${topic}/${partition}`,
        offset,
      ]),
    )
    const left: string[] = []
    for (const topic of names) {
      for (const { partition, low, high } of await admin.watermarks(topic)) {
        const name = `${topic}/${partition}`
        const offset = offsets.get(name) ?? low
        if (offset < high) left.push(`${name} ${offset}<${high}`)
      }
    }
    return left
  }

  /** What befell the daemons without a fault of ours, or for longer than one, by their own logs. */
  #noteWhatDaemonsTold(): void {
    const { disturbances, fleet } = this.#world
    for (const { daemon, name } of fleet.lives) {
      let away: Disturbance | null = null
      for (const { msg, time } of daemon.lines) {
        const atMs = Date.parse(String(time))
        if (msg === 'partitions assigned') {
          const fromMs = atMs - handOverMs
          disturbances.push({ kind: 'rebalance', fromMs, untilMs: atMs, life: null })
        } else if (msg.startsWith('the store is degraded') && away === null) {
          away = { kind: 'store-degraded', fromMs: atMs, untilMs: null, life: name }
          disturbances.push(away)
        } else if (msg === 'the store is back' && away !== null) {
          away.untilMs = atMs
          away = null
        }
      }
    }
    disturbances.sort((a, b) => a.fromMs - b.fromMs)
  }

  /** The harness trusts the bus as little as it trusts the daemons. */
  #lostByTheBus(
    events: readonly { readonly n: number; readonly topic: string }[],
    deleted: ReadonlySet<string>,
  ): readonly string[] {
    const there = new Set(events.map(({ n, topic }) => `${topic} ${n}`))
    return this.#world.producer.acknowledged
      .filter(({ n, topic }) => !deleted.has(topic) && !there.has(`${topic} ${n}`))
      .slice(0, 5)
      .map(({ n, topic }) => `the bus has lost event ${n} of ${topic}, which it had acknowledged`)
  }
}

/** What somebody needs who looks for the cause of a breach. */
async function keep(
  folder: string,
  ledger: Ledger,
  acknowledged: readonly Produced[],
  lives: readonly Life[],
): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { calls, events, dead, disturbances } = ledger
  const lists = { calls, events, dead, disturbances, acknowledged }
  for (const [name, list] of Object.entries(lists)) {
    const lines = (list as readonly unknown[]).map((one) => `${JSON.stringify(one)}\n`) // as: any of them
    await writeFile(join(folder, `${name}.ndjson`), lines.join(''))
  }
  for (const { name, daemon } of lives) {
    await writeFile(join(folder, `${name}.log`), `${daemon.transcript()}\n`)
  }
}
