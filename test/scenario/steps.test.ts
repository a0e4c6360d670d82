import { expect } from 'chai'
import type { Json } from '../../src/model/json.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import { headerText } from '../../src/model/record.ts'
import type { Rule, Step } from '../../src/rules/rule.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { anAction, status, success } from '../support/builders.ts'
import { House } from '../support/house.ts'
import { aRuleOf, aStep, aWay, giving, itemsOf } from '../support/way-fixture.ts'

/** What a step was carried out with. */
interface Call {
  readonly step: string
  readonly item: Json | undefined
  readonly steps: Scope['steps']
}

/** Steps that note what they are carried out with, and answer what is next in their list. */
class Steps {
  readonly calls: Call[] = []

  called(name: string, answers: readonly Outcome[] = [], step: Partial<Step> = {}): Step {
    const left = [...answers]
    return aStep(({ item, steps }) => {
      this.calls.push({ step: name, item, steps: structuredClone(steps) })
      return Promise.resolve(left.shift() ?? success)
    }, step)
  }

  /** `name`, or `name item`, in order. */
  get names(): readonly string[] {
    return this.calls.map(({ step, item }) =>
      item === undefined ? step : `${step} ${JSON.stringify(item)}`,
    )
  }
}

async function houseWith(rule: Rule, beside?: House): Promise<House> {
  return new House(
    { rules: [rule] },
    beside,
    beside === undefined ? 'process-1' : 'process-2',
  ).start()
}

function retryHeaders(house: House): Record<string, string | null> {
  const [record] = house.records('sluice.retry.10s')
  const names = ['way', 'step', 'item', 'results']
  return Object.fromEntries(
    names.map((name) => [name, headerText(record?.headers ?? [], `sluice-${name}`)]),
  )
}

describe('the steps of a way', () => {
  it('run in order, and a later one reads what an earlier one gave', async () => {
    const steps = new Steps()
    const rule = aRuleOf([
      aWay([
        steps.called('score', [giving({ body: { p: 0.9 } })], { as: 'score' }),
        steps.called('post'),
        steps.called('emit', [giving({ offset: 7 })], { as: 'sent' }),
        steps.called('last'),
      ]),
    ])
    const house = await houseWith(rule)
    await house.emit({ id: 1 })
    const score = { body: { p: 0.9 } }
    expect(steps.calls).to.deep.equal([
      { step: 'score', item: undefined, steps: {} },
      { step: 'post', item: undefined, steps: { score } },
      { step: 'emit', item: undefined, steps: { score } },
      { step: 'last', item: undefined, steps: { score, sent: { offset: 7 } } },
    ])
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1 })
    await house.stop()
  })

  it('go on after a failure from the step that failed, with the results so far', async () => {
    const steps = new Steps()
    const rule = aRuleOf([
      aWay([
        steps.called('score', [giving({ p: 0.9, t: '\ud800é' })], { as: 'score' }),
        steps.called('post', [status(503)]),
      ]),
    ])
    const house = await houseWith(rule)
    await house.emit({ id: 1 })
    expect(retryHeaders(house)).to.deep.equal({
      way: '0',
      step: '1',
      item: null,
      results: '{"score":{"p":0.9,"t":"\\ud800é"}}',
    })
    await house.pass(10_000)
    expect(steps.names).to.deep.equal(['score', 'post', 'post'])
    expect(steps.calls[2]?.steps).to.deep.equal({ score: { p: 0.9, t: '\ud800é' } })
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1, retried: 1 })
    await house.stop()
  })

  it('are those of the way that the event takes, with its captures', async () => {
    const seen: Scope['match'][] = []
    const other = aStep(() => expect.fail('the other way'))
    const taken = aStep(({ match }) => (seen.push(match), Promise.resolve(success)))
    const captures = (): Record<string, string> => ({ title: 'Main_page' })
    const ways = [aWay([other]), aWay([taken], { captures })]
    const house = await houseWith(aRuleOf(ways, {}, { way: 1, doubt: null }))
    await house.emit({ id: 1 })
    expect(seen).to.deep.equal([{ title: 'Main_page' }])
    await house.stop()
  })
})

