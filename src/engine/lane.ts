import type { BusRecord, TopicPartition } from '../model/record.ts'
import { partitionName } from '../model/record.ts'
import type {
  Assigned,
  Bus,
  CommitEntry,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  ConsumerState,
} from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { every } from './every.ts'
import type { Intake } from './intake.ts'
import type { MemoryBudget } from './memory-budget.ts'
import type { Meters } from './meters.ts'
import { Partition } from './partition.ts'
import type { RepeatedLog } from './repeated-log.ts'

/** At most this much work is repeated after a crash beside what was in flight (delivery.md, 2). */
const commitEveryMs = 500

/** Records taken in one go before other work of the event loop has its turn. */
const sliceRecords = 256

/** How long a rebalance waits for what is in flight; below the session timeout of a group. */
const revokeGraceMs = 5_000

/** Share of a grace that is spent on waiting; the rest is for the last commit. */
const graceForWork = 0.8

/** A wait for a due time is looked at anew at least this often, should the machine's clock step. */
const wakeMsMax = 30_000

export interface LaneParts {
  readonly name: string
  readonly group: string
  readonly topics: readonly string[]
  readonly startAt: ConsumeOptions['startAt']
  /** Unsettled events that a partition may have. */
  readonly window: number
  readonly stateDir: string | null
  readonly intake: Intake
  readonly bus: Bus
  readonly clock: Clock
  readonly logger: Logger
  readonly repeated: RepeatedLog
  readonly meters: Meters
  readonly budget: MemoryBudget
}

/**
 * One consumer group: takes records off the bus into the intake as long as there is room, and
 * commits what is settled. A partition is paused when its inbox is full, when its head is not due,
 * or when memory is; and resumed when that is over.
 */
export class Lane implements ConsumerSink {
  readonly name: string
  readonly group: string
  readonly #parts: LaneParts
  readonly #partitions = new Map<string, Partition>()
  readonly #pausedOnes = new Set<string>()
  readonly #wakes = new Map<string, { readonly isForDue: boolean; readonly cancel: () => void }>()
  #topics: readonly string[]
  #consumer: Consumer | null = null
  #state: ConsumerState = { kind: 'joining' }
  #stopCommitting: () => void = () => {}
  #commitUnderWay: Promise<void> | null = null
  #pumping: Partition | null = null
  #rounds = 0
  #turnedMs = 0
  #isStarted = false
  /** Wall time. */
  #startedMs = 0
  #isStopping = false
  #commitError: string | null = null

