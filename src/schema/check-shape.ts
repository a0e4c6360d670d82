import { z } from 'zod'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { describeValue, eitherOf } from './describe.ts'
import { didYouMean, nearestName } from './did-you-mean.ts'
import type { ProblemCode } from './problem-code.ts'
import type { Reporter } from './reporter.ts'
import type { At } from './yaml-document.ts'

/*
 * A zod schema against a value, each mistake told once and where it is.
 *
 * One convention makes short, even messages: the error text of a schema is the noun phrase of what
 * is expected ("a duration such as `10s`"), and the sentence is made here: found X, expected Y. A
 * check that has more to say adds a custom issue whose params hold `code` and `hint`; its message
 * is then the whole sentence.
 */

/**
 * Keys that the language names and this version does not build, by the map that they stand in. They
 * are refused as such, which is neither a slip to be guessed at nor a key to be passed over.
 */
export const laterKeys = z.registry<{ readonly keys: readonly string[] }>()

/**
 * Keys that belong elsewhere, by the map that they are written in by mistake: what to say of one, or
 * `null` where it is just unknown. The key that they leave missing is then not told of as well.
 */
export const strayKeys = z.registry<{
  readonly hintFor: (key: string) => string | null
  readonly leaves: string
  /** The key of the map that a word of another language stands for, or `null`. */
  readonly keyFor?: (word: string) => string | null
}>()

/** What a custom issue carries to be a problem of its own. */
interface IssueParams {
  readonly code: ProblemCode
  readonly hint: string | null
}

export interface ShapeOptions {
  /** How a value is named, or `null` for the usual way: for values that must not be repeated. */
  readonly describe?: (at: At) => string | null
}

/** The value in the schema's output type, or `null` after reporting all that is wrong with it. */
export function checkShape<Output>(
  schema: z.ZodType<Output>,
  value: Json,
  at: At,
  reporter: Reporter,
  options: ShapeOptions = {},
): { readonly value: Output } | null {
  const result = schema.safeParse(value, { error: expectedOf })
  if (result.success) return { value: result.data }
  new IssueReporter(value, at, reporter, options).report(result.error.issues)
  return null
}

const noMergeKeys =
  'YAML 1.2 has no merge keys: write the keys out; rules share them by `defaults` and `extends`'

type Issue = z.core.$ZodIssue

class IssueReporter {
  readonly #root: Json
  readonly #at: At
  readonly #reporter: Reporter
  readonly #describe: (at: At) => string | null

  constructor(root: Json, at: At, reporter: Reporter, options: ShapeOptions) {
    this.#root = root
    this.#at = at
    this.#reporter = reporter
    this.#describe = options.describe ?? (() => null)
  }

