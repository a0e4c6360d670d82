import type {
  CommitEntry,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  ConsumerState,
} from '../../ports/bus.ts'
import type { TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { PortError } from '../../ports/port-error.ts'
import {
  assign,
  assignerName,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './assign.ts'
import type { Connection } from './connection.ts'
import { kafkaErrorType, toPortError, withDeadline } from './errors.ts'
import { Fetchers, isOfLeader, leaderOf, noLeader } from './fetchers.ts'
import { MemberFile } from './former-member.ts'
import { Generation } from './generation.ts'
import { groupTroubleOf } from './group-errors.ts'
import type { JoinedGroup } from './innards.ts'
import { joinGroup } from './innards.ts'
import { OwnedPartition } from './owned-partition.ts'
import { byTopic, committedOffsets, leadersOf, listOffsets, topicStates } from './requests.ts'

/*
 * A member of a consumer group.
 *
 * Its life is a loop of generations: join, learn what is ours and where to read on, tell the sink,
 * fetch until something ends the generation, let the sink finish, join again. Heartbeats go on
 * beside all of it from the join to the moment the sink has let go, so that the group waits for us
 * (up to the rebalance timeout) while tasks finish and their offsets are committed.
 *
 * On a crash at any line the group hears nothing more from us and gives our partitions to others
 * after the session, or as soon as we are back (former-member.ts); they read on from the last commit.
 */

const backoffMsMin = 100
const backoffMsMax = 5_000
/** A commit that meets a rebalance waits for its end; longer than this it is the caller's again. */
const commitMsMax = 10_000
/** How long the group may take to hear that we leave; if it does not, our session runs out. */
const leaveMsMax = 2_000
/** While a topic is missing we look for it as often as this; it may just be being made. */
const lookForMissingMs = 5_000
/** Kafka's default for `offset.metadata.max.bytes`, which counts UTF-16 units in spite of its name. */
const metadataUnitsMax = 4_096
/** The sink gets at most this share of the time in which the group waits for us. */
const graceShare = 0.8

let lastEpoch = 0

export class KafkaConsumer implements Consumer {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #options: ConsumeOptions
  readonly #sink: ConsumerSink
  readonly #file: MemberFile
  readonly #fetchers: Fetchers
  readonly #owned = new Map<string, OwnedPartition>()
  readonly #missing = new Set<string>()
  readonly #closing = new AbortController()
  #topics: readonly string[]
  #memberId = ''
  #isFirstJoin = true
  #generation: Generation | null = null
  /** As the leader of the group: how many partitions of each topic, 0 for one not found; else `null`. */
  #dealt: ReadonlyMap<string, number> | null = null
  #kept: readonly TopicPartition[] = []
  /** Ours, but never read, and nobody can say where they begin: left alone until they have a leader. */
  #leaderless: readonly TopicPartition[] = []
  /** What does not work now: the group, a broker, a partition. */
  readonly #troubles = new Set<string>()
  #committing: Promise<unknown> = Promise.resolve()
  #closeCall: Promise<void> | null = null
  #tellClosed: () => void = () => undefined
  /** Resolves once the consumer is closed, by whoever. */
  readonly closed = new Promise<void>((resolve) => (this.#tellClosed = resolve))
  #closeByMs = Infinity
  #wakeLook: () => void = () => undefined
  readonly #running: Promise<void>

  constructor(
    connection: Connection,
    { logger, rack }: { readonly logger: Logger; readonly rack: string | null },
    options: ConsumeOptions,
    sink: ConsumerSink,
  ) {
    this.#connection = connection
    this.#clock = connection.clock
    this.#logger = logger
    this.#options = options
    this.#sink = sink
    this.#topics = [...new Set(options.topics)]
    this.#file = new MemberFile(options.stateDir, options.group)
    this.#fetchers = new Fetchers(connection, {
      owned: this.#owned,
      rack,
      logger,
      onRecords: (partition, records, nextOffset) => {
        const { topic, partition: number, epoch } = partition
        this.#tell(() => sink.onRecords({ topic, partition: number }, epoch, records, nextOffset))
      },
      onSkipped: (partition, from, to) => this.#tellState({ kind: 'skipped', partition, from, to }),
      onTrouble: (source, error) => this.#tellTrouble(source, error),
      onWorks: (source) => this.#tellWorks(source),
      onChanged: () => this.#wakeLook(),
    })
    this.#running = this.#run()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const owned = this.#owned.get(partitionName(partition))
      if (owned !== undefined) owned.isPaused = true
    }
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) {
      const owned = this.#owned.get(partitionName(partition))
      if (owned !== undefined) owned.isPaused = false
    }
    this.#fetchers.wake()
  }

  seek(partition: TopicPartition, offset: bigint): void {
    this.#owned.get(partitionName(partition))?.seek(offset)
    this.#fetchers.wake()
  }

  commit(entries: readonly CommitEntry[]): Promise<void> {
    const long = entries.find((entry) => entry.metadata.length > metadataUnitsMax)
    if (long !== undefined) {
      // The broker would refuse the whole commit and not say because of whom.
      const problem = `metadata of ${partitionName(long)} has ${long.metadata.length} units, at most ${metadataUnitsMax} are kept`
      return Promise.reject(new PortError('bus', 'invalid', problem))
    }
    const done = this.#committing.then(() => this.#commit(entries))
    this.#committing = done.catch(() => undefined) // told to who asked; the next one goes on
    return done
  }

  setTopics(topics: readonly string[]): Promise<void> {
    const wanted = [...new Set(topics)]
    const isSame =
      wanted.length === this.#topics.length && wanted.every((topic) => this.#topics.includes(topic))
    if (isSame) return Promise.resolve()
    this.#topics = wanted
    for (const topic of this.#missing) if (!wanted.includes(topic)) this.#missing.delete(topic)
    this.#generation?.end({ kind: 'topics' })
    this.#wakeLook()
    return Promise.resolve()
  }

  close(deadlineMs: number): Promise<void> {
    this.#closeCall ??= this.#close(deadlineMs)
    return this.#closeCall
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#closeByMs = this.#clock.monotonic() + deadlineMs
    this.#closing.abort(new PortError('bus', 'closed', 'the consumer is closed'))
    this.#generation?.end({ kind: 'closing' })
    // The loop ends by itself once the sink has let go; what hangs in a request does not hold us.
    const enough = new AbortController()
    const timeUp = this.#clock.sleep(deadlineMs, enough.signal).catch(() => undefined)
    await Promise.race([this.#running, timeUp])
    enough.abort(new Error('done'))
    this.#owned.clear()
    if (this.#memberId !== '') await this.#leave(this.#memberId)
    this.#connection.close()
    this.#tellClosed()
  }

  async #leave(memberId: string): Promise<void> {
    const { group } = this.#options
    const untilMs = this.#clock.monotonic() + leaveMsMax
    const leave = async () => {
      for (;;) {
        try {
          const coordinator = await this.#connection.coordinator(group)
          await coordinator.leaveGroup({ groupId: group, memberId })
          break
        } catch (error) {
          if (groupTroubleOf(error) === 'forgotten') break
          if (this.#clock.monotonic() > untilMs) throw error
          await this.#clock.sleep(backoffMsMin) // our connections may just have been cut, say
        }
      }
      await this.#file.remove()
    }
    try {
      await withDeadline(this.#clock, leaveMsMax, `leave group ${group}`, leave())
    } catch (error) {
      this.#logger.warn({ group, err: error }, 'group not left; it waits for our session to end')
    }
  }

  async #run(): Promise<void> {
    let backoffMs = backoffMsMin
    while (!this.#closing.signal.aborted) {
      try {
        await this.#live()
        backoffMs = backoffMsMin
        continue
      } catch (error) {
        if (this.#closing.signal.aborted) return
        const trouble = groupTroubleOf(error)
        if (trouble === 'forgotten') this.#memberId = ''
        // A group that moves or rebalances while we join is its daily life, not an outage.
        if (trouble === 'other') this.#tellTrouble('group', toPortError(error, 'join the group'))
        else backoffMs = backoffMsMin
      }
      await this.#sleepUnlessClosing(backoffMs * (0.5 + this.#clock.random() / 2))
      backoffMs = Math.min(backoffMs * 2, backoffMsMax)
    }
  }

  /** One generation, from the join to the hand-over. Rejects only while nothing is ours. */
  async #live(): Promise<void> {
    if (this.#troubles.size === 0) this.#tellState({ kind: 'joining' }) // else known: it keeps trying
    const topics = this.#topics
    const found = await this.#look()
    if (found.size === 0) {
      // Others of the group must not wait for a member that has nothing to do in it.
      if (this.#memberId !== '') await this.#leave(this.#memberId)
      this.#memberId = ''
      if (this.#topics === topics) await this.#untilLookAgain() // else changed while we looked
      return
    }
    const joined = await this.#join([...found.keys()])
    const generation = new Generation(joined.generationId, joined.memberId)
    const beating = this.#beat(generation)
    try {
      const partitions = await this.#sync(joined)
      await this.#take(generation, partitions)
      for (const [topic, leaders] of found) this.#fetchers.learn(topic, leaders) // what is ours by now
      if (this.#closing.signal.aborted) generation.end({ kind: 'closing' })
      if (this.#topics !== topics) generation.end({ kind: 'topics' }) // changed while we joined
      void this.#keepLooking(generation, found)
      // Not waited for: a fetch may hang at a broker for a while, but brings the sink nothing more.
      void this.#fetchers.run(generation)
      await generation.ended
      await this.#letGo(generation)
    } finally {
      generation.over.abort()
      this.#generation = null
      await beating
    }
  }

  /** Which of our topics are there, with the leaders of their partitions. Tells of the others once. */
  async #look(): Promise<ReadonlyMap<string, readonly number[]>> {
    const topics = this.#topics
    const states = await topicStates(this.#connection, topics)
    this.#tellWorks('topics')
    const found = new Map<string, readonly number[]>()
    for (const topic of topics) {
      const state = states.get(topic)
      if (state?.kind === 'here') {
        found.set(topic, state.leaders)
        this.#tellWorks(topic)
        this.#fetchers.learn(topic, state.leaders)
        if (this.#missing.delete(topic)) this.#logger.info({ topic }, 'topic is there again')
      } else if (state?.kind === 'failed') {
        this.#tellTrouble(topic, toPortError(state.error, `read topic ${topic}`))
      } else if (!this.#missing.has(topic) && this.#topics.includes(topic)) {
        this.#missing.add(topic)
        this.#tellState({ kind: 'topic-missing', topic })
      }
    }
    return found
  }

  /** Looks for what has come and gone while the generation lasts, and ends it when something has. */
  async #keepLooking(
    generation: Generation,
    joinedWith: ReadonlyMap<string, readonly number[]>,
  ): Promise<void> {
    void generation.ended.then(() => this.#wakeLook())
    while (!generation.isEnded) {
      await this.#untilLookAgain()
      if (generation.isEnded) return
      try {
        const found = await this.#look()
        const isSame =
          found.size === joinedWith.size &&
          [...found].every(([topic, leaders]) => joinedWith.get(topic)?.length === leaders.length)
        const canStart = this.#leaderless.some(
          ({ topic, partition }) => (found.get(topic)?.[partition] ?? -1) >= 0,
        )
        if (!isSame || canStart || !(await this.#isAsDealt())) generation.end({ kind: 'topics' })
        else this.#fetchers.wake()
      } catch (error) {
        this.#tellTrouble('topics', toPortError(error, 'look for topics'))
      }
    }
  }

  /** Resolves when it is time to look for topics, or `#wakeLook` says so. */
  #untilLookAgain(): Promise<void> {
    const { lookAgain } = this.#connection.timing
    const isSoon =
      this.#missing.size > 0 ||
      [...(this.#dealt?.values() ?? [])].includes(0) ||
      [...this.#troubles].some((source) => source === 'topics' || isOfLeader(source))
    const ms = isSoon ? Math.min(lookForMissingMs, lookAgain) : lookAgain
    return new Promise((resolve) => {
      const finish = () => {
        cancel()
        this.#closing.signal.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = this.#clock.schedule(ms, finish)
      this.#closing.signal.addEventListener('abort', finish, { once: true })
      this.#wakeLook = finish
      if (this.#closing.signal.aborted) finish()
    })
  }

  async #join(topics: readonly string[]): Promise<JoinedGroup> {
    const { group } = this.#options
    const { session, rebalance } = this.#connection.timing
    const coordinator = await this.#connection.coordinator(group)
    if (this.#isFirstJoin) {
      for (const memberId of await this.#deadMembers()) await this.#expel(memberId)
      this.#isFirstJoin = false
    }
    const request = {
      groupId: group,
      sessionTimeout: session,
      rebalanceTimeout: rebalance,
      memberId: this.#memberId,
      groupProtocols: [{ name: assignerName, metadata: encodeSubscription(topics, this.#kept) }],
    }
    const joining = this.#connection.request(
      coordinator,
      `join group ${group}`,
      // Known while we wait, so that a close leaves the group, and a failure does not join twice.
      () => joinGroup(coordinator, request, (memberId) => (this.#memberId = memberId)),
      rebalance, // the coordinator answers when all members have joined
    )
    const joined = await this.#unlessClosing(joining)
    this.#memberId = joined.memberId
    await this.#file.write(joined.memberId).catch((error: unknown) => this.#tellFile(error))
    return joined
  }

  async #deadMembers(): Promise<readonly string[]> {
    try {
      return await this.#file.takeDead()
    } catch (error) {
      this.#tellFile(error)
      return []
    }
  }

  /** Without its file a member that is killed costs the group a session; reading goes on. */
  #tellFile(error: unknown): void {
    const { group, stateDir } = this.#options
    this.#logger.warn({ group, stateDir, err: error }, 'cannot keep our place for after a crash')
  }

  /** Takes a member that is dead out of the group. If that fails, its session runs out. */
  async #expel(memberId: string): Promise<void> {
    const { group } = this.#options
    try {
      const coordinator = await this.#connection.coordinator(group)
      await this.#connection.request(coordinator, `take a dead member out of group ${group}`, () =>
        coordinator.leaveGroup({ groupId: group, memberId }),
      )
      this.#logger.info({ group, memberId }, 'took our former self out of the group')
    } catch (error) {
      if (kafkaErrorType(error) === 'UNKNOWN_MEMBER_ID') return // its session ran out before
      this.#logger.warn(
        { group, memberId, err: error },
        'our former self stays until its session ends',
      )
    }
  }

  async #sync({ memberId, leaderId, generationId, members }: JoinedGroup) {
    const { group } = this.#options
    this.#dealt = null
    const groupAssignment = memberId === leaderId ? await this.#deal(members) : []
    const coordinator = await this.#connection.coordinator(group)
    const { memberAssignment } = await this.#unlessClosing(
      this.#connection.request(
        coordinator,
        `sync with group ${group}`,
        () => coordinator.syncGroup({ groupId: group, generationId, memberId, groupAssignment }),
        this.#connection.timing.rebalance, // answered when the leader has dealt
      ),
    )
    return decodeAssignment(memberAssignment)
  }

  /** As the leader of the group: gives every partition of all members' topics to one of them. */
  async #deal(members: JoinedGroup['members']) {
    const candidates = members.map((member) =>
      decodeSubscription(member.memberId, member.memberMetadata),
    )
    const topics = [...new Set(candidates.flatMap((candidate) => candidate.topics))].toSorted()
    const counts = await this.#count(topics)
    this.#dealt = counts
    return [...assign(candidates, counts)].map(([memberId, partitions]) => ({
      memberId,
      memberAssignment: encodeAssignment(partitions),
    }))
  }

  async #count(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const states = await topicStates(this.#connection, topics)
    return new Map(
      topics.map((topic) => {
        const state = states.get(topic)
        return [topic, state?.kind === 'here' ? state.leaders.length : 0]
      }),
    )
  }

  /**
   * Whether the topics of the group are as they were when we dealt them. The broker that told us
   * then may not have heard of a new topic or partition yet, and nobody else would notice.
   */
  async #isAsDealt(): Promise<boolean> {
    const dealt = this.#dealt
    if (dealt === null) return true
    const counts = await this.#count([...dealt.keys()])
    return [...counts].every(([topic, count]) => dealt.get(topic) === count)
  }

  /** Learns where to read on, and tells the sink. Until then nothing is fetched. */
  async #take(generation: Generation, partitions: readonly TopicPartition[]): Promise<void> {
    const { group } = this.#options
    const coordinator = await this.#connection.coordinator(group)
    const committed = await committedOffsets(this.#connection, coordinator, group, partitions)
    const { started, leaderless } = await this.#start(committed.filter(({ offset }) => offset < 0n))
    if (started.length > 0) await this.#sendCommit(generation, started)

    const startedAt = new Map(started.map((one) => [partitionName(one), one.offset]))
    const assigned = committed
      .map(({ topic, partition, offset, metadata }) => ({
        topic,
        partition,
        epoch: ++lastEpoch,
        position: startedAt.get(partitionName({ topic, partition })) ?? offset,
        metadata,
      }))
      .filter(({ position }) => position >= 0n)
    this.#closing.signal.throwIfAborted() // nothing is told any more
    this.#kept = partitions
    this.#leaderless = leaderless
    this.#generation = generation
    for (const one of assigned) this.#owned.set(partitionName(one), new OwnedPartition(one))
    if (assigned.length > 0) this.#tell(() => this.#sink.onAssigned(assigned))
    this.#troubles.clear()
    this.#tellState({ kind: 'ready' })
    for (const partition of leaderless) {
      this.#tellTrouble(leaderOf(partition), noLeader(partition))
    }
  }

  /** Where partitions start that the group has never read; those without a leader cannot, yet. */
  async #start(partitions: readonly TopicPartition[]) {
    const { startAt } = this.#options
    const started: (TopicPartition & { offset: bigint; metadata: string })[] = []
    const leaderless: TopicPartition[] = []
    for (const [topic, those] of byTopic(partitions)) {
      const leaders = await leadersOf(this.#connection, topic)
      const hasLeader = ({ partition }: TopicPartition) => (leaders[partition] ?? -1) >= 0
      leaderless.push(...those.filter((one) => !hasLeader(one)))
      const numbers = those.filter(hasLeader).map(({ partition }) => partition)
      const offsets = await listOffsets(this.#connection, topic, leaders, startAt, numbers)
      // A time after the last record has no offset: what comes next is the first that is younger.
      const ends = [...offsets.values()].some((offset) => offset < 0n)
        ? await listOffsets(this.#connection, topic, leaders, 'latest', numbers)
        : offsets
      for (const partition of numbers) {
        const offset = offsets.get(partition) ?? -1n
        started.push({
          topic,
          partition,
          offset: offset >= 0n ? offset : (ends.get(partition) ?? 0n),
          metadata: '',
        })
      }
    }
    return { started, leaderless }
  }

  /** Says that we live, from the join until we have let go of our partitions. Never rejects. */
  async #beat(generation: Generation): Promise<void> {
    const { group } = this.#options
    const { heartbeat, session } = this.#connection.timing
    let heardMs = this.#clock.monotonic()
    let coordinator = await this.#connection.coordinator(group).catch(() => null)
    while (!generation.over.signal.aborted) {
      try {
        await this.#clock.sleep(heartbeat, generation.over.signal)
      } catch {
        return // let go: nothing left to keep
      }
      try {
        coordinator ??= await this.#connection.coordinator(group)
        const { id: groupGenerationId, memberId } = generation
        const broker = coordinator
        await this.#connection.request(
          broker,
          `keep our place in group ${group}`,
          () => broker.heartbeat({ groupId: group, groupGenerationId, memberId }),
          session / 2 - this.#connection.timing.request, // so that one answer lost is no session lost
        )
        heardMs = this.#clock.monotonic()
        this.#tellWorks('group')
      } catch (error) {
        if (generation.over.signal.aborted) return
        const trouble = groupTroubleOf(error)
        if (trouble === 'rebalancing') {
          heardMs = this.#clock.monotonic()
          generation.end({ kind: 'rebalance' })
        } else if (trouble === 'forgotten' || trouble === 'left-behind') {
          if (trouble === 'forgotten') this.#forget(generation.memberId)
          generation.end({ kind: 'lost' })
        } else {
          coordinator = null
          if (trouble === 'other') this.#tellTrouble('group', toPortError(error, 'keep our place'))
          // Nobody heard of us for a session: others may have our partitions, if others there are.
          if (this.#clock.monotonic() - heardMs > session) generation.end({ kind: 'lost' })
        }
      }
    }
  }

  /** To be called when the group does not know a member: unless we are another one by now. */
  #forget(memberId: string): void {
    if (this.#memberId === memberId) this.#memberId = ''
  }

  /** Lets the sink finish what is in flight, then gives the partitions back. */
  async #letGo(generation: Generation): Promise<void> {
    const revoked = [...this.#owned.values()].map(({ topic, partition, epoch }) => ({
      topic,
      partition,
      epoch,
    }))
    if (revoked.length === 0) return
    const graceMs = generation.isLost ? 0 : this.#graceMs()
    if (graceMs <= 0) {
      this.#owned.clear()
      this.#tell(() => void this.#sink.onRevoked(revoked, 0).catch(() => undefined))
      return
    }
    const revoke = async () => this.#sink.onRevoked(revoked, graceMs)
    const finished = revoke().catch((error: unknown) => {
      this.#logger.warn(
        { group: this.#options.group, err: error },
        'revocation ended with an error',
      )
    })
    const enough = new AbortController()
    const timeUp = this.#clock.sleep(graceMs, enough.signal).catch(() => undefined)
    // Whoever closes us while we let go need not wait for longer than they said.
    const closeUp = this.#untilCloseIsDue(enough.signal).catch(() => undefined)
    await Promise.race([finished, timeUp, closeUp, generation.lost])
    enough.abort(new Error('let go'))
    this.#owned.clear()
  }

  #graceMs(): number {
    const leftMs = this.#closeByMs - this.#clock.monotonic()
    if (leftMs !== Infinity) return Math.max(0, Math.floor(leftMs))
    return Math.min(this.#options.revokeGraceMs, this.#connection.timing.rebalance * graceShare)
  }

  async #untilCloseIsDue(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#closing.signal.aborted) resolve()
      this.#closing.signal.addEventListener('abort', () => resolve(), { once: true, signal })
    })
    await this.#clock.sleep(Math.max(0, this.#closeByMs - this.#clock.monotonic()), signal)
  }

  async #commit(entries: readonly CommitEntry[]): Promise<void> {
    if (entries.length === 0) return
    const untilMs = this.#clock.monotonic() + commitMsMax
    for (;;) {
      const ours = entries.filter(
        (entry) => this.#owned.get(partitionName(entry))?.epoch === entry.epoch,
      )
      const generation = this.#generation
      if (ours.length === 0 || generation === null) throw notOwner(entries)
      try {
        await this.#sendCommit(generation, ours)
        if (ours.length < entries.length) {
          throw notOwner(entries.filter((entry) => !ours.includes(entry)))
        }
        return
      } catch (error) {
        if (error instanceof PortError && error.code === 'not-owner') throw error
        const trouble = groupTroubleOf(error)
        if (trouble === 'forgotten' || trouble === 'left-behind') {
          if (trouble === 'forgotten') this.#forget(generation.memberId)
          generation.end({ kind: 'lost' })
          throw notOwner(entries)
        }
        if (trouble === 'rebalancing') generation.end({ kind: 'rebalance' })
        if (kafkaErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#wakeLook()
        if (trouble === 'other' || this.#clock.monotonic() > untilMs) {
          throw toPortError(error, `commit to group ${this.#options.group}`)
        }
      }
      await this.#clock.sleep(backoffMsMin)
    }
  }

  /** Resolves when the coordinator says that it has them all. */
  async #sendCommit(
    generation: Generation,
    entries: readonly (TopicPartition & { offset: bigint; metadata: string })[],
  ): Promise<void> {
    const { group } = this.#options
    const coordinator = await this.#connection.coordinator(group)
    const topics = byTopic(entries).map(([topic, those]) => ({
      topic,
      partitions: those.map(({ partition, offset, metadata }) => ({
        partition,
        offset: offset.toString(),
        metadata,
      })),
    }))
    await this.#connection.request(coordinator, `commit to group ${group}`, () =>
      coordinator.offsetCommit({
        groupId: group,
        groupGenerationId: generation.id,
        memberId: generation.memberId,
        topics,
      }),
    )
  }

  /** The promise, or a rejection as soon as we close: a join may wait at the broker for a minute. */
  async #unlessClosing<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#closing
    let stop: () => void = () => undefined
    const closing = new Promise<never>((_resolve, reject) => {
      stop = () => {
        this.#connection.cut() // the broker would answer nothing else on it until the join is over
        reject(new PortError('bus', 'closed', 'the consumer is closed'))
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
    try {
      return await Promise.race([promise, closing])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #sleepUnlessClosing(ms: number): Promise<void> {
    await this.#clock.sleep(ms, this.#closing.signal).catch(() => undefined) // closing: no need to wait
  }

  /** Remembers trouble until `source` works again: one that works does not hide one that does not. */
  #tellTrouble(source: string, error: Error): void {
    if (this.#closing.signal.aborted || this.#troubles.has(source)) return
    this.#troubles.add(source)
    this.#logger.warn({ group: this.#options.group, source, err: error }, 'trouble with kafka')
    if (this.#troubles.size === 1) this.#tellState({ kind: 'unreachable', error })
  }

  #tellWorks(source: string): void {
    if (!this.#troubles.delete(source)) return
    this.#logger.info({ group: this.#options.group, source }, 'trouble with kafka is over')
    if (this.#troubles.size === 0 && this.#generation !== null) this.#tellState({ kind: 'ready' })
  }

  #tellState(state: ConsumerState): void {
    this.#tell(() => this.#sink.onState(state))
  }

  /** What the sink throws is a bug of its own and must not be taken for trouble with the bus. */
  #tell(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

function notOwner(entries: readonly TopicPartition[]): PortError {
  const names = entries.map(partitionName).join(', ')
  return new PortError('bus', 'not-owner', `no longer ours: ${names}`)
}
