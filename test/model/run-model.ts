import fc from 'fast-check'
import type { History } from './history.ts'
import { judge } from './judge.ts'
import { play } from './play.ts'
import { policyNamed } from './policies.ts'
import type { Schedule } from './schedule.ts'
import { briskSchedules, schedules } from './schedule.ts'
import type { World } from './world.ts'
import { fakeWorld } from './world.ts'

/** Plays schedules and judges each. Rejects with the smallest that shows something not allowed. */
export async function runModel(seed: number, runs: number): Promise<Tally> {
  const tally = emptyTally()
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => count(await verdictOn(schedule), tally)),
    { seed, numRuns: runs, endOnFailure: false },
  )
  return tally
}

/** Most of a schedule in real time is waiting, and two cores have enough to do with this many. */
const atOnce = 4

/**
 * Plays schedules in worlds whose time is real, some at once, and judges each. Rejects with the
 * first that shows something not allowed; no smaller one is looked for, since none is the same twice.
 */
export async function runRealModel(
  openWorld: () => World,
  seed: number,
  runs: number,
): Promise<Tally> {
  const tally = emptyTally()
  const waiting = fc.sample(briskSchedules, { seed, numRuns: runs })
  const player = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      try {
        count(await verdictOn(next, openWorld()), tally)
      } catch (error) {
        waiting.length = 0
        throw new Error(`seed ${seed}: ${JSON.stringify(next)}`, { cause: error })
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, player))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return tally
}

export interface Tally {
  schedules: number
  attempts: number
  /** What was done to the machinery. */
  faults: number
  /** How often a busy machine explains what would not be allowed. */
  stalls: number
  /** Events that were not attempted at all. */
  skipped: number
}

function emptyTally(): Tally {
  return { schedules: 0, attempts: 0, faults: 0, stalls: 0, skipped: 0 }
}

function count({ arrivals, attempts, faults }: History, tally: Tally): void {
  const stalls = faults.filter(({ kind }) => kind === 'stall').length
  tally.schedules += 1
  tally.attempts += attempts.length
  tally.faults += faults.length - stalls
  tally.stalls += stalls
  tally.skipped += arrivals.length - new Set(attempts.map((one) => one.event)).size
}

/** Plays one schedule in a world of its own. Rejects with everything that is not allowed. */
export async function verdictOn(schedule: Schedule, world: World = fakeWorld()): Promise<History> {
  try {
    const history = await play(schedule, world)
    const faults = judge(history, policyNamed(schedule.policy))
    if (faults.length > 0) throw new Error(faults.join('\n'))
    return history
  } finally {
    await world.close()
  }
}
