import fc from 'fast-check'
import type { Event } from '../../src/model/event.ts'
import { seeded } from '../support/seed.ts'
import {
  disagreement,
  lanes,
  loadSound,
  refusedAsImpossible,
  textOf,
  type Loaded,
} from './agree.ts'
import { ruleFiles } from './generate.ts'
import { mustPass } from './must-pass.ts'
import { naiveFirings, type RawFile } from './naive.ts'
import { eventNear } from './near.ts'
import { smallest, type Found } from './smallest.ts'

export interface OracleOptions {
  readonly seed: number
  /** Of a rule file and an event. */
  readonly pairs: number
  readonly rulesMax: number
  /** How many each rule file is asked about: loading one costs as much as some twenty. */
  readonly eventsPerFile: number
}

export interface OracleTally {
  files: number
  pairs: number
  rules: number
  /** Rules refused by the loader, and why, by code. */
  refused: number
  readonly refusals: Map<string, number>
  /** Of those, the ones that were shown to hold for none of the events that came near. */
  neverHeld: number
  /** What the two agreed on. */
  firings: number
  doubts: number
  captures: number
  laterCases: number
}

/**
 * Asks both readings of the language about generated pairs. Rejects with the smallest case that was
 * found when they disagree.
 */
export async function runOracle(options: OracleOptions): Promise<OracleTally> {
  const { seed, pairs, rulesMax, eventsPerFile } = options
  const tally = emptyTally()
  const property = fc.asyncProperty(ruleFiles({ rulesMax }), fc.nat(), async (file, eventSeed) => {
    if (tally.pairs >= pairs) return
    const loaded = await loadSound(file)
    const random = seeded(eventSeed)
    countRules(file, loaded, tally)
    tally.neverHeld += mustNotHold(refusedAsImpossible(file, loaded.refused), random)
    if (Object.keys(loaded.file.rules).length === 0) return
    tally.files++
    for (let i = 0; i < eventsPerFile; i++) await ask(loaded, eventNear(loaded.file, random), tally)
  })
  await mustPass(property, {
    seed,
    // Some more files than it takes, since of some no rule is left.
    numRuns: Math.ceil((1.2 * pairs) / eventsPerFile),
  })
  return tally
}

async function ask(loaded: Loaded, event: Event, tally: OracleTally): Promise<void> {
  tally.pairs++
  if (disagreement(loaded, event) === null) {
    count(loaded, event, tally)
    return
  }
  const found = await smallest({ file: loaded.file, event }, disagrees)
  throw new Error(await report(found))
}

async function disagrees({ file, event }: Found): Promise<boolean> {
  const loaded = await loadSound(file)
  return loaded.refused.length === 0 && disagreement(loaded, event) !== null
}

/** Events that are tried on rules that are refused. */
const triedInVain = 20

/** Throws when an event is found for which a rule holds that cannot hold; else how many there are. */
function mustNotHold(file: RawFile, random: () => number): number {
  const rules = Object.keys(file.rules).length
  if (rules === 0) return 0
  for (let i = 0; i < triedInVain; i++) {
    const event = eventNear(file, random)
    for (const { rule, doubt } of lanes.flatMap((lane) => naiveFirings(file, lane, event))) {
      if (doubt !== null) continue
      const text = JSON.stringify(file.rules[rule])
      throw new Error(`refused as impossible: ${text}\nyet it holds: ${JSON.stringify(event.body)}`)
    }
  }
  return rules
}

async function report(found: Found): Promise<string> {
  const loaded = await loadSound(found.file)
  const says = disagreement(loaded, found.event)
  const { record, body } = found.event
  const shown = { ...record, value: null, key: record.key?.toString('latin1') ?? null }
  return [
    'the two readings of the rule language disagree:',
    textOf(found.file),
    `body: ${JSON.stringify(body)}`,
    `record: ${JSON.stringify(shown, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`,
    `naive: ${says?.naive.join('; ')}`,
    `real: ${says?.real.join('; ')}`,
  ].join('\n')
}

function emptyTally(): OracleTally {
  return {
    files: 0,
    pairs: 0,
    rules: 0,
    refused: 0,
    refusals: new Map(),
    neverHeld: 0,
    firings: 0,
    doubts: 0,
    captures: 0,
    laterCases: 0,
  }
}

function countRules(file: RawFile, { refused }: Loaded, tally: OracleTally): void {
  tally.rules += Object.keys(file.rules).length
  tally.refused += new Set(refused.map(({ rule }) => rule)).size
  for (const { code } of refused.map(({ problem }) => problem)) {
    tally.refusals.set(code, (tally.refusals.get(code) ?? 0) + 1)
  }
}

function count({ ruleSet }: Loaded, event: Event, tally: OracleTally): void {
  for (const lane of lanes) {
    for (const { rule, way, doubt } of ruleSet.firing(lane, event)) {
      tally.firings++
      if (doubt !== null) tally.doubts++
      else {
        if (way > 0) tally.laterCases++
        if (Object.keys(rule.ways[way]?.captures(event) ?? {}).length > 0) tally.captures++
      }
    }
  }
}

/** In lines for a person. */
export function tallyLines(tally: OracleTally): string {
  const refusals = [...tally.refusals].map(([code, times]) => `${code} ${times}`).join(', ')
  return [
    `${tally.pairs} pairs of ${tally.files} rule files`,
    `${tally.rules} rules, ${tally.refused} of them refused (${refusals || 'none'}), ` +
      `${tally.neverHeld} of those tried in vain`,
    `${tally.firings} firings: ${tally.doubts} in doubt, ${tally.captures} with captures, ` +
      `${tally.laterCases} by a later case`,
  ].join('\n')
}
