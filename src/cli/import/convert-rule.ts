import type { Json, JsonObject } from '../../model/json.ts'
import type { Sourced, SourcedMap } from '../../schema/lenient-yaml.ts'
import { Captures } from './captures.ts'
import { convertExec } from './convert-exec.ts'
import { convertMatch, convertMatchNot } from './convert-match.ts'
import { convertLimits } from './convert-retry.ts'
import { convertText } from './convert-template.ts'
import { convertTopics } from './convert-topics.ts'
import type { Note } from './findings.ts'
import { entryOf, jsonOf, numberOf, textOf } from './sourced.ts'

export interface RuleSource {
  readonly spec: Sourced
  /** Of the key of the rule. */
  readonly line: number
  /** Options of the module that it stands in. */
  readonly options: SourcedMap | null
  readonly consumePrefix: string
  readonly producePrefix: string
  readonly allowHosts: readonly string[]
}

const known = new Set([
  ...['topic', 'topics', 'exclude_topics', 'match', 'match_not', 'cases', 'exec', 'sample'],
  ...['retry_limit', 'retry_delay', 'retry_factor', 'retry_on', 'ignore', 'timeout', 'concurrency'],
  ...['claim_ttl', 'root_claim_ttl', 'limiters', 'parallel', 'decode_results'],
])

/**
 * A rule of ours, or `null` after noting why none can be written. What is left out never makes a
 * rule act on more events than the one that it was made from.
 */
export function convertRule(source: RuleSource, note: Note): JsonObject | null {
  const { spec } = source
  if (spec.kind !== 'map') {
    note(source.line, 'the rule', 'it is no map', 'nothing was written')
    return null
  }
  noteLosses(spec, note)
  const topics = convertTopics(spec, source.consumePrefix, note)
  const limits = convertLimits(spec, note)
  const cases = entryOf(spec, 'cases')
  const body =
    cases === null
      ? convertPlain(spec, source, note)
      : convertCases(cases.value, spec, source, note)
  if (topics === null || body === null) return null
  const { enabled, ...said } = body
  return { ...(enabled === undefined ? {} : { enabled }), topics, ...said, ...limits }
}

function noteLosses(spec: SourcedMap, note: Note): void {
  for (const [key, { line, value }] of spec.entries) {
    if (!known.has(key)) {
      note(
        line,
        `\`${key}\``,
        'it is not a key of change-propagation that is known here',
        'it was left out',
      )
    } else if (key === 'parallel' && jsonOf(value) === true) {
      note(
        line,
        '`parallel: true`',
        'steps of ours run one after the other',
        'make one rule per step',
      )
    } else if (key === 'limiters') {
      const types = value.kind === 'map' ? [...value.entries.keys()] : []
      note(
        line,
        `\`limiters${types.length === 1 ? `.${types[0] ?? ''}` : ''}\``,
        'change-propagation drops events of a key that failed often; ours drops none by itself',
        '`breaker` and `sluice suppress add`, which will do this, are not supported yet',
      )
    }
  }
}

function convertPlain(spec: SourcedMap, source: RuleSource, note: Note): JsonObject | null {
  const option = convertOption(spec, source, note)
  if (option === null || option.steps.length === 0) return null
  const isEverything = Object.keys(option.when).length === 0 && option.unless.length === 0
  // Said aloud, because `check` warns of a rule that matches everything and does not say so.
  const when = isEverything ? { '@topic': { exists: true } } : option.when
  return { ...(option.lacksHosts ? { enabled: false } : {}), ...writeOption({ ...option, when }) }
}

/** What a rule and a case have alike. */
interface Option {
  readonly when: JsonObject
  readonly unless: readonly JsonObject[]
  readonly sample: Json | null
  /** Perhaps none, which has been noted. */
  readonly steps: readonly JsonObject[]
  readonly lacksHosts: boolean
}

