import { isUtf8 } from 'node:buffer'
import { Environment } from '@marcbachmann/cel-js'
import type { Event } from '../model/event.ts'
import { InvariantError } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'
import type { Headers } from '../model/record.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Expr } from './condition.ts'
import {
  compileNode,
  functionHint,
  functionNames,
  methodNames,
  type Run,
} from './expr/compile-node.ts'
import { Fault, stepsMax, type Value } from './expr/values.ts'

/*
 * `expr`: CEL for what the table of tests can not say. The package parses it and checks its types at
 * load; closures of our own evaluate it, with a bound on every evaluation.
 */

/** UTF-16 units of an expression: what fits a screen. More is a list, or a rule of its own. */
const exprCharsMax = 1_000
/** Pieces of an expression in each other, far above what anybody reads. */
const depthMax = 50

export interface CompiledExpr extends Expr {
  /**
   * Whether it holds. An error is the reason why nobody can say: a field that is absent, two values
   * that do not go together, an evaluation that costs too much. `element` is what `element` means.
   */
  readonly holds: (event: Event, element?: Json) => boolean | { readonly error: string }
}

export type ExprResult =
  | { readonly ok: true; readonly expr: CompiledExpr }
  | {
      readonly ok: false
      readonly message: string
      /** What to do about it, or `null`. */
      readonly hint: string | null
      /** UTF-16 units into the expression; `null`: the expression as a whole. */
      readonly offset: number | null
    }

/**
 * Compiles an expression, or says why it is refused. Never throws. It knows `event`, the body, and
 * `record`; within `where` of a `some`, where paths start at the element, it knows `element` too.
 */
export function compileExpr(source: string, from: 'event' | 'element' = 'event'): ExprResult {
  if (source.trim() === '') return refused('an empty expression', null)
  if (source.length > exprCharsMax) {
    const message = `an expression of ${source.length} characters, above ${exprCharsMax}`
    return refused(message, 'parts of it may be tests of their own, below `all` or `any`')
  }
  const checked = check(source, from)
  if (!checked.ok) return checked
  const refusals: Refusal[] = []
  const run = compileNode(checked.ast, [], { add: (refusal) => refusals.push(refusal) })
  const [refusal] = refusals
  if (refusal !== undefined) return { ok: false, ...refusal }
  const usesRecord = /\brecord\b/.test(source)
  const holds: CompiledExpr['holds'] = (event, element) => {
    const variables = {
      event: event.body,
      record: usesRecord ? recordOf(event) : null,
      element: element ?? null,
    }
    return verdictOf(run, variables)
  }
  return { ok: true, expr: { source, holds } }
}

function verdictOf(
  run: Run,
  variables: Readonly<Record<string, Value>>,
): boolean | { readonly error: string } {
  const value = run({ variables, locals: [], stepsLeft: stepsMax })
  if (typeof value === 'boolean') return value
  return { error: value instanceof Fault ? value.message : 'neither true nor false' }
}

/** As `@topic` and its like read it; a key that is not text is null. Integers, as CEL has them. */
function recordOf({ record }: Event): Value {
  const { topic, key, partition, offset, timestampMs } = record
  return {
    topic,
    key: key !== null && isUtf8(key) ? key.toString('utf8') : null,
    partition: BigInt(partition),
    offset,
    timestamp: BigInt(timestampMs),
    headers: headersOf(record.headers),
  }
}

/** The last header of a name counts, as in `@headers`; where that has no value, it is absent. */
function headersOf(headers: Headers): Value {
  const last = new Map(headers)
  const texts = [...last].flatMap(([name, value]) =>
    value === null ? [] : [[name, value.toString('utf8')] as const],
  )
  return Object.fromEntries(texts)
}

/** `headers` apart, for its keys are whatever a producer wrote. */
const recordFields = {
  topic: 'string',
  key: 'dyn',
  partition: 'int',
  offset: 'int',
  timestamp: 'int',
  headers: 'map<string, string>',
}

