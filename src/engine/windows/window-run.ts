import type { SkipReason } from '../../model/outcome.ts'
import type { ClaimAnswer } from '../../model/store-calls.ts'
import type { Led, WindowEntry } from './window-entry.ts'
import type { Begun, ReadyRun, RunEnd, RunOwner, WindowHost } from './window-host.ts'

/**
 * How long what is done meanwhile is remembered for a task that comes back, beyond twice its delay:
 * its tier may be read late, and a daemon may be down for a night.
 */
export const keptForRetryMs = 86_400_000

const go: Begun = { kind: 'go' }
const over: Begun = { kind: 'over' }

/** One claim of one key, from the queue of the rule to its end. */
export class WindowRun implements ReadyRun {
  readonly #lead: WindowEntry
  readonly #window: RunOwner
  readonly #host: WindowHost
  readonly #token: string
  #covered: readonly WindowEntry[]
  #startedMs = 0
  /** The lease is ours, or may be. */
  #holdsLease = false
  #isUnderWay = false
  #hasBegun = false

  constructor(window: RunOwner, host: WindowHost, { lead, covered }: Led, token: string) {
    this.#lead = lead
    this.#window = window
    this.#host = host
    this.#covered = covered
    this.#token = token
  }

  /** Spread only where it is rare: adding to a copy costs 2 µs and more in Node 20. */
  get #call(): { readonly rule: string; readonly key: string; readonly token: string } {
    return { rule: this.#host.policy.rule, key: this.#window.key, token: this.#token }
  }

  async begin(): Promise<Begun> {
    if (this.#hasBegun) return go
    const { clock, leases, policy } = this.#host
    const { task, stamp, ticket } = this.#lead
    this.#isUnderWay = true
    this.#startedMs = clock.monotonic()
    const against = task.attempt > 1 ? 'order' : policy.against
    const { rule, key, token } = this.#call
    const request = { rule, key, token, task: task.id, against, stamp }
    const answer = await leases.claim(request, () => this.#host.count('lost'))
    this.#host.count(answer.kind)
    this.#holdsLease = answer.kind === 'new' || answer.kind === 'unknown'
    if (answer.kind === 'unknown' && policy.onOutage === 'wait') {
      this.#forgetLease() // it is claimed again under the same token
      this.#window.isUnknown(this.#token)
    } else if (answer.kind !== 'new' && answer.kind !== 'unknown') {
      return this.#refused(answer)
    } else if (!ticket.isRevoked) {
      this.#window.gotLease()
      this.#hasBegun = true
      return go
    }
    return this.#notRun()
  }

  #refused(answer: Exclude<ClaimAnswer, { kind: 'new' | 'unknown' }>): Begun {
    switch (answer.kind) {
      case 'busy':
        this.#window.isBusy(answer.leftMs)
        return this.#notRun()
      case 'done':
        this.#window.isOpenFor(answer.leftMs)
        if (this.#host.policy.keep === 'first') return this.#skipped('duplicate')
        return answer.isCovered ? this.#skipped('superseded') : this.#notRun()
      case 'superseded':
        return this.#skipped('superseded')
    }
  }

  #skipped(reason: SkipReason): Begun {
    this.#host.isBack()
    for (const entry of [this.#lead, ...this.#covered]) this.#host.skip(entry, reason)
    this.#window.runEnded([])
    return over
  }

  /** Taken out of the queue, or on its way back there: its partition may have gone elsewhere. */
  #notRun(): Begun {
    this.#giveBack()
    this.#host.isBack()
    this.#putBack([this.#lead, ...this.#covered])
    return over
  }

  dropped(): void {
    this.#notRun()
  }

  /** Gives up covered events whose partition went elsewhere. Those of a run under way it settles. */
  takeOutRevoked(): readonly WindowEntry[] {
    if (this.#isUnderWay) return []
    const gone = this.#covered.filter(({ ticket }) => ticket.isRevoked)
    this.#covered = this.#covered.filter(({ ticket }) => !ticket.isRevoked)
    return gone
  }

  async acted(): Promise<void> {
    const { clock, leases, policy } = this.#host
    const { task, stamp } = this.#lead
    const openUntilMs = this.#startedMs + policy.windowMs
    const windowMs = Math.max(0, openUntilMs - clock.monotonic())
    this.#forgetLease()
    const { rule, key, token } = this.#call
    const mark = { rule, key, token, task: task.id, stamp, windowMs, keepMs: policy.keepMs }
    await leases.store.complete(mark)
    this.#window.acted(this.#lead, openUntilMs)
  }

  async failed(dueInMs: number): Promise<void> {
    this.#forgetLease()
    const keepMs = 2 * dueInMs + keptForRetryMs
    await this.#host.leases.store.release({ ...this.#call, keepMs })
  }

  ended(how: RunEnd): void {
    this.#giveBack()
    if (how === 'left') return this.#putBack(this.#covered)
    for (const entry of this.#covered) this.#host.skip(entry, 'superseded')
    this.#window.runEnded([])
  }

  #putBack(entries: readonly WindowEntry[]): void {
    const gone = entries.filter(({ ticket }) => ticket.isRevoked)
    if (gone.length > 0) this.#host.leave(gone)
    this.#window.runEnded(entries.filter(({ ticket }) => !ticket.isRevoked))
  }

  #forgetLease(): void {
    this.#holdsLease = false
    this.#host.leases.forget(this.#token)
  }

  /** Not waited for: the calls of one process reach the store in their order, and a lease runs out. */
  #giveBack(): void {
    if (!this.#holdsLease) return
    this.#forgetLease()
    void this.#host.leases.store.release({ ...this.#call, keepMs: 0 })
  }
}
