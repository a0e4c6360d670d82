import type { Event } from '../../src/model/event.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { RuleSet } from '../../src/rules/rule-set.ts'
import { loadText } from '../support/load-text.ts'
import { naiveFirings, type RawFile } from './naive.ts'

/* Both readings of one rule file, side by side. */

/** A file that loads, and what it is loaded to. */
export interface Loaded {
  readonly file: RawFile
  readonly ruleSet: RuleSet
  /** Rules that the loader refused, which are not in `file`. */
  readonly refused: readonly Problem[]
}

/** Loads the rules of a file that are free of errors; `null` where none is. */
export async function loadSound(file: RawFile): Promise<Loaded | null> {
  const errors = errorsOf(await loadText(textOf(file)))
  const lines = new Set(errors.map(({ line }) => line))
  const sound = Object.entries(file.rules).filter((_rule, i) => !lines.has(i + linesBefore))
  if (sound.length === 0) return null
  const left: RawFile = { ...file, rules: Object.fromEntries(sound) }
  const loaded = await loadText(textOf(left))
  if (loaded.ruleSet !== null) return { file: left, ruleSet: loaded.ruleSet, refused: errors }
  const codes = errorsOf(loaded).map(({ line, code, message }) => `${line}: ${code}: ${message}`)
  throw new Error(`the rules left do not load:\n${codes.join('\n')}`)
}

function errorsOf({ problems }: { readonly problems: readonly Problem[] }): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error')
}

/** One line a rule, so that the line of a problem names its rule. */
const linesBefore = 3

export function textOf({ lists, rules }: RawFile): string {
  const lines = Object.entries(rules).map(([name, rule]) => `  ${name}: ${JSON.stringify(rule)}`)
  return ['lists: ' + JSON.stringify(lists), 'rules:', ...lines, ''].join('\n')
}

/** Lanes of the generated rules. */
export const lanes = ['default', 'slow'] as const

/** What the two say of one event, where they do not say the same; else `null`. */
export function disagreement(
  { file, ruleSet }: Pick<Loaded, 'file' | 'ruleSet'>,
  event: Event,
): { readonly naive: readonly string[]; readonly real: readonly string[] } | null {
  const naive = lanes.flatMap((lane) => naively(file, lane, event)).toSorted()
  const real = lanes.flatMap((lane) => really(ruleSet, lane, event)).toSorted()
  return naive.join('\n') === real.join('\n') ? null : { naive, real }
}

function naively(file: RawFile, lane: string, event: Event): readonly string[] {
  return naiveFirings(file, lane, event).map(({ rule, way, doubt, captures }) =>
    described(lane, rule, doubt ?? way, [...captures]),
  )
}

function really(ruleSet: RuleSet, lane: string, event: Event): readonly string[] {
  return ruleSet.firing(lane, event).map(({ rule, way, doubt }) => {
    const captures = doubt === null ? rule.ways[way]?.captures(event) : {}
    return described(lane, rule.name, doubt ?? way, Object.entries(captures ?? {}))
  })
}

function described(
  lane: string,
  rule: string,
  way: string | number | null,
  captures: readonly (readonly [string, string])[],
): string {
  const texts = captures.map(([name, text]) => `${name}=${JSON.stringify(text)}`).toSorted()
  return [lane, rule, `way ${way}`, ...texts].join(' ')
}
