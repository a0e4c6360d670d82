import type { JsonObject } from '../model/json.ts'
import { checkShape } from '../schema/check-shape.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import { capturesOf } from './captures.ts'
import { checkLimits } from './check-limits.ts'
import { compileDedup } from './compile-dedup.ts'
import { compileFire } from './compile-fire.ts'
import { compileKey, compileWays } from './compile-ways.ts'
import type { Condition } from './condition.ts'
import type { WholeRule } from './inherit.ts'
import type { LoadedRule } from './lint.ts'
import { laterKeyOf, refuseNotBuiltYet } from './not-built-yet.ts'
import { parseMatch } from './parse-match.ts'
import type { RuleContext } from './rule-context.ts'
import { ruleDefaults } from './rule-defaults.ts'
import type { RulePlaces } from './rule-places.ts'
import { abstractRuleSchema, ruleSchema, type RuleShape } from './rule-schema.ts'
import { retryPolicyOf, settingsOf } from './rule-settings.ts'
import { ruleTestOf, type RuleTest } from './rule-test-schema.ts'
import { canonicalJson, versionOf } from './rule-version.ts'
import type { Dedup, Rule, TopicSelector, Way } from './rule.ts'
import type { TextTemplate } from './template.ts'
import { compileTopics, type Claims } from './topic-selector.ts'

export interface CompileRuleContext extends RuleContext {
  readonly places: RulePlaces
  readonly reporter: Reporter
  readonly claims: Claims
}

/** A rule that is free of errors, and the cases beside it. */
export interface CompiledRule {
  readonly loaded: LoadedRule
  readonly tests: readonly RuleTest[]
}

/** Compiles a rule; `null` after reporting all that is wrong with it. */
export function compileRule(whole: WholeRule, context: CompileRuleContext): CompiledRule | null {
  const { shape, condition, topics, ways, key, dedup } = compileParts(whole, context)
  if (context.reporter.problems.length > 0) return null
  if (shape === null || condition === null || topics === null || ways === null) return null
  const { source, said } = whole
  const { name, written } = source
  const { places } = context
  const file = written.file.document.file.name
  const lists = listsOf(whole)
  const rule: Rule = {
    name,
    file,
    line: places.lineOf(written.at),
    ...settingsOf(shape),
    version: versionOf({ rule: withoutTests(said), lists }),
    topics,
    condition,
    ways,
    fire: compileFire(
      condition,
      ways.map((way) => way.condition),
    ),
    key,
    dedup,
  }
  const effect = ['topics', 'lane', 'when', 'unless', 'cases', 'sample', 'do']
  const loaded: LoadedRule = {
    rule,
    at: written.at,
    document: places,
    matchesAll: isAlways(condition) && ways.some((way) => way.condition === null),
    keys: keysOf(shape),
    sameness: canonicalJson([...effect.map((one) => said[one] ?? null), lists]),
    retryAt: [...written.at, 'retry'],
  }
  const tests = (shape.tests ?? []).map((test, i) => {
    const line = places.lineOf([...written.at, 'tests', i])
    return ruleTestOf(test, topics, { rule: name, file, line })
  })
  return { loaded, tests }
}

/** Checks what a rule with `abstract: true` holds, which need not be all that a rule needs. */
export function checkAbstractRule(whole: WholeRule, context: CompileRuleContext): void {
  compileParts(whole, context)
  if (whole.said['tests'] === undefined) return
  const message = 'the tests of an abstract rule would never be run'
  const hint = 'they are not inherited: put them into the rules that extend it'
  context.reporter.errorAtKey([...whole.source.written.at, 'tests'], 'bad-value', message, hint)
}

interface Parts {
  readonly shape: RuleShape | null
  readonly condition: Condition | null
  readonly topics: TopicSelector | null
  readonly ways: readonly Way[] | null
  readonly key: TextTemplate | null
  readonly dedup: Dedup | null
}

