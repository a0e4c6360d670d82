import { createHash, createHmac } from 'node:crypto'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { unknownSecret } from '../schema/unknown-secret.ts'
import type { Argument } from './template-parse.ts'
import { isArray } from './template-read.ts'
import { encoderKeeping, IllFormedText, segmentDelimiters } from './template-escape.ts'

/*
 * The pipes of rules.md 3. Each is made once at load, where its arguments are checked, and is then a
 * pure function of the value. `pipeTable` is the one place that knows them: the compiler, the tests
 * and the reference page all read it.
 */

/** A pipe with its arguments filled in. `undefined` as a result means that there is none: missing. */
export type Pipe = (value: Json) => Json | undefined

/** What pipes may look at beside the value. */
export interface PipeContext {
  readonly lists: ReadonlyMap<string, Json>
  /** `null` where no config is known: names are then not checked, and `***` stands for each value. */
  readonly secrets: ReadonlyMap<string, string> | null
}

export interface PipeSpec {
  readonly name: string
  /** As a person writes them: `"from", "to"`; `''` for none. */
  readonly arguments: string
  readonly description: string
  /** The pipe as written, what goes in and what comes out; run by a test. */
  readonly example: { readonly pipe: string; readonly from: Json; readonly gives: Json }
  readonly compile: (args: readonly Argument[], context: PipeContext) => Pipe | PipeProblem
}

export interface PipeProblem {
  readonly code: 'template-pipe' | 'unknown-list' | 'unknown-secret'
  readonly message: string
  readonly hint?: string
}

/** A value that a pipe cannot take. The message reads after the tag: "takes an array". */
export class PipeFailure extends Error {
  override readonly name = 'PipeFailure'
  readonly kind: 'template' | 'too-large'

  constructor(message: string, kind: 'template' | 'too-large' = 'template') {
    super(message)
    this.kind = kind
  }
}

/** The most that one pipe makes out of a value, in characters: as much as a body may hold. */
export const pipedLengthMax = 2 ** 20

/** The value as text: what a tag puts into text, and what pipes on texts read. */
export function textOf(value: Json): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new PipeFailure(
    value === null
      ? 'is null'
      : `is ${isArray(value) ? 'an array' : 'an object'}: write | json, or name a field of it`,
  )
}

/** Looks a pipe up and fills in its arguments. */
export function compilePipe(
  name: string,
  args: readonly Argument[],
  context: PipeContext,
): Pipe | PipeProblem {
  const spec = pipesByName.get(name)
  if (spec !== undefined) return spec.compile(args, context)
  const near = didYouMean(name, pipesByName.keys())
  return {
    code: 'template-pipe',
    message: `there is no pipe \`${name}\``,
    hint: near ?? `pipes are ${[...pipesByName.keys()].join(', ')}`,
  }
}