  constructor(parts: LaneParts) {
    this.name = parts.name
    this.group = parts.group
    this.#parts = parts
    this.#topics = parts.topics
    parts.meters.commitFailures.of(parts.name).inc(0)
    parts.intake.onRoom(() => this.#pumpAll())
    parts.budget.onPressure(() => this.#regulateAll())
    parts.budget.onRelief(() => this.#regulateAll())
  }

  /** Joins the group, unless there is no topic to read yet. */
  async start(): Promise<void> {
    const { clock } = this.#parts
    this.#isStarted = true
    this.#startedMs = clock.now()
    if (this.#topics.length > 0) await this.#consume(this.#topics)
    this.#turnedMs = clock.monotonic()
    this.#stopCommitting = every(clock, commitEveryMs, async () => {
      await this.#commit([...this.#partitions.values()])
      this.#updateGap()
      this.#turnedMs = clock.monotonic()
    })
  }

  async #consume(topics: readonly string[]): Promise<void> {
    const { group, stateDir, bus } = this.#parts
    // Joining takes seconds, and new topics are found later still: what comes in between is not to
    // be skipped, so "latest" is the moment at which the lane started, for all of them.
    const startAt = this.#parts.startAt === 'latest' ? this.#startedMs : this.#parts.startAt
    const options = { group, topics, startAt, stateDir, revokeGraceMs }
    this.#consumer = await bus.consume(options, this)
  }

  /**
   * Stops reading, lets what is in flight finish, commits and leaves the group. Ends within
   * `deadlineMs`; what is not finished by then stays uncommitted and runs again elsewhere.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true
    await this.#consumer?.close(deadlineMs)
    this.#stopCommitting()
  }

  get topics(): readonly string[] {
    return this.#topics
  }

  /** Reads these topics from now on. */
  async setTopics(topics: readonly string[]): Promise<void> {
    if (topics.join() === this.#topics.join() || this.#isStopping) return
    if (this.#isStarted) {
      if (this.#consumer === null) await this.#consume(topics)
      else await this.#consumer.setTopics(topics)
      this.#parts.logger.info({ lane: this.name, topics }, 'topics of the lane changed')
    }
    this.#topics = topics // last: what failed above is tried again at the next call
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Why the last commit failed; `null` when it did not. */
  get commitError(): string | null {
    return this.#commitError
  }

  get state(): ConsumerState {
    return this.#state
  }

  /**
   * How long ago the loop that commits came round, in milliseconds. It does so whatever the bus
   * does; when it stays away, something in here hangs.
   */
  get turnedAgoMs(): number {
    return this.#parts.clock.monotonic() - this.#turnedMs
  }

  /** Per partition what is committed next and how old the oldest unsettled event is, for the lag. */
  positions(): readonly Partition[] {
    return [...this.#partitions.values()]
  }

  // ---- what the bus tells us

  onAssigned(assigned: readonly Assigned[]): void {
    const { logger, meters, budget, intake, window } = this.#parts
    for (const one of assigned) {
      const former = this.#partitions.get(partitionName(one))
      if (former !== undefined) this.#forget(former)
      former?.end()
      const partition = new Partition(one, window, budget, (settled) => this.#eventSettled(settled))
      this.#partitions.set(partitionName(one), partition)
      meters.eventsLost.of(this.name, one.topic).inc(0)
    }
    intake.dropRevoked()
    meters.rebalances.of(this.name).inc()
    logger.info({ lane: this.name, partitions: assigned.map(partitionName) }, 'partitions assigned')
  }

  onRecords(
    { topic, partition }: TopicPartition,
    epoch: number,
    records: readonly BusRecord[],
    nextOffset: bigint,
  ): void {
    const owner = this.#partitions.get(partitionName({ topic, partition }))
    if (owner === undefined || owner.epoch !== epoch || owner.isRevoked) return
    owner.received(records, nextOffset)
    this.#pump(owner)
  }

  async onRevoked(
    revoked: readonly (TopicPartition & { epoch: number })[],
    graceMs: number,
  ): Promise<void> {
    const { clock, logger, intake } = this.#parts
    const ending = revoked.flatMap((one) => {
      const partition = this.#partitions.get(partitionName(one))
      return partition?.epoch === one.epoch ? [partition] : []
    })
    for (const partition of ending) {
      this.#forget(partition)
      if (graceMs === 0) partition.end()
    }
    intake.dropRevoked()
    if (graceMs > 0) {
      const workMs = graceMs * graceForWork
      const timeout = new AbortController()
      await Promise.race([
        Promise.all(ending.map((partition) => partition.idle())),
        clock.sleep(workMs, timeout.signal).catch(() => {}), // aborted below, when all was idle first
      ])
      timeout.abort()
      await this.#commit(ending)
    }
    for (const partition of ending) {
      partition.end()
      if (this.#partitions.get(partitionName(partition)) === partition) {
        this.#partitions.delete(partitionName(partition))
      }
    }
    logger.info({ lane: this.name, partitions: inShort(revoked) }, 'partitions revoked')
  }

  onState(state: ConsumerState): void {
    const { logger, meters } = this.#parts
    const fields = { lane: this.name, group: this.group }
    switch (state.kind) {
      case 'joining':
        logger.debug(fields, 'joining the group')
        break
      case 'ready':
        if (this.#state.kind !== 'ready') logger.info(fields, 'in the group')
        break
      case 'unreachable':
        this.#parts.repeated.warn(
          `unreachable ${this.name}`,
          { ...fields, err: state.error },
          'the bus is out of reach; the lane waits for it',
        )
        break
      case 'topic-missing':
        logger.error({ ...fields, topic: state.topic }, 'a topic of the lane is gone')
        return
      case 'skipped': {
        const { partition, from, to } = state
        if (to < from) return this.#startOver(partition, from, to)
        meters.eventsLost.of(this.name, partition.topic).inc(Number(to - from))
        logger.error(
          { ...fields, ...partition, from: String(from), to: String(to) },
          'the bus dropped events before they were read (retention or truncation)',
        )
        return
      }
    }
    this.#state = state
  }

  /**
   * The log ends below where we read: it was truncated, or its topic made anew. What is in it now
   * we may never have seen, so it is read from its beginning as if we had just been given it.
   */
  #startOver(at: TopicPartition, from: bigint, to: bigint): void {
    const { logger, budget, intake, window } = this.#parts
    const fields = { lane: this.name, ...at, from: String(from), to: String(to) }
    logger.error(fields, 'the log of a partition is shorter than it was; it is read from its start')
    const name = partitionName(at)
    const former = this.#partitions.get(name)
    if (former === undefined || former.isRevoked) return
    if (this.#pausedOnes.has(name)) this.#consumer?.resume([former])
    this.#forget(former)
    former.end()
    const assigned = { ...at, epoch: former.epoch, position: to, metadata: '' }
    const anew = new Partition(assigned, window, budget, (settled) => this.#eventSettled(settled))
    this.#partitions.set(name, anew)
    intake.dropRevoked()
  }

  // ---- taking

  /** Each round begins one partition further on, so that the first does not take all the room. */
  #pumpAll(): void {
    const partitions = [...this.#partitions.values()]
    this.#rounds += 1
    for (let i = 0; i < partitions.length; i++) {
      const partition = partitions[(this.#rounds + i) % partitions.length]
      if (partition !== undefined) this.#pump(partition)
    }
  }

  /** Takes from the inbox as long as there is room, in slices. Hot. */
  #pump(partition: Partition): void {
    if (this.#isStopping) return
    if (this.#pumping !== null) {
      // An event that settles at once calls back into here, while the loop below goes on by itself.
      if (this.#pumping !== partition) this.#wakeIn(partition, 0)
      return
    }
    this.#pumping = partition
    try {
      this.#takeSlice(partition)
    } finally {
      this.#pumping = null
    }
    this.#regulate(partition)
  }

  #takeSlice(partition: Partition): void {
    const { intake, window } = this.#parts
    for (let taken = 0; taken < sliceRecords; taken++) {
      const record = partition.inbox.peek()
      if (record === undefined || partition.isRevoked) return
      if (partition.unsettled >= window || partition.isMetadataFull || intake.isFull) return
      const readyAtMs = intake.readyAtMs(record)
      if (readyAtMs > 0) {
        const waitMs = readyAtMs - this.#parts.clock.now()
        if (waitMs > 0) return this.#wakeIn(partition, waitMs)
      }
      const ticket = partition.take(record)
      if (ticket !== null) intake.take(record, ticket)
    }
    this.#wakeIn(partition, 0)
  }

  #wakeIn(partition: Partition, waitMs: number): void {
    const name = partitionName(partition)
    if (this.#wakes.has(name)) return
    const cancel = this.#parts.clock.schedule(Math.min(waitMs, wakeMsMax), () => {
      this.#wakes.delete(name)
      this.#pump(partition)
    })
    this.#wakes.set(name, { isForDue: waitMs > 0, cancel })
  }

  #eventSettled(partition: Partition): void {
    if (partition.inbox.length > 0 && !this.#wakes.has(partitionName(partition))) {
      this.#pump(partition)
    }
  }

  /**
   * Pauses or resumes a partition by what its inbox and the memory hold. Between the two marks lies
   * a window's worth of events, so that a client that is slow to resume does not leave us idle.
   */
  #regulate(partition: Partition): void {
    if (partition.isRevoked) return
    const name = partitionName(partition)
    const { window, budget } = this.#parts
    const isWaiting = this.#wakes.get(name)?.isForDue === true
    const isHeld = budget.isOver || isWaiting
    // What is not due for an hour must not keep others from reading for so long.
    if (budget.isOver && isWaiting) this.#putBack(partition)
    const isPaused = this.#pausedOnes.has(name)
    if (!isPaused && (isHeld || partition.inbox.length >= 2 * window)) {
      this.#pausedOnes.add(name)
      this.#consumer?.pause([partition])
    } else if (isPaused && !isHeld && partition.inbox.length <= window) {
      this.#pausedOnes.delete(name)
      this.#consumer?.resume([partition])
    }
  }

  #putBack(partition: Partition): void {
    const offset = partition.putBack()
    if (offset !== null) this.#consumer?.seek(partition, offset)
  }

  #regulateAll(): void {
    for (const partition of this.#partitions.values()) this.#regulate(partition)
  }

  #forget(partition: Partition): void {
    const name = partitionName(partition)
    partition.revoke()
    this.#wakes.get(name)?.cancel()
    this.#wakes.delete(name)
    this.#pausedOnes.delete(name)
  }

  // ---- committing

  /** Commits what is due of `partitions`, after a commit that is under way. Never rejects. */
  async #commit(partitions: readonly Partition[]): Promise<void> {
    while (this.#commitUnderWay !== null) await this.#commitUnderWay
    const due = partitions.flatMap((partition): [Partition, CommitEntry][] => {
      const entry = partition.commitEntry()
      return entry === null ? [] : [[partition, entry]]
    })
    if (due.length === 0 || this.#consumer === null) return
    this.#commitUnderWay = this.#send(this.#consumer, due)
    await this.#commitUnderWay
    this.#commitUnderWay = null
    // What waited because the metadata was full may have room now.
    for (const [partition] of due) if (partition.inbox.length > 0) this.#pump(partition)
  }

  async #send(consumer: Consumer, due: readonly [Partition, CommitEntry][]): Promise<void> {
    try {
      await consumer.commit(due.map(([, entry]) => entry))
      this.#commitError = null
    } catch (error) {
      this.#commitError = error instanceof Error ? error.message : String(error)
      for (const [partition] of due) partition.commitFailed()
      this.#parts.meters.commitFailures.of(this.name).inc()
      this.#parts.repeated.warn(
        `commit ${this.name}`,
        { lane: this.name, err: error },
        'a commit failed; it is tried again',
      )
    }
  }

  #updateGap(): void {
    let widest = 0n
    for (const { gap } of this.#partitions.values()) if (gap > widest) widest = gap
    this.#parts.meters.commitGap.of(this.name).set(Number(widest))
  }
}

/** `{ edits: '0 1 2' }`: readable with hundreds of them. */
function inShort(partitions: readonly TopicPartition[]): Readonly<Record<string, string>> {
  const byTopic: Record<string, string> = {}
  for (const { topic, partition } of partitions) {
    const before = byTopic[topic]
    byTopic[topic] = before === undefined ? String(partition) : `${before} ${partition}`
  }
  return byTopic
}
