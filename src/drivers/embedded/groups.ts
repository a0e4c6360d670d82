import type { CommitEntry, GroupOffset } from '../../ports/bus.ts'
import type { TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Committed, Environment } from './environment.ts'
import type { ClientEntry } from './liveness.ts'
import { beatMs, Heartbeats, isDead, ownEntry } from './liveness.ts'
import type { Group } from './membership.ts'
import * as membership from './membership.ts'
import { partitionIdIn, partitionsIn } from './topics.ts'
import type { Writer } from './writer.ts'

/*
 * The groups of this client: membership and committed offsets in LMDB, the heartbeat of the client,
 * and the watch over the clients of other members. Every change of a group is one transaction.
 */

/** How often members look whether the process of another one is gone. */
const watchEveryMs = 400
/** Group names are keys of LMDB, which end at a NUL; the bound is Kafka's for topic names. */
const groupForm = /^\P{Control}{1,249}$/u
/** What a commit's metadata may hold, in UTF-16 code units: the bound of the port. */
const metadataMax = 4_096

export interface GroupsPorts {
  readonly environment: Environment
  readonly writer: Writer
  readonly clock: Clock
  readonly logger: Logger
  /** The id of this client. */
  readonly client: string
}

/** An entry with the id of the partition that was read, which tells a topic from its successor. */
export interface PlacedOffset extends GroupOffset {
  readonly id: number
}

export class Groups {
  readonly #ports: GroupsPorts
  readonly #heartbeats = new Heartbeats()
  /** Groups of this client's members; the client has a heartbeat while there is any. */
  readonly #members = new Map<string, string>()
  /** Members that left but whose leaving could not be stored yet. */
  readonly #leaving = new Map<string, string>()
  #cancelBeat: (() => void) | null = null
  #cancelWatch: (() => void) | null = null
  #entry: ClientEntry = ownEntry()
  #isEvicting = false

  constructor(ports: GroupsPorts) {
    this.#ports = ports
  }

  read(group: string): Group {
    return this.#ports.environment.groups.get(group) ?? membership.emptyGroup
  }