describe('a step with `each`', () => {
  it('runs once per element, in order, and keeps the list of the results', async () => {
    const steps = new Steps()
    const each = { each: itemsOf, as: 'made' }
    const rule = aRuleOf([
      aWay([steps.called('make', [1, 2, 3].map(giving), each), steps.called('after')]),
    ])
    const house = await houseWith(rule)
    await house.emit({ items: ['a', { b: 1 }, null] })
    expect(steps.names).to.deep.equal(['make "a"', 'make {"b":1}', 'make null', 'after'])
    expect(steps.calls.at(-1)?.steps).to.deep.equal({ made: [1, 2, 3] })
    await house.stop()
  })

  it('runs not at all for an empty list, and keeps an empty one', async () => {
    const steps = new Steps()
    const each = { each: itemsOf, as: 'made' }
    const house = await houseWith(
      aRuleOf([aWay([steps.called('make', [], each), steps.called('after')])]),
    )
    await house.emit({ items: [] })
    expect(steps.calls).to.deep.equal([{ step: 'after', item: undefined, steps: { made: [] } }])
    await house.stop()
  })

  it('goes on after a failure from the element that failed', async () => {
    const steps = new Steps()
    const answers = [giving(1), status(503), status(503), giving(2)]
    const each = { each: itemsOf, as: 'made' }
    const rule = aRuleOf([
      aWay([steps.called('first'), steps.called('make', answers, each), steps.called('after')]),
    ])
    const house = await houseWith(rule)
    await house.emit({ items: ['a', 'b', 'c'] })
    expect(retryHeaders(house)).to.deep.equal({
      way: '0',
      step: '1',
      item: '1',
      results: '{"made":[1]}',
    })
    await house.pass(10_000)
    await house.pass(60_000)
    expect(steps.names).to.deep.equal([
      'first',
      ...['make "a"', 'make "b"', 'make "b"', 'make "b"', 'make "c"'],
      'after',
    ])
    expect(steps.calls.at(-1)?.steps).to.deep.equal({ made: [1, 2, null] })
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1, retried: 2 })
    await house.stop()
  })

  it('asks each of its calls under a trace span of its own', async () => {
    const spans = new Set<string | null>()
    const step = aStep(
      ({ lineage }) => (spans.add(lineage.traceparent), Promise.resolve(success)),
      { each: itemsOf },
    )
    const house = await houseWith(aRuleOf([aWay([step])]))
    await house.emit({ items: [1, 2, 3] })
    expect(spans.size).to.equal(3)
    await house.stop()
  })

  const refused: [name: string, items: Json, reason: string, error: RegExp][] = [
    ['no list', { a: 1 }, 'template-error', /each is not a list: an object/],
    ['a list above 1,000', Array<Json>(1_001).fill(0), 'too-large', /1001 elements, above 1000/],
  ]
  for (const [name, items, reason, error] of refused) {
    it(`ends as a dead letter where it gives ${name}: ${reason}`, async () => {
      const steps = new Steps()
      const rule = aRuleOf([aWay([steps.called('make', [], { each: itemsOf })])])
      const house = await houseWith(rule)
      await house.emit({ items })
      expect(house.ladder().dead).to.deep.equal({ [reason]: 1 })
      expect(house.dead('error')[0]?.['error']).to.match(error)
      expect(steps.calls).to.deep.equal([])
      await house.stop()
    })
  }

  it('has one deadline over all its elements, and goes on behind those that succeeded', async () => {
    const done: Json[] = []
    const house = new House({
      rules: [
        aRuleOf(
          [
            aWay([
              aStep(
                async ({ item }) => {
                  await house.clock.sleep(400)
                  done.push(item ?? null)
                  return success
                },
                { each: itemsOf },
              ),
            ]),
          ],
          { timeoutMs: 1_000 },
        ),
      ],
    })
    await house.start()
    await house.emit({ items: [1, 2, 3, 4] })
    for (let i = 0; i < 5; i++) await house.pass(400)
    expect(done).to.deep.equal([1, 2, 3])
    await house.pass(10_000)
    expect(done).to.deep.equal([1, 2, 3, 4])
    expect(house.ladder()).to.deep.include({ done: 1, retried: 1 })
    await house.stop()
  })
})

