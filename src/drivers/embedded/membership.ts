/*
 * Who is in a group and who owns what: pure steps over one small value, which lies in LMDB and is
 * only ever changed inside a write transaction. There is no coordinator; whoever takes the step
 * that completes a generation computes the assignment in it.
 *
 *   join, leave, evict, topics changed --> generation + 1: every member must let go
 *   let go (revoked, grace over)       --> this member owns nothing and takes part in the generation
 *   all members take part              --> partitions are dealt: `dealt` = generation
 *
 * Invariant: a partition is dealt only when no member owns anything, so it has one owner at most.
 * A member that is not in the value any more owns nothing, whatever it believes itself.
 */

export interface Group {
  readonly generation: number
  /** The last generation whose partitions were dealt. */
  readonly dealt: number
  readonly members: Readonly<Record<string, Member>>
}

export interface Member {
  /** The client, that is bus instance, in which the member lives; `Liveness` tells if it does. */
  readonly client: string
  readonly topics: readonly string[]
  /** The generation in which it takes part: it has let go of what it owned before. */
  readonly joined: number
  readonly owns: Readonly<Record<string, readonly number[]>>
}

/** How many partitions a topic has, or `null` when it does not exist. */
export type PartitionsOf = (topic: string) => number | null

export const emptyGroup: Group = { generation: 0, dealt: 0, members: {} }

export function join(
  group: Group,
  id: string,
  { client, topics }: Pick<Member, 'client' | 'topics'>,
  partitionsOf: PartitionsOf,
): Group {
  const generation = group.generation + 1
  const member = { client, topics, joined: generation, owns: {} }
  const members = { ...group.members, [id]: member }
  return dealIfComplete({ ...group, generation, members }, partitionsOf)
}

/** Takes members out, by their own will or because their process is gone. */
export function remove(group: Group, ids: readonly string[], partitionsOf: PartitionsOf): Group {
  const staying = Object.entries(group.members).filter(([id]) => !ids.includes(id))
  if (staying.length === Object.keys(group.members).length) return group
  const members = Object.fromEntries(staying)
  return dealIfComplete({ ...group, generation: group.generation + 1, members }, partitionsOf)
}

/** The member owns nothing any more and takes part in the current generation. */
export function letGo(group: Group, id: string, partitionsOf: PartitionsOf): Group {
  const member = group.members[id]
  if (member === undefined || member.joined === group.generation) return group
  const members = { ...group.members, [id]: { ...member, joined: group.generation, owns: {} } }
  return dealIfComplete({ ...group, members }, partitionsOf)
}

/** Replaces the subscription of a member; all must let go when it differs. */
export function changeTopics(group: Group, id: string, topics: readonly string[]): Group {
  const member = group.members[id]
  if (member === undefined || sameTopics(member.topics, topics)) return group
  const members = { ...group.members, [id]: { ...member, topics } }
  return { ...group, generation: group.generation + 1, members }
}

/** Topics came or went: all must let go, if anyone reads one of them. */
export function topicsChanged(group: Group, changed: readonly string[]): Group {
  const isRead = Object.values(group.members).some((member) =>
    member.topics.some((topic) => changed.includes(topic)),
  )
  return isRead ? { ...group, generation: group.generation + 1 } : group
}

export function ownsPartition(group: Group, id: string, topic: string, partition: number): boolean {
  return group.members[id]?.owns[topic]?.includes(partition) ?? false
}

function dealIfComplete(group: Group, partitionsOf: PartitionsOf): Group {
  const members = Object.entries(group.members)
  if (members.some(([, member]) => member.joined !== group.generation)) return group
  const dealt = deal(members, partitionsOf)
  return {
    ...group,
    dealt: group.generation,
    members: Object.fromEntries(
      members.map(([id, member]) => [id, { ...member, owns: dealt.get(id) ?? {} }]),
    ),
  }
}

/**
 * Deals every partition to a member that reads its topic: to the one with the fewest so far, then
 * the lowest id. Everyone who computes it gets the same, and members differ by one at most when
 * all read the same topics.
 */
function deal(
  members: readonly (readonly [string, Member])[],
  partitionsOf: PartitionsOf,
): ReadonlyMap<string, Record<string, number[]>> {
  const hands = new Map<string, { count: number; owns: Record<string, number[]> }>()
  for (const id of members.map(([id]) => id).toSorted()) hands.set(id, { count: 0, owns: {} })
  const topics = new Set(members.flatMap(([, member]) => member.topics))
  for (const topic of [...topics].toSorted()) {
    const readers = members.filter(([, member]) => member.topics.includes(topic)).map(([id]) => id)
    for (let partition = 0; partition < (partitionsOf(topic) ?? 0); partition++) {
      const [, hand] = [...hands]
        .filter(([id]) => readers.includes(id))
        .reduce((least, next) => (next[1].count < least[1].count ? next : least))
      hand.count++
      hand.owns[topic] = [...(hand.owns[topic] ?? []), partition]
    }
  }
  return new Map([...hands].map(([id, hand]) => [id, hand.owns]))
}

function sameTopics(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && new Set([...one, ...other]).size === new Set(one).size
}
