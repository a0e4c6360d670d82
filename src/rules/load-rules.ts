import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { checkShape } from '../schema/check-shape.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { createReporter, inOrder, type Reporter } from '../schema/reporter.ts'
import type { SourceFile } from '../schema/source-files.ts'
import { parseYaml, type At, type YamlDocument } from '../schema/yaml-document.ts'
import type { Action } from './action-kind.ts'
import { capturesOf } from './captures.ts'
import { compileActions } from './compile-actions.ts'
import { compileFire } from './compile-fire.ts'
import { warnAbout, type LoadedRule } from './lint.ts'
import { parseMatch } from './parse-match.ts'
import type { TestContext } from './parse-operators.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { RuleContext } from './rule-context.ts'
import { ruleDefaults } from './rule-defaults.ts'
import {
  defaultsSchema,
  ruleFileSchema,
  ruleSchema,
  type DefaultsShape,
  type RuleShape,
} from './rule-schema.ts'
import { RuleSet } from './rule-set.ts'
import { ruleTestOf, type RuleTest } from './rule-test-schema.ts'
import { canonicalJson, versionOf } from './rule-version.ts'
import type { Rule } from './rule.ts'
import { compileTopics } from './topic-selector.ts'

/** Rules of one load; above it they were probably generated and should be fewer with lists. */
const rulesMax = 10_000

export interface LoadedRules {
  /** `null` when there is an error: one bad rule rejects the whole set. */
  readonly ruleSet: RuleSet | null
  /** Those without an error of their own, also where others leave no set: for \`check\`. */
  readonly sound: readonly Rule[]
  /** Of all files, in order; warnings included. */
  readonly problems: readonly Problem[]
  /** Rules found, those with errors included. */
  readonly rules: number
  /** Cases beside the rules that are free of errors. Who runs them is not the loader. */
  readonly tests: readonly RuleTest[]
}

/** Loads rule files: parses, checks, compiles, and tells everything that is wrong in one go. */
export async function loadRules(
  files: readonly SourceFile[],
  context: RuleContext,
): Promise<LoadedRules> {
  const problems: Problem[] = []
  const loaded: LoadedRule[] = []
  const found = new Map<string, { readonly document: YamlDocument; readonly at: At }>()
  let rules = 0
  const tests: RuleTest[] = []
  for (const file of files) {
    const { document, problems: parseProblems } = parseYaml(file)
    problems.push(...parseProblems)
    if (document === null) continue
    const reporter = createReporter(document)
    await context.breathe()
    for (const rule of readFile(document, reporter, context)) {
      rules++
      tests.push(...rule.tests)
      const first = found.get(rule.name)
      if (first === undefined) found.set(rule.name, { document, at: rule.at })
      else reportDuplicate(rule, first, reporter)
      if (rule.loaded !== null) loaded.push(rule.loaded)
    }
    if (rules > rulesMax) reporter.error([], 'too-many', `more than ${rulesMax} rules`)
    problems.push(...reporter.problems)
  }
  problems.push(...warnAbout(loaded, context.retryTiersMs))
  const isGood = problems.every(({ severity }) => severity === 'warning')
  const sound = loaded.map(({ rule }) => rule)
  const ruleSet = isGood ? new RuleSet(sound) : null
  return { ruleSet, sound, problems: inOrder(problems), rules, tests }
}

interface ReadRule {
  readonly name: string
  readonly at: At
  readonly tests: readonly RuleTest[]
  /** `null` when it has errors, which have been reported. */
  readonly loaded: LoadedRule | null
}

function reportDuplicate(
  rule: ReadRule,
  first: { readonly document: YamlDocument; readonly at: At },
  reporter: Reporter,
): void {
  const place = `${first.document.file.name}:${first.document.lineOf(first.at)}`
  const message = `there is a rule \`${rule.name}\` already, in ${place}`
  reporter.errorAtKey(rule.at, 'duplicate-rule', message, 'names are unique over all files')
}

/** What the rules of one file share. */
interface FileContext extends RuleContext, TestContext {
  readonly document: YamlDocument
  readonly reporter: Reporter
  readonly defaults: DefaultsShape
  readonly defaultsSource: JsonObject
}

function readFile(
  document: YamlDocument,
  reporter: Reporter,
  context: RuleContext,
): readonly ReadRule[] {
  const root = document.value
  checkShape(ruleFileSchema, root, [], reporter)
  // A file with a mistake at its root is read on as far as it goes, so that all is told at once.
  const part = (name: string): JsonObject => {
    const value = isJsonObject(root) ? root[name] : undefined
    return isJsonObject(value) ? value : {}
  }
  const defaultsSource = part('defaults')
  const lists = new Map(Object.entries(part('lists')))
  const fileContext: FileContext = {
    ...context,
    document,
    reporter,
    defaults: readDefaults(root, { ...context, reporter, lists }),
    defaultsSource,
    lists,
  }
  return Object.entries(part('rules')).map(([name, source]) => readRule(name, source, fileContext))
}

function readDefaults(root: Json, context: RuleContext & TestContext): DefaultsShape {
  const source = isJsonObject(root) ? root['defaults'] : undefined
  if (source === undefined) return {}
  const shape = checkShape(defaultsSchema, source, ['defaults'], context.reporter)?.value ?? {}
  if (shape.lane !== undefined) checkLane(shape.lane, ['defaults', 'lane'], context)
  return shape
}