describe('results', () => {
  it('above 256 KiB in all end the task as a dead letter: too-large', async () => {
    const steps = new Steps()
    const big = giving('x'.repeat(200_000))
    const rule = aRuleOf([
      aWay([
        steps.called('one', [big], { as: 'one' }),
        steps.called('two', [big], { as: 'two' }),
        steps.called('three'),
      ]),
    ])
    const house = await houseWith(rule)
    await house.emit({ id: 1 })
    expect(steps.names).to.deep.equal(['one', 'two'])
    expect(house.dead('reason', 'step', 'error')).to.deep.equal([
      {
        reason: 'too-large',
        step: '1',
        error:
          'too-large: with that of `two` the results of the steps are above 262144 bytes, or nested deeper than 500 levels',
      },
    ])
    await house.stop()
  })

  it('of elements count as well, and so does what is nested deeper than a stack', async () => {
    let deep: Json = []
    for (let i = 0; i < 50_000; i++) deep = [deep]
    for (const results of [Array<Json>(3).fill('x'.repeat(100_000)), [deep]]) {
      const steps = new Steps()
      const each = { each: itemsOf, as: 'made' }
      const house = await houseWith(
        aRuleOf([aWay([steps.called('make', results.map(giving), each)])]),
      )
      await house.emit({ items: [1, 2, 3] })
      expect(house.ladder().dead).to.deep.equal({ 'too-large': 1 })
      await house.stop()
    }
  })

  it('that make a retry too large for the bus end as a dead letter without them', async () => {
    const steps = new Steps()
    const rule = aRuleOf([
      aWay([
        steps.called('one', [giving('x'.repeat(200_000))], { as: 'one' }),
        steps.called('two', [status(503)]),
      ]),
    ])
    const house = await houseWith(rule)
    await house.emit({ text: 'y'.repeat(4 * 2 ** 20 - 100_000) })
    expect(house.records('sluice.retry.10s')).to.have.length(0)
    expect(house.dead('reason', 'status', 'step', 'results')).to.deep.equal([
      { reason: 'too-large', status: '503', step: '0', results: null },
    ])
    expect(house.dead('error')[0]?.['error']).to.match(/with the results of its steps/)
    expect(house.ladder()).to.deep.include({ matched: 1, dead: { 'too-large': 1 } })
    await house.stop()
  })
})

