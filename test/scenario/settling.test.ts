import { expect } from 'chai'
import { headerText } from '../../src/model/record.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import {
  aRule,
  anAction,
  headersOf,
  refusal,
  retryPolicy,
  status,
  success,
  waysOf,
} from '../support/builders.ts'
import { House } from '../support/house.ts'

/** A target that answers what it is told, in order, and then success; remembers what it was asked. */
function target(...answers: Outcome[]) {
  const calls: { event: string; atMs: number }[] = []
  const house: { current: House | null } = { current: null }
  const rule = aRule((scope) => {
    calls.push({ event: scope.event.id, atMs: scope.nowMs })
    return Promise.resolve(answers.shift() ?? success)
  })
  return { calls, rule, house }
}

describe('a task', () => {
  it('that succeeds is done, and its offset is committed within half a second', async () => {
    const { rule, calls } = target()
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 }, { id: 2 })
    expect(calls).to.have.length(2)
    await house.pass(500)
    expect(house.committed()).to.equal(2n)
    expect(house.ladder()).to.deep.include({ matched: 2, done: 2 })
    await house.stop()
  })

  it('that fails comes back after the tier of its delay and then succeeds', async () => {
    const { rule, calls } = target(status(503))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    expect(house.ladder().pending.retry).to.equal(1)
    await house.pass(9_999)
    expect(calls).to.have.length(1)
    await house.pass(1)
    expect(calls.map(({ event }) => event)).to.deep.equal(['edits/0/0', 'edits/0/0'])
    expect(house.ladder()).to.deep.include({ matched: 1, done: 1, retried: 1 })
    await house.stop()
  })

  it('that waits for its retry lets the partition be committed: the tier topic has it', async () => {
    const { rule } = target(status(503))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.pass(500)
    expect(house.committed()).to.equal(1n)
    expect(house.records('sluice.retry.10s')).to.have.length(1)
    await house.stop()
  })

  it('goes through a longer tier when the target asks for it with Retry-After', async () => {
    const { rule, calls } = target(status(429, 30_000))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.pass(59_000)
    expect(calls).to.have.length(1)
    await house.pass(1_000)
    expect(calls).to.have.length(2)
    await house.stop()
  })

  it('whose attempts are used up is a dead letter that says so', async () => {
    const answers = Array.from({ length: 5 }, () => status(500))
    const { rule, calls } = target(...answers)
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    for (let minute = 0; minute < 6; minute++) await house.pass(60_000)
    expect(calls).to.have.length(5)
    expect(house.dead('reason', 'status', 'attempt', 'exhausted')).to.deep.equal([
      { reason: 'status', status: '500', attempt: '5', exhausted: 'attempts' },
    ])
    expect(house.ladder()).to.deep.include({ matched: 1, retried: 4, dead: { status: 1 } })
    await house.stop()
  })

  it('whose age is used up is a dead letter before its attempts are', async () => {
    const { rule } = target(status(500), status(500))
    const young = { ...rule, retry: { ...retryPolicy, ageMaxMs: 60_000 } }
    const house = await new House({ rules: [young] }).start()
    await house.emit({ id: 1 })
    await house.pass(10_000)
    expect(house.dead('exhausted', 'attempt')).to.deep.equal([{ exhausted: 'age', attempt: '2' }])
    await house.stop()
  })

  it('that the target refuses is a dead letter at once, with the event untouched', async () => {
    const { rule } = target(refusal(400))
    const house = await new House({ rules: [rule] }).start()
    const value = Buffer.from('{ "id":  1,"title":"Zürich" }')
    await house.produce({
      key: Buffer.from('page-7'),
      value,
      headers: [...headersOf({ 'x-wiki': 'dewiki' }), ['x-null', null]],
      timestampMs: 1_690_617_099_123,
    })
    const [letter] = house.records('sluice.dead')
    expect(letter?.value).to.deep.equal(value)
    expect(letter?.key?.toString()).to.equal('purge/edits/0/0')
    const header = (name: string) => headerText(letter?.headers ?? [], name)
    expect(header('x-wiki')).to.equal('dewiki')
    expect(letter?.headers.find(([name]) => name === 'x-null')).to.deep.equal(['x-null', null])
    expect({
      task: header('sluice-task'),
      rule: header('sluice-rule'),
      version: header('sluice-rule-version'),
      origin: header('sluice-origin'),
      key: header('sluice-key'),
      timestamp: header('sluice-timestamp'),
      attempt: header('sluice-attempt'),
      step: header('sluice-step'),
      firstFailed: header('sluice-first-failed'),
      reason: header('sluice-reason'),
      status: header('sluice-status'),
      error: header('sluice-error'),
      request: header('sluice-request'),
      root: header('sluice-root'),
      hops: header('sluice-hops'),
      traceparent: header('traceparent')?.replace(/[0-9a-f]{16,32}/g, 'hex') ?? null,
      exhausted: header('sluice-exhausted'),
      due: header('sluice-due'),
    }).to.deep.equal({
      task: 'purge/edits/0/0',
      rule: 'purge',
      version: 'abcdef012345',
      origin: 'edits/0/0',
      key: 'page-7',
      timestamp: '2023-07-29T07:51:39.123Z',
      attempt: '1',
      step: '0',
      firstFailed: null,
      reason: 'status',
      status: '400',
      error: 'the target answered 400',
      request: 'TEST edits/0/0',
      root: 'edits/0/0',
      hops: '0',
      traceparent: '00-hex-hex-00',
      exhausted: null,
      due: null,
    })
    await house.stop()
  })

  it('goes on from the action that failed and does not repeat those that succeeded', async () => {
    const made: string[] = []
    const answers = [status(503), success]
    const first = anAction(() => Promise.resolve((made.push('first'), success)))
    const second = anAction(() => {
      made.push('second')
      return Promise.resolve(answers.shift() ?? success)
    })
    const rule = { ...aRule(() => Promise.resolve(success)), ways: waysOf(first, second) }
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.pass(10_000)
    expect(made).to.deep.equal(['first', 'second', 'second'])
    await house.stop()
  })

  it('of a rule that was removed meanwhile is a dead letter: rule-gone', async () => {
    const { rule } = target(status(503))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.stop()
    const other = aRule(() => Promise.resolve(success), { name: 'another' })
    const after = await new House({ rules: [other] }, house, 'process-2').start()
    await after.pass(10_000)
    expect(after.dead('reason', 'rule')).to.deep.equal([{ reason: 'rule-gone', rule: 'purge' }])
    await after.stop()
  })

  it('of a rule that reads other topics by now is skipped: it no longer matches', async () => {
    const { rule, calls } = target(status(503))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.stop()
    const others = {
      text: 'others',
      names: ['others'],
      globs: [],
      matches: (topic: string) => topic === 'others',
    }
    const moved = { ...rule, topics: others }
    const after = await new House({ rules: [moved] }, house, 'process-2').start()
    await after.pass(10_000)
    expect(calls).to.have.length(1)
    expect(after.ladder().skipped).to.deep.equal({ 'no-longer-matches': 1 })
    await after.stop()
  })

  it('whose failed action the rule has no more begins anew, and does not pass for done', async () => {
    const made: string[] = []
    const named = (name: string, outcome = success) =>
      anAction(() => Promise.resolve((made.push(name), outcome)))
    const { rule } = target()
    const two = { ...rule, ways: waysOf(named('first'), named('second', status(503))) }
    const house = await new House({ rules: [two] }).start()
    await house.emit({ id: 1 })
    await house.stop()
    const one = { ...rule, ways: waysOf(named('only')) }
    const after = await new House({ rules: [one] }, house, 'process-2').start()
    await after.pass(10_000)
    expect(made).to.deep.equal(['first', 'second', 'only'])
    await after.stop()
  })

  it('of a rule that no longer matches its event is skipped for that reason', async () => {
    const { rule } = target(status(503))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    await house.stop()
    const narrower = { ...rule, fire: () => null }
    const after = await new House({ rules: [narrower] }, house, 'process-2').start()
    await after.pass(10_000)
    expect(after.ladder().skipped).to.deep.equal({ 'no-longer-matches': 1 })
    await after.stop()
  })

  it('of a retried tombstone is still a tombstone', async () => {
    const values: (Buffer | null)[] = []
    const answers = [status(503), refusal(400)]
    const rule = aRule((scope) => {
      values.push(scope.event.record.value)
      return Promise.resolve(answers.shift() ?? success)
    })
    const house = await new House({ rules: [rule] }).start()
    await house.produce({ key: Buffer.from('k'), value: null })
    await house.pass(10_000)
    expect(values).to.deep.equal([null, null])
    expect(house.dead('tombstone')).to.deep.equal([{ tombstone: 'true' }])
    expect(house.records('sluice.dead')[0]?.value).to.deep.equal(Buffer.alloc(0))
    await house.stop()
  })
})

