import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TopicPartition } from '../../model/record.ts'
import { partitionName } from '../../model/record.ts'
import type { Assigned, CommitEntry, Consumer, ConsumeOptions } from '../../ports/bus.ts'
import type { ConsumerSink } from '../../ports/bus.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import { PortError } from '../../ports/port-error.ts'
import type { Changes } from './changes.ts'
import type { Environment } from './environment.ts'
import { environmentError } from './environment.ts'
import type { Groups, PlacedOffset } from './groups.ts'
import { checkEntries, notOwner } from './groups.ts'
import { offsetForTime, readChunk } from './log.ts'
import type { Member } from './membership.ts'
import { Signal } from './signal.ts'
import { partitionIdIn } from './topics.ts'

/*
 * One member of a group: two loops, each woken by changes of the log and asleep otherwise.
 *
 *   follow   compares the group with what we hold: joins, lets go, takes what was dealt to us
 *   read     delivers records of what we hold, one chunk of one partition at a turn of the loop
 *
 * Whatever fails (a full disk, a damaged record) is told through onState and tried again.
 */

export interface ConsumerPorts {
  readonly environment: Environment
  readonly changes: Changes
  readonly groups: Groups
  readonly clock: Clock
  readonly logger: Logger
  readonly onClosed: (consumer: Consumer) => void
}

/** A partition that is ours, with what we keep of it while it is. */
interface Held extends TopicPartition {
  readonly id: number
  readonly epoch: number
  position: number
  isPaused: boolean
  /** Reading failed a moment ago. */
  isResting: boolean
}

/** Between attempts after a failure: a full disk or a damaged record does not heal in less. */
const retryMs = 500
/** What leaving the group may take beside the revocation, before close gives up on it. */
const leaveMs = 2_000

let lastEpoch = 0

export class EmbeddedConsumer implements Consumer {
  readonly #ports: ConsumerPorts
  readonly #options: ConsumeOptions
  readonly #sink: ConsumerSink
  readonly #client: string
  readonly #followSignal = new Signal()
  readonly #readSignal = new Signal()
  readonly #stop = new AbortController()
  readonly #held = new Map<string, Held>()
  #topics: readonly string[]
  /** The subscription that the group knows of us: the same array once it is up to date. */
  #topicsStored: readonly string[] = []
  /** Our id in the group, or `null` while we are not in it. A new one after every expulsion. */
  #member: string | null = null
  #membersSoFar = 0
  /** What fails, by the loop or the partition that it fails in, and with which words. */
  readonly #troubles = new Map<unknown, string>()
  /** The generation of which we took our part. */
  #generation = -1
  /** What the sink promised when it was told to let go, while we wait for it. */
  #revoking: Promise<void> | null = null
  #unlisten: () => void = () => undefined
  #loops: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null
  #committing: Promise<unknown> = Promise.resolve()

  constructor(ports: ConsumerPorts, client: string, options: ConsumeOptions, sink: ConsumerSink) {
    this.#ports = ports
    this.#client = client
    this.#options = options
    this.#sink = sink
    this.#topics = [...new Set(options.topics)]
  }