describe('a retry of a rule that was edited begins anew, without results, where', () => {
  const one = giving('old')
  const cases: { name: string; steps: (steps: Steps) => Step[]; way?: number; anew: string[] }[] = [
    {
      name: 'another way is taken',
      steps: (steps) => [steps.called('one'), steps.called('two', [], { each: itemsOf })],
      way: 1,
      anew: ['one', 'two "a"', 'two "b"'],
    },
    {
      name: 'the step is gone',
      steps: (steps) => [steps.called('one', [one], { as: 'one' })],
      anew: ['one'],
    },
    {
      name: 'an earlier step keeps what it did not keep before',
      steps: (steps) => [
        steps.called('one', [one], { as: 'other' }),
        steps.called('two', [], { each: itemsOf }),
      ],
      anew: ['one', 'two "a"', 'two "b"'],
    },
    {
      name: 'the step has no elements any more',
      steps: (steps) => [steps.called('one', [one], { as: 'one' }), steps.called('two')],
      anew: ['one', 'two'],
    },
    {
      name: 'the step keeps the results of its elements, and did not before',
      steps: (steps) => [
        steps.called('one', [one], { as: 'one' }),
        steps.called('two', [], { each: itemsOf, as: 'two' }),
      ],
      anew: ['one', 'two "a"', 'two "b"'],
    },
    {
      name: 'another step was put before it',
      steps: (steps) => [
        steps.called('new', [one], { as: 'one' }),
        steps.called('two', [], { each: itemsOf, place: 'behind new' }),
      ],
      anew: ['new', 'two "a"', 'two "b"'],
    },
  ]
  for (const { name, steps: edited, way = 0, anew } of cases) {
    it(name, async () => {
      const before = new Steps()
      const house = await houseWith(
        aRuleOf([
          aWay([
            before.called('one', [one], { as: 'one' }),
            before.called('two', [success, status(503)], { each: itemsOf, place: 'behind one' }),
          ]),
        ]),
      )
      await house.emit({ items: ['a', 'b'] })
      expect(retryHeaders(house)).to.include({ step: '1', item: '1' })
      await house.stop()

      const steps = new Steps()
      const ways = [aWay(edited(steps)), aWay(edited(steps))]
      const after = await houseWith(aRuleOf(ways, {}, { way, doubt: null }), house)
      await after.pass(10_000)
      expect(steps.names).to.deep.equal(anew)
      expect(steps.calls[0]?.steps).to.deep.equal({})
      expect(after.ladder()).to.deep.include({ matched: 1, done: 1 })
      await after.stop()
    })
  }

  it('or the step, where its list ends before the element that failed', async () => {
    const two = (steps: Steps, answers: Outcome[], list: Json) =>
      aRuleOf([aWay([steps.called('two', answers, { each: () => list, as: 'two' })])])
    const house = await houseWith(two(new Steps(), [giving(1), status(503)], ['a', 'b']))
    await house.emit({ id: 1 })
    await house.stop()
    const steps = new Steps()
    const after = await houseWith(two(steps, [status(503)], ['c']), house)
    await after.pass(10_000)
    expect(steps.names).to.deep.equal(['two "c"'])
    const [record] = after.records('sluice.retry.1m')
    expect(headerText(record?.headers ?? [], 'sluice-results')).to.equal('{"two":[]}')
    await after.stop()
  })

  it('and goes on where nothing of that changed', async () => {
    const before = new Steps()
    const way = (steps: Steps, answers: Outcome[]) =>
      aWay([
        steps.called('one', [one], { as: 'one' }),
        steps.called('two', answers, { each: itemsOf, as: 'two' }),
      ])
    const house = await houseWith(aRuleOf([way(before, [giving(1), status(503)])]))
    await house.emit({ items: ['a', 'b'] })
    await house.stop()
    const steps = new Steps()
    const after = await houseWith(aRuleOf([way(steps, [giving(2)])]), house)
    await after.pass(10_000)
    expect(steps.calls).to.deep.equal([{ step: 'two', item: 'b', steps: { one: 'old', two: [1] } }])
    await after.stop()
  })
})

describe('a rule in doubt about an event', () => {
  for (const doubt of ['value-too-long', 'expr-error'] as const) {
    it(`skips it for that reason: ${doubt}`, async () => {
      const steps = new Steps()
      const rule = aRuleOf([aWay([steps.called('one')])], {}, { way: 0, doubt })
      const house = await houseWith(rule)
      await house.emit({ id: 1 })
      expect(house.ladder()).to.deep.include({ matched: 1, done: 0, skipped: { [doubt]: 1 } })
      await house.pass(500)
      expect(house.committed()).to.equal(1n)
      expect(steps.calls).to.deep.equal([])
      await house.stop()
    })

    it(`skips a retry for that reason: ${doubt}`, async () => {
      const steps = new Steps()
      const rule = aRuleOf([aWay([steps.called('one', [status(503)])])])
      const house = await houseWith(rule)
      await house.emit({ id: 1 })
      await house.stop()
      const after = await houseWith({ ...rule, fire: () => ({ way: 0, doubt }) }, house)
      await after.pass(10_000)
      expect(after.ladder()).to.deep.include({ matched: 1, skipped: { [doubt]: 1 } })
      expect(steps.names).to.deep.equal(['one'])
      await after.stop()
    })
  }
})

