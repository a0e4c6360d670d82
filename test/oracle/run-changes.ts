import fc from 'fast-check'
import type { Event } from '../../src/model/event.ts'
import { RuleSet } from '../../src/rules/rule-set.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { seeded } from '../support/seed.ts'
import { lanes, loadSound } from './agree.ts'
import { pick, shuffled, type Random } from './chance.ts'
import { mustPass } from './must-pass.ts'
import { ruleFiles } from './generate.ts'
import { eventNear } from './near.ts'
import type { RawFile } from './naive.ts'

/*
 * A rule set that has been changed many times must match as one that is built of the same rules in
 * one go. Both are the real thing: that it is right is the other oracle's business.
 */

/** Changes that each set goes through: enough for its index to be made anew a few times. */
const changesPerSet = 40
const eventsPerChange = 4

export interface ChangesTally {
  changes: number
  rules: number
  firings: number
}

/** Rejects when a changed set and a new one do not agree on an event. */
export async function runChanges(options: {
  readonly seed: number
  readonly sets: number
  readonly rulesMax: number
}): Promise<ChangesTally> {
  const tally: ChangesTally = { changes: 0, rules: 0, firings: 0 }
  const files = fc.array(ruleFiles(options), { minLength: 3, maxLength: 3 })
  const property = fc.asyncProperty(files, fc.nat(), async (several, changeSeed) => {
    const random = seeded(changeSeed)
    const sound = await Promise.all(several.map(loadSound))
    const rules = sound.flatMap(({ ruleSet }, i) => ruleSet.rules.map((rule) => renamed(rule, i)))
    tally.rules += rules.length
    await change(
      rules,
      sound.map(({ file }) => file),
      random,
      tally,
    )
  })
  await mustPass(property, { seed: options.seed, numRuns: options.sets })
  return tally
}

/** Names are unique in a set, and each file has an `r0`. */
function renamed(rule: Rule, file: number): Rule {
  return { ...rule, name: `${rule.name}-of-${file}` }
}

async function change(
  rules: readonly Rule[],
  files: readonly RawFile[],
  random: Random,
  tally: ChangesTally,
): Promise<void> {
  const withRules = files.filter((file) => Object.keys(file.rules).length > 0)
  if (withRules.length === 0) return
  let set = new RuleSet([])
  for (let i = 0; i < changesPerSet; i++) {
    const outside = rules.filter((rule) => !set.rules.includes(rule))
    // One by one mostly, and many at once at times; more come than go until all are there.
    const size = pick([1, 1, 1, 2, 10, 50], random)
    const added = shuffled(outside, random).slice(0, size)
    const dropped = shuffled(set.rules, random).slice(0, pick([0, 1, 1, size], random))
    set = await set.changed({ added, dropped }, () => Promise.resolve())
    const anew = new RuleSet(set.rules)
    tally.changes++
    for (let k = 0; k < eventsPerChange; k++) {
      tally.firings += mustAgree(set, anew, eventNear(pick(withRules, random), random))
    }
  }
}

function mustAgree(changed: RuleSet, anew: RuleSet, event: Event): number {
  const said = (set: RuleSet) =>
    lanes.flatMap((lane) =>
      set
        .firing(lane, event)
        .map(({ rule, way, doubt }) => `${lane} ${rule.name}: ${doubt ?? way}`),
    )
  const [a, b] = [said(changed), said(anew)]
  if (a.join() === b.join()) return b.length
  const body = JSON.stringify(event.body)
  throw new Error(`changed: ${a.join('; ')}\nbuilt anew: ${b.join('; ')}\nbody: ${body}`)
}
