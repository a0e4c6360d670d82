import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { checkShape } from '../schema/check-shape.ts'
import type { Reporter } from '../schema/reporter.ts'
import { fillEachTags, fillName, findEachTags, type ReportTag } from './each-tags.ts'
import type { Slices } from './match-index/in-slices.ts'
import type { WrittenRule } from './rule-file.ts'
import { ruleNameForm, ruleSchema, writtenNameForm } from './rule-schema.ts'

/** One rule, `for_each` carried out; nothing is inherited yet. */
export interface RuleSource {
  readonly written: WrittenRule
  readonly name: string
  /** Its keys, filled in; without `for_each`. */
  readonly value: JsonObject
  /** The entry of `for_each` that it is made for; `null` for a rule without. */
  readonly entry: Entry | null
  /** What is wrong with its tags; all else of it can be looked at, and none of it be carried out. */
  readonly flaws: readonly Problem[]
}

/** One entry of `for_each`. */
export interface Entry {
  readonly each: JsonObject
  /** What tells it from the others, for messages: `wiki=enwiki`. */
  readonly label: string
}

/**
 * The rules that a written one stands for: itself, or one for each entry of `for_each`, and a pause
 * behind each of those: there may be ten thousand, and each is as large as the rule. What is
 * wrong with a tag is reported; of a wrong one in the name there is no rule.
 *
 * @param reporterOf - where problems of one entry go; `null`: of the rule as it is written
 */
export function* expandRule(
  written: WrittenRule,
  reporterOf: (entry: Entry | null) => Reporter,
): Slices<readonly RuleSource[]> {
  const { name, at, source } = written
  const reporter = reporterOf(null)
  if (!isJsonObject(source)) {
    checkShape(ruleSchema, source, at, reporter)
    return []
  }
  const { for_each: given, ...value } = source
  if (given === undefined) {
    reportTags(written, reporter)
    return [{ written, name, value, entry: null, flaws: reporter.problems }]
  }
  const schema = ruleSchema.shape.for_each.unwrap()
  const entries = checkShape(schema, given, [...at, 'for_each'], reporter)
  if (entries === null) return []
  if (value['abstract'] === true) {
    const message = '`abstract` beside `for_each`: nothing can extend one of several rules'
    reporter.errorAtKey([...at, 'abstract'], 'bad-value', message, 'leave one of the two out')
    return []
  }
  const made: RuleSource[] = []
  for (const each of entries.value) {
    const entry: Entry = { each, label: labelOf(each) }
    const one = expandOne(written, value, entry, reporterOf(entry))
    if (one !== null) made.push(one)
    yield
  }
  return withoutTwins(made, reporter)
}

/** Tells of tags that nothing fills in. */
function reportTags({ name, at, source }: WrittenRule, reporter: Reporter): void {
  const tell = (place: typeof at, part: 'key' | 'value'): void => {
    const message = '`each` has nothing to stand for: the rule has no `for_each`'
    const hint = 'inside `each:` of an action the element is called `item`'
    if (part === 'key') reporter.errorAtKey(place, 'template-path', message, hint)
    else reporter.error(place, 'template-path', message, hint)
  }
  findEachTags({ [name]: source }, at.slice(0, -1), tell)
}

function expandOne(
  written: WrittenRule,
  value: JsonObject,
  entry: Entry,
  reporter: Reporter,
): RuleSource | null {
  const { at } = written
  const told = reporter.problems.length
  const report: ReportTag = (place, part, code, message, hint) =>
    part === 'key'
      ? reporter.errorAtKey(place, code, message, hint)
      : reporter.error(place, code, message, hint)
  const name = fillName(written.name, entry.each, (code, message, hint) =>
    report(at, 'key', code, message, hint),
  )
  const isNamed = reporter.problems.length === told
  // as: a map that is filled in is one again
  const filled = fillEachTags(value, at, entry.each, report) as JsonObject
  // One that is wrong as it is written has been told so, with the shape of the file.
  if (isNamed && writtenNameForm.test(written.name) && !ruleNameForm.test(name)) {
    const message = `\`${name}\` cannot be the name of a rule`
    const hint = 'lower-case letters, digits and `-`, at most 63'
    reporter.errorAtKey(at, 'bad-name', message, hint)
    return null
  }
  const flaws = reporter.problems.slice(told)
  return isNamed ? { written, name, value: filled, entry, flaws } : null
}

/** Without those whose name another entry has made already. */
function withoutTwins(made: readonly RuleSource[], reporter: Reporter): readonly RuleSource[] {
  const byName = new Map<string, RuleSource>()
  let isTold = false
  for (const rule of made) {
    const first = byName.get(rule.name)
    if (first === undefined) byName.set(rule.name, rule)
    else if (!isTold) {
      isTold = true
      const entries = `${first.entry?.label} and ${rule.entry?.label}`
      const message = `two entries of \`for_each\` make a rule \`${rule.name}\`: ${entries}`
      const hint = 'put into the name what tells them apart: `name-{{each.x}}`'
      reporter.errorAtKey(rule.written.at, 'duplicate-rule', message, hint)
    }
  }
  return [...byName.values()]
}

/** Fields that a label shows, and characters of each. */
const labelFieldsMax = 3
const labelCharactersMax = 40

function labelOf(each: JsonObject): string {
  const scalars = Object.entries(each).filter(([, value]) => isShown(value))
  const shown =
    scalars.length > 0 ? scalars.slice(0, labelFieldsMax) : Object.entries(each).slice(0, 1)
  return shown
    .map(([key, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      return `${key}=${text.length > labelCharactersMax ? `${text.slice(0, labelCharactersMax)}…` : text}`
    })
    .join(' ')
}

function isShown(value: Json): boolean {
  return value !== null && typeof value !== 'object'
}