/** `null` after noting why its condition cannot be said. */
function convertOption(option: SourcedMap, source: RuleSource, note: Note): Option | null {
  const match = entryOf(option, 'match')?.value ?? null
  const captures = new Captures(match)
  const context = { ...source, note, captures, match }
  const exec = entryOf(option, 'exec')
  if (exec === null) {
    note(option.line, '`exec`', 'there is none, so nothing is done', 'nothing was written')
  }
  // Before `match`: an unnamed group gets its name when a template asks for it.
  const { steps, lacksHosts } =
    exec === null ? { steps: [], lacksHosts: false } : convertExec(exec.value, context)
  const sample = convertSample(option, context)
  const when = match === null ? {} : convertMatch(match, { note, captures })
  const not = entryOf(option, 'match_not')
  const unless = not === null ? [] : convertMatchNot(not.value, note)
  if (when === null || unless === null || sample === undefined) return null
  if (exec !== null && steps.length === 0) {
    note(exec.line, '`exec`', 'nothing of it could be carried over', 'nothing was written')
  }
  return { when, unless, sample, steps, lacksHosts }
}

function writeOption({ when, unless, sample, steps }: Option): JsonObject {
  return {
    ...(Object.keys(when).length === 0 ? {} : { when }),
    ...(unless.length === 0 ? {} : { unless }),
    do: steps.length === 1 ? (steps[0] ?? null) : steps,
    ...(sample === null ? {} : { sample }),
  }
}

function convertCases(
  cases: Sourced,
  spec: SourcedMap,
  source: RuleSource,
  note: Note,
): JsonObject | null {
  for (const key of ['match', 'match_not', 'exec', 'sample']) {
    const entry = entryOf(spec, key)
    if (entry === null) continue
    note(
      entry.line,
      `\`${key}\` beside \`cases\``,
      'change-propagation does not look at it when there are cases',
      'written as it behaved, without it',
    )
  }
  const items = cases.kind === 'list' ? cases.items : []
  const written: JsonObject[] = []
  // The first case that holds wins, also one that is not written: later ones do not get its events.
  const skipped: JsonObject[] = []
  let isEnabled = true
  for (const [index, item] of items.entries()) {
    const option = item.kind === 'map' ? convertOption(item, source, note) : null
    if (option === null) {
      if (index === items.length - 1) break
      note(
        item.line,
        '`cases`',
        'the condition of a case cannot be said, and without it later cases would get its events',
        'the rule was left out; write it by hand',
      )
      return null
    }
    const unless = [...option.unless, ...skipped]
    if (option.steps.length === 0) {
      skipped.push({
        ...option.when,
        ...(option.unless.length === 0 ? {} : { none: option.unless }),
      })
    } else {
      written.push(writeOption({ ...option, unless }))
      if (option.lacksHosts) isEnabled = false
    }
    // Nothing comes after a case that holds for every event.
    if (Object.keys(option.when).length === 0 && option.unless.length === 0) break
  }
  if (written.length === 0) {
    note(cases.line, '`cases`', 'no case could be carried over', 'nothing was written')
    return null
  }
  return { ...(isEnabled ? {} : { enabled: false }), cases: written }
}

/** `null`: there is none. `undefined`: it cannot be said, which has been noted. */
function convertSample(
  option: SourcedMap,
  context: Parameters<typeof convertText>[3],
): Json | null | undefined {
  const entry = entryOf(option, 'sample')
  if (entry === null) return null
  const rate = numberOf(entryOf(entry.value, 'rate')?.value ?? entry.value)
  const template = textOf(entry.value, 'hash_template')
  const key = template === null ? null : convertText(template, entry.line, 'text', context)
  if (rate === null || key === null) {
    context.note(
      entry.line,
      '`sample`',
      'it has no rate and `hash_template` that could be carried over',
      'left out with its rule or case: without it every event would be acted on',
    )
    return undefined
  }
  return { rate, key }
}
