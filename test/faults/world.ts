import { mkdir, mkdtemp, open, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { openEmbeddedBus } from '../../src/drivers/embedded/bus.ts'
import { openKafkaBus } from '../../src/drivers/kafkajs/bus.ts'
import { systemClock } from '../../src/drivers/system-clock.ts'
import type { Bus } from '../../src/ports/bus.ts'
import type { KafkaBroker } from '../services/kafka.ts'
import { startKafka } from '../services/kafka.ts'
import type { RedisServer } from '../services/redis.ts'
import { startRedis } from '../services/redis.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { seeded } from '../support/seed.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { drainMs, Fleet } from './fleet.ts'
import type { BusName } from './kinds.ts'
import type { Call, Disturbance } from './ledger.ts'
import { Producer } from './producer.ts'
import type { TargetName } from './rules.ts'
import { ruleFile, targetNames, topics } from './rules.ts'
import { FaultyTarget } from './target.ts'
import { fileURLToPath } from 'node:url'

export type StoreName = 'embedded' | 'redis'

export interface WorldOptions {
  readonly seed: number
  readonly bus: BusName
  readonly store: StoreName
  readonly daemons: number
  /** To each topic. */
  readonly eventsPerSecond: number
  /** A small file system for the embedded log; `null`: it has the disk of the machine. */
  readonly disk: string | null
  /** Where logs and ledger are left; `null`: nowhere. */
  readonly keep: string | null
}

/** An event above this is a dead letter. */
export const eventBytesMax = 64 * 1_024
const partitionsAtFirst = 3
export const lane = 'faults'
export const retryGroup = 'sluice.retry'

/** Everything that a run has: services, targets, daemons, and who talks to them. */
export class World {
  readonly options: WorldOptions
  readonly folder: string
  readonly calls: Call[] = []
  readonly disturbances: Disturbance[] = []
  readonly targets: Readonly<Record<TargetName, FaultyTarget>>
  readonly broker: KafkaBroker | null
  readonly redis: RedisServer | null
  readonly bus: Bus
  readonly fleet: Fleet
  readonly producer: Producer
  /** Set while the bus cannot be had: a daemon that starts now may end again. */
  busTroubles = 0
  edition = 1

  private constructor(parts: {
    options: WorldOptions
    folder: string
    targets: Readonly<Record<TargetName, FaultyTarget>>
    broker: KafkaBroker | null
    redis: RedisServer | null
    bus: Bus
    calls: Call[]
  }) {
    const { options } = parts
    this.options = options
    this.folder = parts.folder
    this.targets = parts.targets
    this.broker = parts.broker
    this.redis = parts.redis
    this.bus = parts.bus
    this.calls = parts.calls
    const launch = (name: string, slot: number) =>
      new DaemonProcess(['run', '-c', this.#configPath(slot), '--set', `http.user_agent=${name}`])
    this.fleet = new Fleet(options.daemons, launch, this.disturbances, () => this.busTroubles > 0)
    const sizes = Object.values(topics).map((topic) => [topic, partitionsAtFirst] as const)
    this.producer = new Producer(
      parts.bus,
      options.seed,
      options.eventsPerSecond,
      Object.fromEntries(sizes),
    )
  }

  static async open(options: WorldOptions): Promise<World> {
    const folder = options.disk ?? (await mkdtemp(join(tmpdir(), 'sluice-faults-')))
    const random = seeded(options.seed + 2)
    const calls: Call[] = []
    const openTarget = async (name: TargetName) =>
      [name, await FaultyTarget.open(calls, random, { isTls: name === 'secure' })] as const
    const opened = await Promise.all(targetNames.map(openTarget))
    const targets = Object.fromEntries(opened) as Record<TargetName, FaultyTarget> // as: all of the names
    const broker = options.bus === 'kafka' ? await startKafka() : null
    const redis = options.store === 'redis' ? await startRedis({ isPersistent: true }) : null
    const bus = await openBus(folder, broker)
    const world = new World({ options, folder, targets, broker, redis, bus, calls })
    await world.makeTopics(Object.values(topics))
    await mkdir(join(folder, 'rules'))
    await world.writeRules()
    for (let slot = 0; slot < options.daemons; slot++) {
      await writeFile(world.#configPath(slot), world.#config(slot))
    }
    return world
  }

  #configPath(slot: number): string {
    return join(this.folder, `config-${slot}.yaml`)
  }

  get origins(): Readonly<Record<TargetName, string>> {
    const origins = targetNames.map((name) => [name, this.targets[name].origin] as const)
    return Object.fromEntries(origins) as Record<TargetName, string> // as: all of the names
  }

  async writeRules(): Promise<void> {
    const text = ruleFile(this.origins, this.edition)
    await writeFile(join(this.folder, 'rules', 'faults.yaml'), text)
  }

  async makeTopics(names: readonly string[]): Promise<void> {
    const spec = { partitions: partitionsAtFirst, replication: 1, compacted: false }
    const kept = { retentionMs: null, retentionBytes: null }
    await this.bus.admin.ensureTopics(names.map((name) => ({ name, ...spec, ...kept })))
  }

  /** One partition more for a topic. */
  async addPartition(topic: string): Promise<void> {
    const [described] = await this.bus.admin.describeTopics([topic])
    if (this.broker === null || described === undefined) return
    const count = described.partitions + 1
    const admin = new Kafka({
      brokers: [...this.broker.brokers],
      logLevel: logLevel.NOTHING,
    }).admin()
    try {
      await admin.connect()
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    } finally {
      await admin.disconnect()
    }
    this.producer.usePartitions(topic, count)
  }

  /** Leaves no room on the small disk; gives what makes room again. */
  async fillDisk(): Promise<() => Promise<void>> {
    const path = join(this.folder, 'ballast')
    const ballast = await open(path, 'w')
    try {
      // By and by: one buffer of that size would stop the targets, which are in this process.
      for (const bytes of [2 ** 20, 4_096]) {
        const chunk = Buffer.alloc(bytes, 1)
        let isFull = false
        while (!isFull) isFull = (await ballast.write(chunk).catch(() => null)) === null
      }
    } finally {
      await ballast.close()
    }
    return () => unlink(path)
  }

  #config(slot: number): string {
    const { broker, redis } = this
    const path = broker === null ? 'state' : `state-${slot}`
    const kafka =
      broker === null
        ? {}
        : { kind: 'kafka', kafka: { brokers: broker.brokers, client_id: 'faults' } }
    const store =
      redis === null
        ? { kind: 'embedded' }
        : { kind: 'redis', redis: { url: redis.url }, timeout: '500ms' }
    const ca = fileURLToPath(new URL('../support/certificates/ca.pem', import.meta.url))
    const config = {
      bus: { kind: 'embedded', ...kafka, path: join(this.folder, path) },
      store,
      rules: { path: join(this.folder, 'rules') },
      lanes: { default: { group: lane, start_at: 'earliest', window: 400 } },
      retry: { tiers: ['1s', '3s'] },
      http: { allow_cidrs: ['127.0.0.0/8', '::1/128'], ca: [ca] },
      limits: { event: `${eventBytesMax / 1_024}KiB` },
      admin: { listen: '127.0.0.1:0' },
      log: { format: 'json' },
      shutdown: { drain: `${drainMs / 1_000}s` },
    }
    return JSON.stringify(config, null, 2) // YAML is what JSON is, and more
  }

  async close(): Promise<void> {
    await this.bus.close()
    await Promise.all(Object.values(this.targets).map((target) => target.close()))
    await this.redis?.close()
    await this.broker?.close()
    if (this.options.disk === null) await rm(this.folder, { recursive: true, force: true })
  }
}

function openBus(folder: string, broker: KafkaBroker | null): Promise<Bus> {
  const shared = { clock: systemClock, logger: silentLogger }
  if (broker === null) {
    const path = join(folder, 'state')
    return openEmbeddedBus({ ...shared, path, recordBytesMax: 8 * 2 ** 20 })
  }
  const { brokers } = broker
  const plain = { tls: null, sasl: null, rack: null }
  return Promise.resolve(openKafkaBus({ ...shared, ...plain, brokers, clientId: 'harness' }))
}
