import type { LadderDocument, RuleDocument } from '../../src/model/status.ts'
import type { Life } from './fleet.ts'
import type { Call } from './ledger.ts'
import type { RuleUnderTest } from './rules.ts'

const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)

/** matched less everything that it became; 0 as long as every count was kept. */
function restOf({ matched, done, skipped, dead, pending }: LadderDocument): number {
  return matched - done - sumOf(skipped) - sumOf(dead) - sumOf(pending)
}

/** What a ladder says that cannot be; empty: it balances. */
export function unbalanced(life: string, rules: readonly RuleDocument[]): readonly string[] {
  return rules.flatMap(({ name, ladder }) => {
    const rest = restOf(ladder)
    const negative = Object.values(ladder.pending).some((count) => count < 0)
    if (rest === 0 && !negative) return []
    return [`${name}: the ladder of ${life} does not balance (${rest}): ${JSON.stringify(ladder)}`]
  })
}

/** Skips that a rule without a window may have: its task was run by someone else. */
const handedOver: ReadonlySet<string> = new Set(['reassigned'])

/** What the last ladders of the run say, against the calls that were seen outside. */
export function judgeLadders(
  lives: readonly Life[],
  calls: readonly Call[],
  rules: readonly RuleUnderTest[],
): readonly string[] {
  const doneCalls = new Map<string, number>()
  for (const { rule, life, isDone } of calls) {
    if (!isDone || life === null) continue
    const name = `${rule} ${life}`
    doneCalls.set(name, (doneCalls.get(name) ?? 0) + 1)
  }
  const breaches: string[] = []
  for (const life of lives) {
    if (life.status === null) continue
    for (const { name, ladder } of life.status.rules) {
      const rule = rules.find((one) => one.name === name)
      if (rule === undefined) continue
      const isPlain = rule.promised.kind === 'each' || rule.promised.kind === 'ordered'
      const silent = Object.keys(ladder.skipped).filter((reason) => !handedOver.has(reason))
      if (isPlain && silent.length > 0) {
        breaches.push(`${name}: skipped by ${life.name} as ${silent.join(', ')}`)
      }
      if (rule.target === null) continue
      const seen = doneCalls.get(`${name} ${life.name}`) ?? 0
      if (ladder.done > seen) {
        breaches.push(`${name}: ${life.name} counts ${ladder.done} done, and made ${seen} calls`)
      }
      // One that ran to the end and was never frozen has heard of each answer, or had given up on it.
      const isExact = life.end === null && !life.wasFrozen
      if (isExact && ladder.done + ladder.retried + sumOf(ladder.dead) < seen) {
        const told = `${ladder.done} done and ${ladder.retried} retried`
        breaches.push(`${name}: ${life.name} counts ${told}, of ${seen} calls`)
      }
    }
  }
  return breaches
}

/** Skips by rule, as far as they were told: what a killed daemon had counted last is lost. */
export function skipsOf(lives: readonly Life[], rule: string): number {
  return lives.reduce((sum, { status }) => {
    const found = status?.rules.find(({ name }) => name === rule)
    return sum + (found === undefined ? 0 : sumOf(found.ladder.skipped))
  }, 0)
}
