import { expect } from 'chai'
import { judge } from './judge.ts'
import type { Call, DeadLetter, Disturbance, Ledger, LoggedEvent } from './ledger.ts'
import type { RuleUnderTest } from './rules.ts'

const startMs = 1_000_000

function anEvent(offset: number, more: Partial<LoggedEvent> = {}): LoggedEvent {
  const { topic = 'jobs', partition = 0 } = more
  return {
    id: `${topic}/${partition}/${offset}#${offset}`,
    topic,
    partition,
    offset,
    timeMs: startMs + offset,
    n: offset,
    page: 'page-1',
    account: 'account-1',
    dup: 'dup-1',
    rev: offset,
    from: null,
    ...more,
  }
}

/** A call that arrived so long behind the start, and took 10 ms. */
function aCall(event: LoggedEvent, atMs: number, more: Partial<Call> = {}): Call {
  const begins = startMs + atMs
  const times = { startMs: begins, endMs: begins + 10 }
  return { rule: 'post', id: event.id, life: 'd0.1', isDone: true, ...times, ...more }
}

function aLetter(event: LoggedEvent, atMs: number): DeadLetter {
  return { rule: 'post', id: event.id, reason: 'status', timeMs: startMs + atMs }
}

function aDisturbance(kind: string, atMs: number, more: Partial<Disturbance> = {}): Disturbance {
  return { kind, fromMs: startMs + atMs, untilMs: startMs + atMs, life: null, ...more }
}

function aRule(promised: RuleUnderTest['promised'], more: Partial<RuleUnderTest> = {}) {
  const key = promised.kind === 'each' ? null : 'page'
  return {
    name: 'post',
    topics: ['jobs'],
    promised,
    key,
    target: 'plain',
    more: [],
    ...more,
  } as const
}

const each = aRule({ kind: 'each' })
const ordered = aRule({ kind: 'ordered' })
const newest = aRule({ kind: 'newest', windowMs: 2_000 })
const first = aRule({ kind: 'first', windowMs: 60_000 })
const version = aRule({ kind: 'version' })

function judged(ledger: Partial<Ledger>, ...rules: readonly RuleUnderTest[]) {
  const nothing = { events: [], unreadable: [], calls: [], dead: [], disturbances: [] }
  const { breaches, rules: verdicts } = judge(
    { ...nothing, deletedTopics: new Set(), ...ledger },
    rules,
  )
  return { breaches: breaches.map((text) => text.split(': ').slice(0, 2).join(': ')), verdicts }
}

const [a, b, c] = [anEvent(1), anEvent(2), anEvent(3)]

interface Row {
  readonly name: string
  readonly rules: readonly RuleUnderTest[]
  readonly ledger: Partial<Ledger>
  readonly breaches: readonly string[]
}

