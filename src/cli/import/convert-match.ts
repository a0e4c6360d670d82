import type { Json, JsonObject } from '../../model/json.ts'
import type { Sourced, SourcedMap, SourcedScalar } from '../../schema/lenient-yaml.ts'
import { joinPath } from '../../rules/field-path.ts'
import type { Captures } from './captures.ts'
import { convertRegex, plainTestOf, readRegex } from './convert-regex.ts'
import type { Note } from './findings.ts'
import { jsonOf } from './sourced.ts'

export interface MatchContext {
  readonly note: Note
  /** `null` where change-propagation keeps nothing: in `match_not`, and in lists. */
  readonly captures: Captures | null
}

const leftOut = 'left out with its rule or case; write its `when` by hand'

/**
 * One `match` as a block of `when`, or `null` where there is no saying it: then the rule must not be
 * written, because without a part of its condition it would act on what it should leave alone.
 */
export function convertMatch(match: Sourced, context: MatchContext): JsonObject | null {
  if (match.kind !== 'map') {
    context.note(match.line, '`match`', 'it is no map of fields', leftOut)
    return null
  }
  if (match.entries.size === 0) {
    context.note(
      match.line,
      '`match: {}`',
      'change-propagation never matches it',
      'left out with its rule or case; leave `match` away to match every event',
    )
    return null
  }
  const block = new Block()
  return convertMap(match, [], block, context) ? block.value : null
}

/** Tests by path. A second test of one path goes into `all`, because a map has each key once. */
class Block {
  readonly #tests = new Map<string, Json>()
  readonly #all: JsonObject[] = []

  add(path: string, test: Json): void {
    if (this.#tests.has(path)) this.#all.push({ [path]: test })
    else this.#tests.set(path, test)
  }

  some(path: string, where: JsonObject): void {
    const some = { some: { path, where } }
    if (this.#tests.has('some')) this.#all.push(some)
    else this.#tests.set('some', some.some)
  }

  get value(): JsonObject {
    return {
      ...Object.fromEntries(this.#tests),
      ...(this.#all.length === 0 ? {} : { all: this.#all }),
    }
  }
}

function convertMap(
  match: SourcedMap,
  path: readonly string[],
  block: Block,
  context: MatchContext,
): boolean {
  if (path.length > 0 && !impliesPresence(match)) {
    // Theirs asks for the map as well: without it, nothing below it is looked at.
    block.add(joinPath(path), { exists: true, not: null })
  }
  let isWhole = true
  for (const [key, { line, value }] of match.entries) {
    if (key === '') {
      context.note(line, 'a field without a name', 'a path of ours has no empty name', leftOut)
      isWhole = false
      continue
    }
    const below = [...path, key]
    if (value.kind === 'map') isWhole = convertMap(value, below, block, context) && isWhole
    else if (value.kind === 'list')
      isWhole = convertList(value.items, below, block, context) && isWhole
    else isWhole = convertScalar(value, below, block, context) && isWhole
  }
  return isWhole
}

/** Whether something below a map can only hold when the map is there. */
function impliesPresence(match: SourcedMap): boolean {
  return [...match.entries.values()].some(({ value }) =>
    value.kind === 'map'
      ? true // it asks for itself
      : value.kind === 'list' || value.value !== 'undefined',
  )
}

function convertScalar(
  node: SourcedScalar,
  path: readonly string[],
  block: Block,
  context: MatchContext,
): boolean {
  const test = testOf(node, context, (index) => context.captures?.nameAt(path, index) ?? null)
  if (test === undefined) return false
  block.add(joinPath(path), test)
  return true
}

/** The test that a scalar of theirs stands for; `undefined` after noting why there is none. */
function testOf(
  { value, line }: SourcedScalar,
  { note }: MatchContext,
  nameOf: (index: number) => string | null,
): Json | undefined {
  if (value === 'undefined') return { exists: false }
  const regex = typeof value === 'string' ? readRegex(value) : null
  if (regex === null) return value
  const plain = nameOf(0) === null ? plainTestOf(regex) : null
  if (plain !== null) {
    // Reads better than a regex, and the index finds it.
    const isCi = regex.flags.includes('i')
    if (plain.test === 'equals' && !isCi) return plain.text
    return { [plain.test]: plain.text, ...(isCi ? { ci: true } : {}) }
  }
  const converted = convertRegex(regex, nameOf)
  if ('refused' in converted) {
    note(
      line,
      `\`${String(value)}\``,
      converted.refused,
      'left out with its rule or case; say it with another test, or with `unless` beside a wider regex',
    )
    return undefined
  }
  return {
    regex: converted.regex,
    ...(converted.isAnchored ? {} : { search: true }),
    ...(converted.ci ? { ci: true } : {}),
  }
}

/** Each pattern must be met by some member; the value must be a list. */
function convertList(
  items: readonly Sourced[],
  path: readonly string[],
  block: Block,
  context: MatchContext,
): boolean {
  const text = joinPath(path)
  if (items.length === 0) block.add(text, { len: { gte: 0 } })
  const plain: (null | boolean | number | string)[] = []
  const regexes: JsonObject[] = []
  let isWhole = true
  for (const item of items) {
    if (item.kind === 'list') {
      context.note(
        item.line,
        `\`${shown(item)}\``,
        'a list in a list is no value that a test of ours holds for',
        leftOut,
      )
      isWhole = false
    } else if (item.kind === 'map') {
      const inner = new Block()
      // What list members capture is not kept by change-propagation.
      isWhole = convertMap(item, [], inner, { ...context, captures: null }) && isWhole
      block.some(text, inner.value)
    } else if (item.value === 'undefined') {
      context.note(
        item.line,
        '`undefined` in a list',
        'no member of a list is ever absent',
        leftOut,
      )
      isWhole = false
    } else {
      const test = testOf(item, context, () => null)
      if (test === undefined) isWhole = false
      else if (typeof test === 'object' && test !== null)
        regexes.push(test as JsonObject) // as: tests are maps
      else plain.push(test)
    }
  }
  const [first, ...others] = regexes
  const hasAll = plain.length === 0 ? {} : { has_all: plain }
  if (first !== undefined) {
    // A regex alone would hold for a text that is no list.
    block.add(text, { ...(plain.length === 0 ? { len: { gte: 1 } } : hasAll), ...first })
  } else if (plain.length > 0) {
    block.add(text, hasAll)
  }
  for (const regex of others) block.add(text, regex)
  return isWhole
}

function shown(node: Sourced): string {
  return JSON.stringify(jsonOf(node)).slice(0, 60)
}

/** `unless` from `match_not`: one map, or a list of which one is enough. `null` when one is lost. */
export function convertMatchNot(node: Sourced, note: Note): readonly JsonObject[] | null {
  const items = node.kind === 'list' ? node.items : [node]
  const blocks: JsonObject[] = []
  for (const item of items) {
    if (item.kind === 'map' && item.entries.size === 0) continue // matches nothing there
    const block = convertMatch(item, { note, captures: null })
    if (block === null) return null
    blocks.push(block)
  }
  return blocks
}
