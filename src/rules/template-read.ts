import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/json.ts'
import { headerText } from '../model/record.ts'
import type { Scope } from './scope.ts'

/** One rendering: what is read, and what is left of its bounds. */
export interface Run {
  readonly scope: Scope
  /** For people's eyes: what was made with a secret reads `***`. */
  readonly masked: boolean
  /** Elements that sections may still go through, over all of the template. */
  elementsLeft: number
}

/** Reads one value; `undefined` when it is absent. `element` is what `{{.}}` stands for. */
export type Reader = (run: Run, element: Json | undefined) => Json | undefined

/** Why a path cannot be read by any template. */
export interface PathProblem {
  readonly code: 'template-path' | 'not-supported-yet'
  readonly message: string
  readonly hint: string
}

const later = new Set(['each', 'item', 'steps'])

const roots =
  'event, match, rule.name, now, @topic, @key, @partition, @offset, @timestamp, @headers.<name>'

/** Compiles a path: split once, here. `inSection` says whether there is an element to read. */
export function compileRead(path: string, inSection: boolean): Reader | PathProblem {
  if (path.startsWith('@')) return readOfRecord(path)
  if (path.startsWith('.')) return readOfElement(path, inSection)
  const steps = splitPath(path)
  if (!isSteps(steps)) return steps
  const [root = '', ...below] = steps
  if (later.has(root)) {
    return {
      code: 'not-supported-yet',
      message: `\`${root}\` is not supported yet`,
      hint: `a template reads ${roots}`,
    }
  }
  switch (root) {
    case 'event':
      return below.length === 0
        ? (run) => run.scope.event.body
        : (run) => readBelow(run.scope.event.body, below)
    case 'match':
      return below.length === 1
        ? (run) => readBelow(run.scope.match, below)
        : problem('`match` is read by the name of a capture', 'write {{match.<group>}}')
    case 'rule':
      return path === 'rule.name'
        ? (run) => run.scope.rule.name
        : problem(`a rule has no ${JSON.stringify(path)}`, 'write {{rule.name}}')
    case 'now':
      return below.length === 0
        ? (run) => new Date(run.scope.nowMs).toISOString()
        : problem('`now` is a time and has nothing below it', 'write {{now}}')
    default:
      return problem(
        `\`${root}\` is not something that a template reads`,
        `for a field of the event write {{event.${path}}}; a template reads ${roots}`,
      )
  }
}

function readOfElement(path: string, inSection: boolean): Reader | PathProblem {
  if (!inSection) {
    return problem(
      `\`${path}\` stands for the value of the section around it, and there is none`,
      'write {{#event.list}}{{.}}{{/event.list}}',
    )
  }
  if (path === '.') return (_run, element) => element
  const steps = splitPath(path.slice(1))
  if (!isSteps(steps)) return steps
  return (_run, element) => (element === undefined ? undefined : readBelow(element, steps))
}

const headersPrefix = '@headers.'

function readOfRecord(path: string): Reader | PathProblem {
  if (path.startsWith(headersPrefix) && path.length > headersPrefix.length) {
    const name = path.slice(headersPrefix.length).replaceAll('\\.', '.')
    return (run) => headerText(run.scope.event.record.headers, name) ?? undefined
  }
  switch (path) {
    case '@topic':
      return (run) => run.scope.event.record.topic
    case '@key':
      return (run) => keyText(run.scope.event.record.key)
    case '@partition':
      return (run) => run.scope.event.record.partition
    case '@offset':
      return (run) => offsetValue(run.scope.event.record.offset)
    case '@timestamp':
      return (run) => run.scope.event.record.timestampMs
    default:
      return problem(`the record has no \`${path}\``, `a template reads ${roots}`)
  }
}

/** A key that is not text counts as absent: half of one would name the wrong thing. */
function keyText(key: Buffer | null): string | undefined {
  return key !== null && isUtf8(key) ? key.toString('utf8') : undefined
}

/** A number as far as numbers are exact, a text of digits above. */
function offsetValue(offset: bigint): Json {
  return offset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(offset) : String(offset)
}

const indexForm = /^(?:0|[1-9]\d{0,8})$/

/** Own properties only, so that an event cannot make a template read `constructor` or `length`. */
function readBelow(from: Json, steps: readonly string[]): Json | undefined {
  let value: Json | undefined = from
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    if (isArray(value)) {
      value = indexForm.test(step) ? value[Number(step)] : undefined
    } else {
      value = Object.hasOwn(value, step) ? value[step] : undefined
    }
  }
  return value
}

/** `Array.isArray` does not tell readonly arrays from objects. */
export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** Splits at dots as `when` does: `\.` is a dot within a name, `\\` a backslash. */
function splitPath(path: string): readonly string[] | PathProblem {
  const steps: string[] = []
  let step = ''
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i)
    if (character === '.') {
      steps.push(step)
      step = ''
    } else if (character === '\\') {
      const next = path.charAt(++i)
      if (next !== '.' && next !== '\\') {
        return problem(`\`\\${next}\` means nothing in a path`, 'a dot in a name is written \\.')
      }
      step += next
    } else {
      step += character
    }
  }
  steps.push(step)
  if (!steps.includes('')) return steps
  return problem(`\`${path}\` is not a path: a name is empty`, 'names are joined by single dots')
}

function isSteps(split: readonly string[] | PathProblem): split is readonly string[] {
  return Array.isArray(split)
}

function problem(message: string, hint: string): PathProblem {
  return { code: 'template-path', message, hint }
}
