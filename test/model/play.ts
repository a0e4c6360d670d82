import { MemoryBus } from '../../src/drivers/memory/bus.ts'
import { ladderRest } from '../../src/engine/ladder.ts'
import { invariant } from '../../src/model/invariant.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { headerText } from '../../src/model/record.ts'
import { versionOf } from '../../src/model/stamp.ts'
import type { Rule } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { aRule, refusal, retryPolicy, status, success } from '../support/builders.ts'
import type { HouseOptions } from '../support/house.ts'
import { House } from '../support/house.ts'
import type { Arrival, Attempt, Ending, Fault, History } from './history.ts'
import type { Policy } from './policies.ts'
import { bodyFor, policyNamed } from './policies.ts'
import type { Answer, Command, Schedule } from './schedule.ts'
import { processesMax } from './schedule.ts'
import type { World, WorldClock, WorldStore } from './world.ts'

/** Everything is over by then: two long windows, a tier behind each, attempts, and a clock set back. */
const quietMsMax = 900_000
const quietStepMs = 5_000

const partitions = 2
const tiersMs = [1_000, 10_000]
const tiers = tiersMs.map((ms) => `sluice.retry.${ms / 1_000}s`)
const topic = 'edits'
const outcomes: Readonly<Record<Answer['ending'], Outcome>> = {
  done: success,
  retry: status(503),
  dead: refusal(400),
}

type WorldHouse = House<WorldClock, WorldStore>

interface Process {
  readonly number: number
  readonly house: WorldHouse
}

/** Carries out a schedule on whole engines, and gives what was seen. The world is of no use then. */
export async function play(schedule: Schedule, world: World): Promise<History> {
  const playing = await Playing.of(schedule, world)
  for (const command of schedule.commands) await playing.carryOut(command)
  return playing.end()
}

class Playing {
  readonly #schedule: Schedule
  readonly #policy: Policy
  readonly #processes: Process[] = []
  readonly #arrivals: Arrival[] = []
  readonly #attempts: Attempt[] = []
  readonly #faults: Fault[] = []
  readonly #outages = new Map<WorldHouse, Fault>()
  #shut: Fault | null = null
  readonly #complaints: string[] = []
  readonly #underWay: Promise<unknown>[] = []
  readonly #world: World
  /** Keeps the broker when no process is left. */
  #first: WorldHouse | null = null
  #started = 0
  #storeDelayMs = 0

  private constructor(schedule: Schedule, world: World) {
    this.#schedule = schedule
    this.#world = world
    this.#policy = policyNamed(schedule.policy)
  }

  static async of(schedule: Schedule, world: World): Promise<Playing> {
    const playing = new Playing(schedule, world)
    for (let n = 0; n < schedule.processes; n++) await playing.#start()
    await playing.#any.settle()
    playing.#faults.length = 0 // nothing was there to be disturbed
    return playing
  }

  get #any(): WorldHouse {
    invariant(this.#first !== null, 'a schedule begins with a process')
    return this.#first
  }

