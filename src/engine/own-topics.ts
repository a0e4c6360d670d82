import { invariant } from '../model/invariant.ts'
import { formatDuration, parseDurationMs } from '../model/units.ts'
import type { TopicSpec } from '../ports/bus.ts'

/** How long a dead letter is kept for an operator, and a retry for a daemon that is down. */
const keptMs = 14 * 86_400_000

/** The topics that Sluice keeps for itself, by name. */
export interface OwnTopics {
  readonly dead: string
  /** Ascending. */
  readonly tiersMs: readonly number[]
  tier(ms: number): string
  readonly shortestTier: string
  /** A retry tier, one that a former config named included. */
  isTier(topic: string): boolean
  /** The delay of a tier, as its name says it. */
  delayMsOf(tier: string): number
  isOwn(topic: string): boolean
  readonly all: readonly string[]
}

export function ownTopics(prefix: string, tiersMs: readonly number[]): OwnTopics {
  const ascending = [...tiersMs].sort((a, b) => a - b)
  const tier = (ms: number): string => `${prefix}.retry.${formatDuration(ms)}`
  const dead = `${prefix}.dead`
  const [shortestMs] = ascending
  invariant(shortestMs !== undefined, 'there is no retry tier')
  const beginning = `${prefix}.retry.`
  const isTier = (topic: string): boolean => topic.startsWith(beginning)
  return {
    dead,
    tiersMs: ascending,
    tier,
    shortestTier: tier(shortestMs),
    isTier,
    delayMsOf: (one) => parseDurationMs(one.slice(beginning.length)) ?? shortestMs,
    isOwn: (topic) => topic === dead || isTier(topic),
    all: [...ascending.map(tier), dead],
  }
}

/** How `topic` of ours is to be made where nobody has said otherwise. */
export function ownTopicSpec(
  topics: OwnTopics,
  name: string,
  chosen: Pick<TopicSpec, 'partitions' | 'replication'>,
): TopicSpec {
  return {
    name,
    ...chosen,
    retentionMs: keptMs,
    retentionBytes: Number.MAX_SAFE_INTEGER, // no amount of other tasks pushes one out
    compacted: name === topics.dead, // keyed by task: a redrive or dismissal writes the tombstone
  }
}