export const pipeTable: readonly PipeSpec[] = [
  {
    name: 'json',
    arguments: '',
    description: 'The value as JSON text. In a `json:` tree it becomes a string that holds JSON.',
    example: { pipe: 'json', from: { id: 7 }, gives: '{"id":7}' },
    compile: noArguments(jsonText),
  },
  {
    name: 'uri',
    arguments: '["kept"]',
    description:
      "Percent-encodes all but letters, digits and -_.~!*'(). A URL does this to every value by " +
      'itself, so at the end of a tag in a URL it changes nothing. The characters of the argument ' +
      'are kept as well: some of `$&+,;=:@`, which a path may hold (RFC 3986).',
    example: { pipe: 'uri', from: 'C++ / notes', gives: 'C%2B%2B%20%2F%20notes' },
    compile: (args) => {
      const encode = compileEncoder('uri', args, 'path')
      return typeof encode === 'function' ? (value) => encoded(encode, value) : encode
    },
  },
  {
    name: 'path',
    arguments: '["kept"]',
    description:
      'Percent-encodes like `uri` but keeps `/`: in a URL the one way for a value to be more than ' +
      'one path segment. Segments `.` and `..` are refused all the same. A wiki title as MediaWiki ' +
      'writes it is `path: ":,@;$"`.',
    example: { pipe: 'path: ":,"', from: 'Talk:a b/c', gives: 'Talk:a%20b/c' },
    compile: (args) => {
      const encode = compileEncoder('path', args, 'path')
      return typeof encode === 'function' ? (value) => encoded(encode, value) : encode
    },
  },
  {
    name: 'raw',
    arguments: '',
    description:
      'In a URL and as the last pipe: inserts what is encoded already. It must be legal where it ' +
      'stands and may not hold what would change the shape of the URL (`/`, `?`, `#`; `&` in a query).',
    example: { pipe: 'raw', from: 'a%20b', gives: 'a%20b' },
    compile: noArguments(textOf),
  },
  {
    name: 'decode_uri',
    arguments: '',
    description: 'Undoes percent-encoding. What is not well-formed fails.',
    example: { pipe: 'decode_uri', from: 'a%20b', gives: 'a b' },
    compile: noArguments(decodeUri),
  },
  {
    name: 'lower',
    arguments: '',
    description: 'Lower case, the same in every locale.',
    example: { pipe: 'lower', from: 'EN', gives: 'en' },
    compile: noArguments((value) => textOf(value).toLowerCase()),
  },
  {
    name: 'upper',
    arguments: '',
    description: 'Upper case, the same in every locale.',
    example: { pipe: 'upper', from: 'en', gives: 'EN' },
    compile: noArguments((value) => textOf(value).toUpperCase()),
  },
  {
    name: 'trim',
    arguments: '',
    description: 'Without white space at both ends.',
    example: { pipe: 'trim', from: ' a b ', gives: 'a b' },
    compile: noArguments((value) => textOf(value).trim()),
  },
  {
    name: 'default',
    arguments: 'value',
    description:
      'The argument when there is no value: absent, null, or nothing found by a pipe before it, ' +
      'which other pipes pass on. An empty text is a value. `default: null` lets null stand in a `json:` tree.',
    example: { pipe: 'default: "none"', from: null, gives: 'none' },
    // The compiler gives absent values to this pipe only, as null.
    compile: (args) => {
      const [argument] = args
      if (args.length !== 1 || argument === undefined || argument.bare) {
        return wrongArguments('`default` takes one text in quotes, a number, true, false or null')
      }
      return (value) => value ?? argument.value
    },
  },
  {
    name: 'join',
    arguments: '["separator"]',
    description: 'The elements of an array in one text, with `,` or the separator between them.',
    example: { pipe: 'join: ", "', from: ['a', 1], gives: 'a, 1' },
    compile: (args) => {
      const separator = args.length === 0 ? ',' : textArgument(args[0])
      if (args.length > 1 || separator === null) {
        return wrongArguments('`join` takes one text in quotes, or nothing')
      }
      return (value) => joined(arrayOf(value).map(textOf), separator)
    },
  },
  {
    name: 'first',
    arguments: '',
    description: 'The first element of an array; of an empty one, nothing.',
    example: { pipe: 'first', from: ['a', 'b'], gives: 'a' },
    compile: noArguments((value) => arrayOf(value)[0]),
  },
  {
    name: 'last',
    arguments: '',
    description: 'The last element of an array; of an empty one, nothing.',
    example: { pipe: 'last', from: ['a', 'b'], gives: 'b' },
    compile: noArguments((value) => arrayOf(value).at(-1)),
  },
  {
    name: 'replace',
    arguments: '"from", "to"',
    description: 'Every occurrence of the first text replaced by the second; both taken literally.',
    example: { pipe: 'replace: "_", " "', from: 'Main_page', gives: 'Main page' },
    compile: (args) => {
      const [from, to] = [textArgument(args[0]), textArgument(args[1])]
      if (args.length !== 2 || from === null || from === '' || to === null) {
        return wrongArguments('`replace` takes two texts in quotes, the first not empty')
      }
      return (value) => joined(textOf(value).split(from), to)
    },
  },
  {
    name: 'slice',
    arguments: 'start[, end]',
    description:
      'Characters of a text, or elements of an array, from `start` up to but not with `end`; from ' +
      'the end when negative. Never half of a character.',
    example: { pipe: 'slice: 0, 4', from: '2026-11-24', gives: '2026' },
    compile: (args) => {
      const [start, end] = args.map((argument) => argument.value)
      if (!isWhole(start) || (end !== undefined && !isWhole(end)) || args.length > 2) {
        return wrongArguments('`slice` takes one or two whole numbers')
      }
      return (value) => sliced(value, start, end)
    },
  },
  {
    name: 'http_date',
    arguments: '',
    description: 'A time as HTTP writes it. Times are RFC 3339 texts or milliseconds since 1970.',
    example: {
      pipe: 'http_date',
      from: '2026-11-24T12:00:00Z',
      gives: 'Tue, 24 Nov 2026 12:00:00 GMT',
    },
    compile: noArguments((value) => new Date(timeMsOf(value)).toUTCString()),
  },
  {
    name: 'iso_date',
    arguments: '',
    description: 'A time as RFC 3339 in UTC with milliseconds.',
    example: { pipe: 'iso_date', from: 1_795_521_600_000, gives: '2026-11-24T12:00:00.000Z' },
    compile: noArguments((value) => new Date(timeMsOf(value)).toISOString()),
  },
  {
    name: 'unix',
    arguments: '',
    description: 'A time as whole seconds since 1970, a number.',
    example: { pipe: 'unix', from: '2026-11-24T12:00:00Z', gives: 1_795_521_600 },
    compile: noArguments((value) => Math.floor(timeMsOf(value) / 1_000)),
  },
  {
    name: 'add',
    arguments: 'number',
    description: 'A number with the argument added; the argument may be negative.',
    example: { pipe: 'add: 1', from: 41, gives: 42 },
    compile: (args) => {
      const summand = args[0]?.value
      if (args.length !== 1 || typeof summand !== 'number') {
        return wrongArguments('`add` takes one number')
      }
      return (value) => sum(value, summand)
    },
  },
  {
    name: 'sha256',
    arguments: '',
    description: 'SHA-256 of the text in UTF-8, as 64 hex digits.',
    example: {
      pipe: 'sha256',
      from: 'abc',
      gives: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
    compile: noArguments((value) =>
      createHash('sha256').update(wellFormedText(value)).digest('hex'),
    ),
  },
  {
    name: 'hmac',
    arguments: 'secret-name',
    description: 'HMAC-SHA-256 of the text under a secret of the config, as 64 hex digits.',
    example: {
      pipe: 'hmac: example-key',
      from: 'The quick brown fox jumps over the lazy dog',
      gives: 'f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8',
    },
    compile: compileHmac,
  },
  {
    name: 'base64',
    arguments: '',
    description: 'The text in UTF-8, as base64 with padding.',
    example: { pipe: 'base64', from: 'user:password', gives: 'dXNlcjpwYXNzd29yZA==' },
    compile: noArguments((value) => Buffer.from(wellFormedText(value)).toString('base64')),
  },
  {
    name: 'lookup',
    arguments: 'list-name',
    description:
      'What a map of `lists` holds under the value. A value that the map does not have gives ' +
      'nothing, so `| default:` may follow.',
    example: { pipe: 'lookup: example-map', from: 'enwiki', gives: 'en.wikipedia.org' },
    compile: compileLookup,
  },
]

const pipesByName: ReadonlyMap<string, PipeSpec> = new Map(
  pipeTable.map((spec) => [spec.name, spec]),
)

function noArguments(pipe: Pipe): PipeSpec['compile'] {
  return (args) => (args.length === 0 ? pipe : wrongArguments('this pipe takes no arguments'))
}

/**
 * The encoder of `uri` or `path`, with the characters that it is told to keep. In a query `&` and
 * `+` mean something and `'` is encoded by every URL parser, so those cannot be kept there.
 */
export function compileEncoder(
  pipe: 'uri' | 'path',
  args: readonly Argument[],
  place: 'path' | 'query',
): ((text: string) => string) | PipeProblem {
  const kept = args.length === 0 ? '' : textArgument(args[0])
  if (args.length > 1 || kept === null) {
    return wrongArguments(`\`${pipe}\` takes one text in quotes, or nothing`)
  }
  const legal = place === 'path' ? segmentDelimiters : segmentDelimiters.replace(/[&+']/g, '')
  const illegal = [...kept].find((character) => !legal.includes(character))
  if (illegal !== undefined) {
    return {
      code: 'template-pipe',
      message: `\`${pipe}\` cannot keep ${JSON.stringify(illegal)} in a ${place}`,
      hint: `what can be kept is ${legal}`,
    }
  }
  const encodeInPath = encoderKeeping(pipe === 'path' ? `/${kept}` : kept)
  return place === 'path' ? encodeInPath : (text) => encodeInPath(text).replaceAll("'", '%27')
}

function wrongArguments(message: string): PipeProblem {
  return { code: 'template-pipe', message }
}

function textArgument(argument: Argument | undefined): string | null {
  return typeof argument?.value === 'string' && !argument.bare ? argument.value : null
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

/** Names of lists and secrets are written bare or in quotes. */
function nameArgument(args: readonly Argument[]): string | null {
  const value = args[0]?.value
  return args.length === 1 && typeof value === 'string' ? value : null
}

function compileHmac(args: readonly Argument[], { secrets }: PipeContext): Pipe | PipeProblem {
  const name = nameArgument(args)
  if (name === null) return wrongArguments('`hmac` takes the name of one secret')
  const secret = secrets === null ? '***' : secrets.get(name)
  if (secret === undefined) {
    return { code: 'unknown-secret', ...unknownSecret('hmac', name, secrets?.keys() ?? []) }
  }
  return (value) => createHmac('sha256', secret).update(wellFormedText(value)).digest('hex')
}

function compileLookup(args: readonly Argument[], { lists }: PipeContext): Pipe | PipeProblem {
  const name = nameArgument(args)
  if (name === null) return wrongArguments('`lookup` takes the name of one list')
  const list = lists.get(name)
  if (list === undefined) return unknownList(name, lists.keys())
  if (list === null) return () => undefined // it is wrong, and no rule is run
  if (!isJsonObject(list)) {
    return {
      code: 'template-pipe',
      message: `\`${name}\` of lists is not a map`,
      hint: `write it as "${name}: { from: to }" to look values up in it`,
    }
  }
  return (value) => {
    const key = textOf(value)
    return Object.hasOwn(list, key) ? list[key] : undefined
  }
}

function unknownList(name: string, known: Iterable<string>): PipeProblem {
  const near = didYouMean(name, known)
  return {
    code: 'unknown-list',
    message: `there is no list \`${name}\``,
    hint: near ?? 'add it to the lists of this file',
  }
}

function arrayOf(value: Json): readonly Json[] {
  if (value !== null && isArray(value)) return value
  throw new PipeFailure('is not an array')
}

/** Checked before it is made: a short event and a long replacement make more than memory holds. */
function joined(parts: readonly string[], separator: string): string {
  let length = separator.length * Math.max(0, parts.length - 1)
  for (const part of parts) length += part.length
  if (length > pipedLengthMax) {
    throw new PipeFailure(`becomes longer than ${pipedLengthMax} characters`, 'too-large')
  }
  return parts.join(separator)
}

function jsonText(value: Json): string {
  const text = JSON.stringify(value)
  if (text.length > pipedLengthMax) {
    throw new PipeFailure(`becomes longer than ${pipedLengthMax} characters`, 'too-large')
  }
  return text
}

function encoded(encode: (text: string) => string, value: Json): string {
  try {
    return encode(textOf(value))
  } catch (error) {
    if (error instanceof IllFormedText) throw new PipeFailure('holds half of a character')
    throw error
  }
}

/** For what goes into bytes: two halves of characters would both become U+FFFD, and be the same. */
function wellFormedText(value: Json): string {
  const text = textOf(value)
  if (loneSurrogate.test(text)) throw new PipeFailure('holds half of a character')
  return text
}

function decodeUri(value: Json): string {
  const text = textOf(value)
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch (error) {
    if (error instanceof URIError) throw new PipeFailure('is not percent-encoded UTF-8')
    throw error
  }
}

const loneSurrogate = /\p{Surrogate}/u
const surrogate = /[\ud800-\udfff]/

function sliced(value: Json, start: number, end: number | undefined): Json {
  if (value !== null && isArray(value)) return value.slice(start, end)
  const text = textOf(value)
  if (!surrogate.test(text)) return text.slice(start, end)
  return Array.from(text).slice(start, end).join('')
}

function sum(value: Json, summand: number): number {
  if (typeof value !== 'number') throw new PipeFailure('is not a number')
  const result = value + summand
  if (!Number.isFinite(result)) throw new PipeFailure('becomes more than a number can hold')
  return result
}

const rfc3339 =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** From year 0 to the end of 9999: neither RFC 3339 nor HTTP can write what lies beyond. */
const timeMsMin = -62_167_219_200_000
const timeMsMax = 253_402_300_799_999

/** Milliseconds since 1970 of an RFC 3339 text or of a number that is that already. */
export function timeMsOf(value: Json): number {
  const ms = typeof value === 'string' ? rfc3339Ms(value) : value
  if (typeof ms === 'number' && ms >= timeMsMin && ms <= timeMsMax) return Math.floor(ms)
  throw new PipeFailure('is not a time: an RFC 3339 text, or milliseconds since 1970')
}

function rfc3339Ms(text: string): number | null {
  if (text.length > 40 || !rfc3339.test(text)) return null
  const ms = Date.parse(text.replace(' ', 'T').toUpperCase())
  // Date takes 31 February for 3 March; nobody who wrote it meant that.
  return Number.isNaN(ms) || !isDayOfMonth(text) ? null : ms
}

function isDayOfMonth(text: string): boolean {
  const [year, month, day] = [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10)].map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}
