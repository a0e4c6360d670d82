import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import type { At } from '../schema/yaml-document.ts'
import { compileFieldPath } from './field-path.ts'
import { compileTest, type TestContext } from './value-test.ts'

/** Whether an event satisfies a condition. Total: no event makes it throw. */
export type Condition = (event: Event) => boolean

/** Keys of a block that are no paths. A field of such a name is written with `\` before it. */
const combinators = ['any', 'all', 'none'] as const

type Combinator = (typeof combinators)[number]

const laterKeys: readonly string[] = ['expr', 'full_scan']

/** Blocks of one combinator, or of `unless`. */
const blocksMax = 1_000

/** Compiles a `when`: all of its tests must hold. `null` after reporting what is wrong. */
export function compileBlock(source: Json, at: At, context: TestContext): Condition | null {
  if (!isJsonObject(source)) {
    const hint = Array.isArray(source)
      ? 'a condition is a map of paths to tests; alternatives go below `any`'
      : null
    const message = `found ${describeValue(source)}, expected a map of paths to tests`
    context.reporter.error(at, 'wrong-type', message, hint)
    return null
  }
  const keys = Object.keys(source)
  if (keys.length === 0) {
    const hint = 'leave it out to match every event of the topics'
    context.reporter.error(at, 'empty-condition', 'a condition without a test', hint)
    return null
  }
  const parts = keys.map((key) => compileEntry(key, source[key] ?? null, [...at, key], context))
  const conditions = parts.filter((part) => part !== null)
  return conditions.length === parts.length ? every(conditions) : null
}

/** Compiles a list of blocks, such as `unless`; `null` after reporting what is wrong. */
export function compileBlocks(
  source: Json,
  at: At,
  context: TestContext,
): readonly Condition[] | null {
  const { reporter } = context
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
  const blocks = (source as readonly Json[]).map((block, i) =>
    compileBlock(block, [...at, i], context),
  ) // as: an array of a Json value
  const conditions = blocks.filter((block) => block !== null)
  return conditions.length === blocks.length ? conditions : null
}

function compileEntry(key: string, value: Json, at: At, context: TestContext): Condition | null {
  const combinator = combinators.find((name) => name === key)
  if (combinator !== undefined) return compileCombinator(combinator, value, at, context)
  if (laterKeys.includes(key)) {
    const message = `\`${key}\` is not supported yet`
    context.reporter.errorAtKey(
      at,
      'not-supported-yet',
      message,
      `a field of that name is written \`\\${key}\``,
    )
    return null
  }
  const read = compileFieldPath(key)
  if (typeof read !== 'function') {
    context.reporter.errorAtKey(at, 'bad-path', read.message, read.hint)
    return null
  }
  const test = compileTest(value, at, context)
  return test === null ? null : (event) => test(read(event))
}

function compileCombinator(
  name: Combinator,
  value: Json,
  at: At,
  context: TestContext,
): Condition | null {
  const blocks = compileBlocks(value, at, context)
  if (blocks === null) return null
  switch (name) {
    case 'all':
      return every(blocks)
    case 'any':
      return some(blocks)
    case 'none': {
      const any = some(blocks)
      return (event) => !any(event)
    }
  }
}

/** Hot: called for every event and rule. One condition is called without a loop around it. */
export function every(conditions: readonly Condition[]): Condition {
  const [first, second, third] = conditions
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (third === undefined) return (event) => first(event) && second(event)
  return (event) => conditions.every((condition) => condition(event))
}

export function some(conditions: readonly Condition[]): Condition {
  const [first, second] = conditions
  if (first !== undefined && second === undefined) return first
  return (event) => conditions.some((condition) => condition(event))
}
