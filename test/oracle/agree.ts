import type { Event } from '../../src/model/event.ts'
import type { Problem } from '../../src/model/problem.ts'
import type { RuleSet } from '../../src/rules/rule-set.ts'
import { loadText } from '../support/load-text.ts'
import { naiveFirings, type NaiveFiring, type RawFile } from './naive.ts'

/* Both readings of one rule file, side by side. */

/** A file that loads, and what it is loaded to. */
export interface Loaded {
  readonly file: RawFile
  readonly ruleSet: RuleSet
  /** Rules that the loader refused, which are not in `file`. */
  readonly refused: readonly Problem[]
}

/** Loads made for one file: the loader tells all errors at once, but for those that others hide. */
const loadsMax = 5

/** Loads the rules of a file that are free of errors; `null` where none is. */
export async function loadSound(file: RawFile): Promise<Loaded | null> {
  const refused: Problem[] = []
  let sound = file
  for (let i = 0; i < loadsMax; i++) {
    const loaded = await loadText(textOf(sound))
    if (loaded.ruleSet !== null) return { file: sound, ruleSet: loaded.ruleSet, refused }
    const errors = loaded.problems.filter(({ severity }) => severity === 'error')
    refused.push(...errors)
    sound = withoutLines(sound, new Set(errors.map(({ line }) => line)))
    if (Object.keys(sound.rules).length === 0) return null
  }
  const codes = refused.map(({ line, code, message }) => `${line}: ${code}: ${message}`)
  throw new Error(`the rules left do not load:\n${codes.join('\n')}`)
}

function withoutLines(file: RawFile, lines: ReadonlySet<number>): RawFile {
  const sound = Object.entries(file.rules).filter((_rule, i) => !lines.has(i + firstLine))
  return { ...file, rules: Object.fromEntries(sound) }
}

/** One line a rule, so that the line of a problem names its rule; the first is on this one. */
const firstLine = 3

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
  const real = lanes.flatMap((lane) => really(file, ruleSet, lane, event)).toSorted()
  return naive.join('\n') === real.join('\n') ? null : { naive, real }
}

function naively(file: RawFile, lane: string, event: Event): readonly string[] {
  return naiveFirings(file, lane, event).map(({ rule, way, doubt, captures }) =>
    described(file, { lane, rule, way, doubt, captures }),
  )
}

function really(file: RawFile, ruleSet: RuleSet, lane: string, event: Event): readonly string[] {
  return ruleSet.firing(lane, event).map(({ rule, way, doubt }) => {
    const captures = new Map(Object.entries(rule.ways[way]?.captures(event) ?? {}))
    return described(file, { lane, rule: rule.name, way, doubt, captures })
  })
}

interface Described extends NaiveFiring {
  readonly lane: string
}

/** Captures that no action reads are left out: a compiler is free to leave them out as well. */
function described(file: RawFile, { lane, rule, way, doubt, captures }: Described): string {
  if (doubt !== null) return `${lane} ${rule}: ${doubt}`
  const source = JSON.stringify(file.rules[rule])
  const texts = [...captures]
    .filter(([name]) => source.includes(`{{match.${name} `))
    .map(([name, text]) => `${name}=${JSON.stringify(text)}`)
  return [`${lane} ${rule}: way ${way}`, ...texts.toSorted()].join(', ')
}