describe('an event', () => {
  it('that does not decode is one dead letter and does not stop the partition', async () => {
    const { rule, calls } = target()
    const also = { ...rule, name: 'also' }
    const house = await new House({ rules: [rule, also] }).start()
    const broken = Buffer.from('{"id": ')
    await house.produce({ value: broken }, { value: Buffer.from('{"id":2}') })
    expect(house.dead('reason', 'rule', 'origin')).to.deep.equal([
      { reason: 'undecodable', rule: '-', origin: 'edits/0/0' },
    ])
    expect(house.records('sluice.dead')[0]?.value).to.deep.equal(broken)
    expect(calls.map(({ event }) => event)).to.deep.equal(['edits/0/1', 'edits/0/1'])
    await house.pass(500)
    expect(house.committed()).to.equal(2n)
    expect(house.metrics.valueOf('sluice_events_total', 'edits', 'undecodable')).to.equal(1)
    await house.stop()
  })

  it('that is not UTF-8 does not decode, rather than to purge another page', async () => {
    const { rule, calls } = target()
    const house = await new House({ rules: [rule] }).start()
    await house.produce({ value: Buffer.from([0x22, 0xff, 0x22]) })
    expect(calls).to.have.length(0)
    expect(house.dead('reason', 'error')).to.deep.equal([
      { reason: 'undecodable', error: 'the value is not UTF-8' },
    ])
    await house.stop()
  })

  it('in a retry topic whose headers were cut is kept, and what is left of them is told', async () => {
    const { rule, calls } = target()
    const house = await new House({ rules: [rule] }).start()
    const cut = { 'sluice-rule': 'purge', 'sluice-origin': 'edits/0/7', 'sluice-attempt': '2' }
    const value = Buffer.from('{"id":7}')
    await house.produce({ topic: 'sluice.retry.10s', value, headers: headersOf(cut) })
    expect(calls).to.have.length(0)
    expect(house.dead('reason', 'error')).to.deep.equal([
      {
        reason: 'undecodable',
        error:
          'its headers do not make a task: sluice-rule: purge, sluice-origin: edits/0/7, sluice-attempt: 2, sluice-due: missing',
      },
    ])
    expect(house.records('sluice.dead')[0]?.value).to.deep.equal(value)
    await house.stop()
  })

  it('that goes round in a circle ends as a dead letter: loop', async () => {
    const { rule, calls } = target()
    const house = await new House({ rules: [rule] }).start()
    const lineage = { 'sluice-root': 'a/0/1', 'sluice-hops': '2', 'sluice-path': 'purge,purge' }
    await house.produce({ value: Buffer.from('{}'), headers: headersOf(lineage) })
    expect(calls).to.have.length(0)
    expect(house.dead('reason', 'error')).to.deep.equal([
      { reason: 'loop', error: '2 hops from a/0/1: purge -> purge -> purge' },
    ])
    expect(house.ladder().dead).to.deep.equal({ loop: 1 })
    await house.stop()
  })

  it('does not bring more than 2 KiB of its way into the error of its dead letter', async () => {
    const { rule } = target()
    const house = await new House({ rules: [rule] }).start()
    const lineage = { 'sluice-root': 'a/0/1', 'sluice-path': 'purge,'.repeat(5_000) }
    await house.produce({ value: Buffer.from('{}'), headers: headersOf(lineage) })
    const [letter] = house.dead('error')
    expect(Buffer.byteLength(letter?.['error'] ?? '')).to.be.within(2_000, 2_048)
    await house.stop()
  })

  it('further from its root than max_hops ends as a dead letter: loop', async () => {
    const { rule } = target()
    const house = await new House({ rules: [rule], hopsMax: 3 }).start()
    const lineage = { 'sluice-root': 'a/0/1', 'sluice-hops': '4', 'sluice-path': 'a,b,c,d' }
    await house.produce({ value: Buffer.from('{}'), headers: headersOf(lineage) })
    expect(house.dead('reason')).to.deep.equal([{ reason: 'loop' }])
    await house.stop()
  })

  it('that a disabled rule matches is skipped for that reason', async () => {
    const { rule, calls } = target()
    const house = await new House({ rules: [{ ...rule, enabled: false }] }).start()
    await house.emit({ id: 1 })
    expect(calls).to.have.length(0)
    expect(house.ladder()).to.deep.include({ matched: 1, skipped: { disabled: 1 } })
    await house.stop()
  })

  it('that no rule matches is committed all the same', async () => {
    const { rule } = target()
    const house = await new House({ rules: [{ ...rule, fire: () => null }] }).start()
    await house.emit({ id: 1 }, { id: 2 }, { id: 3 })
    await house.pass(500)
    expect(house.committed()).to.equal(3n)
    await house.stop()
  })
})