  report(issues: readonly Issue[], below: At = []): void {
    const misspelt = new Set(issues.flatMap((issue) => this.#reportUnknownKeys(issue, below)))
    for (const issue of issues) {
      const path = pathOf(issue, below)
      // A misspelt key is one mistake, not an unknown key and a missing one.
      if (issue.code !== 'unrecognized_keys' && !misspelt.has(JSON.stringify(path))) {
        this.#reportOne(issue, path)
      }
    }
  }

  /** Gives the paths of the keys that were meant. */
  #reportUnknownKeys(issue: Issue, below: At): readonly string[] {
    if (issue.code !== 'unrecognized_keys') return []
    const { known, later, strays, synonyms, leaves } = keysFrom(issue.message)
    const path = pathOf(issue, below)
    const meant: string[] = []
    for (const key of issue.keys) {
      const at = [...this.#at, ...path, key]
      if (later.includes(key)) {
        this.#reporter.errorAtKey(at, 'not-supported-yet', `\`${key}\` is not supported yet`)
        continue
      }
      // A path is no slip of a key: `@topic` is not `topics`.
      const synonym = synonyms[key] ?? null
      const isNoSlip = synonym !== null || /[.@]/.test(key)
      const near = isNoSlip ? synonym : nearestName(key, [...known, ...later])
      const elsewhere = near === null ? (strays[key] ?? null) : null
      const missed = elsewhere === null ? near : leaves
      if (missed !== null) meant.push(JSON.stringify([...path, missed]))
      const instead = synonym === null ? elsewhere : `write \`${synonym}\``
      const hint = key === '<<' ? noMergeKeys : instead
      const keys = known.length === 0 ? 'no key is known here' : `known here: ${known.join(', ')}`
      this.#reporter.errorAtKey(
        at,
        'unknown-key',
        `unknown key \`${key}\``,
        hint ?? (near === null ? keys : `did you mean \`${near}\`?`),
      )
    }
    return meant
  }

  #reportOne(issue: Issue, path: At): void {
    const value = valueAt(this.#root, path)
    if (value === undefined) {
      const name = String(path.at(-1))
      const message = `\`${name}\` is missing, expected ${expectation(issue)}`
      this.#reporter.errorAtKey([...this.#at, ...path], 'missing-key', message)
      return
    }
    if (issue.code === 'invalid_union') {
      this.#reportUnion(issue, path, value)
      return
    }
    if (issue.code === 'invalid_key') {
      const expected = issue.issues.map((inner) => inner.message).join(', ')
      const message = `found the key \`${String(path.at(-1))}\`, expected ${expected}`
      const hint = path.at(-1) === '<<' ? noMergeKeys : null
      this.#reporter.errorAtKey([...this.#at, ...path], 'bad-name', message, hint)
      return
    }
    const params = issue.code === 'custom' ? paramsOf(issue) : null
    if (params !== null) {
      const at = [...this.#at, ...path]
      const described = this.#describe(at)
      const message =
        described === null
          ? issue.message
          : issue.message.replaceAll(JSON.stringify(value), () => described)
      this.#reporter.error(at, params.code, message, params.hint)
      return
    }
    this.#found(path, value, issue)
  }

  /** Only the branch that the writer was in speaks; where that is none, all are named in one line. */
  #reportUnion(issue: z.core.$ZodIssueInvalidUnion, path: At, value: Json): void {
    const entered = issue.errors
      .filter((issues) => !issues.some(isAboutWhole))
      .toSorted((a, b) => a.length - b.length)
    const [best] = entered
    if (best === undefined) this.#found(path, value, issue)
    else this.report(best, path)
  }

  #found(path: At, value: Json, issue: Issue): void {
    const at = [...this.#at, ...path]
    const described = this.#describe(at)
    const found = described ?? foundFor(issue, value)
    this.#reporter.error(
      at,
      isOfWrongType(issue) ? 'wrong-type' : 'bad-value',
      `found ${found}, expected ${expectation(issue)}`,
      described === null ? hintFor(issue, value) : null,
    )
  }
}

/** A union without branches to name is one that is told apart by a key, and the key has no such value. */
function isOfWrongType(issue: Issue): boolean {
  if (issue.code === 'invalid_union') return issue.errors.length > 0
  return issue.code === 'invalid_type'
}

/** A branch whose root has another type, or is another literal, is not the one that was meant. */
function isAboutWhole(issue: Issue): boolean {
  return (
    issue.path.length === 0 &&
    (issue.code === 'invalid_type' ||
      issue.code === 'invalid_value' ||
      (issue.code === 'invalid_union' && issue.errors.every((inner) => inner.some(isAboutWhole))))
  )
}

/** Of a list that is too long or too short, how long it is. */
function foundFor({ code }: Issue, value: Json): string {
  const isOfLength = Array.isArray(value) && (code === 'too_big' || code === 'too_small')
  return isOfLength ? `a list of ${value.length}` : describeValue(value)
}

function hintFor(issue: Issue, value: Json): string | null {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    return didYouMean(value, issue.values.map(String))
  }
  if (issue.message.startsWith('a map of names') && Array.isArray(value)) {
    return 'write `name:` in place of each `- `, and indent what belongs to it'
  }
  if (issue.message.startsWith('a list') && !Array.isArray(value))
    return 'a list is written `[one, two]`, or `- ` per line'
  // A schema with a text of its own says itself what would be right.
  if (issue.code !== 'invalid_type' || issue.message !== typeNames[issue.expected]) return null
  if (issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `for a text, write it in quotes: "${String(value)}"`
  }
  if (['number', 'int'].includes(issue.expected) && typeof value === 'string') {
    return 'a number is written without quotes'
  }
  return issue.expected === 'boolean' && typeof value === 'string'
    ? 'true and false are written without quotes; yes and no are texts'
    : null
}

/** A union without a text of its own is what its branches are. */
function expectation(issue: Issue): string {
  if (issue.code !== 'invalid_union' || issue.message !== unnamedUnion) return issue.message
  const branches = issue.errors.map((issues) => {
    const whole = issues.find(isAboutWhole)
    return whole === undefined ? 'something else' : expectation(whole)
  })
  return eitherOf([...new Set(branches)])
}