const overEvents = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxDepth: depthMax, maxAstNodes: exprCharsMax },
})
  .registerVariable('event', 'dyn')
  .registerVariable({ name: 'record', schema: recordFields })
// An event's numbers are doubles, and whole numbers that are written out are integers. CEL itself
// would refuse `event.n / 2 == 0.5`. Our evaluator has both; here they are for the types alone.
for (const op of ['+', '-', '*', '/', '%']) {
  overEvents.registerOperator(`int ${op} double: double`, neverRun)
  overEvents.registerOperator(`double ${op} int: double`, neverRun)
}
overEvents.registerOperator('double % double: double', neverRun)
overEvents.registerOperator('int == double: bool', neverRun)

function neverRun(): never {
  throw new InvariantError('an expression ran in the package that only checks it')
}

const overElements = overEvents.clone().registerVariable('element', 'dyn')

type Checked =
  | { readonly ok: true; readonly ast: ReturnType<Environment['parse']>['ast'] }
  | Exclude<ExprResult, { readonly ok: true }>

function check(source: string, from: 'event' | 'element'): Checked {
  const environment = from === 'event' ? overEvents : overElements
  try {
    const parsed = environment.parse(source)
    const { valid, type, error } = parsed.check()
    if (!valid) return refusalOf(error, from)
    if (type === 'bool') return { ok: true, ast: parsed.ast }
    const isUnknown = type === 'dyn'
    return refused(
      isUnknown
        ? 'the expression may give any value, expected true or false'
        : `the expression gives a value of type ${type}, expected true or false`,
      'compare it with something, as in `event.flag == true`',
    )
  } catch (error) {
    return refusalOf(error, from)
  }
}

interface Refusal {
  readonly message: string
  readonly hint: string | null
  readonly offset: number
}

function refusalOf(error: unknown, from: 'event' | 'element'): Exclude<ExprResult, { ok: true }> {
  if (!isCelError(error)) throw error
  const { code, summary, range } = error
  const offset = range?.start ?? null
  const [message, hint] = toldFor(code, summary, from)
  return { ok: false, message, hint, offset }
}

interface CelError {
  readonly code: string
  readonly summary: string
  readonly range?: { readonly start: number } | undefined
}

/** By its shape: of the package's three classes one is called as a built-in one is. */
function isCelError(error: unknown): error is CelError {
  return error instanceof Error && 'code' in error && 'summary' in error
}

function toldFor(
  code: string,
  summary: string,
  from: 'event' | 'element',
): readonly [message: string, hint: string | null] {
  const name = summary.slice(summary.lastIndexOf(' ') + 1)
  switch (code) {
    case 'unknown_variable': {
      const known = ['event', 'record', ...(from === 'element' ? ['element'] : [])]
      const hint = didYouMean(name, known) ?? 'a field of the event is written `event.field`'
      return [
        `there is no \`${name}\` here, only ${known.map((each) => `\`${each}\``).join(', ')}`,
        hint,
      ]
    }
    case 'no_such_key': {
      const fields = Object.keys(recordFields)
      return [
        `a record has no \`${name}\``,
        didYouMean(name, fields) ?? `known are ${fields.join(', ')}`,
      ]
    }
    case 'no_matching_overload':
      return toldForCall(summary)
    case 'unexpected_token':
    case 'unexpected_character':
    case 'expected_token':
      return [`this is not CEL: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}`, null]
    default:
      return [summary.charAt(0).toLowerCase() + summary.slice(1), null]
  }
}

/** The package tells of a function that there is none of, as of one that takes other things. */
function toldForCall(summary: string): readonly [message: string, hint: string | null] {
  const [, receiver, name = ''] = /'(?:(.*)\.)?(\w+)\(/.exec(summary) ?? []
  const known = receiver === undefined ? functionNames : methodNames
  if (known.includes(name)) return [`\`${name}\` does not take this`, null]
  return [`there is no function \`${name}\` here`, functionHint(name, known)]
}

function refused(message: string, hint: string | null): Exclude<ExprResult, { ok: true }> {
  return { ok: false, message, hint, offset: null }
}
