import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/drivers/embedded/store.ts'
import { openRedisStore } from '../../src/drivers/redis/store.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Store, StoreListener } from '../../src/ports/store.ts'
import type { Proxy } from '../contract/redis-proxy.ts'
import { startProxy } from '../contract/redis-proxy.ts'
import type { RedisServer } from '../services/redis.ts'
import { until } from '../services/redis.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { FastClock, speed } from './fast-clock.ts'
import { FastStore, stallMs } from './fast-store.ts'
import type { Stall, World, WorldStore } from './world.ts'

/*
 * Worlds whose store is a real one, with all that belongs to it: its own time, a disk, connections.
 * The time of the engines is real, too, and goes by faster (fast-clock.ts), so that schedules are
 * those of the fake clock.
 */

/**
 * Twice what a call may take without being a stall, one for the claim and one for the start of the
 * attempt behind it, and timers that are early by a millisecond.
 */
const slackMs = 2 * stallMs + 10 * speed

/** How often it is looked whether the machine lets us run. */
const beatMs = 10 * speed

const nobodyListens: StoreListener = { onState() {}, onWiped() {}, onRoundTrip() {} }

/** What real worlds have in common. */
class RealGround {
  readonly clock = new FastClock()
  readonly stalls: Stall[] = []
  readonly #stores: Store[] = []
  #cancelBeat = () => {}

  constructor() {
    this.#beat()
  }

  stand(store: Store, outage: WorldStore['outage']): WorldStore {
    this.#stores.push(store)
    const onStall = (stall: Stall) => void this.stalls.push(stall)
    return new FastStore({ store, clock: this.clock, outage, onStall })
  }

  async close(): Promise<void> {
    this.#cancelBeat()
    await Promise.all(this.#stores.map((store) => store.close()))
    this.clock.end()
  }

  #beat(): void {
    const fromMs = this.clock.monotonic()
    this.#cancelBeat = this.clock.schedule(beatMs, () => {
      const toMs = this.clock.monotonic()
      if (toMs - fromMs > beatMs + stallMs) this.stalls.push({ fromMs, toMs })
      this.#beat()
    })
  }
}

/** The embedded store in a folder of its own; each client is as that of another process. */
export function embeddedWorld(): World {
  const path = mkdtempSync(join(tmpdir(), 'sluice-model-'))
  const folder = join(path, 'store')
  const ground = new RealGround()
  const { clock } = ground
  // The driver looks once a second whether its file is in place: by the time of the engines, or an
  // outage would end before it began. Where machines have no time of their own, walls are real.
  const driverClock = {
    now: () => systemClock.now(),
    random: () => systemClock.random(),
    monotonic: () => clock.monotonic(),
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal),
    schedule: (ms: number, callback: () => void) => clock.schedule(ms, callback),
  }
  const away = new Set<object>()
  /** A file where the folder should be: for all processes, as a broken disk is. */
  const outage = (client: object, isAway: boolean) => {
    const wasAway = away.size > 0
    if (isAway) away.add(client)
    else away.delete(client)
    if (wasAway === away.size > 0) return
    rmSync(folder, { recursive: true, force: true })
    if (isAway) writeFileSync(folder, 'in the way')
    else mkdirSync(folder)
  }
  return {
    clock,
    slackMs,
    healMs: 3_000, // a look, and a pause before the next attempt
    stalls: ground.stalls,
    async openStore() {
      // Whoever starts a process has the disk mended before.
      for (const client of away) outage(client, false)
      const store = await openEmbeddedStore({
        path,
        clock: driverClock,
        logger: silentLogger,
        listener: nobodyListens,
        timeoutMs: 20_000,
      })
      return ground.stand(store, (isAway) => outage(store, isAway))
    },
    wipe() {
      if (away.size === 0) rmSync(folder, { recursive: true, force: true })
      return Promise.resolve()
    },
    async close() {
      await ground.close()
      rmSync(path, { recursive: true })
    },
  }
}

/** Keys of its own on a Redis that others may use as well; each client behind a proxy of its own. */
export function redisWorld(redis: Pick<RedisServer, 'host' | 'port' | 'cli'>): World {
  const prefix = `sluice-model-${process.pid}-${++prefixes}`
  const ground = new RealGround()
  const proxies: Proxy[] = []
  const wipe = async () => void (await redis.cli(['EVAL', wipeScript, '0', `${prefix}*`]))
  return {
    clock: ground.clock,
    slackMs,
    healMs: 1_000 * speed, // connects anew, and probes every half a second
    stalls: ground.stalls,
    async openStore() {
      const proxy = await startProxy(redis)
      proxies.push(proxy)
      const store = openRedisStore({
        server: { kind: 'standalone', url: `redis://127.0.0.1:${proxy.port}` },
        username: null,
        password: null,
        tls: null,
        prefix,
        timeoutMs: 200,
        clock: systemClock,
        logger: silentLogger,
        listener: nobodyListens,
      })
      await until('the store is connected', async () => {
        const nothing = { rule: 'none', key: '', token: 'none', keepMs: 0 }
        return (await store.release(nothing)) === 'done'
      })
      return ground.stand(store, (isAway, { isApplied } = { isApplied: false }) => {
        // What is on its way back would come behind what is asked later: connections end.
        proxy.swallow(true)
        proxy.delay(isAway ? lateMs : 0)
        proxy.swallow(isAway && !isApplied)
      })
    },
    wipe,
    async close() {
      await ground.close()
      await wipe()
      await Promise.all(proxies.map((proxy) => proxy.close()))
    },
  }
}

let prefixes = 0

/** Behind the time-box of any call. */
const lateMs = 1_000

const wipeScript = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end"
