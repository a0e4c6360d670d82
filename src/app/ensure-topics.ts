import type { Config } from '../config/config.ts'
import type { OwnTopics } from '../engine/own-topics.ts'
import { ownTopicSpec } from '../engine/own-topics.ts'
import type { Bus, TopicSpec } from '../ports/bus.ts'
import { PortError } from '../ports/port-error.ts'
import { headroomBytes } from './open-bus.ts'

/** What a topic gets that the config does not name: enough to share between a few replicas. */
const partitionsDefault = 6

/** The cluster's own default: only its operators know what it can give. */
const replicationDefault = -1

/**
 * An event above `limits.event` is a dead letter, and must fit there although it is that large: one
 * that does not keeps its event unsettled for ever. The largest record that we can send to Kafka.
 */
const deadLetterBytesMax = 32 * 2 ** 20

/**
 * Makes the topics that rules, the config and Sluice itself name, or refuses to start without them, as
 * `bus.ensure_topics` says.
 */
export async function ensureTopics(
  config: Config,
  own: OwnTopics,
  ofRules: readonly string[],
  bus: Bus,
): Promise<readonly string[]> {
  // An event that was taken must fit on its retry.
  const retryBytesMax = config.limits.eventBytes + headroomBytes
  // One that the config names may be read by a glob alone: nobody else says that it is to be there.
  const named = new Set([...ofRules, ...Object.keys(config.bus.topics)])
  const others = [...named].filter((name) => !own.all.includes(name))
  const specs: readonly TopicSpec[] = [
    ...own.all.map((name) => ({
      ...ownTopicSpec(own, name, sizeOf(config, name)),
      recordBytesMax:
        name === own.dead ? Math.max(retryBytesMax, deadLetterBytesMax) : retryBytesMax,
    })),
    ...others.map((name) => topicSpec(config, name)),
  ].map((spec) => ({
    ...spec,
    retentionMs: config.bus.topics[spec.name]?.retentionMs ?? spec.retentionMs,
  }))
  switch (config.bus.ensureTopics) {
    case 'create':
      return (await bus.admin.ensureTopics(specs)).created
    case 'check': {
      const names = specs.map(({ name }) => name)
      const there = new Set((await bus.admin.describeTopics(names)).map(({ name }) => name))
      const missing = names.filter((name) => !there.has(name))
      if (missing.length === 0) return []
      const list = missing.join(', ')
      const hint = 'make them, or let Sluice do it with bus.ensure_topics: create'
      throw new PortError('bus', 'unknown-topic', `these topics are not there: ${list}; ${hint}`)
    }
    case 'off':
      return []
  }
}

function sizeOf(config: Config, name: string): Pick<TopicSpec, 'partitions' | 'replication'> {
  const chosen = config.bus.topics[name]
  return {
    partitions: chosen?.partitions ?? partitionsDefault,
    replication: chosen?.replication ?? replicationDefault,
  }
}

function topicSpec(config: Config, name: string): TopicSpec {
  const size = sizeOf(config, name)
  return { name, ...size, retentionMs: null, retentionBytes: null, compacted: false }
}
