import { expect } from 'chai'
import type { Arrival, Attempt, Ending, Fault, History } from './history.ts'
import { judge } from './judge.ts'
import { policyNamed } from './policies.ts'

/*
 * The model is of use only as far as it objects: histories that must not be, each beside one that
 * may.
 */

const came = (offset: number, atMs: number, more: Partial<Arrival['stamp']> = {}): Arrival => {
  const source = more.source ?? 'edits/0'
  const stamp = { version: null, source, offset: BigInt(offset), timeMs: atMs, ...more }
  return { id: `${source}/${offset}`, key: 'a', stamp, atMs }
}

const tried = (
  event: string,
  startMs: number,
  endMs: number | null,
  ending: Ending | null = 'done',
  process = 1,
): Attempt => ({ event: `edits/${event}`, key: 'a', process, startMs, endMs, ending })

const fault = (kind: Fault['kind'], fromMs: number, toMs = fromMs): Fault => ({
  kind,
  fromMs,
  toMs,
})

interface Row {
  readonly name: string
  readonly policy: string
  readonly history: Partial<History>
  /** What it objects to; `null`: nothing. */
  readonly says: RegExp | null
}

const two = [came(0, 0), came(1, 1_000)]
const beside = {
  arrivals: [came(0, 0), came(0, 1_000, { source: 'edits/1' })],
  attempts: [tried('0/0', 0, 8_000), tried('1/0', 6_000, 6_000, 'done', 2)],
}
const twice = { arrivals: two, attempts: [tried('0/0', 0, 0), tried('0/1', 4_000, 4_000)] }
const back = {
  arrivals: two,
  attempts: [tried('0/0', 0, 0, 'retry'), tried('0/1', 1_000, 1_000), tried('0/0', 10_000, 10_000)],
}
const versions = [came(0, 0, { version: '1' }), came(1, 0, { version: '2' })]