const rows: readonly Row[] = [
  {
    name: 'an event that was called for is done',
    rules: [each],
    ledger: { events: [a], calls: [aCall(a, 50)] },
    breaches: [],
  },
  {
    name: 'one that nobody called for is missing',
    rules: [each],
    ledger: { events: [a, b], calls: [aCall(a, 50)] },
    breaches: ['post: missing'],
  },
  {
    name: 'one whose calls all failed is missing',
    rules: [each],
    ledger: { events: [a], calls: [aCall(a, 50, { isDone: false })] },
    breaches: ['post: missing'],
  },
  {
    name: 'one that is among the dead letters is not',
    rules: [each],
    ledger: { events: [a], dead: [aLetter(a, 60)] },
    breaches: [],
  },
  {
    name: 'one that went with its topic is not',
    rules: [each],
    ledger: { events: [a], deletedTopics: new Set(['jobs']) },
    breaches: [],
  },
  {
    name: 'a call for an event that never was is a breach',
    rules: [each],
    ledger: { events: [a], calls: [aCall(a, 50), aCall(b, 60)] },
    breaches: ['post: unknown event'],
  },
  {
    name: 'a second call without any cause is one',
    rules: [each],
    ledger: { events: [a], calls: [aCall(a, 50), aCall(a, 900)] },
    breaches: ['post: acted on again'],
  },
  {
    name: 'a second call behind the kill of who made the first is not',
    rules: [each],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 900, { life: 'd0.2' })],
      disturbances: [aDisturbance('kill', 100, { life: 'd0.1' })],
    },
    breaches: [],
  },
  {
    name: 'a second call behind the kill of another daemon is one',
    rules: [each],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 900)],
      disturbances: [aDisturbance('kill', 100, { life: 'd1.1' })],
    },
    breaches: ['post: acted on again'],
  },
  {
    name: 'a second call is one where the first was committed long before the kill',
    rules: [each],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 20_000, { life: 'd0.2' })],
      disturbances: [aDisturbance('kill', 10_000, { life: 'd0.1' })],
    },
    breaches: ['post: acted on again'],
  },
  {
    name: 'a second call is none where another rule of its event had not come to its end',
    rules: [each, { ...each, name: 'slow' }],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 9_990, { rule: 'slow' }), aCall(a, 20_000, { life: 'd0.2' })],
      disturbances: [aDisturbance('kill', 10_000, { life: 'd0.1' })],
    },
    breaches: [],
  },
  {
    name: 'a wiped Redis explains no second call of one event',
    rules: [each],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 900)],
      disturbances: [aDisturbance('redis-wiped', 100)],
    },
    breaches: ['post: acted on again'],
  },
  {
    name: 'a hand-over explains a second call beside a rule in order, and no other one',
    rules: [each, { ...ordered, name: 'account' }],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 900), aCall(a, 950, { rule: 'account' })],
      disturbances: [aDisturbance('rebalance', 100)],
    },
    breaches: [],
  },
  {
    name: 'a hand-over explains nothing else',
    rules: [each],
    ledger: {
      events: [a],
      calls: [aCall(a, 50), aCall(a, 900)],
      disturbances: [aDisturbance('rebalance', 100)],
    },
    breaches: ['post: acted on again'],
  },
  {
    name: 'two outcomes without a cause are a breach',
    rules: [each],
    ledger: { events: [a], calls: [aCall(a, 50)], dead: [aLetter(a, 300)] },
    breaches: ['post: acted on, and a dead letter'],
  },
  {
    name: 'in order, the next one waits for the one before',
    rules: [ordered],
    ledger: { events: [a, b], calls: [aCall(a, 50), aCall(b, 60)] },
    breaches: [],
  },
  {
    name: 'in order, one that passes another by is a breach',
    rules: [ordered],
    ledger: { events: [a, b], calls: [aCall(a, 50), aCall(b, 30)] },
    breaches: ['post: out of order'],
  },
  {
    name: 'in order, one that does not wait for a retry is a breach',
    rules: [ordered],
    ledger: {
      events: [a, b],
      calls: [aCall(a, 50, { isDone: false }), aCall(b, 400), aCall(a, 1_100)],
    },
    breaches: ['post: out of order'],
  },
  {
    name: 'in order, one behind a dead letter is none',
    rules: [ordered],
    ledger: { events: [a, b], dead: [aLetter(a, 100)], calls: [aCall(b, 110)] },
    breaches: [],
  },
  {
    name: 'of two partitions nothing is promised',
    rules: [ordered],
    ledger: {
      events: [a, anEvent(2, { partition: 1 })],
      calls: [aCall(a, 50), aCall(anEvent(2, { partition: 1 }), 30)],
    },
    breaches: [],
  },
  {
    name: 'two calls of one key at once are a breach',
    rules: [version],
    ledger: { events: [a, b], calls: [aCall(a, 50, { endMs: startMs + 900 }), aCall(b, 100)] },
    breaches: ['post: two at once'],
  },
  {
    name: 'two at once are none while a daemon was frozen',
    rules: [version],
    ledger: {
      events: [a, b],
      calls: [aCall(a, 50, { endMs: startMs + 900 }), aCall(b, 100)],
      disturbances: [aDisturbance('freeze', 40, { life: 'd0.1' })],
    },
    breaches: [],
  },
  {
    name: 'an event that a newer one covers is not missing',
    rules: [newest],
    ledger: { events: [a, b, c], calls: [aCall(a, 50), aCall(c, 2_100)] },
    breaches: [],
  },
  {
    name: 'the last one of a burst is, where only older ones were acted on',
    rules: [newest],
    ledger: { events: [a, b, c], calls: [aCall(a, 50), aCall(b, 2_100)] },
    breaches: ['post: missing'],
  },
  {
    name: 'two of a key within one window are a breach',
    rules: [newest],
    ledger: { events: [a, b], calls: [aCall(a, 50), aCall(b, 500)] },
    breaches: ['post: twice in a window'],
  },
  {
    name: 'two of a key within one window are none behind a wiped Redis',
    rules: [newest],
    ledger: {
      events: [a, b],
      calls: [aCall(a, 50), aCall(b, 500)],
      disturbances: [aDisturbance('redis-wiped', 200)],
    },
    breaches: [],
  },
  {
    name: 'a duplicate is covered by the first of its window',
    rules: [first],
    ledger: { events: [a, b], calls: [aCall(a, 50)] },
    breaches: [],
  },
  {
    name: 'a duplicate that came behind the window is missing',
    rules: [first],
    ledger: { events: [a, anEvent(90_000)], calls: [aCall(a, 50)] },
    breaches: ['post: missing'],
  },
  {
    name: 'an older version is covered by a newer one that came before it',
    rules: [version],
    ledger: { events: [a, anEvent(2, { rev: 0 })], calls: [aCall(a, 50)] },
    breaches: [],
  },
  {
    name: 'a newer version is not covered by an older one',
    rules: [version],
    ledger: { events: [a, b], calls: [aCall(a, 50)] },
    breaches: ['post: missing'],
  },
  {
    name: 'what no rule can read is a dead letter',
    rules: [each],
    ledger: {
      unreadable: ['jobs/0/9'],
      dead: [{ rule: '-', id: 'jobs/0/9', reason: 'undecodable', timeMs: startMs }],
    },
    breaches: [],
  },
  {
    name: 'what no rule can read and is no dead letter is a breach',
    rules: [each],
    ledger: { unreadable: ['jobs/0/9'] },
    breaches: ['-: an unreadable event is no dead letter'],
  },
]