function readRule(name: string, source: Json, context: FileContext): ReadRule {
  const { reporter, document, defaults, defaultsSource } = context
  const at: At = ['rules', name]
  const problemsBefore = reporter.problems.length
  const shape = checkShape(ruleSchema, source, at, reporter)?.value
  const raw = isJsonObject(source) ? source : {}
  const retry = retryPolicyOf(shape?.retry ?? defaults.retry)
  const condition = parseMatch(raw, at, context)
  const topics =
    shape === undefined ? null : compileTopics(raw['topics'] ?? null, [...at, 'topics'], reporter)
  const actions = compileDo(source, at, { ...context, rule: name, retry })
  if (shape !== undefined) {
    if (shape.lane !== undefined || defaults.lane === undefined) {
      checkLane(shape.lane ?? ruleDefaults.lane, [...at, 'lane'], context)
    }
  }
  const isGood = reporter.problems.length === problemsBefore
  if (!isGood || shape === undefined || condition === null || topics === null || actions === null) {
    return { name, at, tests: [], loaded: null }
  }
  const said: JsonObject = { ...defaultsSource, ...raw }
  const lists = listsIn(said, context.lists)
  const rule: Rule = {
    name,
    file: document.file.name,
    line: document.lineOf(at),
    ...settingsOf(shape, defaults),
    version: versionOf({ rule: withoutTests(said), lists }),
    topics,
    mode: 'live',
    condition,
    ways: [
      {
        condition: null,
        sample: null,
        steps: actions.map((action) => ({ action, as: null, each: null })),
        captures: capturesOf(condition).read,
      },
    ],
    fire: compileFire(condition, [null]),
    key: null,
    maxAgeMs: null,
    maxRootAgeMs: null,
    retry,
  }
  const effect = ['topics', 'lane', 'when', 'unless', 'do'].map((key) => said[key] ?? null)
  return {
    name,
    at,
    tests: (shape.tests ?? []).map((test, i) => {
      const line = document.lineOf([...at, 'tests', i])
      return ruleTestOf(test, topics, { rule: name, file: document.file.name, line })
    }),
    loaded: {
      rule,
      at,
      document,
      matchesAll: raw['when'] === undefined && raw['unless'] === undefined,
      sameness: canonicalJson([...effect, lists]),
      retryAt:
        raw['retry'] === undefined && defaults.retry !== undefined
          ? ['defaults', 'retry']
          : [...at, 'retry'],
    },
  }
}

type Settings = Pick<
  Rule,
  'description' | 'owner' | 'labels' | 'enabled' | 'lane' | 'concurrency' | 'timeoutMs'
>

function settingsOf(shape: RuleShape, defaults: DefaultsShape): Settings {
  const concurrency = shape.concurrency ?? defaults.concurrency ?? ruleDefaults.concurrency
  return {
    description: shape.description ?? null,
    owner: shape.owner ?? defaults.owner ?? null,
    labels: shape.labels ?? defaults.labels ?? {},
    enabled: shape.enabled ?? defaults.enabled ?? true,
    lane: shape.lane ?? defaults.lane ?? ruleDefaults.lane,
    concurrency: typeof concurrency === 'number' ? concurrency : concurrency.limit,
    timeoutMs: shape.timeout ?? defaults.timeout ?? ruleDefaults.timeoutMs,
  }
}

/** Who raises only `first`, or lowers only `max`, means just that: the other one follows. */
function retryPolicyOf(shape: DefaultsShape['retry']): RetryPolicy {
  const fallback = ruleDefaults.retry
  const { first, max, factor, jitter } = shape?.backoff ?? {}
  const firstMs = first ?? Math.min(fallback.firstMs, max ?? fallback.firstMs)
  return {
    attemptsMax: shape?.attempts ?? fallback.attemptsMax,
    ageMaxMs: shape?.max_age ?? fallback.ageMaxMs,
    firstMs,
    factor: factor ?? fallback.factor,
    maxMs: max ?? Math.max(fallback.maxMs, firstMs),
    jitter: jitter ?? fallback.jitter,
    on: shape?.on ?? fallback.on,
    neverOn: shape?.never_on ?? fallback.neverOn,
    successOn: shape?.success_on ?? fallback.successOn,
  }
}

function compileDo(
  source: Json,
  at: At,
  context: Parameters<typeof compileActions>[2],
): readonly Action[] | null {
  if (!isJsonObject(source)) return null // told by the shape
  const actions = source['do']
  if (actions === undefined) {
    context.reporter.errorAtKey([...at, 'do'], 'missing-key', '`do` is missing, expected an action')
    return null
  }
  return compileActions(actions, [...at, 'do'], context)
}

function checkLane(name: string, at: At, { lanes, reporter }: RuleContext & TestContext): void {
  if (lanes === null || lanes.includes(name)) return
  const message = `there is no lane \`${name}\` in the config`
  const hint = didYouMean(name, lanes) ?? `lanes are ${lanes.join(', ')}`
  reporter.error(at, 'unknown-lane', message, hint)
}

function withoutTests(rule: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(rule).filter(([key]) => key !== 'tests'))
}

/**
 * The lists that a rule may use: those whose names occur in it. One too many only makes the version
 * change more often than it must.
 */
function listsIn(rule: JsonObject, lists: ReadonlyMap<string, Json>): JsonObject {
  const text = JSON.stringify(rule)
  return Object.fromEntries([...lists].filter(([name]) => text.includes(name)))
}
