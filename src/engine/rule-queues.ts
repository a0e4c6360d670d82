import type { Event } from '../model/event.ts'
import { invariant } from '../model/invariant.ts'
import type { Task } from '../model/task.ts'
import { newTask } from '../model/task.ts'
import type { Clock } from '../ports/clock.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import type { Rule } from '../rules/rule.ts'
import { admit } from './admit.ts'
import type { AttemptTools } from './attempt.ts'
import { attempt } from './attempt.ts'
import type { Meters, RuleMeters } from './meters.ts'
import type { QueuedTask } from './rule-queue.ts'
import { queuedMax, RuleQueue } from './rule-queue.ts'
import type { RepeatedLog } from './repeated-log.ts'
import type { Settler } from './settle.ts'
import type { Ticket } from './ticket.ts'

export interface RuleQueuesParts {
  readonly ruleSet: RuleSet
  readonly meters: Meters
  readonly clock: Clock
  readonly settler: Settler
  readonly tools: AttemptTools
  readonly hopsMax: number
  readonly log: RepeatedLog
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
  fired(rule: Rule, event: Event, ticket: Ticket): void {
    this.#queue(rule.name).meters.matched()
    this.admitted(rule, newTask(rule.name, event, 0), ticket)
  }

  /** Admits a task whose match is known, from whichever topic it comes. */
  admitted(rule: Rule, task: Task, ticket: Ticket): void {
    const queue = this.#queue(rule.name)
    const { meters } = queue
    const verdict = admit(rule, task.event, this.#parts.hopsMax)
    switch (verdict.kind) {
      case 'run':
        queue.push(task, ticket)
        if (queue.isFull && !this.#fullOnes.has(queue.rule)) this.#full(queue.rule)
        return
      case 'skip':
        meters.skipped(verdict.reason)
        ticket.taskSettled()
        return
      case 'dead':
        void this.#parts.settler.unattempted(
          { task, ticket, rule, meters },
          verdict.reason,
          verdict.error,
        )
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
    const result = await attempt(task, rule, this.#parts.tools, meters)
    if (result.kind === 'dead' && result.failure.kind === 'guard') {
      meters.guardRefused(result.failure.reason)
    }
    await this.#parts.settler.afterAttempt({ task, ticket, rule, meters }, result)
  }
}
