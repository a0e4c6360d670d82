import type { AdminSource } from '../admin/source.ts'
import type { Config } from '../config/config.ts'
import { systemClock } from '../drivers/system-clock.ts'
import type { Engine } from '../engine/engine.ts'
import type { Bus } from '../ports/bus.ts'
import { livenessOf, readinessOf } from './health.ts'
import { ruleDocument } from './status.ts'
import type { StoreWatch } from './store-watch.ts'
import { version } from './version.ts'

/** What the admin API shows of a running engine: all of it from memory, but for the topics. */
export function adminSource(
  config: Config,
  engine: Engine,
  bus: Bus,
  storeWatch: StoreWatch,
): AdminSource {
  const startedMs = systemClock.monotonic()
  const rules = () =>
    engine
      .ruleQueues()
      .map(ruleDocument)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    status: () =>
      Promise.resolve({
        version,
        ready: readinessOf(engine.lanes()).every(({ ok }) => ok),
        uptime_s: Math.round((systemClock.monotonic() - startedMs) / 100) / 10,
        bus: {
          kind: config.bus.kind,
          lag_events: engine.lag.events,
          lag_s: Math.round(engine.lag.seconds * 10) / 10,
        },
        store: storeWatch.document(),
        rules: rules(),
      }),
    rules,
    rule: (name) => rules().find((rule) => rule.name === name),
    isLive() {
      const parts = livenessOf(engine.lanes())
      return { ok: parts.every(({ ok }) => ok), parts }
    },
    readiness: () => [...readinessOf(engine.lanes()), storeWatch.health()],
    async topics() {
      const names = await bus.admin.listTopics()
      const described = await bus.admin.describeTopics(names)
      return described
        .map(({ name, partitions }) => ({ name, partitions, rules: readersOf(engine, name) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async emit(topic, events) {
      await bus.produce(
        events.map(({ key, value, headers }) => ({
          topic,
          key: key === null ? null : Buffer.from(key),
          value,
          headers: headers.map(([name, text]) => [name, Buffer.from(text)] as const),
        })),
      )
    },
  }
}

function readersOf(engine: Engine, topic: string): readonly string[] {
  return engine
    .ruleQueues()
    .filter(({ rule }) => rule.topics.matches(topic))
    .map(({ rule }) => rule.name)
}
