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
import type { QueuedTask } from './rule-queue.ts'
import { queuedMax, RuleQueue } from './rule-queue.ts'
import type { RepeatedLog } from './repeated-log.ts'
import type { Settler, Settling } from './settle.ts'
import type { Ticket } from './ticket.ts'

export interface RuleQueuesParts {
  readonly ruleSet: RuleSet
  readonly meters: Meters
  readonly clock: Clock
  readonly settler: Settler
  readonly tools: AttemptTools
  readonly hopsMax: number
  readonly log: RepeatedLog
  readonly logger: Logger
}

/** The queues of all rules: where intakes put tasks, whichever topic they come from. */
export class RuleQueues {
  readonly ruleSet: RuleSet
  readonly #parts: RuleQueuesParts
  readonly #byRule: ReadonlyMap<string, RuleQueue>
  readonly #fullOnes = new Set<Rule>()
  readonly #onRoom: (() => void)[] = []

  constructor(parts: RuleQueuesParts) {
    this.#parts = parts
    this.ruleSet = parts.ruleSet
    this.#byRule = new Map(parts.ruleSet.rules.map((rule) => [rule.name, this.#queueOf(rule)]))
  }

  #queueOf(rule: Rule): RuleQueue {
    return new RuleQueue({
      rule,
      meters: this.#parts.meters.ofRule(rule.name),
      clock: this.#parts.clock,
      run: (ofRule, queued) => this.#run(ofRule, queued),
      handOver: (ofRule, { task, ticket }) =>
        this.#parts.settler.handOver({ task, ticket, rule: ofRule, meters: this.metersOf(ofRule) }),
      onRoom: () => {
        this.#fullOnes.delete(rule)
        this.#parts.log.info(
          `room ${rule.name}`,
          { rule: rule.name },
          'the queue of a rule has room again',
        )
        for (const tell of this.#onRoom) tell()
      },
    })
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
  all(): IterableIterator<RuleQueue> {
    return this.#byRule.values()
  }

  /** A rule of the live path fired: admits its task, or settles it with the reason why not. */
  fired(firing: Firing, event: Event, ticket: Ticket): void {
    const { rule, way } = firing
    this.#queue(rule.name).meters.matched()
    const task = newTask(rule.name, event, way)
    this.#accept(admit(firing, task, this.#admitContext()), rule, task, ticket)
  }

  /** The same for a task that was admitted before and comes back, counted and matched anew. */
  firedAgain(firing: Firing, task: Task, ticket: Ticket): void {
    this.#accept(readmit(firing, task, this.#admitContext()), firing.rule, task, ticket)
  }

  #admitContext(): AdmitContext {
    return { nowMs: this.#parts.clock.now(), hopsMax: this.#parts.hopsMax }
  }

  #accept(verdict: Verdict, rule: Rule, task: Task, ticket: Ticket): void {
    const queue = this.#queue(rule.name)
    const settling = { task, ticket, rule, meters: queue.meters }
    const { settler } = this.#parts
    switch (verdict.kind) {
      case 'run':
        queue.push(task, ticket)
        if (queue.isFull && !this.#fullOnes.has(queue.rule)) this.#full(queue.rule)
        return
      case 'skip':
        return settler.skipped(settling, verdict.reason)
      case 'dead':
        if (rule.mode === 'shadow') return this.#rehearsed(settling, deadInShadow(verdict))
        void settler.unattempted(settling, verdict.reason, verdict.error)
    }
  }

  #full(rule: Rule): void {
    this.#fullOnes.add(rule)
    const fields = { rule: rule.name, lane: rule.lane, queued: queuedMax }
    const sentence = 'the queue of a rule is full; its lane reads nothing until there is room'
    this.#parts.log.info(`full ${rule.name}`, fields, sentence)
  }

  metersOf(rule: Rule): RuleMeters {
    return this.#queue(rule.name).meters
  }

  dropRevoked(): void {
    for (const queue of this.all()) queue.dropRevoked()
  }

  #queue(rule: string): RuleQueue {
    const queue = this.#byRule.get(rule)
    invariant(queue !== undefined, `rule ${rule} is not of this rule set`)
    return queue
  }

  async #run(rule: Rule, { task, ticket }: QueuedTask): Promise<void> {
    const { meters } = this.#queue(rule.name)
    if (rule.mode === 'shadow') {
      const rehearsal = rehearse(task, rule, this.#parts.clock.now())
      return this.#rehearsed({ task, ticket, rule, meters }, rehearsal)
    }
    const result = await attempt(task, rule, this.#parts.tools, meters)
    if (result.kind === 'dead' && result.failure.kind === 'guard') {
      meters.guardRefused(result.failure.reason)
    }
    await this.#parts.settler.afterAttempt({ task, ticket, rule, meters }, result)
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

/** A loop counts as a rehearsal: in shadow mode nothing is emitted that could go round. */
function deadInShadow({ reason, error }: Extract<Verdict, { kind: 'dead' }>): Rehearsal {
  return reason === 'loop'
    ? { reason: 'shadow', requests: [], needs: null, elementsPassedOver: 0 }
    : { reason: 'template-error', error, step: 0 }
}
