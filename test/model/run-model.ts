import fc from 'fast-check'
import { judge } from './judge.ts'
import { play } from './play.ts'
import { policyNamed } from './policies.ts'
import { schedules } from './schedule.ts'
import type { Schedule } from './schedule.ts'

/** Plays schedules and judges each. Rejects with the smallest that shows something not allowed. */
export async function runModel(seed: number, runs: number): Promise<Tally> {
  const tally: Tally = { schedules: 0, attempts: 0, faults: 0, skipped: 0 }
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const history = await verdictOn(schedule)
      tally.schedules += 1
      tally.attempts += history.attempts.length
      tally.faults += history.faults.length
      tally.skipped +=
        history.arrivals.length - new Set(history.attempts.map((one) => one.event)).size
    }),
    { seed, numRuns: runs, endOnFailure: false },
  )
  return tally
}

export interface Tally {
  schedules: number
  attempts: number
  faults: number
  /** Events that were not attempted at all. */
  skipped: number
}

/** Plays one schedule. Rejects with everything that is not allowed. */
export async function verdictOn(schedule: Schedule) {
  const history = await play(schedule)
  const faults = judge(history, policyNamed(schedule.policy))
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return history
}
