import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { At } from '../schema/yaml-document.ts'
import { blockKeys, type BlockKey, type Condition, type FieldPath } from './condition.ts'
import { compileExpr } from './expr.ts'
import { isFieldPath, parseFieldPath } from './field-path.ts'
import { isIndexable } from './indexable.ts'
import { operators, type TestContext } from './parse-operators.ts'
import { parseTest, type Place } from './parse-test.ts'

/** Blocks of one combinator, or of `unless`. */
export const blocksMax = 1_000

/** What holds wherever a block is asked, since it is asked only then. */
export interface Above {
  /** Whether a test that an index can file a rule under stands above, on the way of `all`. */
  readonly isIndexable: boolean
}

const nothingAbove: Above = { isIndexable: false }

/** Parses a `when`: all of its tests must hold. `null` after reporting what is wrong. */
export function parseBlock(
  source: Json,
  at: At,
  context: TestContext,
  above: Above = nothingAbove,
): Condition | null {
  return parseMap(source, at, { ...context, from: 'event', ...above })
}

/** Parses a list of blocks, such as `unless`; `null` after reporting what is wrong. */
export function parseBlocks(
  source: Json,
  at: At,
  context: TestContext,
  above: Above = nothingAbove,
): readonly Condition[] | null {
  return parseList(source, at, { ...context, from: 'event', ...above })
}

interface BlockPlace extends Place, Above {}

function parseMap(source: Json, at: At, place: BlockPlace): Condition | null {
  const { reporter } = place
  if (!isJsonObject(source)) {
    const hint = Array.isArray(source)
      ? 'a condition is a map of paths to tests; alternatives go below `any`'
      : source === null
        ? 'indent its tests below it, or leave it out to match every event of the topics'
        : typeof source === 'string'
          ? hintForText(source, at)
          : null
    const message = `found ${describeValue(source)}, expected a map of paths to tests`
    reporter.error(at, 'wrong-type', message, hint)
    return null
  }
  const keys = Object.keys(source)
  if (keys.length === 0) {
    const hint = 'leave it out to match every event of the topics'
    reporter.error(at, 'empty-condition', 'a condition without a test', hint)
    return null
  }
  const [tests, combined] = [keys.filter((key) => !isBlockKey(key)), keys.filter(isBlockKey)]
  const parts = tests.map((key) => parseEntry(key, source[key] ?? null, [...at, key], place))
  // What stands beside them counts for the blocks of combinators, and for `expr` those as well.
  let isIndexed = place.isIndexable || parts.some((part) => part !== null && isIndexable(part))
  for (const key of combined.toSorted((a, b) => Number(a === 'expr') - Number(b === 'expr'))) {
    const part = parseBlockKey(key, source, at, { ...place, isIndexable: isIndexed })
    if (part === undefined) continue
    parts.push(part)
    isIndexed ||= part !== null && isIndexable(part)
  }
  const conditions = parts.filter((part) => part !== null)
  if (conditions.length < parts.length) return null
  const [only] = conditions
  return only !== undefined && conditions.length === 1 ? only : { kind: 'all', of: conditions, at }
}

/** `kind == edit`, as other languages have it. */
const comparisonForm = /^(?:event\.)?([\w.-]+)\s*===?\s*("[^"]*"|'[^']*'|[\w.-]+)$/

function hintForText(source: string, at: At): string {
  const key = at.at(-1)
  const [, path, value] = comparisonForm.exec(source.trim()) ?? []
  const test = path === undefined ? 'kind: edit' : `${path}: ${value}`
  const map = typeof key === 'string' ? `${key}: { ${test} }` : `{ ${test} }`
  return `write \`${map}\`; a CEL expression stands below \`expr\``
}

const ruleKeys: readonly string[] = ['when', 'unless', 'cases', 'do', 'topics', 'tests']

/** Whether a key of a condition is one of the rule, indented too far: as a test it says nothing. */
export function isOfRule(key: string, value: Json): boolean {
  if (!ruleKeys.includes(key)) return false
  if (Array.isArray(value)) return value.some(isJsonObject)
  return isJsonObject(value) && Object.keys(value).some((name) => !operators.includes(name))
}

function isBlockKey(key: string): key is BlockKey {
  return (blockKeys as readonly string[]).includes(key) // as: only to ask
}

function parseList(source: Json, at: At, place: BlockPlace): readonly Condition[] | null {
  const { reporter } = place
  if (!Array.isArray(source)) {
    const message = `found ${describeValue(source)}, expected a list of conditions`
    const hint = 'a list of conditions has `- ` before each'
    reporter.error(at, 'wrong-type', message, hint)
    return null
  }
  if (source.length === 0) {
    reporter.error(at, 'empty-condition', 'a list without a condition')
    return null
  }
  if (source.length > blocksMax) {
    reporter.error(at, 'too-many', `${source.length} conditions, above ${blocksMax}`)
    return null
  }
  const list = source as readonly Json[] // as: an array of a Json value
  const blocks = list.map((block, i) => parseMap(block, [...at, i], place))
  const conditions = blocks.filter((block) => block !== null)
  return conditions.length === blocks.length ? conditions : null
}

