import { expect } from 'chai'
import type { Json } from '../../src/model/json.ts'
import type { Dedup, DedupWindow, Rule } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { aRule, refusal, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'

/** The page of an event: what the windows of these tests go by. */
function pageOf({ event }: Scope): string {
  return JSON.stringify(bodyOf(event.body)['page'] ?? 'a')
}

function bodyOf(body: Json): Readonly<Record<string, Json>> {
  return body as Record<string, Json> // as: the events of these tests are objects
}

function dedupOf(window: Partial<DedupWindow> | null, more: Partial<Dedup> = {}): Dedup {
  const whole: DedupWindow = { ms: 5_000, keep: 'both', waitMaxMs: 50_000, ...window }
  return {
    key: pageOf,
    window: window === null ? null : whole,
    version: null,
    onOutage: 'run',
    ...more,
  }
}

/** A rule that notes what it acts on, and when. */
function noting(
  rule: Partial<Rule>,
  answer: (n: Json, call: number) => 'ok' | 'retry' | 'dead' = () => 'ok',
) {
  const acted: string[] = []
  let clockOf: () => number = () => 0
  let calls = 0
  const made = aRule(({ event }) => {
    const { n = null } = bodyOf(event.body)
    acted.push(`${JSON.stringify(n)}@${clockOf() / 1_000}`)
    const how = answer(n, (calls += 1))
    return Promise.resolve(how === 'ok' ? success : how === 'retry' ? status(503) : refusal(400))
  }, rule)
  return { rule: made, acted, watch: (house: House) => (clockOf = () => house.clock.monotonic()) }
}

async function houseOf(noted: ReturnType<typeof noting>, options = {}): Promise<House> {
  const house = new House({ rules: [noted.rule], ...options })
  noted.watch(house)
  return house.start()
}

describe('a window with `keep: both`', () => {
  it('acts at once, and once more with the newest when the window ends', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'both' }) })
    const house = await houseOf(noted)
    await house.emit({ n: 1 })
    for (let n = 2; n <= 5; n++) {
      await house.pass(500)
      await house.emit({ n })
    }
    await house.pass(20_000)
    expect(noted.acted).to.deep.equal(['1@0', '5@5'])
    expect(house.ladder()).to.deep.include({ matched: 5, done: 2, skipped: { superseded: 3 } })
    expect(house.committed()).to.equal(5n)
    await house.stop()
  })
})

describe('a window with `keep: first`', () => {
  it('acts on the first, and skips the rest', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'first' }) })
    const house = await houseOf(noted)
    await house.emit({ n: 1 }, { n: 2 })
    await house.pass(4_000)
    await house.emit({ n: 3 })
    await house.pass(2_000)
    await house.emit({ n: 4 })
    await house.pass(10_000)
    expect(noted.acted).to.deep.equal(['1@0', '4@6'])
    expect(house.ladder()).to.deep.include({ matched: 4, done: 2, skipped: { duplicate: 2 } })
    await house.stop()
  })

  it('acts on the next when the first went to the dead letters', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'first' }) }, (n) => (n === 1 ? 'dead' : 'ok'))
    const house = await houseOf(noted)
    await house.emit({ n: 1 }, { n: 2 }, { n: 3 })
    await house.pass(10_000)
    expect(noted.acted).to.deep.equal(['1@0', '2@0'])
    expect(house.ladder().skipped).to.deep.equal({ duplicate: 1 })
    await house.stop()
  })
})

describe('a window with `keep: last`', () => {
  it('waits until it is quiet, and acts on the newest', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'last' }) })
    const house = await houseOf(noted)
    for (let n = 1; n <= 3; n++) {
      await house.emit({ n })
      await house.pass(2_000)
    }
    await house.pass(20_000)
    expect(noted.acted).to.deep.equal(['3@9'])
    expect(house.ladder()).to.deep.include({ matched: 3, done: 1, skipped: { superseded: 2 } })
    await house.stop()
  })

  it('waits no longer than max_wait', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'last', waitMaxMs: 8_000 }) })
    const house = await houseOf(noted)
    for (let n = 1; n <= 6; n++) {
      await house.emit({ n })
      await house.pass(2_000)
    }
    await house.pass(20_000)
    expect(noted.acted).to.deep.equal(['4@8', '6@15'])
    await house.stop()
  })
})

describe('a partition whose window is half full of what waits', () => {
  it('hands over the newest of each key, and gathers what comes until that is stored', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'both' }) })
    const house = await houseOf(noted, { lane: { window: 40 } })
    house.broker.refuseProducesTo('sluice.retry.10s')
    for (let n = 0; n < 80; n++) {
      await house.emit({ n, page: n % 4 })
      await house.pass(10)
    }
    house.broker.takeAllProduces()
    await house.pass(60_000)
    const acted = noted.acted.map((one) => Number(one.split('@')[0]))
    // One of each page with the first half of the window, one with the second, and some of the rest.
    expect(house.records('sluice.retry.10s')).to.have.length.within(8, 16)
    expect(acted.slice(0, 4)).to.deep.equal([0, 1, 2, 3])
    expect(acted.slice(-4)).to.have.members([76, 77, 78, 79])
    expect(house.ladder().done + (house.ladder().skipped.superseded ?? 0)).to.equal(80)
    await house.stop()
  })
})

describe('a window and a failure', () => {
  it('lets newer events of the key go, and an old retry never overwrites a newer success', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'both' }) }, (n) => (n === 1 ? 'retry' : 'ok'))
    const house = await houseOf(noted)
    await house.emit({ n: 1 })
    await house.emit({ n: 2 })
    await house.pass(60_000)
    expect(noted.acted).to.deep.equal(['1@0', '2@0'])
    expect(house.ladder()).to.deep.include({ matched: 2, done: 1, skipped: { superseded: 1 } })
    await house.stop()
  })
})

describe('`order: key`', () => {
  it('keeps the order of a key through retries, and holds only that key', async () => {
    const noted = noting({ order: 'key', key: pageOf }, (n, call) =>
      n === 1 && call === 1 ? 'retry' : 'ok',
    )
    const house = await houseOf(noted)
    await house.emit({ n: 1, page: 'a' }, { n: 2, page: 'a' }, { n: 3, page: 'b' })
    await house.pass(60_000)
    expect(noted.acted).to.deep.equal(['1@0', '3@0', '1@10', '2@10'])
    expect(house.ladder()).to.deep.include({ matched: 3, done: 3, retried: 1 })
    await house.stop()
  })
})

describe('a rule that waits for a store that is away', () => {
  it('writes what it has no room for less and less often, and acts on all of it in the end', async () => {
    const noted = noting({ dedup: dedupOf({ keep: 'both' }, { onOutage: 'wait' }) })
    const house = await houseOf(noted, { lane: { window: 10 }, retryWindow: 10 })
    house.store.outage(true)
    await house.emit(...Array.from({ length: 50 }, (_, page) => ({ page })))
    await house.pass(300_000)
    expect(noted.acted).to.deep.equal([])
    const written = [...house.records('sluice.retry.10s'), ...house.records('sluice.retry.1m')]
    expect(written.length).to.be.within(50, 50 * 20)
    house.store.outage(false)
    await house.pass(130_000)
    expect(noted.acted).to.have.length(50)
    expect(house.ladder()).to.deep.include({ matched: 50, done: 50, skipped: {} })
    await house.stop()
  })
})
