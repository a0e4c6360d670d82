import type { Disturbance } from './ledger.ts'
import type { Fault, FaultKind } from './kinds.ts'
import { topics } from './rules.ts'
import type { Mood } from './target.ts'
import type { World } from './world.ts'
import { eventBytesMax } from './world.ts'

/** What came of a fault. */
export interface Inflicted {
  readonly fault: Fault
  /** `false`: it could not happen, since its subject was down or ill already. */
  readonly happened: boolean
  /** When its cause had gone, milliseconds since 1970. */
  readonly untilMs: number
}

const moodOf: Partial<Readonly<Record<FaultKind, Mood>>> = {
  'target-stalls': 'stalls',
  'target-resets': 'resets',
  'target-trickles': 'trickles',
  'target-500': '500',
  'target-429': '429',
  'target-301': '301',
  'target-half': 'half',
}

/** Lets faults happen, and knows which of them exclude each other. */
export class Inflictor {
  readonly #world: World
  /** Things of which one fault at a time is enough: `redis`, `target plain` ... */
  readonly #busy = new Set<string>()
  /** Topics that were deleted so far. */
  readonly deletedTopics = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  async inflict(fault: Fault): Promise<Inflicted> {
    const happened = await this.#inflict(fault)
    return { fault, happened, untilMs: Date.now() }
  }

  async #inflict(fault: Fault): Promise<boolean> {
    const { kind, forMs, daemon, target } = fault
    const { fleet, targets, redis, broker, producer } = this.#world
    const mood = moodOf[kind]
    if (mood !== undefined && target !== null) {
      return this.#alone(`target ${target}`, async () => {
        targets[target].mood = mood
        await this.#during(kind, forMs)
        targets[target].mood = 'good'
      })
    }
    switch (kind) {
      case 'kill':
        return fleet.kill(daemon ?? 0, forMs)
      case 'freeze':
        return fleet.freeze(daemon ?? 0, forMs)
      case 'stop':
        return fleet.stop(daemon ?? 0, forMs)
      case 'rules-changed':
        return this.#alone('rules', () => this.#changeRules())
      case 'broker-killed':
        if (broker === null) return false
        return this.#alone('broker', () =>
          this.#withBusTrouble(async () => {
            const end = this.#begin(kind)
            await broker.kill()
            await sleep(forMs)
            await broker.start()
            end()
          }),
        )
      case 'redis-killed':
        if (redis === null) return false
        return this.#alone('redis', async () => {
          const end = this.#begin(kind)
          await redis.kill()
          await sleep(forMs)
          await redis.start()
          end()
        })
      case 'redis-frozen':
        if (redis === null) return false
        return this.#alone('redis', async () => {
          const end = this.#begin(kind)
          redis.pause()
          await sleep(forMs)
          redis.continue()
          end()
        })
      case 'redis-wiped':
        if (redis === null) return false
        return this.#alone('redis', async () => {
          const end = this.#begin(kind)
          await redis.cli(['FLUSHALL'])
          end()
        })
      case 'certificate-expired':
        return this.#alone('target secure', async () => {
          targets.secure.show('expired')
          await this.#during(kind, forMs)
          targets.secure.show('good')
        })
      case 'partitions-added':
        return this.#alone('broker', async () => {
          const end = this.#begin(kind)
          await this.#world.addPartition(topics.jobs)
          end()
        })
      case 'topic-deleted':
        return this.#alone('broker', () => this.#deleteTopic())
      case 'disk-full':
        if (this.#world.options.disk === null) return false
        return this.#alone('disk', () =>
          this.#withBusTrouble(async () => {
            const end = this.#begin(kind)
            const makeRoom = await this.#world.fillDisk()
            await sleep(forMs)
            await makeRoom()
            end()
          }),
        )
      case 'undecodable':
        producer.sendRaw(Buffer.from('{ "n": 1, "page": '))
        return true
      case 'huge':
        producer.sendRaw(Buffer.from(JSON.stringify({ n: 1, text: 'x'.repeat(2 * eventBytesMax) })))
        return true
      case 'target-stalls':
      case 'target-resets':
      case 'target-trickles':
      case 'target-500':
      case 'target-429':
      case 'target-301':
      case 'target-half':
        return false // no target was said
    }
  }

  /** One by one, as a roll-out does it: the others go on with the rules that they have. */
  async #changeRules(): Promise<void> {
    const world = this.#world
    world.edition += 1
    await world.writeRules()
    for (let slot = 0; slot < world.fleet.count; slot++) await world.fleet.stop(slot, 0)
  }

  /** It is made anew after a while, as somebody does who has deleted the wrong one. */
  async #deleteTopic(): Promise<void> {
    const end = this.#begin('topic-deleted')
    const { admin } = this.#world.bus
    this.deletedTopics.add(topics.side)
    await untilItWorks(() => admin.deleteTopics([topics.side]))
    await sleep(madeAnewMs)
    await untilItWorks(() => this.#world.makeTopics([topics.side]))
    end()
  }

  async #alone(what: string, run: () => Promise<void>): Promise<boolean> {
    if (this.#busy.has(what)) return false
    this.#busy.add(what)
    try {
      await run()
      return true
    } finally {
      this.#busy.delete(what)
    }
  }

  async #withBusTrouble(run: () => Promise<void>): Promise<void> {
    this.#world.busTroubles += 1
    try {
      await run()
      await sleep(busAftermathMs)
    } finally {
      this.#world.busTroubles -= 1
    }
  }

  async #during(kind: FaultKind, forMs: number): Promise<void> {
    const end = this.#begin(kind)
    await sleep(forMs)
    end()
  }

  #begin(kind: FaultKind): () => void {
    const one: Disturbance = { kind, fromMs: Date.now(), untilMs: null, life: null }
    this.#world.disturbances.push(one)
    return () => (one.untilMs = Date.now())
  }
}

const madeAnewMs = 2_000

/** A daemon that started while the bus was away may still give up now. */
const busAftermathMs = 5_000

const tryAgainMs = 500
const triesMax = 60

async function untilItWorks(run: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await run()
    } catch (error) {
      if (tries >= triesMax) throw error
      await sleep(tryAgainMs)
    }
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