const unnamedUnion = 'one of several forms'

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  null: 'nothing',
}

/** What a schema without a text of its own expects. */
function expectedOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected
    case 'invalid_value':
      return eitherOf(issue.values.map((value) => `\`${String(value)}\``))
    case 'too_small':
      return boundText(issue.origin, 'at least', Number(issue.minimum), issue.inclusive)
    case 'too_big':
      return boundText(issue.origin, 'at most', Number(issue.maximum), issue.inclusive)
    case 'unrecognized_keys':
      return JSON.stringify(knownKeys(issue.inst, issue.keys))
    case 'invalid_union':
      return unnamedUnion
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return 'something else' // pieces that use these bring a text of their own
  }
}

function boundText(origin: string, side: string, bound: number, inclusive = true): string {
  const limit = inclusive
    ? `${side} ${bound}`
    : side === 'at least'
      ? `above ${bound}`
      : `below ${bound}`
  if (origin === 'string') return `a text of ${limit} ${bound === 1 ? 'character' : 'characters'}`
  if (origin === 'array') return `a list of ${limit} ${bound === 1 ? 'entry' : 'entries'}`
  return `a number of ${limit}`
}

interface Keys {
  readonly known: readonly string[]
  readonly later: readonly string[]
  /** What to say of those that belong elsewhere. */
  readonly strays: Readonly<Record<string, string>>
  /** The known keys that words of other languages stand for. */
  readonly synonyms: Readonly<Record<string, string>>
  /** The key that they leave missing. */
  readonly leaves: string | null
}

/** An issue says which keys are unknown and not which are known; its text carries those to us. */
function knownKeys(schema: unknown, unknown: readonly string[]): Keys {
  if (!(schema instanceof z.ZodObject)) {
    return { known: [], later: [], strays: {}, synonyms: {}, leaves: null }
  }
  const stray = strayKeys.get(schema)
  const said = (of: ((key: string) => string | null) | undefined): Record<string, string> =>
    Object.fromEntries(
      unknown.flatMap((key) => {
        const text = of?.(key) ?? null
        return text === null ? [] : [[key, text] as const]
      }),
    )
  return {
    known: Object.keys(schema.shape),
    later: laterKeys.get(schema)?.keys ?? [],
    strays: said(stray?.hintFor),
    synonyms: said(stray?.keyFor),
    leaves: stray?.leaves ?? null,
  }
}

function keysFrom(message: string): Keys {
  return JSON.parse(message) as Keys // as: `knownKeys` wrote it
}

function paramsOf(issue: z.core.$ZodIssueCustom): IssueParams | null {
  const { params } = issue
  return params !== undefined && 'code' in params ? (params as unknown as IssueParams) : null // as: only `refuse` sets params
}

/** For schema pieces: a problem with a code, a sentence and a hint of its own. */
export function refuse(
  context: z.core.$RefinementCtx,
  code: ProblemCode,
  message: string,
  hint: string | null = null,
  path: At = [],
): void {
  const params = { code, hint } satisfies IssueParams
  context.addIssue({ code: 'custom', message, params, path: [...path] })
}

/**
 * For schema pieces: whether the map at `path` has a key that is none. It may stand for one that is
 * missing there; it has been told, and that one is missing would be the same mistake a second time.
 */
export function hasUnknownKey(context: z.core.$RefinementCtx, path: At = []): boolean {
  const place = JSON.stringify(path)
  return context.issues.some(
    ({ code, path: at = [] }) => code === 'unrecognized_keys' && JSON.stringify(at) === place,
  )
}

/** For the `error` of a map: what the value that stands in its place is written as below a key. */
export function insteadOfMap(
  entryFor: (value: unknown) => string,
): (issue: { readonly code: string; readonly input?: unknown }) => string | undefined {
  return ({ code, input }) =>
    code === 'invalid_type' ? `a map, such as \`{ ${entryFor(input)} }\`` : undefined
}

function pathOf(issue: Issue, below: At): At {
  return [...below, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
}

function valueAt(root: Json, path: At): Json | undefined {
  let value: Json | undefined = root
  for (const step of path) {
    if (typeof step === 'number')
      value = Array.isArray(value) ? (value[step] as Json) : undefined // as: a Json array
    else value = isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
  }
  return value
}
