import { expect } from 'chai'
import type { Outcome } from '../../src/model/outcome.ts'
import { headerText } from '../../src/model/record.ts'
import type { DedupWindow, Rule } from '../../src/rules/rule.ts'
import { aRule, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

/** A rule that notes the offsets that it acts on, and takes `tookMs` for each. */
function noting(rule: Partial<Rule>, house: () => House, tookMs = 0) {
  const acted: string[] = []
  const perform = async ({ event }: { event: { id: string } }): Promise<Outcome> => {
    acted.push(event.id)
    if (tookMs > 0) await house().clock.sleep(tookMs)
    return success
  }
  return { acted, rule: aRule(perform, rule) }
}

function windowOf(window: Partial<DedupWindow>): Partial<Rule> {
  const whole: DedupWindow = { keep: 'both', ms: 5_000, waitMaxMs: 50_000, ...window }
  return { dedup: { key: () => 'a', window: whole, version: null, onOutage: 'run' } }
}

/** One house after the other on the same bus. */
class Houses {
  #now: House | null = null
  #count = 0

  readonly now = (): House => {
    if (this.#now === null) throw new Error('no house yet')
    return this.#now
  }

  async next(rules: readonly Rule[]): Promise<House> {
    this.#count += 1
    const house = new House({ rules }, this.#now ?? undefined, `process-${this.#count}`)
    this.#now = house
    return house.start()
  }
}

describe('a clean stop repeats nothing', () => {
  it('of a key in order whose claim is under way', async () => {
    const houses = new Houses()
    const ordered = noting({ name: 'ordered', order: 'key', key: () => 'a' }, houses.now)
    const held = noting({ name: 'held', ...windowOf({ keep: 'last' }) }, houses.now)
    const rules = [ordered.rule, held.rule]
    const house = await houses.next(rules)
    house.store.delay(150)
    await house.emit({ n: 1 })
    await house.stop()
    expect(house.ladder('ordered').skipped).to.deep.equal({ reassigned: 1 })

    const after = await houses.next(rules)
    await after.pass(20_000)
    expect(ordered.acted).to.deep.equal(['edits/0/0'])
    expect(held.acted).to.deep.equal(['edits/0/0'])
    expect(after.committed()).to.equal(1n)
    await after.stop()
  })

  it('of a window that holds an event of which another rule has begun a task', async () => {
    const houses = new Houses()
    const slow = noting({ name: 'slow', concurrency: 1 }, houses.now, 2_000)
    const held = noting({ name: 'held', ...windowOf({ keep: 'both' }) }, houses.now)
    const rules = [slow.rule, held.rule]
    const house = await houses.next(rules)
    await house.emit({ n: 1 })
    await house.pass(2_000)
    await house.emit({ n: 2 }, { n: 3 }) // `slow` is at the second one, the third waits for it
    await house.stop()
    expect(held.acted).to.deep.equal(['edits/0/0'])

    await house.clock.advance(5_000) // the window is over
    const after = await houses.next(rules)
    await after.pass(60_000)
    expect(slow.acted).to.deep.equal(['edits/0/0', 'edits/0/1', 'edits/0/2'])
    expect(held.acted.filter((id) => id === 'edits/0/2')).to.have.length(1)
    expect(after.committed()).to.equal(3n)
    await after.stop()
  })

  it('of an event that a window skipped while another rule had not begun it', async () => {
    const houses = new Houses()
    const slow = noting({ name: 'slow', concurrency: 1 }, houses.now, 2_000)
    const once = noting({ name: 'once', ...windowOf({ keep: 'first' }) }, houses.now)
    const rules = [slow.rule, once.rule]
    const house = await houses.next(rules)
    await house.emit({ n: 1 }, { n: 2 })
    expect(house.ladder('once').skipped).to.deep.equal({ duplicate: 1 })
    await house.stop()

    await house.clock.advance(5_000) // the window is over
    const after = await houses.next(rules)
    await after.pass(60_000)
    expect(slow.acted).to.deep.equal(['edits/0/0', 'edits/0/1'])
    expect(once.acted).to.deep.equal(['edits/0/0'])
    await after.stop()
  })
})

describe('a clean stop does not cut `keep: last` short', () => {
  it('where another rule of the event has acted: it waits in a tier for what is left', async () => {
    const houses = new Houses()
    const plain = noting({ name: 'plain' }, houses.now)
    const held = noting({ name: 'held', ...windowOf({ keep: 'last', ms: 15_000 }) }, houses.now)
    const rules = [plain.rule, held.rule]
    const house = await houses.next(rules)
    await house.emit({ n: 1 })
    await house.pass(3_000)
    await house.stop()

    const after = await houses.next(rules)
    await after.pass(15_000 - 1_000 - after.clock.monotonic())
    expect(held.acted).to.deep.equal([])
    await after.pass(3_000)
    expect(held.acted).to.deep.equal(['edits/0/0'])
    expect(plain.acted).to.deep.equal(['edits/0/0'])
    await after.stop()
  })
})

describe('what waits in a tier for the end of its window', () => {
  it('waits no longer than max_wait once the rule says a shorter one', async () => {
    const houses = new Houses()
    const long = noting(windowOf({ keep: 'last', ms: 600_000, waitMaxMs: 600_000 }), houses.now)
    const house = await houses.next([long.rule])
    await house.emit({ n: 1 })
    await house.pass(1_000)
    const [waiting] = house.records('sluice.retry.1m')
    expect(headerText(waiting?.headers ?? [], 'sluice-window-due')).to.be.a('string')
    await house.stop()

    const short = noting(windowOf({ keep: 'last', ms: 5_000, waitMaxMs: 10_000 }), houses.now)
    const after = await houses.next([short.rule])
    await after.pass(80_000) // that of the tier, and its own
    expect(short.acted).to.deep.equal(['edits/0/0'])
    await after.stop()
  })
})
