import { sharedRedis } from '../services/redis.ts'
import { seedOfRun } from '../support/seed.ts'
import { embeddedWorld, redisWorld } from './real-worlds.ts'
import type { Tally } from './run-model.ts'
import { runModel, runRealModel } from './run-model.ts'

/*
 * `npm run model`: schedules without end, until one of them is not allowed. `SEED` repeats a run,
 * `SCHEDULES` says how many; `STORE=embedded` or `redis` plays them with that store in real time,
 * on a machine that has time for it: what comes while it stands still is not judged.
 */

interface Kind {
  readonly schedulesPerRun: number
  run(seed: number, schedules: number): Promise<Tally>
  close(): Promise<void>
}

async function kindNamed(name: string): Promise<Kind> {
  switch (name) {
    case 'memory':
      return { schedulesPerRun: 500, run: runModel, close: () => Promise.resolve() }
    case 'embedded':
      return {
        schedulesPerRun: 50,
        run: (seed, schedules) => runRealModel(embeddedWorld, seed, schedules),
        close: () => Promise.resolve(),
      }
    case 'redis': {
      const redis = await sharedRedis()
      return {
        schedulesPerRun: 50,
        run: (seed, schedules) => runRealModel(() => redisWorld(redis), seed, schedules),
        close: () => redis.close(),
      }
    }
    default:
      throw new Error(`STORE is ${name}: there are memory, embedded and redis`)
  }
}

const seed = seedOfRun()
const schedules = Number(process.env['SCHEDULES'] ?? Infinity)
const name = process.env['STORE'] ?? 'memory'
console.log(`seed ${seed}, ${schedules} schedules, store ${name}`)
const kind = await kindNamed(name)
try {
  for (let done = 0, run = 0; done < schedules; run++) {
    const count = Math.min(kind.schedulesPerRun, schedules - done)
    const tally = await kind.run(seed + run, count)
    done += tally.schedules
    console.log(`seed ${seed + run}: ${JSON.stringify(tally)}; ${done} in all`)
  }
} finally {
  await kind.close()
}
