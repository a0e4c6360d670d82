import type { MemoryStore } from '../../../../src/drivers/memory/store.ts'
import { memoryStore } from '../../../../src/drivers/memory/store.ts'
import type { Ladder } from '../../../../src/engine/ladder.ts'
import { createMeters } from '../../../../src/engine/meters.ts'
import type { TicketOwner } from '../../../../src/engine/ticket.ts'
import { Ticket } from '../../../../src/engine/ticket.ts'
import { Leases } from '../../../../src/engine/windows/leases.ts'
import type { WindowEntry } from '../../../../src/engine/windows/window-entry.ts'
import type { ReadyRun } from '../../../../src/engine/windows/window-host.ts'
import { windowPolicyOf } from '../../../../src/engine/windows/window-policy.ts'
import { Windows } from '../../../../src/engine/windows/windows.ts'
import { invariant } from '../../../../src/model/invariant.ts'
import type { Stamp } from '../../../../src/model/stamp.ts'
import { newTask } from '../../../../src/model/task.ts'
import type { Dedup, DedupWindow, Rule } from '../../../../src/rules/rule.ts'
import { anEvent, aRule, success } from '../../../support/builders.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { RecordingMetrics } from '../../../support/recording-metrics.ts'

const rule = 'purge'

export function dedupOf(window: Partial<DedupWindow> | null, more: Partial<Dedup> = {}): Dedup {
  const whole: DedupWindow = { ms: 5_000, keep: 'both', waitMaxMs: 50_000, ...window }
  return {
    key: () => 'a',
    window: window === null ? null : whole,
    version: null,
    onOutage: 'run',
    ...more,
  }
}

export class PartitionOfTest implements TicketOwner {
  isRevoked = false
  isOver = false
  isCrowded = false
  taskStarted(): void {}
  taskEnded(): void {}
  eventSettled(): void {}
}

interface Arriving {
  readonly offset: number
  readonly key: string
  readonly partition: PartitionOfTest
  readonly stamp: Partial<Stamp>
  readonly attempt: number
  /** As `Windows.arrive` has it. */
  readonly waitMs: number | null
  /** Another task of its event was started before. */
  readonly hasBegun: boolean
}

/** The windows of one rule on a memory store, whose runs the test takes from the queue itself. */
export class WindowsOfTest {
  readonly clock = new FakeClock()
  readonly store: MemoryStore = memoryStore({ clock: this.clock })
  readonly partition = new PartitionOfTest()
  /** What became of which offset, in order: `3 superseded`, `4 to a tier in 5000`. */
  readonly told: string[] = []
  readonly windows: Windows
  readonly ladder: Ladder
  readonly leases: Leases
  /** Whether the bus takes what is handed over; a promise that the test resolves. */
  tier: Promise<boolean> = Promise.resolve(true)
  readonly #queue: { run: ReadyRun; lead: WindowEntry }[] = []

  constructor(dedup: Dedup, more: Partial<Rule> = {}) {
    const ofRule = aRule(() => Promise.resolve(success), { dedup, ...more })
    const policy = windowPolicyOf(ofRule)
    invariant(policy !== null, 'the rule has a window')
    const meters = createMeters(new RecordingMetrics(), this.clock).ofRule(rule)
    this.ladder = meters.ladder
    this.leases = new Leases(this.store, this.clock, 'here')
    this.windows = new Windows({
      rule: ofRule,
      policy,
      clock: this.clock,
      leases: this.leases,
      meters,
      settler: {
        skipped: ({ task }, reason) => void this.told.push(`${offsetOf(task)} ${reason}`),
        toTier: async ({ task }, dueInMs) => {
          this.told.push(`${offsetOf(task)} to a tier in ${dueInMs}`)
          return this.tier
        },
        handOver: async ({ task }) => {
          this.told.push(`${offsetOf(task)} handed over`)
          return this.tier
        },
      },
      ready: (run, lead) => {
        meters.ladder.pending.queue += 1
        this.#queue.push({ run, lead })
      },
    })
  }

  arrive(offset: number, more: Partial<Arriving> = {}): void {
    const { key = 'a', partition = this.partition, attempt = 1, waitMs = null } = more
    const event = anEvent({}, { offset: BigInt(offset) })
    const stamp = {
      version: null,
      source: 'edits/0',
      offset: BigInt(offset),
      timeMs: 0,
      ...more.stamp,
    }
    const ticket = new Ticket(partition, event.record, 0)
    if (more.hasBegun === true) ticket.taskBegins()
    const task = { ...newTask(rule, event, 0), attempt }
    this.windows.arrive({ task, ticket, orderKey: null }, { key, stamp }, waitMs)
  }

  /** Offsets of the leads that wait for a slot. */
  get queued(): readonly number[] {
    return this.#queue.map(({ lead }) => offsetOf(lead.task))
  }

  /** Gives the first of the queue a slot: whether it may go. */
  async begin(): Promise<{ readonly run: ReadyRun; readonly begun: string }> {
    const next = this.#queue.shift()
    invariant(next !== undefined, 'the queue is empty')
    const { kind } = await next.run.begin()
    // As the queue counts what it gives a slot.
    this.ladder.pending.queue -= 1
    return { run: next.run, begun: kind }
  }

  /** Gives it a slot, and lets it succeed at once. */
  async act(): Promise<void> {
    const { run, begun } = await this.begin()
    invariant(begun === 'go', 'it may not go')
    await run.acted()
    run.ended('done')
  }

  /** The partition of the runs in the queue went elsewhere. */
  dropQueued(): void {
    for (const { run, lead } of this.#queue.splice(0)) {
      if (lead.ticket.isRevoked) {
        this.ladder.pending.queue -= 1
        run.dropped()
      } else this.#queue.push({ run, lead })
    }
  }

  /** Another process takes the key. */
  async takeElsewhere(leaseMs = 10_000, key = 'a'): Promise<void> {
    const stamp = { version: null, source: 'edits/9', offset: 0n, timeMs: -1 }
    const call = { rule, key, token: 'there', task: 'theirs', leaseMs }
    await this.store.claim({ ...call, against: 'lease', stamp })
  }

  /** Another process acts on an event of the key. */
  async actElsewhere(stamp: Partial<Stamp>, windowMs: number): Promise<void> {
    await this.takeElsewhere()
    await this.store.complete({
      rule,
      key: 'a',
      token: 'there',
      task: 'theirs',
      stamp: { version: null, source: 'edits/0', offset: 0n, timeMs: 0, ...stamp },
      windowMs,
      keepMs: 60_000,
    })
  }
}

function offsetOf({
  event,
}: {
  readonly event: { readonly record: { readonly offset: bigint } }
}): number {
  return Number(event.record.offset)
}
