import type { Event } from '../../src/model/event.ts'
import type { Problem } from '../../src/model/problem.ts'
import { RuleSet } from '../../src/rules/rule-set.ts'
import { loadText } from '../support/load-text.ts'
import { naiveFirings, type NaiveFiring, type RawFile } from './naive.ts'

/* Both readings of one rule file, side by side. */

/** The rules of a file that load, and what they are loaded to. */
export interface Loaded {
  readonly file: RawFile
  readonly ruleSet: RuleSet
  /** The rules that are not in `file`, and why. */
  readonly refused: readonly Refused[]
}

export interface Refused {
  readonly rule: string
  readonly problem: Problem
}

/** Loads made for one file: the loader tells all errors at once, but for those that others hide. */
const loadsMax = 5

/** Loads the rules of a file that are free of errors, which may be none. */
export async function loadSound(file: RawFile): Promise<Loaded> {
  const refused: Refused[] = []
  let sound = file
  for (let i = 0; i < loadsMax; i++) {
    if (Object.keys(sound.rules).length === 0) return { file: sound, ruleSet: noRules, refused }
    const { ruleSet, problems } = await loadText(textOf(sound))
    if (ruleSet !== null) return { file: sound, ruleSet, refused }
    const errors = problems.filter(({ severity }) => severity === 'error')
    const names = Object.keys(sound.rules)
    const wrong = errors.map((problem) => ({
      rule: names[problem.line - firstLine] ?? '',
      problem,
    }))
    refused.push(...wrong)
    const left = names.filter((name) => !wrong.some(({ rule }) => rule === name))
    sound = {
      ...sound,
      rules: Object.fromEntries(left.map((name) => [name, file.rules[name] ?? null])),
    }
  }
  const codes = refused.map(({ rule, problem }) => `${rule}: ${problem.code}: ${problem.message}`)
  throw new Error(`the rules left do not load:\n${codes.join('\n')}`)
}

const noRules = new RuleSet([])

/** One line a rule, so that the line of a problem names its rule; the first is on this one. */
const firstLine = 3

export function textOf({ lists, rules }: RawFile): string {
  const lines = Object.entries(rules).map(([name, rule]) => `  ${name}: ${JSON.stringify(rule)}`)
  return ['lists: ' + JSON.stringify(lists), 'rules:', ...lines, ''].join('\n')
}

/**
 * The rules of `file` that are refused as impossible as a whole: should one of them hold for an
 * event, the loader is wrong. Below a negation or beside an alternative, what is impossible may stand
 * in a rule that fires all the same, so that rules with those are left out.
 */
export function refusedAsImpossible(file: RawFile, refused: readonly Refused[]): RawFile {
  const names = refused.filter((one) => isImpossible(one, file)).map(({ rule }) => rule)
  const rules = Object.entries(file.rules).filter(([name]) => names.includes(name))
  return { ...file, rules: Object.fromEntries(rules) }
}

function isImpossible({ rule, problem }: Refused, file: RawFile): boolean {
  if (problem.code !== 'impossible') return false
  const text = JSON.stringify(file.rules[rule])
  if (/"(any|cases)":|"not":\{/.test(text)) return false
  const negations = text.match(/"(none|unless)":/g)?.length ?? 0
  return negations === 0 || (negations === 1 && problem.message.includes('and always does'))
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
