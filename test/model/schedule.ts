import fc from 'fast-check'
import type { Ending } from './history.ts'
import { policies } from './policies.ts'

/** One thing that happens from outside. Numbers that name a process count those that are alive. */
export type Command =
  | {
      readonly do: 'emit'
      readonly key: string
      readonly partition: number
      /** What the event time differs by from the time of the emission. */
      readonly offMs: number
      readonly version: number
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'start' }
  | { readonly do: 'crash' | 'stop'; readonly process: number }
  | { readonly do: 'rebalance' }
  | { readonly do: 'store-away'; readonly process: number; readonly isApplied: boolean }
  | { readonly do: 'store-back'; readonly process: number }
  | { readonly do: 'store-slow'; readonly process: number; readonly ms: number }
  | { readonly do: 'store-wiped' }
  /** The bus takes nothing for the retry tiers, or takes it again. */
  | { readonly do: 'tiers-shut' | 'tiers-open' }
  | { readonly do: 'wall-clock'; readonly ms: number }

/** What the target answers to an attempt, and after how long. */
export interface Answer {
  readonly ending: Exclude<Ending, 'cut'>
  readonly tookMs: number
}

export interface Schedule {
  readonly policy: string
  /** Events that a partition may have unsettled. */
  readonly window: number
  /** Processes at the beginning. */
  readonly processes: number
  readonly commands: readonly Command[]
  /** For the attempts in the order in which they start, whoever makes them; then all are done at once. */
  readonly answers: readonly Answer[]
}

/** At once no more than this: a third one shows nothing that two do not. */
export const processesMax = 3

/** How long schedules last, from which the worlds that they are played in take what suits them. */
interface Pace {
  readonly policies: readonly string[]
  readonly passedMs: readonly number[]
  readonly tookMs: readonly number[]
  readonly commandsMax: number
}

const patient: Pace = {
  policies: policies.map(({ name }) => name),
  passedMs: [0, 50, 400, 1_000, 2_500, 5_000, 6_000, 11_000, 31_000],
  tookMs: [0, 0, 0, 300, 2_000, 7_000, 15_000, 40_000],
  commandsMax: 24,
}

/** For time that goes by: without windows of minutes, and waits that only outlast those. */
const brisk: Pace = {
  policies: patient.policies.filter((name) => !name.includes('long')),
  passedMs: patient.passedMs.filter((ms) => ms <= 6_000),
  tookMs: patient.tookMs.filter((ms) => ms <= 15_000),
  commandsMax: 18,
}

const process = fc.nat({ max: processesMax - 1 })

const emit = fc.record({
  do: fc.constant('emit' as const),
  key: fc.constantFrom('a', 'a', 'b'),
  partition: fc.constantFrom(0, 0, 1),
  offMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -4_000, max: 4_000 }) },
  ),
  version: fc.nat({ max: 9 }),
})

/** Several at once fill the small windows of a lane. */
const burst = fc
  .record({ emitted: emit, count: fc.integer({ min: 3, max: 12 }) })
  .map(({ emitted, count }) => Array.from({ length: count }, () => emitted))

const trouble = fc.oneof(
  fc.record({ do: fc.constantFrom('crash' as const, 'stop' as const), process }),
  fc.constant({ do: 'start' as const }),
  fc.constant({ do: 'start' as const }),
  fc.constant({ do: 'rebalance' as const }),
  fc.constantFrom({ do: 'tiers-shut' as const }, { do: 'tiers-open' as const }),
)

const storeTrouble = fc.oneof(
  fc.record({ do: fc.constant('store-away' as const), process, isApplied: fc.boolean() }),
  fc.record({ do: fc.constant('store-back' as const), process }),
  fc.record({ do: fc.constant('store-back' as const), process }),
  fc.record({
    do: fc.constant('store-slow' as const),
    process,
    ms: fc.constantFrom(0, 100, 1_500),
  }),
  fc.constant({ do: 'store-wiped' as const }),
)

const clockStep = fc.record({
  do: fc.constant('wall-clock' as const),
  ms: fc.integer({ min: -20_000, max: 20_000 }),
})

interface Kinds {
  readonly troubles: boolean
  readonly store: boolean
}

function commands({ passedMs, commandsMax }: Pace, kinds: Kinds) {
  const pass = fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(...passedMs) })
  const one = <One>(arbitrary: fc.Arbitrary<One>) => arbitrary.map((command) => [command])
  return fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: one(emit) },
        { weight: 1, arbitrary: burst },
        { weight: 6, arbitrary: one(pass) },
        ...(kinds.troubles ? [{ weight: 2, arbitrary: one(trouble) }] : []),
        ...(kinds.troubles ? [{ weight: 1, arbitrary: one(clockStep) }] : []),
        ...(kinds.store ? [{ weight: 2, arbitrary: one(storeTrouble) }] : []),
      ),
      { minLength: 2, maxLength: commandsMax },
    )
    .map((several): readonly Command[] => several.flat())
}

const endings = ['done', 'done', 'done', 'retry', 'retry', 'dead'] as const

/** A third of them has no trouble: what trouble would explain is not allowed there. */
function schedulesAt(pace: Pace): fc.Arbitrary<Schedule> {
  const answer = fc.record({
    ending: fc.constantFrom(...endings),
    tookMs: fc.constantFrom(...pace.tookMs),
  })
  return fc.record({
    policy: fc.constantFrom(...pace.policies),
    window: fc.constantFrom(10, 16, 50, 2_000),
    processes: fc.integer({ min: 1, max: 2 }),
    commands: fc.oneof(
      commands(pace, { troubles: false, store: false }),
      commands(pace, { troubles: true, store: false }),
      commands(pace, { troubles: true, store: true }),
    ),
    answers: fc.array(answer, { maxLength: 12 }),
  })
}

/** Any schedule. */
export const schedules = schedulesAt(patient)

/** Any schedule that is over soon. */
export const briskSchedules = schedulesAt(brisk)
