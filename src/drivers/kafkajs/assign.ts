import kafkajs from 'kafkajs'
import type { TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'

/*
 * Who gets which partitions, decided by the member that leads the group.
 *
 * Ours because kafkajs' only assigner deals the leader's topics to all members: a member with other
 * topics gets partitions that it did not ask for and drops, and its own have nobody. The same input
 * gives the same answer on every member; a partition stays where it was as long as that is fair.
 */

export interface Candidate {
  readonly memberId: string
  readonly topics: readonly string[]
  /** What it had before. */
  readonly owned: readonly TopicPartition[]
}

/** Members with another way to assign cannot be in one group: a new name is a new group protocol. */
export const assignerName = 'sluice-sticky'
const version = 1

export type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

/**
 * Deals every partition of `counts` (topic to number of partitions) to a member that subscribes to
 * its topic. Loads differ by at most one among members that could take each other's partitions.
 */
export function assign(
  members: readonly Candidate[],
  counts: ReadonlyMap<string, number>,
): Assignment {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const dealt = new Map(sorted.map(({ memberId }) => [memberId, [] as TopicPartition[]]))
  const loadOf = (member: Candidate) => dealt.get(member.memberId)?.length ?? 0
  const give = (member: Candidate, partition: TopicPartition) =>
    void dealt.get(member.memberId)?.push(partition)

  const takersOf = new Map<string, readonly Candidate[]>()
  for (const topic of counts.keys()) {
    takersOf.set(
      topic,
      sorted.filter((member) => member.topics.includes(topic)),
    )
  }
  const formerOwners = new Map<string, Candidate>()
  for (const member of sorted) {
    for (const partition of member.owned) {
      const name = partitionName(partition)
      if (!formerOwners.has(name)) formerOwners.set(name, member)
    }
  }
  const formerOwnerOf = (partition: TopicPartition) => {
    const owner = formerOwners.get(partitionName(partition))
    return owner?.topics.includes(partition.topic) === true ? owner : undefined
  }

  // Those with few takers first, so that the choice among many can make up for them.
  const partitions = [...counts]
    .flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    )
    .filter(({ topic }) => (takersOf.get(topic)?.length ?? 0) > 0)
    .toSorted(
      (a, b) =>
        (takersOf.get(a.topic)?.length ?? 0) - (takersOf.get(b.topic)?.length ?? 0) ||
        (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition),
    )
  const open: TopicPartition[] = []
  for (const partition of partitions) {
    const owner = formerOwnerOf(partition)
    if (owner === undefined) open.push(partition)
    else give(owner, partition)
  }
  for (const partition of open) {
    let taker: Candidate | undefined
    for (const member of takersOf.get(partition.topic) ?? []) {
      if (taker === undefined || loadOf(member) < loadOf(taker)) taker = member
    }
    if (taker !== undefined) give(taker, partition)
  }
  evenOut(dealt, takersOf)
  return dealt
}

/** Moves partitions from the laden to the idle while that makes both fairer. Ends: spread shrinks. */
function evenOut(
  dealt: Map<string, TopicPartition[]>,
  takersOf: ReadonlyMap<string, readonly Candidate[]>,
): void {
  for (let moved = true; moved;) {
    moved = false
    for (const mine of dealt.values()) {
      for (let i = mine.length - 1; i >= 0; i--) {
        const partition = mine[i]
        if (partition === undefined) continue
        const idle = (takersOf.get(partition.topic) ?? [])
          .map((member) => dealt.get(member.memberId) ?? mine)
          .find((theirs) => theirs.length + 1 < mine.length)
        if (idle === undefined) continue
        mine.splice(i, 1)
        idle.push(partition)
        moved = true
      }
    }
  }
}

const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol

/** What a member says of itself when it joins. */
export function encodeSubscription(
  topics: readonly string[],
  owned: readonly TopicPartition[],
): Buffer {
  const userData = Buffer.from(
    JSON.stringify(owned.map(({ topic, partition }) => [topic, partition])),
  )
  return MemberMetadata.encode({ version, topics: [...topics], userData })
}

/** A member whose words make no sense to us keeps its topics and is taken to have had nothing. */
export function decodeSubscription(memberId: string, metadata: Buffer): Candidate {
  const decoded = MemberMetadata.decode(metadata)
  if (decoded === null) return { memberId, topics: [], owned: [] }
  return { memberId, topics: decoded.topics, owned: decodeOwned(decoded.userData) }
}

function decodeOwned(userData: Buffer): readonly TopicPartition[] {
  let said: unknown
  try {
    said = JSON.parse(userData.toString('utf8'))
  } catch {
    return [] // another version of us, or none: it only costs stickiness
  }
  if (!Array.isArray(said)) return []
  return said.flatMap((one: unknown) => {
    if (!Array.isArray(one)) return []
    const [topic, partition] = one as unknown[] // as: `isArray` gives any[]
    return typeof topic === 'string' && typeof partition === 'number' ? [{ topic, partition }] : []
  })
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const assignment: Record<string, number[]> = {}
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition)
  return MemberAssignment.encode({ version, assignment, userData: Buffer.alloc(0) })
}

export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  const decoded = bytes.length === 0 ? null : MemberAssignment.decode(bytes)
  return Object.entries(decoded?.assignment ?? {}).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}
