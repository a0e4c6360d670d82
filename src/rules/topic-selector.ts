import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { TopicSelector } from './rule.ts'

/** What Kafka takes for the name of a topic, and `*` for any run of characters. */
const patternForm = /^[a-zA-Z0-9._*-]{1,249}$/

/** Compiles `topics`, whose shape has been checked; `null` after reporting what is wrong. */
export function compileTopics(source: Json, at: At, reporter: Reporter): TopicSelector | null {
  const include = isJsonObject(source) ? source['include'] : source
  const exclude = isJsonObject(source) ? source['exclude'] : []
  const isNested = isJsonObject(source)
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
  const isIncluded = anyPattern(included)
  return {
    text: JSON.stringify([included, excluded]),
    names,
    globs,
    matches: (topic) => isIncluded(topic) && !isExcluded(topic),
  }
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

/**
 * Whether a text fits a pattern in which `*` is any run of characters. The pieces between stars are
 * looked for from left to right, each as early as it can be: that never needs to go back, where a
 * regex of `.*` could take time without bound.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (text) => text === pattern
  return (text) => {
    if (text.length < first.length + last.length) return false
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    let from = first.length
    for (const piece of rest) {
      const found = text.indexOf(piece, from)
      if (found === -1) return false
      from = found + piece.length
    }
    return from <= text.length - last.length
  }
}
