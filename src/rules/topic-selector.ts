import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import { fitsPieces } from './glob.ts'
import type { TopicSelector } from './rule.ts'

/** What Kafka takes for the name of a topic, and `*` for any run of characters. */
const patternForm = /^[a-zA-Z0-9._*-]{1,249}$/

/** What the topics of the rules of one load are, together: which rule names which without a wildcard. */
export class Claims {
  /** `null`: several rules do. */
  readonly #rules = new Map<string, string | null>()
  readonly #selectors = new Map<string, TopicSelector>()

  /** One object for all rules that write the same topics, of which there are mostly few. */
  shared(selector: TopicSelector): TopicSelector {
    const known = this.#selectors.get(selector.text)
    if (known !== undefined) return known
    this.#selectors.set(selector.text, selector)
    return selector
  }

  add(topic: string, rule: string): void {
    const known = this.#rules.get(topic)
    if (known !== rule) this.#rules.set(topic, known === undefined ? rule : null)
  }

  hasOther(topic: string, rule: string): boolean {
    const known = this.#rules.get(topic)
    return known !== undefined && known !== rule
  }
}

export interface TopicContext {
  readonly reporter: Reporter
  /** Filled while rules are compiled, asked when all of them are. */
  readonly claims: Claims
  /** `null`: the topics are only looked at, and claimed for no rule. */
  readonly rule: string | null
}

/** Compiles `topics`, whose shape has been checked; `null` after reporting what is wrong. */
export function compileTopics(
  source: Json,
  at: At,
  { reporter, claims, rule }: TopicContext,
): TopicSelector | null {
  const isNested = isJsonObject(source)
  const include = isNested ? source['include'] : source
  const exclude = isNested ? source['exclude'] : []
  const included = patternsOf(include, isNested ? [...at, 'include'] : at, reporter)
  const excluded = patternsOf(exclude, [...at, 'exclude'], reporter)
  if (included === null || excluded === null) return null
  const isExcluded = anyPattern(excluded)
  const names = included.filter((pattern) => !pattern.includes('*') && !isExcluded(pattern))
  const globs = included.filter((pattern) => pattern.includes('*'))
  if (names.length === 0 && globs.length === 0) {
    reporter.error(at, 'impossible', 'every topic that is included is excluded as well')
    return null
  }
  const isUnclaimed = isNested && source['unclaimed'] === true
  if (isUnclaimed && globs.length === 0) {
    const message = '`unclaimed` without a glob leaves out nothing'
    const hint = 'the names that a rule writes out are its own; leave `unclaimed` out'
    reporter.errorAtKey([...at, 'unclaimed'], 'bad-value', message, hint)
    return null
  }
  const isIncluded = anyPattern(included)
  const matches = (topic: string): boolean => isIncluded(topic) && !isExcluded(topic)
  const plain = { text: JSON.stringify([included, excluded]), names, globs, matches }
  if (rule === null) return plain
  for (const name of names) claims.add(name, rule)
  if (!isUnclaimed) return claims.shared(plain)
  const own = new Set(names)
  return {
    text: JSON.stringify([included, excluded, rule]), // what others claim depends on the rule
    names,
    globs,
    matches: (topic) => matches(topic) && (own.has(topic) || !claims.hasOther(topic, rule)),
  }
}

/**
 * The topic that an event is taken to be on where nobody says: the first that the rule names; of a
 * glob, with `x` for each star. With `exclude` it may be one that the rule does not read.
 */
export function exampleTopic({ names, globs }: Pick<TopicSelector, 'names' | 'globs'>): string {
  return names[0] ?? (globs[0] ?? '').replaceAll('*', 'x')
}

function patternsOf(
  source: Json | undefined,
  at: At,
  reporter: Reporter,
): readonly string[] | null {
  if (!Array.isArray(source)) return source === undefined ? [] : null
  const patterns: string[] = []
  let isGood = true
  source.forEach((pattern: Json, i) => {
    if (typeof pattern === 'string' && patternForm.test(pattern) && !/^\.{1,2}$/.test(pattern)) {
      patterns.push(pattern)
    } else {
      isGood = false
      const message = `${JSON.stringify(pattern)} cannot be the name of a topic`
      const hint = 'letters, digits, `.`, `_` and `-`, and `*` for any run of them; at most 249'
      reporter.error([...at, i], 'bad-topic', message, hint)
    }
  })
  return isGood ? patterns : null
}

function anyPattern(patterns: readonly string[]): (topic: string) => boolean {
  const tests = patterns.map(compileGlob)
  return (topic) => tests.some((test) => test(topic))
}

/** Whether a text fits a pattern in which `*` is any run of characters. */
export function compileGlob(pattern: string): (text: string) => boolean {
  return fitsPieces(pattern.split('*'))
}