/** All that can be compiled, for all of its problems. What is wrong is `null`. */
function compileParts(whole: WholeRule, context: CompileRuleContext): Parts {
  const { said, source } = whole
  const { at } = source.written
  const { reporter, claims } = context
  const isAbstract = said['abstract'] === true
  const schema = isAbstract ? abstractRuleSchema : ruleSchema
  const shape: RuleShape | null = checkShape(schema, said, at, reporter)?.value ?? null
  const condition = compileMatch(whole, reporter)
  const ofTopics = { reporter, claims, rule: isAbstract ? null : source.name }
  const topics =
    shape?.topics === undefined
      ? null
      : compileTopics(said['topics'] ?? null, [...at, 'topics'], ofTopics)
  const retry = retryPolicyOf(shape?.retry)
  const inWays = { ...context, whole, condition, shape, retry }
  const ways = compileWays(inWays)
  const names = condition === null || isAbstract ? null : capturesOf(condition).names
  const key = shape?.key === undefined ? null : compileKey(shape.key, ['key'], names, inWays)
  const dedup = compileDedup(key, names, inWays)
  if (shape !== null) {
    checkLimits(shape, whole, reporter)
    const later = laterKeyOf(shape)
    const isGood = later === null || compileKey(later, ['rate', 'key'], names, inWays) !== null
    const lane = shape.lane ?? (isAbstract ? null : ruleDefaults.lane)
    if (lane !== null) checkLane(lane, [...at, 'lane'], context)
    if (isGood) refuseNotBuiltYet(shape, at, reporter)
  }
  return { shape, condition, topics, ways, key, dedup }
}

function keysOf({ key, dedup, sample }: RuleShape): LoadedRule['keys'] {
  const written: readonly (readonly [below: At, text: string | undefined])[] = [
    [['key'], key],
    [['dedup', 'key'], dedup?.key],
    [['sample', 'key'], sample?.key],
  ]
  return written.flatMap(([below, text]) => (text === undefined ? [] : [{ below, text }]))
}

/** `when` and `unless` may come from two files; each reads the lists of its own. */
function compileMatch({ said, source, originOf }: WholeRule, reporter: Reporter): Condition | null {
  const { at } = source.written
  const { when, unless } = said
  const readWith = (key: string) => ({ lists: originOf(key).file.lists, reporter })
  if (when === undefined) return parseMatch(said, at, readWith('unless'))
  const isOfOneFile = unless === undefined || originOf('when').file === originOf('unless').file
  if (isOfOneFile) return parseMatch(said, at, readWith('when'))
  const holds = parseMatch({ when }, at, readWith('when'))
  const none = parseMatch({ unless }, at, readWith('unless'), holds)
  return holds === null || none === null ? null : { kind: 'all', of: [holds, none], at }
}

function checkLane(name: string, at: At, { lanes, reporter }: CompileRuleContext): void {
  if (lanes === null || lanes.includes(name)) return
  const message = `there is no lane \`${name}\` in the config`
  const hint = didYouMean(name, lanes) ?? `lanes are ${lanes.join(', ')}`
  reporter.error(at, 'unknown-lane', message, hint)
}

function isAlways(condition: Condition): boolean {
  return condition.kind === 'all' && condition.of.length === 0
}

function withoutTests(rule: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(rule).filter(([key]) => key !== 'tests'))
}

/**
 * The lists that a rule may use, as digests: those whose names occur in what it says. One too many
 * only makes the version change more often than it must.
 */
function listsOf({ said, originOf }: WholeRule): JsonObject {
  const files = [...new Set(Object.keys(said).map((key) => originOf(key).file))]
  const digests = files.flatMap(({ listDigests }) => [...listDigests])
  if (digests.length === 0) return {}
  const text = JSON.stringify(said)
  const used = digests.filter(([name]) => text.includes(name)).sort()
  return Object.fromEntries(used.map(([name, digest], i) => [`${name} ${i}`, digest]))
}
