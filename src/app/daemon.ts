import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { AdminOptions } from '../admin/start-admin.ts'
import { startAdmin } from '../admin/start-admin.ts'
import type { AdminSource } from '../admin/source.ts'
import type { Config } from '../config/config.ts'
import { secretNamed } from '../config/config.ts'
import { promMetrics } from '../drivers/prom-client/prom-metrics.ts'
import { systemClock } from '../drivers/system-clock.ts'
import { undiciCaller } from '../drivers/undici/undici-caller.ts'
import { Engine } from '../engine/engine.ts'
import { ownTopics } from '../engine/own-topics.ts'
import type { StatusDocument } from '../model/status.ts'
import type { Bus } from '../ports/bus.ts'
import type { HttpCaller } from '../ports/http-caller.ts'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import { adminSource } from './admin-source.ts'
import { askStore } from './ask-store.ts'
import { ensureTopics } from './ensure-topics.ts'
import { Lifecycle } from './lifecycle.ts'
import { openBus } from './open-bus.ts'
import { openStore } from './open-store.ts'
import { StoreWatch } from './store-watch.ts'
import { targetOptionsOf } from './target-options.ts'
import { version } from './version.ts'

/** A daemon that runs. */
export interface Daemon {
  /** Where the admin API listens, as a URL. */
  readonly adminUrl: string
  readonly bus: Bus
  status(): Promise<StatusDocument>
  /** Drains and stops within `shutdown.drain`. Never rejects. */
  stop(): Promise<'clean' | 'unclean'>
}

/**
 * Picks the drivers that the config names, puts the house together and starts it: first what is
 * written to, reading last. Rejects with `StartError`, which names the part; what was started by
 * then is stopped again. Once `stopping` resolves it stops, and rejects with `StoppedWhileStarting`
 * if it was not up by then.
 */
export async function startDaemon(
  config: Config,
  ruleSet: RuleSet,
  logger: Logger,
  stopping: Promise<unknown>,
): Promise<Daemon> {
  const lifecycle = new Lifecycle(systemClock, logger)
  const stop = (): Promise<'clean' | 'unclean'> => lifecycle.stop(config.shutdown.drainMs)
  void stopping.then(stop)
  try {
    const parts = await openParts(config, ruleSet, logger, lifecycle)
    return { ...parts, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function openParts(
  config: Config,
  ruleSet: RuleSet,
  logger: Logger,
  lifecycle: Lifecycle,
): Promise<Omit<Daemon, 'stop'>> {
  const metrics = promMetrics()
  const bus = await lifecycle.open(
    `the bus (${config.bus.kind})`,
    () => openBus(config, logger),
    (opened) => opened.close(),
  )
  const storeWatch = new StoreWatch(config.store.kind, systemClock, logger, metrics)
  const store = await lifecycle.open(
    `the store (${config.store.kind})`,
    async () => {
      const opened = await openStore(config, logger, storeWatch)
      // The claims of the first events would find it not yet connected, and be taken for an outage.
      await askStore(opened, systemClock, storeReadyMsMax)
      return opened
    },
    (opened) => opened.close(),
  )
  const http = await lifecycle.open(
    'HTTP calls',
    () => Promise.resolve(callerOf(config)),
    (opened) => opened.close(),
  )
  observeConnections(metrics, http)
  const engine = engineOf(config, ruleSet, { bus, store, http, logger, metrics })
  const source = adminSource(config, engine, bus, storeWatch)
  const admin = await lifecycle.open(
    'the admin API',
    () => startAdmin(adminOptions(config, source, metrics, logger)),
    (opened) => opened.close(),
  )
  await lifecycle.open('topics', async () => {
    const topics = ownTopics(config.bus.prefix, config.retry.tiersMs)
    const created = await ensureTopics(config, topics, engine.topicsOfRules, bus)
    if (created.length > 0) logger.info({ topics: created }, 'topics created')
  })
  await lifecycle.open(
    'the lanes',
    () => engine.start(),
    (_, deadlineMs) => engine.stop(deadlineMs),
  )
  return { adminUrl: admin.address, bus, status: () => source.status() }
}

/** How long a start waits for a store that is away: it goes on without, and finds it when it is back. */
const storeReadyMsMax = 1_000

function callerOf({ http }: Config): HttpCaller {
  return undiciCaller({
    clock: systemClock,
    ...targetOptionsOf(http),
    connectionsPerOrigin: http.connectionsPerOrigin,
    maxResponseBytes: http.maxResponseBytes,
    userAgent: http.userAgent,
  })
}

function observeConnections(metrics: Metrics, http: HttpCaller): void {
  const gauge = metrics.gauge({
    name: 'sluice_http_connections',
    help: 'Connections to targets, and calls that wait for one.',
    labels: ['origin', 'state'],
  })
  metrics.onScrape(() => {
    for (const { origin, connected, pending } of http.connections()) {
      gauge.of(origin, 'connected').set(connected)
      gauge.of(origin, 'pending').set(pending)
    }
  })
}

function engineOf(
  config: Config,
  ruleSet: RuleSet,
  ports: { bus: Bus; store: Store; http: HttpCaller; logger: Logger; metrics: Metrics },
): Engine {
  return new Engine({
    ...ports,
    ruleSet,
    lanes: config.lanes,
    topics: ownTopics(config.bus.prefix, config.retry.tiersMs),
    retryLane: {
      group: `${config.bus.prefix}.retry`,
      window: config.lanes.find(({ name }) => name === 'default')?.window ?? retryWindow,
    },
    limits: config.limits,
    stateDir: config.bus.path,
    processId: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    clock: systemClock,
  })
}

/** Unsettled tasks that a partition of a retry tier may have where no lane says otherwise. */
const retryWindow = 2_000

function adminOptions(
  config: Config,
  source: AdminSource,
  metrics: Metrics,
  logger: Logger,
): AdminOptions {
  const { listen, tokens, trustedProxies, publicMetrics } = config.admin
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return {
    listen: `${host}:${listen.port}`,
    tokens: tokens.map(({ secret, ...token }) => ({
      ...token,
      value: secretNamed(config, secret),
    })),
    trustedProxies,
    publicMetrics,
    version,
    eventBytesMax: config.limits.eventBytes,
    source,
    metrics,
    logger,
  }
}