describe('a rule in shadow mode', () => {
  const never = (): Promise<Outcome> => expect.fail('it was carried out')
  const rendering = (name: string, step: Partial<Step> = {}): Step =>
    aStep(never, {
      action: anAction(never, {
        render: ({ item }) => ({
          kind: 'ready',
          request: { summary: `${name} ${JSON.stringify(item ?? null)}`, perform: never },
        }),
      }),
      ...step,
    })
  const reading: Step = aStep(never, {
    action: anAction(never, { render: () => ({ kind: 'no-result', step: 'one' }) }),
  })
  const failing: Step = aStep(never, {
    action: anAction(never, {
      render: () => ({ kind: 'failed', failure: { kind: 'guard', reason: 'host', message: 'no' } }),
    }),
  })

  const told = (house: House): object[] =>
    house.logged
      .filter(({ sentence }) => /was rehearsed/.test(sentence))
      .map(({ fields }) => fields)

  async function rehearsed(steps: Step[], rule: Partial<Rule> = {}): Promise<House> {
    const house = await houseWith(aRuleOf([aWay(steps)], { mode: 'shadow', ...rule }))
    await house.emit({ items: [1, 2] })
    await house.pass(500)
    expect(house.committed()).to.equal(1n)
    expect(house.records('sluice.dead')).to.deep.equal([])
    await house.stop()
    return house
  }

  it('renders every step and carries out none: a skip', async () => {
    const house = await rehearsed([rendering('one'), rendering('two', { each: itemsOf })])
    expect(house.ladder()).to.deep.include({ matched: 1, done: 0, skipped: { shadow: 1 } })
    const requests = ['one null', 'two 1', 'two 2']
    const common = { rule: 'purge', task: 'purge/edits/0/0', reason: 'shadow' }
    expect(told(house)).to.deep.equal([{ ...common, requests, needs: null, elementsPassedOver: 0 }])
  })

  it('renders the first hundred elements of a step, and says how many it passed over', async () => {
    const seen: unknown[] = []
    const items = Array.from({ length: 130 }, (_, i) => i)
    const counting = aStep(never, {
      each: () => items,
      action: anAction(never, {
        render: ({ item }) => {
          seen.push(item)
          return {
            kind: 'ready',
            request: { summary: `two ${JSON.stringify(item)}`, perform: never },
          }
        },
      }),
    })
    const house = await rehearsed([counting, counting, rendering('last')])
    expect(house.ladder()).to.deep.include({ matched: 1, done: 0, skipped: { shadow: 1 } })
    expect(seen).to.deep.equal([...items.slice(0, 100), ...items.slice(0, 100)])
    expect(told(house)[0]).to.deep.include({ needs: null, elementsPassedOver: 60 })
  })

  it('renders up to the step that reads a result, which is not there', async () => {
    const house = await rehearsed([rendering('one', { as: 'one' }), reading, failing])
    expect(house.ladder().skipped).to.deep.equal({ shadow: 1 })
    expect(told(house)[0]).to.deep.include({ requests: ['one null'], needs: 'one' })
  })

  it('skips what it cannot render, and says so once: never a dead letter', async () => {
    const house = await rehearsed([rendering('one'), failing])
    expect(house.ladder().skipped).to.deep.equal({ 'template-error': 1 })
    expect(house.logged.find(({ level }) => level === 'warn')?.fields).to.deep.include({
      rule: 'purge',
      reason: 'template-error',
      step: 1,
      error: 'guard: no',
    })
  })

  it('does so for a list that is none, for a key that cannot be rendered, and for a loop', async () => {
    const noList = await rehearsed([rendering('one', { each: () => 7 })])
    expect(noList.ladder().skipped).to.deep.equal({ 'template-error': 1 })

    const loop = await houseWith(aRuleOf([aWay([rendering('one')])], { mode: 'shadow' }))
    const path = Buffer.from('purge,purge')
    await loop.produce({
      value: Buffer.from('{}'),
      headers: [
        ['sluice-root', Buffer.from('a/0/1')],
        ['sluice-path', path],
      ],
    })
    expect(loop.ladder().skipped).to.deep.equal({ shadow: 1 })
    expect(loop.records('sluice.dead')).to.deep.equal([])
    await loop.stop()
  })

  it('skips the retries of when it was live', async () => {
    const steps = new Steps()
    const rule = aRuleOf([aWay([steps.called('one', [status(503)])])])
    const house = await houseWith(rule)
    await house.emit({ id: 1 })
    await house.stop()
    const after = await houseWith({ ...rule, mode: 'shadow' }, house)
    await after.pass(10_000)
    expect(after.ladder()).to.deep.include({ matched: 1, skipped: { shadow: 1 } })
    expect(steps.names).to.deep.equal(['one'])
    await after.stop()
  })
})