  start(): void {
    this.#unlisten = this.#ports.changes.listen((by) => {
      if (by === 'anyone') this.#followSignal.notify()
      this.#readSignal.notify()
    })
    this.#followSignal.notify()
    this.#sink.onState({ kind: 'joining' })
    this.#loops = Promise.all([
      this.#loop(this.#followSignal, () => this.#follow()),
      this.#loop(this.#readSignal, () => this.#read()),
    ])
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const held of this.#heldOf(partitions)) held.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const held of this.#heldOf(partitions)) held.isPaused = false
    this.#readSignal.notify()
  }

  seek(partition: TopicPartition, offset: bigint): void {
    for (const held of this.#heldOf([partition])) held.position = Number(offset)
    this.#readSignal.notify()
  }

  async commit(entries: readonly CommitEntry[]): Promise<void> {
    checkEntries(entries)
    const run = this.#committing.then(() => this.#commit(entries))
    this.#committing = run.catch(() => undefined) // told to the caller below; the next goes on
    await run
  }

  async setTopics(topics: readonly string[]): Promise<void> {
    if (this.#closing !== null) throw closedError()
    this.#topics = [...new Set(topics)]
    if (this.#member !== null) await this.#storeTopics(this.#member)
  }

  /** If it fails, or we are not in the group yet, `follow` sees to it. */
  async #storeTopics(member: string): Promise<void> {
    const topics = this.#topics
    await this.#ports.groups.changeTopics(this.#options.group, member, topics)
    this.#topicsStored = topics
  }

  close(deadlineMs: number): Promise<void> {
    // In a later turn, so that whatever closing runs into finds `#closing` set.
    this.#closing ??= Promise.resolve().then(() => this.#close(deadlineMs))
    return this.#closing
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#revokeAll(deadlineMs)
    this.#stop.abort(closedError())
    this.#unlisten()
    this.#followSignal.notify()
    this.#readSignal.notify()
    await this.#within(leaveMs, this.#leave())
    this.#ports.onClosed(this)
  }

  async #leave(): Promise<void> {
    await this.#loops
    if (this.#member === null) return
    try {
      await this.#ports.groups.leave(this.#options.group, this.#member)
    } catch (error) {
      // Its heartbeat tries again; a process that ends is noticed by the others.
      this.#ports.logger.warn({ group: this.#options.group, err: error }, 'leaving a group failed')
    }
  }

  async #commit(entries: readonly CommitEntry[]): Promise<void> {
    const member = this.#member
    const ours: PlacedOffset[] = []
    const late: CommitEntry[] = []
    for (const entry of entries) {
      const held = this.#held.get(partitionName(entry))
      if (member !== null && held?.epoch === entry.epoch) ours.push({ ...entry, id: held.id })
      else late.push(entry)
    }
    if (ours.length > 0 && member !== null) {
      await this.#ports.groups.commit(this.#options.group, member, ours)
    }
    if (late.length > 0) throw notOwner(late)
  }

  /** Runs `step` after each signal until we stop; after a failure, again a little later. */
  async #loop(signal: Signal, step: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await signal.wait()
      if (this.#stop.signal.aborted) return
      try {
        await step()
        this.#healed(step)
      } catch (error) {
        // A sink that throws is broken, not the log: nobody could say what it has taken. The loop
        // ends with an unhandled rejection, and that ends the process.
        if (error instanceof SinkBroke) throw error.cause
        this.#tellTrouble(step, error)
        signal.notify()
        await this.#pauseAfterFailure()
      }
    }
  }

  #pauseAfterFailure(): Promise<void> {
    return this.#ports.clock.sleep(retryMs, this.#stop.signal).catch(() => undefined) // stopping
  }

  #tellTrouble(where: unknown, error: unknown): void {
    if (this.#stop.signal.aborted) return
    const told = environmentError(error, this.#ports.environment.path)
    // Tried again twice a second, perhaps for days: a line each would bury the log.
    if (this.#troubles.get(where) !== told.message) {
      this.#ports.logger.warn({ group: this.#options.group, err: told }, 'reading the log failed')
    }
    this.#troubles.set(where, told.message)
    this.#sink.onState({ kind: 'unreachable', error: told })
  }

  #healed(where: unknown): void {
    if (!this.#troubles.delete(where) || this.#troubles.size > 0) return
    const isIn = this.#member !== null && this.#generation >= 0 && this.#revoking === null
    if (isIn && this.#closing === null) this.#sink.onState({ kind: 'ready' })
  }

  /** Brings us in line with the group as it stands now. */
  async #follow(): Promise<void> {
    if (this.#closing !== null) return
    if (this.#member === null) await this.#join()
    const group = this.#ports.groups.read(this.#options.group)
    const me = this.#member === null ? undefined : group.members[this.#member]
    if (me === undefined || this.#member === null) return this.#expelled()
    if (this.#topicsStored !== this.#topics) await this.#storeTopics(this.#member)
    if (me.joined < group.generation) return this.#letGo()
    if (group.dealt === group.generation && this.#generation !== group.generation) {
      await this.#take(me, group.generation)
    }
  }

  async #join(): Promise<void> {
    // A new name each time: what the group remembers of a former one is not ours any more.
    const member = `${this.#client}.${this.#options.group}.${++this.#membersSoFar}.${++lastMember}`
    const topics = this.#topics
    this.#member = member
    this.#generation = -1
    try {
      await this.#ports.groups.join(this.#options.group, member, topics)
    } catch (error) {
      this.#member = null
      void this.#ports.groups.leave(this.#options.group, member).catch(() => undefined) // never in
      throw error
    }
    this.#topicsStored = topics
  }

  /** Others took us for dead: what we held may be theirs by now. */
  async #expelled(): Promise<void> {
    this.#ports.logger.warn({ group: this.#options.group }, 'expelled from a group, joining again')
    if (this.#member !== null) this.#ports.groups.forget(this.#member)
    this.#member = null
    this.#sink.onState({ kind: 'joining' })
    await this.#revokeAll(0)
    this.#followSignal.notify()
  }

  async #letGo(): Promise<void> {
    if (this.#member === null) return
    this.#sink.onState({ kind: 'joining' })
    await this.#revokeAll(this.#options.revokeGraceMs)
    if (this.#closing !== null) return
    await this.#ports.groups.letGo(this.#options.group, this.#member)
    this.#followSignal.notify() // if we were the last, our part is dealt already
  }

  /** Ends all epochs, after the grace at the latest. The sink is told once, whoever asks. */
  async #revokeAll(graceMs: number): Promise<void> {
    if (this.#revoking === null) {
      const revoked = [...this.#held.values()].map(({ topic, partition, epoch }) => {
        return { topic, partition, epoch }
      })
      if (revoked.length === 0) return
      if (graceMs === 0) this.#held.clear()
      this.#revoking = this.#call(() => this.#sink.onRevoked(revoked, graceMs))
    }
    await this.#within(graceMs, this.#revoking, this.#stop.signal)
    this.#held.clear()
    this.#revoking = null
  }

  /** Takes what was dealt to us: starts are committed before anything can be read. */
  async #take(me: Member, generation: number): Promise<void> {
    const { environment, groups } = this.#ports
    const owned = Object.entries(me.owns).flatMap(([topic, partitions]) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    await this.#commitStarts(owned)
    // The group may have moved on while we wrote; then the next step lets go of nothing.
    const now = groups.read(this.#options.group)
    if (now.generation !== generation || this.#closing !== null) return
    this.#generation = generation
    this.#assign(owned)
    for (const topic of this.#topics) {
      if (!environment.topics.doesExist(topic)) this.#sink.onState({ kind: 'topic-missing', topic })
    }
    this.#troubles.clear() // of partitions that we had before; what still fails says so anew
    this.#sink.onState({ kind: 'ready' })
    this.#readSignal.notify()
  }

  async #commitStarts(owned: readonly TopicPartition[]): Promise<void> {
    const starts: PlacedOffset[] = []
    for (const { topic, partition } of owned) {
      if (this.#committed(topic, partition) !== null) continue
      const id = this.#idOf(topic, partition)
      if (id === null) continue // deleted just now: the group is about to hear of it
      const offset = BigInt(await this.#startOf({ topic, partition }, id))
      starts.push({ topic, partition, id, offset, metadata: '' })
    }
    if (starts.length === 0 || this.#member === null) return
    await this.#ports.groups.commitStarts(this.#options.group, this.#member, starts)
  }

  async #startOf(where: TopicPartition, id: number): Promise<number> {
    const { environment } = this.#ports
    const { startAt } = this.#options
    if (typeof startAt === 'number') return offsetForTime(environment, where, id, startAt, nextTurn)
    const state = environment.partitions.get(id)
    return (startAt === 'earliest' ? state?.low : state?.next) ?? 0
  }

  #committed(topic: string, partition: number) {
    return this.#ports.groups.committed(this.#options.group, topic, partition)
  }

  #idOf(topic: string, partition: number): number | null {
    return partitionIdIn(this.#ports.environment, topic, partition)
  }

  #assign(owned: readonly TopicPartition[]): void {
    const assigned: Assigned[] = []
    const lost: { partition: TopicPartition; from: bigint; to: bigint }[] = []
    for (const { topic, partition } of owned) {
      const id = this.#idOf(topic, partition)
      const state = id === null ? undefined : this.#ports.environment.partitions.get(id)
      const committed = this.#committed(topic, partition)
      if (id === null || state === undefined || committed === null) continue
      // Above the end lies what was committed of a log that has been put back from a copy: as with
      // Kafka, reading starts over, since repeats are better than a gap.
      const isAbove = committed.offset > state.next
      const position = isAbove ? state.low : Math.max(committed.offset, state.low)
      if (isAbove || committed.offset < state.low) {
        const [from, to] = [BigInt(committed.offset), BigInt(state.low)]
        lost.push({ partition: { topic, partition }, from, to })
      }
      const epoch = ++lastEpoch
      const reading = { position, isPaused: false, isResting: false }
      const held: Held = { topic, partition, id, epoch, ...reading }
      this.#held.set(partitionName(held), held)
      // Metadata counts from the committed offset; from another one it would tell lies.
      const metadata = position === committed.offset ? committed.metadata : ''
      assigned.push({ topic, partition, epoch, position: BigInt(position), metadata })
    }
    if (assigned.length > 0) this.#call(() => this.#sink.onAssigned(assigned))
    for (const skipped of lost) this.#sink.onState({ kind: 'skipped', ...skipped })
  }

  /** Delivers until nothing is left to deliver, a chunk of each partition in turn. */
  async #read(): Promise<void> {
    let hasMore = true
    while (hasMore) {
      hasMore = false
      for (const held of [...this.#held.values()]) {
        if (!this.#isReadable(held)) continue
        if (this.#deliverOrRest(held)) hasMore = true
        // Between chunks everything else has its turn: other partitions, commits, timers.
        await nextTurn()
      }
    }
  }

  #isReadable(held: Held): boolean {
    const isOurs = this.#held.get(partitionName(held)) === held
    const isReady = !held.isPaused && !held.isResting
    return isOurs && isReady && this.#revoking === null && !this.#stop.signal.aborted
  }

  /** A damaged record stops its own partition; the others are read as ever. */
  #deliverOrRest(held: Held): boolean {
    try {
      const hasMore = this.#deliver(held)
      this.#healed(partitionName(held))
      return hasMore
    } catch (error) {
      if (error instanceof SinkBroke) throw error
      this.#tellTrouble(partitionName(held), error)
      held.isResting = true
      void this.#pauseAfterFailure().then(() => {
        held.isResting = false
        this.#readSignal.notify()
      })
      return false
    }
  }

  /** Hands on one chunk. Says whether there may be more. */
  #deliver(held: Held): boolean {
    const state = this.#ports.environment.partitions.get(held.id)
    if (state === undefined) return false // the topic was deleted; `follow` will hear of it
    if (held.position < state.low) this.#skipTo(held, state.low)
    if (held.position >= state.next) return false
    const { id, epoch, position } = held
    const chunk = readChunk(this.#ports.environment, held, id, position, state.next)
    held.position = chunk.next
    const { topic, partition } = held
    const { records, next } = chunk
    this.#call(() => this.#sink.onRecords({ topic, partition }, epoch, records, BigInt(next)))
    return held.position < state.next
  }

  #skipTo(held: Held, low: number): void {
    const { topic, partition, position } = held
    held.position = low
    this.#sink.onState({
      kind: 'skipped',
      partition: { topic, partition },
      from: BigInt(position),
      to: BigInt(low),
    })
  }

  #call<T>(sink: () => T): T {
    try {
      return sink()
    } catch (error) {
      throw new SinkBroke('the sink of a consumer threw', { cause: error })
    }
  }

  #heldOf(partitions: readonly TopicPartition[]): readonly Held[] {
    return partitions.flatMap((partition) => this.#held.get(partitionName(partition)) ?? [])
  }

  /** Waits for `work`, but no longer than `ms`, nor than `stop` lets us. Never rejects. */
  async #within(ms: number, work: Promise<unknown>, stop?: AbortSignal): Promise<void> {
    const isOver = new AbortController()
    const signal = stop === undefined ? isOver.signal : AbortSignal.any([isOver.signal, stop])
    const done = work.catch((error: unknown) => {
      this.#ports.logger.warn({ group: this.#options.group, err: error }, 'a hand-over failed')
    })
    const late = this.#ports.clock.sleep(ms, signal).catch(() => undefined) // one of them came first
    await Promise.race([done, late])
    isOver.abort(new Error('no longer waited for'))
  }
}

class SinkBroke extends Error {}

/** Tells members of one client apart, also those of one group. */
let lastMember = 0

function closedError(): PortError {
  return new PortError('bus', 'closed', 'the consumer is closed')
}
