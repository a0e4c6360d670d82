import type { TopicSpec } from '../../ports/bus.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Environment, PartitionState, Topic } from './environment.ts'
import { topicsChanged } from './membership.ts'
import type { PartitionsOf } from './membership.ts'
import type { Transaction } from './writer.ts'

/** As in Kafka, so that a topic can move there: letters, digits, `.`, `_`, `-`, at most 249. */
const nameForm = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/
/** Far above what one machine's log needs; every partition costs a look at each commit. */
const partitionsMax = 1_024

/** Throws a PortError of code `invalid` when a topic of this name and size cannot be. */
export function checkSpec({ name, partitions }: TopicSpec): void {
  if (!nameForm.test(name)) {
    const allowed = 'letters, digits, ".", "_" and "-", at most 249 of them'
    throw new PortError('bus', 'invalid', `'${name}' cannot name a topic: use ${allowed}`)
  }
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    const found = `topic ${name} cannot have ${partitions} partitions`
    throw new PortError('bus', 'invalid', `${found}: use 1 to ${partitionsMax}`)
  }
}

/** The topic, or a PortError of code `unknown-topic`. */
export function topicOf({ topics }: Environment, name: string): Topic {
  const topic = nameForm.test(name) ? topics.get(name) : undefined
  if (topic === undefined) {
    throw new PortError('bus', 'unknown-topic', `there is no topic ${name} in the embedded log`)
  }
  return topic
}

/** The id of a partition, or a PortError of code `unknown-topic`. */
export function partitionIdOf(environment: Environment, name: string, partition: number): number {
  const topic = topicOf(environment, name)
  if (!Number.isInteger(partition) || partition < 0 || partition >= topic.partitions) {
    const has = `topic ${name} has ${topic.partitions} partitions`
    throw new PortError('bus', 'unknown-topic', `there is no partition ${partition}: ${has}`)
  }
  return topic.firstId + partition
}

/** The id of a partition, or `null` where there is none. */
export function partitionIdIn(
  { topics }: Environment,
  name: string,
  partition: number,
): number | null {
  const topic = nameForm.test(name) ? topics.get(name) : undefined
  return topic === undefined || partition >= topic.partitions ? null : topic.firstId + partition
}

export function partitionsIn({ topics }: Environment): PartitionsOf {
  return (name) => (nameForm.test(name) ? (topics.get(name)?.partitions ?? null) : null)
}

/** Inside a write transaction: makes those that are missing and tells their groups. */
export function makeTopics(
  environment: Environment,
  specs: readonly TopicSpec[],
): readonly string[] {
  const { topics, meta, partitions } = environment
  const missing = specs.filter(({ name }) => topics.get(name) === undefined)
  const created: string[] = []
  for (const spec of missing) {
    if (created.includes(spec.name)) continue
    const firstId = meta.get('ids') ?? 1
    void meta.put('ids', firstId + spec.partitions)
    void topics.put(spec.name, {
      firstId,
      partitions: spec.partitions,
      retentionMs: spec.retentionMs,
      retentionBytes: spec.retentionBytes,
      recordBytesMax: spec.recordBytesMax ?? 0,
      compacted: spec.compacted,
    })
    for (let i = 0; i < spec.partitions; i++) {
      void partitions.put(firstId + i, emptyPartition(spec.compacted))
    }
    created.push(spec.name)
  }
  tellGroups(environment, created)
  return created
}

/** Inside a write transaction: takes topics away with all groups' positions in them. */
export function deleteTopics(
  environment: Environment,
  transaction: Transaction,
  names: readonly string[],
): void {
  const { topics, graves, offsets } = environment
  const gone: string[] = []
  for (const name of names) {
    const topic = nameForm.test(name) ? topics.get(name) : undefined
    if (topic === undefined) continue
    void topics.remove(name)
    for (let i = 0; i < topic.partitions; i++) {
      transaction.dropPartition(topic.firstId + i)
      void graves.put(topic.firstId + i, null)
    }
    gone.push(name)
  }
  for (const key of [...offsets.getKeys({})]) {
    if (gone.includes(key[1])) void offsets.remove(key)
  }
  tellGroups(environment, gone)
}

function tellGroups({ groups }: Environment, changed: readonly string[]): void {
  if (changed.length === 0) return
  for (const { key, value } of [...groups.getRange({})]) {
    const next = topicsChanged(value, changed)
    if (next !== value) void groups.put(key, next)
  }
}

function emptyPartition(compacted: boolean): PartitionState {
  return { low: 0, next: 0, bytes: 0, compacted, timeMax: -1, timeMaxAt: -1, timeIndexedAt: -1 }
}
