import { seedOfRun } from '../support/seed.ts'
import { runModel } from './run-model.ts'

/*
 * `npm run model`: schedules without end, until one of them is not allowed. `SEED` repeats a run,
 * `SCHEDULES` says how many.
 */

const schedulesPerRun = 500

const seed = seedOfRun()
const schedules = Number(process.env['SCHEDULES'] ?? Infinity)
console.log(`seed ${seed}, ${schedules} schedules`)
for (let done = 0, run = 0; done < schedules; run++) {
  const count = Math.min(schedulesPerRun, schedules - done)
  const tally = await runModel(seed + run, count)
  done += tally.schedules
  console.log(`seed ${seed + run}: ${JSON.stringify(tally)}; ${done} in all`)
}
