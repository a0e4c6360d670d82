import type { Event } from '../model/event.ts'
import { invariant } from '../model/invariant.ts'
import type { Task } from '../model/task.ts'
import { newTask } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { Firing, Rule } from '../rules/rule.ts'
import type { AdmitContext, Verdict } from './admit.ts'
import { admit, readmit } from './admit.ts'
import type { AttemptTools } from './attempt.ts'
import { attempt } from './attempt.ts'
import type { Meters, RuleMeters } from './meters.ts'
import type { Rehearsal } from './rehearse.ts'
import { rehearse } from './rehearse.ts'
import type { QueuedTask, Turn } from './rule-queue.ts'
import { queuedMax, RuleQueue } from './rule-queue.ts'
import type { RepeatedLog } from './repeated-log.ts'
import type { Settled, Settler, Settling } from './settle.ts'
import type { Ticket } from './ticket.ts'
import type { Leases } from './windows/leases.ts'
import { OrderedRun } from './windows/ordered-run.ts'
import { keysOf } from './windows/task-keys.ts'
import type { WindowEntry } from './windows/window-entry.ts'
import type { ReadyRun } from './windows/window-host.ts'
import { windowPolicyOf } from './windows/window-policy.ts'
import { Windows } from './windows/windows.ts'

export interface RuleQueuesParts {
  readonly ruleSet: RuleSet
  readonly meters: Meters
  readonly clock: Clock
  readonly settler: Settler
  readonly leases: Leases
  readonly tools: AttemptTools
  readonly hopsMax: number
  readonly log: RepeatedLog
  readonly logger: Logger
}

type DeadVerdict = Extract<Verdict, { kind: 'dead' }>

/** A task and the event that it is to be settled with. */
type Taken = Pick<Settling, 'task' | 'ticket'>

/** Where the tasks of one rule wait: for the end of a window, then for a slot. */
interface RuleLane {
  readonly queue: RuleQueue
  /** `null`: the rule has no `dedup`. */
  readonly windows: Windows | null
}

/** The queues of all rules: where intakes put tasks, whichever topic they come from. */
export class RuleQueues {
  readonly ruleSet: RuleSet
  readonly #parts: RuleQueuesParts
  readonly #byRule: ReadonlyMap<string, RuleLane>
  readonly #fullOnes = new Set<Rule>()
  readonly #onRoom: (() => void)[] = []

  constructor(parts: RuleQueuesParts) {
    this.#parts = parts
    this.ruleSet = parts.ruleSet
    this.#byRule = new Map(parts.ruleSet.rules.map((rule) => [rule.name, this.#laneOf(rule)]))
  }

  #laneOf(rule: Rule): RuleLane {
    const { meters: all, clock, leases, settler, log } = this.#parts
    const meters = all.ofRule(rule.name)
    const queue = new RuleQueue({
      rule,
      meters,
      clock,
      run: (ofRule, queued) => this.#run(ofRule, queued),
      handOver: (ofRule, { task, ticket }) =>
        settler.handOver({ task, ticket, rule: ofRule, meters }),
      onRoom: () => {
        this.#fullOnes.delete(rule)
        const sentence = 'the queue of a rule has room again'
        log.info(`room ${rule.name}`, { rule: rule.name }, sentence)
        for (const tell of this.#onRoom) tell()
      },
    })
    const policy = windowPolicyOf(rule)
    if (policy === null) return { queue, windows: null }
    const ready = (run: ReadyRun, { task, ticket, orderKey: key }: WindowEntry): void =>
      this.#enqueue(queue, { task, ticket, key, run })
    const windows = new Windows({ rule, policy, clock, leases, meters, settler, ready })
    return { queue, windows }
  }

