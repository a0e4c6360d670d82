import type { Command, Schedule } from './schedule.ts'
import { verdictOn } from './run-model.ts'

/*
 * What the model found, or its author while writing it: each schedule was not allowed once. The
 * comment says what was wrong.
 */

interface Found {
  readonly name: string
  readonly schedule: Partial<Schedule> & Pick<Schedule, 'policy' | 'commands'>
}

const emit = (more: Partial<Extract<Command, { do: 'emit' }>> = {}): Command => ({
  do: 'emit',
  key: 'a',
  partition: 0,
  offMs: 0,
  version: 0,
  ...more,
})
const pass = (ms: number): Command => ({ do: 'pass', ms })
const times = (count: number, ...commands: Command[]): Command[] =>
  Array.from({ length: count }, () => commands).flat()

const found: readonly Found[] = [
  {
    // What waits for the end of a run was due at once in its tier; where the lane of the tiers had
    // no room either, it went round and round without time passing.
    name: 'a run that lasts while both lanes are crowded sends nothing round in circles',
    schedule: {
      policy: 'first',
      window: 10,
      commands: [...times(40, emit()), pass(1_000), pass(20_000)],
      answers: [{ ending: 'retry', tookMs: 15_000 }],
    },
  },
  {
    // Settling one that waits makes room in its partition, and the next event arrives in the same
    // window before the loop over those that wait has ended: one of them was settled twice.
    name: 'a window that settles what waits takes in the next event meanwhile',
    schedule: {
      policy: 'version',
      window: 10,
      commands: [emit({ version: 9 }), ...times(14, emit({ version: 1 })), pass(1_000)],
      answers: [{ ending: 'done', tookMs: 300 }],
    },
  },
  {
    // The due time was cut to the longest tier, and whoever came back from it was taken for due.
    name: '`keep: last` waits for longer than the longest tier',
    schedule: { policy: 'last, long', commands: [emit(), emit()] },
  },
  {
    // Each newer one in the tiers made those before it superseded, and began to wait anew.
    name: '`keep: last` keeps to max_wait when all that waits is in the tiers',
    schedule: { policy: 'last, long', commands: times(14, emit(), pass(31_000)) },
  },
  {
    // An older one that came back was due, and so were all that waited beside it.
    name: 'a retry does not hurry a newer event that waits for quiet',
    schedule: {
      policy: 'last',
      commands: [emit(), pass(5_500), emit(), pass(20_000)],
      answers: [{ ending: 'retry', tookMs: 0 }],
    },
  },
  {
    // The run took longer than its window: what it did was forgotten when it ended, before the other
    // process, which asks again once a second, could learn of it.
    name: 'what was acted on is remembered for one that the tiers did not take for long',
    schedule: {
      policy: 'both, long',
      commands: [
        emit(),
        { do: 'tiers-shut' },
        emit(),
        pass(31_000),
        emit(),
        ...times(6, pass(31_000)),
        // A window that is open no more is forgotten when others come to rest.
        ...Array.from({ length: 140 }, (_, n) => emit({ key: `b${n}` })),
        { do: 'tiers-open' },
      ],
    },
  },
  {
    name: 'what a long run did is known to those that waited for it in another process',
    schedule: {
      policy: 'order: key, both',
      window: 10,
      commands: [
        ...times(2, emit()),
        pass(6_000),
        emit({ partition: 1 }),
        pass(400),
        emit(),
        { do: 'start' },
      ],
      answers: [
        { ending: 'done', tookMs: 0 },
        { ending: 'dead', tookMs: 0 },
        { ending: 'done', tookMs: 7_000 },
        { ending: 'done', tookMs: 7_000 },
      ],
    },
  },
]

describe('the model found that', () => {
  for (const { name, schedule } of found) {
    it(name, async () => {
      await verdictOn({ window: 2_000, processes: 1, answers: [], ...schedule })
    })
  }
})
