import type { Assigned, ConsumerSink, ConsumerState } from '../../src/ports/bus.ts'
import type { BusRecord, TopicPartition } from '../../src/model/record.ts'
import { partitionName } from '../../src/model/record.ts'

export interface Delivery extends TopicPartition {
  readonly epoch: number
  readonly records: readonly BusRecord[]
  readonly nextOffset: bigint
}

type Revoked = TopicPartition & { epoch: number }

/**
 * A sink that keeps all it is told, in order, and lets a test wait for what it should be told next.
 *
 * It also holds the driver to what `ConsumerSink` promises of every callback: what breaks it stands
 * in `violations`, which the contract suite looks at after each test.
 */
export class RecordingSink implements ConsumerSink {
  readonly deliveries: Delivery[] = []
  readonly states: ConsumerState[] = []
  readonly assignments: Assigned[] = []
  readonly revocations: { readonly revoked: readonly Revoked[]; readonly graceMs: number }[] = []
  /** What is ours now, by `topic/partition`. */
  readonly owned = new Map<string, Assigned>()
  readonly violations: string[] = []
  /** What the sink does while its partitions are being revoked. */
  whileRevoking: (revoked: readonly Revoked[], graceMs: number) => Promise<void> = () =>
    Promise.resolve()
  /** Called in `onAssigned`, before a record can come. */
  whenAssigned: (assigned: readonly Assigned[]) => void = () => undefined

  readonly #nextOffsets = new Map<string, bigint>()
  readonly #epochs = new Set<number>()
  readonly #waiting = new Set<() => void>()

  onAssigned(assigned: readonly Assigned[]): void {
    for (const one of assigned) {
      const name = partitionName(one)
      if (this.owned.has(name)) this.violations.push(`${name} assigned while it is ours`)
      if (this.#epochs.has(one.epoch)) this.violations.push(`epoch ${one.epoch} came twice`)
      this.#epochs.add(one.epoch)
      this.owned.set(name, one)
      this.#nextOffsets.set(name, one.position)
    }
    this.assignments.push(...assigned)
    this.whenAssigned(assigned)
    this.#tell()
  }

  onRecords(
    partition: TopicPartition,
    epoch: number,
    records: readonly BusRecord[],
    nextOffset: bigint,
  ): void {
    const name = partitionName(partition)
    if (this.owned.get(name)?.epoch !== epoch) {
      this.violations.push(`records of ${name} under epoch ${epoch}, which is not ours`)
    }
    let atLeast = this.#nextOffsets.get(name) ?? 0n
    for (const record of records) {
      if (partitionName(record) !== name) this.violations.push(`a foreign record in ${name}`)
      if (record.offset < atLeast) {
        this.violations.push(`${name}: ${record.offset} came where ${atLeast} was next`)
      }
      atLeast = record.offset + 1n
    }
    if (nextOffset < atLeast) this.violations.push(`${name}: nextOffset ${nextOffset} is too low`)
    this.#nextOffsets.set(name, nextOffset)
    this.deliveries.push({ ...partition, epoch, records, nextOffset })
    this.#tell()
  }

  async onRevoked(revoked: readonly Revoked[], graceMs: number): Promise<void> {
    for (const one of revoked) {
      if (this.owned.get(partitionName(one))?.epoch !== one.epoch) {
        this.violations.push(`${partitionName(one)} revoked under epoch ${one.epoch}, not ours`)
      }
    }
    this.revocations.push({ revoked, graceMs })
    this.#tell()
    // With a grace, records on their way may still come until the promise resolves.
    if (graceMs > 0) await this.whileRevoking(revoked, graceMs)
    for (const one of revoked) {
      if (this.owned.get(partitionName(one))?.epoch === one.epoch) {
        this.owned.delete(partitionName(one))
      }
    }
    this.#tell()
  }

  onState(state: ConsumerState): void {
    this.states.push(state)
    this.#tell()
  }

  /** To be called beside `Consumer.seek`: an offset below those seen is right from here on. */
  expectFrom(partition: TopicPartition, offset: bigint): void {
    this.#nextOffsets.set(partitionName(partition), offset)
  }

  /** Every record delivered, in the order of delivery; of one topic if it is named. */
  records(topic?: string): readonly BusRecord[] {
    const all = this.deliveries.flatMap((delivery) => delivery.records)
    return topic === undefined ? all : all.filter((record) => record.topic === topic)
  }

  /** The values of `records(topic)` as text. */
  texts(topic?: string): readonly string[] {
    return this.records(topic).map((record) => record.value?.toString('utf8') ?? '(tombstone)')
  }

  /** Resolves once `claim` holds; it is asked after every callback. Rejects after `deadlineMs`. */
  until(what: string, claim: () => boolean, deadlineMs: number): Promise<void> {
    if (claim()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!claim()) return
        finish()
        resolve()
      }
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`waited ${deadlineMs} ms in vain for: ${what}; ${this.#summary()}`))
      }, deadlineMs)
      const finish = () => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      this.#waiting.add(look)
    })
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look()
  }

  #summary(): string {
    const states = this.states.map((state) => state.kind).join(' ')
    return `owned: ${[...this.owned.keys()].join(' ')}; records: ${this.records().length}; states: ${states}`
  }
}