describe('the judge of a run', () => {
  for (const { name, rules, ledger, breaches } of rows) {
    it(`holds that ${name}`, () => {
      expect(judged(ledger, ...rules).breaches).to.deep.equal(breaches)
    })
  }

  it('counts what became of each event of a rule', () => {
    const dead = anEvent(4)
    const calls = [aCall(a, 50), aCall(c, 2_100), aCall(c, 2_200, { life: 'd0.2' })]
    const disturbances = [aDisturbance('kill', 2_150, { life: 'd0.1' })]
    const ledger = { events: [a, b, c, dead], calls, dead: [aLetter(dead, 70)], disturbances }
    expect(judged(ledger, newest).verdicts).to.deep.equal([
      {
        rule: 'post',
        matched: 4,
        done: 2,
        dead: 1,
        covered: 1,
        missing: 0,
        repeats: 1,
        delayMsMax: 2_097,
      },
    ])
  })

  it('tells five breaches of a kind in full, and how many more there are', () => {
    const events = Array.from({ length: 9 }, (_, i) => anEvent(i))
    const nothing = { unreadable: [], calls: [], dead: [], disturbances: [] }
    const { breaches } = judge({ events, ...nothing, deletedTopics: new Set() }, [each])
    expect(breaches).to.have.length(6)
    expect(breaches.at(-1)).to.equal('post: missing: 4 more')
  })
})
