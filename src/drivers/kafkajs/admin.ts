import type {
  BusAdmin,
  GroupOffset,
  TopicDescription,
  TopicSpec,
  Watermarks,
} from '../../ports/bus.ts'
import { partitionName } from '../../model/record.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Connection } from './connection.ts'
import { kafkaErrorType } from './errors.ts'
import type { TopicState } from './requests.ts'
import { committedOffsets, leadersOf, listOffsets, topicStates } from './requests.ts'

const topicResource = 2
/** How long the controller may take to make or delete a topic. */
const topicMsMax = 10_000
const lookMs = 50
/** After this a topic that was made is taken to be there, whatever this broker still says. */
const appearMsMax = 5_000

export class KafkaAdmin implements BusAdmin {
  readonly #connection: Connection
  readonly #check: () => void

  /** `check` throws once the bus is closed. */
  constructor(connection: Connection, check: () => void) {
    this.#connection = connection
    this.#check = check
  }

  async ensureTopics(
    topics: readonly TopicSpec[],
  ): Promise<{ readonly created: readonly string[] }> {
    this.#check()
    const states = await topicStates(
      this.#connection,
      topics.map(({ name }) => name),
    )
    const missing = topics.filter(({ name }) => states.get(name)?.kind !== 'here')
    const created: string[] = []
    for (const spec of missing) if (await this.#create(spec)) created.push(spec.name)
    await this.#untilThere(missing.map(({ name }) => name))
    return { created }
  }

  /** One topic a request, so that an error is that topic's. */
  async #create(spec: TopicSpec): Promise<boolean> {
    const controller = await this.#connection.controller()
    try {
      await this.#connection.request(
        controller,
        `create topic ${spec.name}`,
        () =>
          controller.createTopics({
            topics: [
              {
                topic: spec.name,
                numPartitions: spec.partitions,
                replicationFactor: spec.replication,
                configEntries: configOf(spec),
              },
            ],
            timeout: topicMsMax,
          }),
        topicMsMax,
      )
      return true
    } catch (error) {
      if (kafkaErrorType(error) === 'TOPIC_ALREADY_EXISTS') return false // another replica's work
      throw error
    }
  }

  /** A topic is made by the controller and known to the brokers a moment later. */
  async #untilThere(names: readonly string[]): Promise<void> {
    const { clock } = this.#connection
    const untilMs = clock.monotonic() + appearMsMax
    while (names.length > 0 && clock.monotonic() < untilMs) {
      const states = await topicStates(this.#connection, names)
      if (names.every((name) => isReady(states.get(name)))) return
      await clock.sleep(lookMs)
    }
  }

  async listTopics(): Promise<readonly string[]> {
    this.#check()
    const states = await topicStates(this.#connection, 'all')
    // Kafka's own begin with two underscores: __consumer_offsets, __transaction_state.
    return [...states.keys()].filter((name) => !name.startsWith('__')).toSorted()
  }

  async describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]> {
    this.#check()
    const states = await topicStates(this.#connection, names)
    const counts = new Map<string, number>()
    for (const name of names) {
      const state = states.get(name)
      if (state?.kind === 'here') counts.set(name, state.leaders.length)
    }
    if (counts.size === 0) return []
    const broker = await this.#connection.anyBroker()
    const { resources } = await this.#connection.request(broker, 'describe topics', () =>
      broker.describeConfigs({
        resources: [...counts.keys()].map((name) => ({
          type: topicResource,
          name,
          configNames: ['cleanup.policy', 'retention.ms'],
        })),
      }),
    )
    const settings = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map((entry) => [entry.configName, entry.configValue])),
      ]),
    )
    return [...counts].map(([name, partitions]) => {
      const retention = Number(settings.get(name)?.get('retention.ms') ?? -1)
      return {
        name,
        partitions,
        compacted: (settings.get(name)?.get('cleanup.policy') ?? '').split(',').includes('compact'),
        retentionMs: retention < 0 ? null : retention, // -1: for ever
      }
    })
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    this.#check()
    for (const name of names) {
      const controller = await this.#connection.controller()
      try {
        await this.#connection.request(
          controller,
          `delete topic ${name}`,
          () => controller.deleteTopics({ topics: [name], timeout: topicMsMax }),
          topicMsMax,
        )
      } catch (error) {
        if (kafkaErrorType(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error // gone: as asked
      }
    }
  }

  async watermarks(topic: string): Promise<readonly Watermarks[]> {
    this.#check()
    const leaders = await leadersOf(this.#connection, topic)
    const lows = await listOffsets(this.#connection, topic, leaders, 'earliest')
    const highs = await listOffsets(this.#connection, topic, leaders, 'latest')
    return leaders.map((_leader, partition) => ({
      topic,
      partition,
      low: lows.get(partition) ?? 0n,
      high: highs.get(partition) ?? 0n,
    }))
  }

  async offsetsForTime(topic: string, timeMs: number) {
    this.#check()
    const leaders = await leadersOf(this.#connection, topic)
    const offsets = await listOffsets(this.#connection, topic, leaders, Math.max(0, timeMs))
    const highs = await listOffsets(this.#connection, topic, leaders, 'latest')
    return leaders.map((_leader, partition) => {
      const offset = offsets.get(partition) ?? -1n
      return { topic, partition, offset: offset >= 0n ? offset : (highs.get(partition) ?? 0n) }
    })
  }

  async groupOffsets(group: string, topics: readonly string[]): Promise<readonly GroupOffset[]> {
    this.#check()
    const states = await topicStates(this.#connection, topics)
    const partitions = topics.flatMap((topic) => {
      const state = states.get(topic)
      if (state?.kind !== 'here') return []
      return state.leaders.map((_leader, partition) => ({ topic, partition }))
    })
    if (partitions.length === 0) return []
    const coordinator = await this.#connection.coordinator(group)
    const committed = await committedOffsets(this.#connection, coordinator, group, partitions)
    const found = new Map(committed.map((one) => [partitionName(one), one]))
    return partitions.flatMap((partition) => {
      const one = found.get(partitionName(partition))
      return one === undefined || one.offset < 0n ? [] : [one]
    })
  }
}

function isReady(state: TopicState | undefined): boolean {
  return state?.kind === 'here' && state.leaders.every((leader) => leader >= 0)
}

function configOf(spec: TopicSpec): { name: string; value: string }[] {
  const hasBound = spec.retentionMs !== null || spec.retentionBytes !== null
  // Compaction alone would keep a topic for ever; with a bound the old ones go all the same.
  const policy = spec.compacted ? (hasBound ? 'compact,delete' : 'compact') : 'delete'
  const entries = [{ name: 'cleanup.policy', value: policy }]
  if (spec.retentionMs !== null) {
    entries.push({ name: 'retention.ms', value: String(spec.retentionMs) })
  }
  if (spec.retentionBytes !== null) {
    entries.push({ name: 'retention.bytes', value: String(spec.retentionBytes) })
  }
  if (spec.recordBytesMax !== undefined) {
    entries.push({ name: 'max.message.bytes', value: String(spec.recordBytesMax) })
  }
  return entries
}

export function closedError(): PortError {
  return new PortError('bus', 'closed', 'the bus is closed')
}
