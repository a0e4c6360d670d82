import { seedOfRun } from '../support/seed.ts'
import { runChanges } from './run-changes.ts'
import { runOracle, tallyLines } from './run-oracle.ts'

/*
 * `npm run oracle`: far more pairs than `npm test` has time for. `SEED` repeats a run, `PAIRS` makes
 * it longer or shorter.
 */

const pairsDefault = 200_000
/** Several runs, so that no single fast-check run keeps all its values. */
const pairsPerRun = 10_000

const seed = seedOfRun()
const pairs = Number(process.env['PAIRS'] ?? pairsDefault)
console.log(`seed ${seed}, ${pairs} pairs`)
for (let done = 0, run = 0; done < pairs; run++) {
  const size = Math.min(pairsPerRun, pairs - done)
  // Small sets and large ones: an index of a few rules takes other ways than one of many.
  const rulesMax = [8, 25, 60][run % 3] ?? 8
  console.log(`\nrun ${run}: seed ${seed + run}, up to ${rulesMax} rules`)
  const tally = await runOracle({ seed: seed + run, pairs: size, rulesMax, eventsPerFile: 50 })
  console.log(tallyLines(tally))
  done += tally.pairs
}

const changes = await runChanges({ seed, sets: Math.ceil(pairs / 4_000), rulesMax: 60 })
console.log(
  `\n${changes.changes} changes of sets of ${changes.rules} rules, ${changes.firings} firings`,
)
console.log('agreed')
