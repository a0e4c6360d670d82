import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Reporter } from '../schema/reporter.ts'
import { nearestName } from '../schema/did-you-mean.ts'
import type { At } from '../schema/yaml-document.ts'
import { capturesOf } from './captures.ts'
import { compileSteps } from './compile-steps.ts'
import type { Condition } from './condition.ts'
import type { WholeRule } from './inherit.ts'
import { keyOfRule } from './key-synonyms.ts'
import { isOfRule } from './parse-condition.ts'
import { parseMatch } from './parse-match.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { RuleContext } from './rule-context.ts'
import { caseSchema, ruleSchema, type RuleShape } from './rule-schema.ts'
import type { Sample, Way } from './rule.ts'
import { createTemplateCompiler } from './template-compiler.ts'
import type { TextTemplate } from './template.ts'

export interface WayContext extends RuleContext {
  readonly whole: WholeRule
  readonly reporter: Reporter
  readonly retry: RetryPolicy
  /** The match of the rule; `null`: it is wrong, and that has been told. */
  readonly condition: Condition | null
  /** `null`: it is wrong, and that has been told. */
  readonly shape: RuleShape | null
}

/** Compiles `do`, or `cases`; `null` after reporting what is wrong. */
export function compileWays(context: WayContext): readonly Way[] | null {
  const { whole, reporter, shape } = context
  const { said, source } = whole
  const { cases } = said
  if (cases === undefined) {
    const rest = { condition: null, isKnown: context.condition !== null }
    const way = compileWay({ below: [], source: said, sample: shape?.sample, ...rest }, context)
    return way === null ? null : [way]
  }
  if (said['do'] !== undefined) {
    const message = '`do` beside `cases`: which of them would be carried out?'
    const hint = 'what is done where no case holds is a last case without `when`'
    reporter.errorAtKey([...source.written.at, 'do'], 'bad-value', message, hint)
  }
  if (!Array.isArray(cases)) return null // told by the shape
  const list = cases as readonly Json[] // as: isArray forgets what the members are
  const ways = list.map((one, i) => compileCase(one, i, i === list.length - 1, context))
  const good = ways.filter((way) => way !== null)
  return good.length === ways.length ? good : null
}

function compileCase(source: Json, i: number, isLast: boolean, context: WayContext): Way | null {
  const { whole, reporter, shape } = context
  if (!isJsonObject(source)) return null // told by the shape
  const below = ['cases', i]
  const at = [...whole.source.written.at, ...below]
  const isOpen = source['when'] === undefined && source['unless'] === undefined
  // One with a key that is none was to have a condition, perhaps: that is told, and not this as well.
  const hasKnownKeys = Object.keys(source).every((key) => Object.hasOwn(caseSchema.shape, key))
  if (isOpen && hasKnownKeys && !isLast) {
    const message = 'a case without a condition, and cases behind it that are never reached'
    reporter.error(at, 'impossible', message, 'only the last one may lack `when`')
  }
  const { lists } = whole.originOf('cases').file
  const condition = isOpen ? null : parseMatch(source, at, { lists, reporter }, context.condition)
  const isKnown = context.condition !== null && (isOpen || condition !== null)
  const sample = shape?.cases?.[i]?.sample ?? shape?.sample
  const way = compileWay({ below, source, condition, isKnown, sample }, context)
  return isKnown ? way : null
}

interface WrittenWay {
  /** Where the case stands in the rule; nothing for the rule itself. */
  readonly below: At
  readonly source: JsonObject
  readonly condition: Condition | null
  /** Whether all of the conditions on the way could be read. */
  readonly isKnown: boolean
  readonly sample: RuleShape['sample']
}

function compileWay(way: WrittenWay, context: WayContext): Way | null {
  const { source, condition, below } = way
  const { reporter, whole } = context
  const { at } = whole.source.written
  const captures = capturesOf(allOf(context.condition, condition, at))
  const names = way.isKnown && !isAbstract(whole) ? captures.names : null
  const sample = way.sample === undefined ? null : compileSample(way.sample, way, names, context)
  const written = source['do']
  if (written === undefined) {
    if (isAbstract(whole) || hasStrayAction(source, context)) return null
    const message = '`do` is missing, expected an action'
    reporter.errorAtKey([...at, ...below, 'do'], 'missing-key', message)
    return null
  }
  const steps = compileSteps(written, [...at, ...below, 'do'], {
    ...context,
    rule: whole.source.name,
    lists: whole.originOf(String(below[0] ?? 'do')).file.lists,
    captures: names ?? namesReadIn(written),
  })
  return steps === null ? null : { condition, sample, steps, captures: captures.read }
}

/** An action that stands beside `do`, below another word for it or in `when` has been told as what it is. */
function hasStrayAction(source: JsonObject, { kinds }: WayContext): boolean {
  const { when = null } = source
  if (isJsonObject(when)) {
    const isDoing = (key: string): boolean => isOfRule(key, when[key] ?? null)
    if (['do', 'cases'].some(isDoing)) return true
  }
  const isAction = (value: Json): boolean =>
    isJsonObject(value) && kinds.some(({ name }) => Object.hasOwn(value, name))
  return Object.entries(source)
    .filter(([key]) => !Object.hasOwn(ruleSchema.shape, key))
    .some(
      ([key, value]) =>
        keyOfRule(key) === 'do' ||
        kinds.some(({ name }) => name === key) ||
        nearestName(key, ['do']) !== null ||
        isAction(value),
    )
}

function allOf(rule: Condition | null, one: Condition | null, at: At): Condition {
  if (rule === null || one === null) return one ?? rule ?? { kind: 'all', of: [], at }
  return { kind: 'all', of: [rule, one], at }
}

function isAbstract({ said }: WholeRule): boolean {
  return said['abstract'] === true
}

/**
 * The groups that a text reads, for where it is not known which there are: a base may read those
 * that only the rules which extend it have, and of a regex with a mistake the mistake is told.
 */
function namesReadIn(written: Json): readonly string[] {
  const read = JSON.stringify(written).matchAll(/\bmatch\.([A-Za-z_]\w*)/g)
  return [...read].map(([, name = '']) => name)
}

/** The sample of a case, or that of its rule, which is written elsewhere. */
function compileSample(
  { rate, key }: NonNullable<RuleShape['sample']>,
  { source, below }: WrittenWay,
  names: readonly string[] | null,
  context: WayContext,
): Sample {
  const at = [...(source['sample'] === undefined ? [] : below), 'sample', 'key']
  return { rate, key: key === undefined ? null : compileKey(key, at, names, context) }
}

/**
 * Compiles a template of the rule that stands outside its actions; `null` after reporting what is
 * wrong.
 *
 * @param below - where it stands in the rule
 * @param captures - groups that it may read; `null`: not known, and not checked
 */
export function compileKey(
  source: string,
  below: At,
  captures: readonly string[] | null,
  { whole, reporter, secrets }: WayContext,
): TextTemplate | null {
  const { written } = whole.source
  const templates = createTemplateCompiler({
    lists: whole.originOf(String(below[0])).file.lists,
    secrets,
    captures: captures ?? namesReadIn(source),
    steps: [],
    hasItem: false,
    isKey: true,
    report: (at, code, message, hint) =>
      reporter.error([...written.at, ...at], code, message, hint),
  })
  return templates.text(source, 'text', below)
}