  /** Some rule of the lane has no room: it takes no further event, since any may be for that rule. */
  isAnyFullOf(lane: string): boolean {
    if (this.#fullOnes.size === 0) return false
    return [...this.#fullOnes].some((rule) => rule.lane === lane)
  }

  /** Some rule has no room; tasks of all rules share the retry tiers. */
  get isAnyFull(): boolean {
    return this.#fullOnes.size > 0
  }

  onRoom(tell: () => void): void {
    this.#onRoom.push(tell)
  }

  /** The queue of every rule, in the order of the rule set. */
  all(): readonly RuleQueue[] {
    return [...this.#byRule.values()].map(({ queue }) => queue)
  }

  /** A rule of the live path fired: admits its task, or settles it with the reason why not. */
  fired(firing: Firing, event: Event, ticket: Ticket): void {
    const { rule, way } = firing
    this.metersOf(rule).matched()
    const task = newTask(rule.name, event, way)
    this.#accept(admit(firing, task, this.#admitContext()), rule, { task, ticket }, null)
  }

  /**
   * The same for a task that was admitted before and comes back, counted and matched anew.
   *
   * @param windowDueMs - wall time: the end of its wait for a window; `null`: it has waited
   */
  firedAgain(firing: Firing, task: Task, ticket: Ticket, windowDueMs: number | null): void {
    const context = this.#admitContext()
    const waitMs = Math.max(0, (windowDueMs ?? 0) - context.nowMs)
    this.#accept(readmit(firing, task, context), firing.rule, { task, ticket }, waitMs)
  }

  #admitContext(): AdmitContext {
    return { nowMs: this.#parts.clock.now(), hopsMax: this.#parts.hopsMax }
  }

  /** @param waitMs - of a task from a tier topic; `null`: it is new */
  #accept(verdict: Verdict, rule: Rule, taken: Taken, waitMs: number | null): void {
    const { task, ticket } = taken
    const settling = { task, ticket, rule, meters: this.metersOf(rule) }
    switch (verdict.kind) {
      case 'run':
        return this.#admitted(rule, taken, waitMs)
      case 'skip':
        return this.#parts.settler.skipped(settling, verdict.reason)
      case 'dead':
        return this.#dead(settling, verdict)
    }
  }

  #dead(settling: Settling & { rule: Rule }, verdict: DeadVerdict): void {
    if (settling.rule.mode === 'shadow') return this.#rehearsed(settling, deadInShadow(verdict))
    void this.#parts.settler.unattempted(settling, verdict.reason, verdict.error)
  }

  /** The claim of a key comes last of all checks: it has an effect on others. */
  #admitted(rule: Rule, { task, ticket }: Taken, waitMs: number | null): void {
    const { queue, windows } = this.#lane(rule.name)
    const found = keysOf(task, rule, this.#parts.clock.now())
    if (found.kind === 'dead') {
      return this.#dead({ task, ticket, rule, meters: queue.meters }, found)
    }
    const { key, window } = found.keys
    if (windows !== null && window !== null) {
      return windows.arrive({ task, ticket, orderKey: key }, window, waitMs)
    }
    const isOrdered = rule.order === 'key' && key !== null
    const run = isOrdered ? new OrderedRun(task, key, this.#parts.leases, queue.meters) : null
    this.#enqueue(queue, { task, ticket, key, run })
  }

  #enqueue(queue: RuleQueue, queued: QueuedTask): void {
    queue.push(queued)
    if (queue.isFull && !this.#fullOnes.has(queue.rule)) this.#full(queue.rule)
  }

  #full(rule: Rule): void {
    this.#fullOnes.add(rule)
    const fields = { rule: rule.name, lane: rule.lane, queued: queuedMax }
    const sentence = 'the queue of a rule is full; its lane reads nothing until there is room'
    this.#parts.log.info(`full ${rule.name}`, fields, sentence)
  }

  metersOf(rule: Rule): RuleMeters {
    return this.#lane(rule.name).queue.meters
  }

  dropRevoked(): void {
    for (const { queue, windows } of this.#byRule.values()) {
      windows?.dropRevoked() // first: what it loses must not become ready by what the queue loses
      queue.dropRevoked()
    }
  }

  #lane(rule: string): RuleLane {
    const lane = this.#byRule.get(rule)
    invariant(lane !== undefined, `rule ${rule} is not of this rule set`)
    return lane
  }

  async #run(rule: Rule, queued: QueuedTask): Promise<Turn> {
    const { run } = queued
    if (run === null) return turnOf(await this.#attempt(rule, queued))
    const begun = await run.begin()
    if (begun.kind === 'over') return over
    if (begun.kind === 'again') return { ...begun, task: queued.task }
    if (queued.ticket.isRevoked) {
      run.dropped() // it went elsewhere while the key was asked for: nothing new starts
      return over
    }
    const settled = await this.#attempt(rule, queued)
    if (settled.kind !== 'waits') run.ended(settled.kind)
    return turnOf(settled)
  }

  async #attempt(rule: Rule, { task, ticket, run }: QueuedTask): Promise<Settled> {
    const meters = this.metersOf(rule)
    if (rule.mode === 'shadow') {
      if (run !== null) await run.acted()
      const rehearsal = rehearse(task, rule, this.#parts.clock.now())
      this.#rehearsed({ task, ticket, rule, meters }, rehearsal)
      return { kind: 'done' }
    }
    ticket.taskBegins()
    const result = await attempt(task, rule, this.#parts.tools, meters)
    if (result.kind === 'dead' && result.failure.kind === 'guard') {
      meters.guardRefused(result.failure.reason)
    }
    return this.#parts.settler.afterAttempt({ task, ticket, rule, meters }, result, run)
  }

  /** Nothing was done, so nothing is lost: what would be a dead letter is a skip and a line. */
  #rehearsed(settling: Settling, rehearsal: Rehearsal): void {
    const { settler, log, logger } = this.#parts
    const { task } = settling
    const fields = { rule: task.rule, task: task.id, ...rehearsal }
    if (rehearsal.reason === 'template-error') {
      const sentence = 'a rule in shadow mode would have sent a task to the dead letters'
      log.warn(`shadow ${task.rule}`, fields, sentence)
    } else if (logger.isDebug) {
      logger.debug(fields, 'a rule in shadow mode was rehearsed')
    }
    settler.skipped(settling, rehearsal.reason)
  }
}

const over: Turn = { kind: 'over' }

function turnOf(settled: Settled): Turn {
  return settled.kind === 'waits' ? { ...settled, kind: 'again' } : over
}

/** A loop counts as a rehearsal: in shadow mode nothing is emitted that could go round. */
function deadInShadow({ reason, error }: DeadVerdict): Rehearsal {
  return reason === 'loop'
    ? { reason: 'shadow', requests: [], needs: null, elementsPassedOver: 0 }
    : { reason: 'template-error', error, step: 0 }
}