const rows: readonly Row[] = [
  {
    name: 'an event without an end',
    policy: 'both',
    history: { arrivals: two, attempts: [tried('0/0', 0, 0)] },
    says: /^lost: edits\/0\/1/,
  },
  {
    name: 'one that a newer success stands for',
    policy: 'both',
    history: { arrivals: two, attempts: [tried('0/1', 5_000, 5_000)] },
    says: null,
  },
  {
    name: 'one that a newer dead letter stands for',
    policy: 'both',
    history: {
      arrivals: two,
      attempts: [tried('0/1', 5_000, 5_000, 'dead')],
      dead: new Set(['edits/0/1']),
    },
    says: null,
  },
  {
    name: 'one that a newer dead letter does not stand for with a version alone',
    policy: 'version',
    history: { arrivals: versions, dead: new Set(['edits/0/1']) },
    says: /^lost: edits\/0\/0/,
  },
  {
    name: 'an attempt that was cut, for an end',
    policy: 'order: key',
    history: { arrivals: [came(0, 0)], attempts: [tried('0/0', 0, 0, 'cut')] },
    says: /^lost: edits\/0\/0/,
  },
  {
    name: 'a duplicate in an open window',
    policy: 'first',
    history: { arrivals: two, attempts: [tried('0/0', 0, 0)] },
    says: null,
  },
  {
    name: 'a duplicate behind the window',
    policy: 'first',
    history: { arrivals: [came(0, 0), came(1, 6_000)], attempts: [tried('0/0', 0, 0)] },
    says: /^lost: edits\/0\/1/,
  },
  { name: 'two runs of a key at once', policy: 'both', history: beside, says: /^two at once on a/ },
  {
    name: 'two runs of a key at once, when the store was away',
    policy: 'both',
    history: { ...beside, faults: [fault('store', 500, 2_000)] },
    says: null,
  },
  {
    name: 'two runs of a key at once, for a crash, which releases nothing',
    policy: 'both',
    history: { ...beside, faults: [fault('crash', 500)] },
    says: /^two at once on a/,
  },
  {
    name: 'three attempts of a key where two may be',
    policy: 'per_key: 2',
    history: {
      arrivals: [0, 1, 2].map((offset) => came(offset, 0)),
      attempts: [0, 1, 2].map((offset) => tried(`0/${offset}`, 0, 10)),
    },
    says: /^3 attempts on a/,
  },
  {
    name: 'two successes in a window',
    policy: 'both',
    history: twice,
    says: /^4000 ms apart on a/,
  },
  {
    name: 'two successes in a window, where the mark of the first was lost',
    policy: 'both',
    history: { ...twice, faults: [fault('crash', 10)] },
    says: null,
  },
  {
    name: 'two successes in a window, long before a crash',
    policy: 'both',
    history: { ...twice, faults: [fault('crash', 60_000)] },
    says: /^4000 ms apart on a/,
  },
  {
    name: 'an old retry over a newer success',
    policy: 'both',
    history: back,
    says: /^went back on a/,
  },
  {
    name: 'an old retry over a newer success, where the store was emptied',
    policy: 'both',
    history: { ...back, faults: [fault('store', 5_000)] },
    says: null,
  },
  {
    name: 'a lower version a day behind a higher one',
    policy: 'version',
    history: {
      arrivals: versions,
      attempts: [tried('0/1', 0, 0), tried('0/0', 80_000_000, 80_000_000)],
    },
    says: /^went back on a/,
  },
  {
    name: '`keep: last` before it is quiet',
    policy: 'last',
    history: { arrivals: two, attempts: [tried('0/1', 5_500, 5_500)] },
    says: /^not quiet on a/,
  },
  {
    name: '`keep: last` once it is quiet',
    policy: 'last',
    history: { arrivals: two, attempts: [tried('0/1', 6_000, 6_000)] },
    says: null,
  },
  {
    name: '`keep: last` at max_wait',
    policy: 'last',
    history: {
      arrivals: [came(0, 0), came(1, 4_000), came(2, 8_000), came(3, 12_000)],
      attempts: [tried('0/3', 15_000, 15_000)],
    },
    says: null,
  },
  {
    name: 'a wait without end',
    policy: 'both',
    history: { arrivals: [came(0, 0)], attempts: [tried('0/0', 60_000, 60_000)] },
    says: /^late on a/,
  },
  {
    name: 'a retry behind the next of its key',
    policy: 'order: key',
    history: {
      arrivals: two,
      attempts: [tried('0/0', 0, 0, 'retry'), tried('0/1', 500, 500), tried('0/0', 1_000, 1_000)],
    },
    says: /^out of order on a/,
  },
  {
    name: 'what is read again behind a crash',
    policy: 'order: key',
    history: {
      arrivals: two,
      attempts: [
        tried('0/0', 0, 0),
        tried('0/1', 500, 500),
        tried('0/0', 20_000, 20_000, 'done', 2),
        tried('0/1', 20_000, 20_000, 'done', 2),
      ],
      faults: [fault('crash', 600)],
    },
    says: null,
  },
  {
    name: 'two successes in a window, as far as real time is late',
    policy: 'both',
    history: { ...twice, slackMs: 1_000 },
    says: null,
  },
  {
    name: 'two successes in a window, which real time does not make good',
    policy: 'both',
    history: { ...twice, slackMs: 999 },
    says: /^4000 ms apart on a/,
  },
  {
    name: '`keep: last` before it is quiet, by more than real time is late',
    policy: 'last',
    history: { arrivals: two, attempts: [tried('0/1', 5_500, 5_500)], slackMs: 499 },
    says: /^not quiet on a/,
  },
  {
    name: 'two runs of a key at once, while the machine stood still',
    policy: 'both',
    history: { ...beside, faults: [fault('stall', 500, 2_000)] },
    says: null,
  },
  {
    name: 'what the play complains of',
    policy: 'both',
    history: { complaints: ['the ladder is off'] },
    says: /^the ladder is off$/,
  },
]

describe('the model', () => {
  for (const { name, policy, history, says } of rows) {
    it(`${says === null ? 'allows' : 'objects to'} ${name}`, () => {
      const nothing = { arrivals: [], attempts: [], faults: [], dead: new Set<string>() }
      const whole = {
        ...nothing,
        storeDelayMs: 0,
        slackMs: 0,
        isRoomy: true,
        complaints: [],
        ...history,
      }
      const said = judge(whole, policyNamed(policy))
      if (says === null) expect(said).to.deep.equal([])
      else
        expect(
          said.some((one) => says.test(one)),
          said.join('\n'),
        ).to.equal(true)
    })
  }
})