describe('a call that the guard refuses', () => {
  it('is a dead letter, blamed on the rule, and counted by the reason of the guard', async () => {
    const failure = { kind: 'guard', reason: 'private', message: '10.0.0.1 is private' } as const
    const { rule } = target({ kind: 'dead', failure })
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 })
    expect(house.dead('reason', 'error')).to.deep.equal([
      { reason: 'guard', error: 'guard: 10.0.0.1 is private' },
    ])
    expect(house.metrics.valueOf('sluice_guard_refused_total', 'private')).to.equal(1)
    await house.stop()
  })
})

describe('the log', () => {
  it('says why tasks fail: once per rule and kind, then with a count', async () => {
    const answers = [503, 503, 503].map((code) => status(code))
    const { rule } = target(...answers, refusal(400))
    const house = await new House({ rules: [rule] }).start()
    await house.emit({ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 })
    const warnings = house.logged.filter(({ level }) => level === 'warn')
    expect(warnings.map(({ sentence, fields }) => ({ sentence, ...fields }))).to.deep.equal([
      {
        sentence: 'an attempt failed; the task is tried again',
        rule: 'purge',
        reason: 'status',
        error: 'the target answered 503',
        request: 'TEST edits/0/0',
        task: 'purge/edits/0/0',
        exhausted: null,
        repeated: 0,
      },
      {
        sentence: 'a task went to the dead letters',
        rule: 'purge',
        reason: 'status',
        error: 'the target answered 400',
        request: 'TEST edits/0/3',
        task: 'purge/edits/0/3',
        exhausted: null,
        repeated: 0,
      },
    ])
    await house.stop()
  })
})