  /** Joins as a new member. Members whose process is gone leave in the same step. */
  async join(group: string, id: string, topics: readonly string[]): Promise<void> {
    const { environment, writer, client } = this.#ports
    this.#members.set(id, group)
    // Without members we were silent; the others must see at once that this is over.
    this.#entry = nextBeat(this.#entry)
    this.#start()
    await writer.write(() => {
      void environment.clients.put(client, this.#entry)
      const partitionsOf = partitionsIn(environment)
      const current = this.read(group)
      const gone = this.#goneMembers(current)
      const rest = membership.remove(current, gone, partitionsOf)
      this.#store(group, membership.join(rest, id, { client, topics }, partitionsOf))
    })
  }

  /** Takes the member out for good. If that cannot be stored now, the heartbeat tries again. */
  async leave(group: string, id: string): Promise<void> {
    this.#members.delete(id)
    this.#leaving.set(id, group)
    try {
      await this.#storeLeaving()
    } finally {
      if (this.#members.size === 0 && this.#leaving.size === 0) this.#stop()
    }
  }

  /** The group has expelled this member. */
  forget(id: string): void {
    this.#members.delete(id)
  }

  async letGo(group: string, id: string): Promise<void> {
    await this.#change(group, (current, partitionsOf) =>
      membership.letGo(current, id, partitionsOf),
    )
  }

  async changeTopics(group: string, id: string, topics: readonly string[]): Promise<void> {
    await this.#change(group, (current) => membership.changeTopics(current, id, topics))
  }

  /**
   * Stores offsets of partitions that the member owns at that moment. Rejects with `not-owner` when
   * some are not its own, once the others are stored.
   */
  async commit(group: string, id: string, entries: readonly PlacedOffset[]): Promise<void> {
    const refused = await this.#ports.writer.write(() => {
      const current = this.read(group)
      const isOwn = (entry: PlacedOffset) => this.#owns(current, id, entry)
      for (const { topic, partition, offset, metadata } of entries.filter(isOwn)) {
        const committed: Committed = { offset: Number(offset), metadata }
        void this.#ports.environment.offsets.put([group, topic, partition], committed)
      }
      return entries.filter((entry) => !isOwn(entry))
    })
    if (refused.length > 0) throw notOwner(refused)
  }

  /** Stores where partitions of the member start, unless something is committed there already. */
  async commitStarts(group: string, id: string, starts: readonly PlacedOffset[]): Promise<void> {
    const { environment, writer } = this.#ports
    await writer.write(() => {
      const current = this.read(group)
      for (const start of starts) {
        const { topic, partition, offset, metadata } = start
        if (!this.#owns(current, id, start)) continue
        if (environment.offsets.get([group, topic, partition]) !== undefined) continue
        const committed: Committed = { offset: Number(offset), metadata }
        void environment.offsets.put([group, topic, partition], committed)
      }
    })
  }

  committed(group: string, topic: string, partition: number): Committed | null {
    return this.#ports.environment.offsets.get([group, topic, partition]) ?? null
  }

  offsets(group: string, topics: readonly string[]): readonly GroupOffset[] {
    checkGroupName(group)
    const found: GroupOffset[] = []
    const range = { start: [group], end: [group, '\uffff'] }
    for (const { key, value } of this.#ports.environment.offsets.getRange(range)) {
      const [, topic, partition] = key
      if (!topics.includes(topic)) continue
      found.push({ topic, partition, offset: BigInt(value.offset), metadata: value.metadata })
    }
    return found
  }

  /** Stops the heartbeat and takes this client off the list. Members have left before. */
  async close(): Promise<void> {
    this.#stop()
    const { environment, writer, client } = this.#ports
    if (environment.clients.get(client) === undefined) return
    await writer.write(() => void environment.clients.remove(client))
  }

  async #change(
    group: string,
    step: (current: Group, partitionsOf: membership.PartitionsOf) => Group,
  ): Promise<void> {
    await this.#ports.writer.write(() => {
      const current = this.read(group)
      const next = step(current, partitionsIn(this.#ports.environment))
      if (next !== current) this.#store(group, next)
    })
  }

  /**
   * Whether the member owns the partition, and it is still the one that was read: until its members
   * let go, a group owns partitions of a topic that was deleted, and perhaps made anew.
   */
  #owns(current: Group, member: string, { topic, partition, id }: PlacedOffset): boolean {
    const isThere = partitionIdIn(this.#ports.environment, topic, partition) === id
    return isThere && membership.ownsPartition(current, member, topic, partition)
  }

  /** Inside a write transaction. A group without members is no group; its offsets stay. */
  #store(group: string, next: Group): void {
    const { groups } = this.#ports.environment
    if (Object.keys(next.members).length === 0) void groups.remove(group)
    else void groups.put(group, next)
  }

  async #storeLeaving(): Promise<void> {
    const leaving = [...this.#leaving]
    await this.#ports.writer.write(() => {
      for (const [id, group] of leaving) this.#removeMembers(group, [id])
    })
    for (const [id] of leaving) this.#leaving.delete(id)
  }

  #removeMembers(group: string, ids: readonly string[]): void {
    const current = this.read(group)
    const next = membership.remove(current, ids, partitionsIn(this.#ports.environment))
    if (next !== current) this.#store(group, next)
  }

  #start(): void {
    const { clock } = this.#ports
    this.#cancelBeat ??= repeat(clock, beatMs, () => this.#beat())
    this.#cancelWatch ??= repeat(clock, watchEveryMs, () => this.#watch())
  }

  #stop(): void {
    this.#cancelBeat?.()
    this.#cancelWatch?.()
    this.#cancelBeat = null
    this.#cancelWatch = null
  }

  async #beat(): Promise<void> {
    const { environment, writer, client, logger } = this.#ports
    try {
      this.#entry = nextBeat(this.#entry)
      // Alone, nobody would look at it: an idle Sluice then writes nothing to its disk. Another
      // one watches us for a whole session before it judges, and we see it long before that.
      if (!this.#isAlone()) {
        await writer.write(() => void environment.clients.put(client, this.#entry))
      }
      if (this.#leaving.size > 0) await this.#storeLeaving()
    } catch (error) {
      // The consumers find out by themselves what is wrong, and say so through onState.
      logger.debug({ err: error }, 'heartbeat of the embedded bus not stored')
    }
    if (this.#members.size === 0 && this.#leaving.size === 0) this.#stop()
  }

  async #watch(): Promise<void> {
    const { environment, clock, logger } = this.#ports
    try {
      if (!this.#isAlone()) {
        const clients = new Map<string, ClientEntry>()
        for (const { key, value } of environment.clients.getRange({})) clients.set(key, value)
        this.#heartbeats.observe(clients, clock.monotonic())
        await this.#evictGone()
      }
    } catch (error) {
      logger.debug({ err: error }, 'members of the embedded bus not looked after')
    }
  }

  #isAlone(): boolean {
    const keys = [...this.#ports.environment.clients.getKeys({ limit: 2 })]
    return keys.every((key) => key === this.#ports.client)
  }

  async #evictGone(): Promise<void> {
    if (this.#isEvicting) return
    const groups = [...new Set(this.#members.values())]
    const hasGone = groups.some((group) => this.#goneMembers(this.read(group)).length > 0)
    if (!hasGone) return
    this.#isEvicting = true
    try {
      const evicted = await this.#ports.writer.write(() =>
        groups.flatMap((group) => {
          // Judged anew inside the transaction: another member may have come first.
          const gone = this.#goneMembers(this.read(group))
          this.#removeMembers(group, gone)
          return gone.map((member) => ({ group, member }))
        }),
      )
      for (const fields of evicted) {
        this.#ports.logger.info(fields, 'member of a group is gone, its partitions are handed over')
      }
    } finally {
      this.#isEvicting = false
    }
  }

  #goneMembers({ members }: Group): readonly string[] {
    return Object.entries(members)
      .filter(([, { client }]) => this.#isGone(client))
      .map(([id]) => id)
  }

  #isGone(client: string): boolean {
    if (client === this.#ports.client) return false
    const entry = this.#ports.environment.clients.get(client)
    return entry === undefined || isDead(entry) || this.#heartbeats.isSilent(client, entry)
  }
}

function nextBeat(entry: ClientEntry): ClientEntry {
  return { ...entry, beat: entry.beat + 1 }
}

/** Runs `step`, which never rejects, `everyMs` after its last run ended, until it is told to end. */
function repeat(clock: Clock, everyMs: number, step: () => Promise<void>): () => void {
  let isOver = false
  let cancel = (): void => undefined
  const arm = (): void => {
    if (!isOver) cancel = clock.schedule(everyMs, () => void step().then(arm))
  }
  arm()
  return () => {
    isOver = true
    cancel()
  }
}

/** Throws a PortError of code `invalid` when a group cannot have this name. */
export function checkGroupName(group: string): void {
  if (groupForm.test(group)) return
  throw new PortError('bus', 'invalid', `'${group}' cannot name a group: use 1 to 249 characters`)
}

/** Throws a PortError of code `invalid` when an entry of a commit is out of bounds. */
export function checkEntries(entries: readonly CommitEntry[]): void {
  for (const entry of entries) {
    const { offset, metadata } = entry
    if (metadata.length > metadataMax) {
      const found = `metadata of ${metadata.length} characters for ${partitionName(entry)}`
      throw new PortError('bus', 'invalid', `${found}: at most ${metadataMax} can be stored`)
    }
    if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new PortError('bus', 'invalid', `${offset} is no offset of ${partitionName(entry)}`)
    }
  }
}

export function notOwner(entries: readonly TopicPartition[]): PortError {
  const names = entries.map(partitionName).join(', ')
  return new PortError('bus', 'not-owner', `the assignment is over: ${names}`)
}