  get #nowMs(): number {
    return this.#world.clock.monotonic()
  }

  async carryOut(command: Command): Promise<void> {
    switch (command.do) {
      case 'emit':
        await this.#emit(command)
        break
      case 'pass':
        await this.#any.pass(command.ms)
        break
      case 'start':
        if (this.#processes.length < processesMax) await this.#start()
        break
      case 'crash':
        await this.#on(command.process, (process) => this.#crash(process))
        break
      case 'stop':
        await this.#on(command.process, (process) => this.#stop(process))
        break
      case 'rebalance':
        await this.#rebalance()
        break
      case 'store-away':
        await this.#on(command.process, ({ house }) => this.#storeAway(house, command.isApplied))
        break
      case 'store-back':
        await this.#on(command.process, ({ house }) => this.#storeBack(house))
        break
      case 'store-slow':
        this.#storeDelayMs = Math.max(this.#storeDelayMs, command.ms)
        await this.#on(command.process, ({ house }) => house.store.delay(command.ms))
        break
      case 'store-wiped':
        await this.#wipeStore()
        break
      case 'tiers-shut':
        this.#shutTiers()
        break
      case 'tiers-open':
        this.#openTiers()
        break
      case 'wall-clock': {
        this.#fault('wall-clock')
        const { clock } = this.#world
        clock.setWall(clock.now() + command.ms)
        break
      }
    }
    this.#balance()
  }

  async #on(process: number, act: (process: Process) => void | Promise<void>): Promise<void> {
    const found = this.#processes[process % Math.max(1, this.#processes.length)]
    if (found !== undefined) await act(found)
  }

  #fault(kind: Fault['kind']): Fault {
    const fault = { kind, fromMs: this.#nowMs, toMs: this.#nowMs }
    this.#faults.push(fault)
    return fault
  }

  async #emit({ key, partition, offMs, version }: Extract<Command, { do: 'emit' }>): Promise<void> {
    const house = this.#any
    const timestampMs = house.clock.now() + offMs
    const value = Buffer.from(JSON.stringify(bodyFor(key, version)))
    const record = { topic, partition, key: null, value, headers: [], timestampMs }
    const atMs = this.#nowMs
    const [at] = await new MemoryBus(house.broker).produce([record])
    invariant(at !== undefined, 'a record has its place')
    const source = `${topic}/${partition}`
    const hasVersion = this.#policy.dedup?.version !== null && this.#policy.dedup !== null
    this.#arrivals.push({
      id: `${source}/${at.offset}`,
      key,
      stamp: {
        version: hasVersion ? versionOf(String(version)) : null,
        source,
        offset: at.offset,
        timeMs: timestampMs,
      },
      atMs,
    })
    await house.settle()
  }

  async #start(): Promise<void> {
    const number = ++this.#started
    const options: HouseOptions = {
      rules: [this.#rule(number)],
      lane: { window: this.#schedule.window },
      retryWindow: this.#schedule.window,
      partitions,
      tiersMs,
    }
    const ground = { clock: this.#world.clock, store: await this.#world.openStore() }
    const house = new House(options, this.#first ?? undefined, `process-${number}`, ground)
    this.#first ??= house
    this.#processes.push({ number, house })
    this.#membershipChanges()
    await house.start()
  }

  /** Until the others have finished what they were at, or their grace is over. */
  #membershipChanges(): void {
    this.#fault('membership').toMs += 5_000 + this.#world.slackMs
  }

  async #crash({ number, house }: Process): Promise<void> {
    this.#remove(number)
    this.#fault('crash')
    this.#membershipChanges()
    for (const attempt of this.#attempts) {
      if (attempt.process !== number || attempt.endMs !== null) continue
      attempt.endMs = this.#nowMs
      attempt.ending = 'cut'
    }
    this.#underWay.push(house.crash())
    await house.settle()
  }

  async #stop({ number, house }: Process): Promise<void> {
    this.#remove(number)
    this.#storeBack(house)
    const fault = this.#fault('membership')
    await house.stop()
    fault.toMs = this.#nowMs
    this.#balanceOf({ number, house })
    await house.store.close()
  }

  #remove(number: number): void {
    const at = this.#processes.findIndex((one) => one.number === number)
    this.#processes.splice(at, 1)
  }

  async #rebalance(): Promise<void> {
    this.#membershipChanges()
    const { broker } = this.#any
    for (const group of ['sluice', 'sluice.retry']) {
      this.#underWay.push(broker.group(group).rebalance((members) => members))
    }
    await this.#any.settle()
  }

  #shutTiers(): void {
    this.#shut ??= this.#fault('bus')
    this.#shut.toMs = Infinity
    for (const name of tiers) this.#any.broker.refuseProducesTo(name)
  }

  #openTiers(): void {
    if (this.#shut !== null) this.#shut.toMs = this.#nowMs
    this.#shut = null
    this.#any.broker.takeAllProduces()
  }

  async #wipeStore(): Promise<void> {
    const fault = this.#fault('store')
    await this.#world.wipe()
    fault.toMs = this.#nowMs + this.#world.healMs
  }

  #storeAway(house: WorldHouse, isApplied: boolean): void {
    house.store.outage(true, { isApplied })
    if (!this.#outages.has(house)) this.#outages.set(house, this.#fault('store'))
    const fault = this.#outages.get(house)
    if (fault !== undefined) fault.toMs = Infinity
  }

  #storeBack(house: WorldHouse): void {
    const fault = this.#outages.get(house)
    if (fault === undefined) return
    house.store.outage(false)
    fault.toMs = this.#nowMs + this.#world.healMs
    this.#outages.delete(house)
  }

  #rule(process: number): Rule {
    const perform = (scope: Scope, signal: AbortSignal): Promise<Outcome> =>
      this.#attempt(process, scope, signal)
    const { rule, dedup } = this.#policy
    const retry = { ...retryPolicy, attemptsMax: 3, firstMs: 1_000, factor: 3 }
    return aRule(perform, { ...rule, dedup, retry, timeoutMs: 60_000 })
  }

  async #attempt(process: number, { event }: Scope, signal: AbortSignal): Promise<Outcome> {
    const { ending, tookMs } = this.#schedule.answers[this.#attempts.length] ?? doneAtOnce
    const arrival = this.#arrivals.find(({ id }) => id === event.id)
    const attempt: Attempt = {
      event: event.id,
      key: arrival?.key ?? '',
      process,
      startMs: this.#nowMs,
      endMs: null,
      ending: null,
    }
    this.#attempts.push(attempt)
    if (tookMs > 0) {
      try {
        await this.#world.clock.sleep(tookMs, signal)
      } catch {
        this.#ended(attempt, 'cut') // the signal: the only thing that a sleep rejects with
        return { kind: 'aborted' }
      }
    }
    this.#ended(attempt, ending)
    return outcomes[ending]
  }

  /** What ends in a process that died meanwhile has ended with it. */
  #ended(attempt: Attempt, ending: Ending): void {
    if (attempt.endMs !== null) return
    attempt.endMs = this.#nowMs
    attempt.ending = ending
  }

  #balance(): void {
    for (const process of this.#processes) this.#balanceOf(process)
  }

  #balanceOf({ number, house }: Process): void {
    for (const { meters } of house.engine.ruleQueues()) {
      const { ladder } = meters
      const rest = ladderRest(ladder)
      const { inFlight, queue, retry } = ladder.pending
      if (rest === 0 && Math.min(inFlight, queue, retry) >= 0) continue
      const words = `the ladder of process ${number} is ${rest} off at ${this.#nowMs}`
      this.#complaints.push(`${words}: ${JSON.stringify(ladder)}`)
    }
  }

  /** All troubles end, and everything has time to come to rest. */
  async end(): Promise<History> {
    if (this.#processes.length === 0) await this.#start()
    this.#openTiers()
    for (const { house } of this.#processes) {
      this.#storeBack(house)
      house.store.delay(0)
    }
    const untilMs = this.#nowMs + quietMsMax
    while (this.#restless().length > 0 && this.#nowMs < untilMs) await this.#any.pass(quietStepMs)
    this.#complaints.push(...this.#restless())
    this.#balance()
    const dead = this.#any.records('sluice.dead').map(({ headers }) => deadEventOf(headers))
    for (const process of [...this.#processes]) await this.#stop(process)
    await Promise.all(this.#underWay)
    return {
      arrivals: this.#arrivals,
      attempts: this.#attempts,
      faults: [
        ...this.#faults,
        ...this.#world.stalls.map((stall) => ({ kind: 'stall' as const, ...stall })),
      ],
      dead: new Set(dead),
      storeDelayMs: this.#storeDelayMs,
      slackMs: this.#world.slackMs,
      isRoomy: this.#schedule.window > this.#arrivals.length,
      complaints: this.#complaints,
    }
  }

  /** What is not at its end yet. */
  #restless(): readonly string[] {
    const { broker } = this.#any
    const behind = [topic, ...tiers].flatMap((name) =>
      broker.logsOf(name).flatMap(({ high }, partition) => {
        const group = broker.group(name === topic ? 'sluice' : 'sluice.retry')
        const committed = group.committed({ topic: name, partition })?.offset ?? 0n
        return committed === high
          ? []
          : [`committed ${committed} of ${high} of ${name}/${partition}`]
      }),
    )
    const pending = this.#processes.flatMap(({ number, house }) =>
      house.engine.ruleQueues().flatMap(({ meters }) => {
        const { queue, inFlight } = meters.ladder.pending
        if (queue + inFlight === 0) return []
        return [`process ${number} has ${queue} queued and ${inFlight} in flight`]
      }),
    )
    return [...behind, ...pending]
  }
}

const doneAtOnce: Answer = { ending: 'done', tookMs: 0 }

function deadEventOf(headers: Parameters<typeof headerText>[0]): string {
  return headerText(headers, 'sluice-origin') ?? ''
}
