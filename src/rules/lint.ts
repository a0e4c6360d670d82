import type { Problem } from '../model/problem.ts'
import { formatDuration } from '../model/units.ts'
import type { ProblemCode } from '../schema/problem-code.ts'
import type { At } from '../schema/yaml-document.ts'
import { bareKeys } from './lint/bare-keys.ts'
import { firstDropsLast } from './lint/first-drops-last.ts'
import { leadingBack } from './lint/leading-back.ts'
import type { Linted } from './lint/linted.ts'
import { plainPrefixes } from './lint/plain-prefix.ts'
import { shadowedCases } from './lint/shadowed.ts'
import { unlikelyPaths } from './lint/unlikely-paths.ts'
import { unseenFields } from './lint/unseen-fields.ts'
import { unindexable } from './lint/unindexable.ts'
import { versionMissing } from './lint/version-missing.ts'
import { windowAboveRetries } from './lint/window-above-retries.ts'
import type { RuleContext } from './rule-context.ts'
import type { RuleTest } from './rule-test-schema.ts'

/** A compiled rule and where it came from. */
export interface LoadedRule extends Linted {
  /** Equal for rules that fire for the same events and do the same. */
  readonly sameness: string
  /** Where its retry policy is written, if it is. */
  readonly retryAt: At
}

/** What no rule can mean, and what is legal and still probably not meant. */
export async function warnAbout(
  rules: readonly LoadedRule[],
  tests: readonly RuleTest[],
  { retryTiersMs, breathe }: Pick<RuleContext, 'retryTiersMs' | 'breathe'>,
): Promise<readonly Problem[]> {
  const testsOf = new Map<string, RuleTest[]>()
  for (const test of tests) testsOf.set(test.rule, [...(testsOf.get(test.rule) ?? []), test])
  const ofOne: Problem[][] = []
  for (const rule of rules) {
    await breathe()
    const ofRule = testsOf.get(rule.rule.name) ?? []
    ofOne.push([
      ...shadowedCases(rule),
      ...unindexable(rule),
      ...plainPrefixes(rule),
      ...unseenFields(rule, ofRule),
      ...unlikelyPaths(rule, ofRule),
      ...bareKeys(rule, ofRule),
      ...firstDropsLast(rule),
      ...windowAboveRetries(rule, retryTiersMs),
      ...versionMissing(rule, ofRule),
    ])
  }
  return [
    ...ofOne.flat(),
    ...rules.filter(({ matchesAll }) => matchesAll).map(matchesEverything),
    ...identical(rules.filter(({ rule }) => rule.enabled && rule.mode === 'live')),
    ...leadingBack(rules),
    ...rules.flatMap((rule) => aboveTiers(rule, retryTiersMs)),
  ]
}

function warning(
  { document, at }: LoadedRule,
  below: At,
  code: ProblemCode,
  message: string,
  hint: string,
): Problem {
  const complaint = { severity: 'warning', code, message, hint } as const
  return document.problemAt([...at, ...below], 'key', complaint)
}

function matchesEverything(loaded: LoadedRule): Problem {
  const topics = [...loaded.rule.topics.names, ...loaded.rule.topics.globs].join(', ')
  const message = `\`${loaded.rule.name}\` matches every event of ${topics}`
  const hint = 'if this is meant, say so: `when: { "@topic": { exists: true } }`'
  return warning(loaded, [], 'matches-everything', message, hint)
}

function identical(rules: readonly LoadedRule[]): readonly Problem[] {
  const seen = new Map<string, string>()
  return rules.flatMap((loaded) => {
    const first = seen.get(loaded.sameness)
    if (first === undefined) {
      seen.set(loaded.sameness, loaded.rule.name)
      return []
    }
    const message = `\`${loaded.rule.name}\` fires for the same events and does the same as \`${first}\``
    return [
      warning(loaded, [], 'identical-rules', message, 'remove one: each event is acted on twice'),
    ]
  })
}

function aboveTiers(loaded: LoadedRule, tiersMs: readonly number[]): readonly Problem[] {
  if (loaded.rule.order === 'key') return [] // its retries wait in place, as long as they say
  const { firstMs, factor, maxMs, attemptsMax } = loaded.rule.retry
  const longestMs = Math.min(maxMs, firstMs * factor ** Math.max(0, attemptsMax - 2))
  const lastMs = Math.max(0, ...tiersMs)
  if (attemptsMax < 2 || tiersMs.length === 0 || longestMs <= lastMs) return []
  const message = `retries would wait up to ${formatDuration(Math.round(longestMs))}, and the last tier holds ${formatDuration(lastMs)}`
  const hint = 'the last tier stands in for longer delays; add one to `retry.tiers` of the config'
  const complaint = { severity: 'warning', code: 'delay-above-tiers', message, hint } as const
  return [loaded.document.problemAt(loaded.retryAt, 'key', complaint)]
}