function parseEntry(key: string, value: Json, at: At, place: BlockPlace): Condition | null {
  if (isOfRule(key, value)) {
    const message = `\`${key}\` stands beside \`when\`, not below it`
    const hint =
      key === 'when' ? 'write its tests in its place' : `indent \`${key}:\` as far as \`when:\``
    place.reporter.errorAtKey(at, 'bad-path', message, hint)
    return null
  }
  const path = parseFieldPath(key, place.from)
  if (!isFieldPath(path)) {
    place.reporter.errorAtKey(at, 'bad-path', path.message, path.hint)
    return null
  }
  const test = parseTest(value, at, place)
  return test === null ? null : { kind: 'test', path, test, written: value, at }
}

/** `undefined`: the key is no condition of its own. */
function parseBlockKey(
  key: BlockKey,
  source: JsonObject,
  blockAt: At,
  place: BlockPlace,
): Condition | null | undefined {
  const at = [...blockAt, key]
  const value = source[key] ?? null
  switch (key) {
    case 'any':
    case 'all':
    case 'none': {
      const of = parseList(value, at, place)
      return of === null ? null : { kind: key, of, at }
    }
    case 'some':
      return parseSome(value, at, place)
    case 'expr':
      return parseExpr(value, source['full_scan'] !== undefined, at, place)
    case 'full_scan':
      return checkFullScan(value, source['expr'] !== undefined, at, place) ? undefined : null
  }
}

const someKeys = ['path', 'where'] as const

function parseSome(source: Json, at: At, place: BlockPlace): Condition | null {
  if (!checkSome(source, at, place)) return null
  const path = parseSomePath(source['path'] ?? null, at, place)
  const whereAt = [...at, 'where']
  const where = parseMap(source['where'] ?? null, whereAt, { ...place, from: 'element' })
  return path === null || where === null ? null : { kind: 'some', path, where, at }
}

/** A key that is missing is not told where one is misspelt: it is probably that one. */
function checkSome(source: Json, at: At, { reporter }: BlockPlace): source is JsonObject {
  if (!isJsonObject(source)) {
    const message = `found ${describeValue(source)}, expected \`{ path, where }\``
    reporter.error(at, 'wrong-type', message)
    return false
  }
  const known: readonly string[] = someKeys
  const unknown = Object.keys(source).filter((key) => !known.includes(key))
  for (const key of unknown) {
    const hint = didYouMean(key, known) ?? 'tests of an element stand below `where`'
    reporter.errorAtKey([...at, key], 'unknown-key', `unknown key \`${key}\``, hint)
  }
  if (unknown.length > 0) return false
  const missing = someKeys.find((key) => source[key] === undefined)
  if (missing === undefined) return true
  const what = missing === 'path' ? 'the path of a list' : 'the tests of an element'
  reporter.errorAtKey(at, 'missing-key', `\`${missing}\` is missing, expected ${what}`)
  return false
}

function parseSomePath(source: Json, at: At, place: BlockPlace): FieldPath | null {
  const { reporter, from } = place
  if (typeof source !== 'string') {
    const message = `found ${describeValue(source)}, expected the path of a list`
    reporter.error([...at, 'path'], 'wrong-type', message)
    return null
  }
  const path = parseFieldPath(source, from)
  if (!isFieldPath(path)) {
    reporter.error([...at, 'path'], 'bad-path', path.message, path.hint)
    return null
  }
  if (path.from !== 'record') return path
  reporter.error([...at, 'path'], 'impossible', `\`${path.text}\` is never a list`)
  return null
}

function parseExpr(
  source: Json,
  isFullScan: boolean,
  at: At,
  { reporter, from, isIndexable }: BlockPlace,
): Condition | null {
  if (typeof source !== 'string') {
    const message = `found ${describeValue(source)}, expected a CEL expression`
    reporter.error(at, 'wrong-type', message)
    return null
  }
  if (!isIndexable && !isFullScan) {
    const message = 'an `expr` alone is evaluated for every event of the topics'
    const hint = 'write a test that rules most events out beside it, or `full_scan: true`'
    reporter.errorAtKey(at, 'bad-test', message, hint)
    return null
  }
  const compiled = compileExpr(source, from)
  if (compiled.ok) return { kind: 'expr', expr: compiled.expr, at }
  const place = compiled.offset === null ? '' : `, at character ${compiled.offset + 1}`
  reporter.error(at, 'bad-test', compiled.message + place, compiled.hint)
  return null
}

function checkFullScan(value: Json, hasExpr: boolean, at: At, { reporter }: BlockPlace): boolean {
  if (value !== true) {
    const message = `found ${describeValue(value)}, expected true`
    reporter.error(at, 'wrong-type', message, 'leave it out otherwise')
    return false
  }
  if (hasExpr) return true
  const message = '`full_scan` allows an `expr`, and there is none beside it'
  reporter.errorAtKey(at, 'bad-test', message, 'a field of that name is written `\\full_scan`')
  return false
}
