import { isUtf8 } from 'node:buffer'
import type { Json } from '../model/json.ts'
import { headerText } from '../model/record.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Scope } from './scope.ts'
import { NoResult } from './template.ts'

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

/** Names that exist at the place of a template, beside those that every template may read. */
export interface TemplateNames {
  /** Groups of the regexes on the way to this place: what `match` holds. */
  readonly captures: readonly string[]
  /** The earlier steps that keep their result. */
  readonly steps: readonly KeptStep[]
  /** The template belongs to a step with `each`. */
  readonly hasItem: boolean
  /** It is a key or a version, which has to be the same whenever the task is looked at. */
  readonly isKey: boolean
}

/** A step that keeps what came of it, as far as that is known at load. */
export interface KeptStep {
  /** What stands behind its `as`. */
  readonly name: string
  /** `http`, `emit`. */
  readonly kind: string
  /** What its kind keeps of a success; `null`: not known, and every path below it is taken. */
  readonly keys: readonly string[] | null
  /** It has `each`: what is kept is a list, an element of it for each of those. */
  readonly isList: boolean
}

/** Why a path cannot be read by any template. */
export interface PathProblem {
  readonly code: 'template-path'
  readonly message: string
  readonly hint: string
}

const roots =
  'event, match, item, steps, rule.name, now, @topic, @key, @partition, @offset, @timestamp, @headers.<name>'

const rootNames = ['event', 'match', 'item', 'steps', 'rule', 'now', 'each']

const ofTheTask = 'a key is rendered before any step: it reads event, match, rule.name and @ names'

/** Roots that give one thing at one attempt and another, or nothing, at the next. */
const changingRoots: ReadonlyMap<string, { readonly why: string; readonly hint: string }> = new Map(
  [
    [
      'now',
      { why: 'is another time at each attempt', hint: 'the time of the record is {{@timestamp}}' },
    ],
    ['item', { why: 'is another element at each call of a step', hint: ofTheTask }],
    ['steps', { why: 'is what earlier steps gave this time', hint: ofTheTask }],
  ],
)

/** Compiles a path: split once, here. `inSection` says whether there is an element to read. */
export function compileRead(
  path: string,
  inSection: boolean,
  names: TemplateNames,
): Reader | PathProblem {
  if (path.startsWith('@')) return readOfRecord(path)
  if (path.startsWith('.')) return readOfElement(path, inSection)
  const steps = splitPath(path)
  if (!isSteps(steps)) return steps
  const [root = '', ...below] = steps
  const changing = names.isKey ? changingRoots.get(root) : undefined
  if (changing !== undefined) {
    const message = `\`${root}\` ${changing.why}, and a key or a version must stay the same`
    return problem(message, changing.hint)
  }
  switch (root) {
    case 'event':
      return below.length === 0
        ? (run) => run.scope.event.body
        : (run) => readBelow(run.scope.event.body, below)
    case 'match':
      return readOfMatch(below, names.captures)
    case 'steps':
      return readOfSteps(below, names.steps)
    case 'item':
      if (!names.hasItem) {
        const hint = 'write each: "{{event.items}}" in the action'
        return problem('`item` is the element of a step with `each`, and this has none', hint)
      }
      return (run) => {
        const { item } = run.scope
        return item === undefined ? undefined : readBelow(item, below)
      }
    case 'each':
      return problem(
        '`each` is filled in when the rules are loaded, and stands alone in its tag',
        'write {{each.name}}, in a rule with `for_each`; the element of a step with `each` is {{item}}',
      )
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
        hintForRoot(path, steps, names.steps),
      )
  }
}

function hintForRoot(path: string, steps: readonly string[], kept: readonly KeptStep[]): string {
  const indexed = withoutBrackets(path)
  if (indexed !== null && rootNames.includes(splitRoot(indexed))) return `write {{${indexed}}}`
  const [root = '', ...below] = steps
  const step = kept.find(({ name }) => name === root)
  if (step !== undefined) return `write {{${pathOfStep(step, below)}}}`
  return (
    (below.length === 0 ? null : didYouMean(root, rootNames)) ??
    `for a field of the event write {{event.${path}}}; a template reads ${roots}`
  )
}

/** `event[0].a` as templates write it, `event.0.a`; `null` where nothing stands in brackets. */
function withoutBrackets(path: string): string | null {
  const written = path.replace(/\[(\d{1,9})\]/g, '.$1')
  return written === path ? null : written
}

function splitRoot(path: string): string {
  return path.split('.', 1)[0] ?? ''
}

function readOfMatch(below: readonly string[], captures: readonly string[]): Reader | PathProblem {
  const [name] = below
  if (name === undefined || below.length > 1) {
    return problem('`match` is read by the name of a capture', 'write {{match.<group>}}')
  }
  if (!captures.includes(name)) {
    return problem(
      `no regex of the rule has the group \`${name}\``,
      didYouMean(name, captures) ?? knownNames(captures, 'name one in `when`: (?<name>...)'),
    )
  }
  return (run) => readBelow(run.scope.match, below)
}

function readOfSteps(below: readonly string[], known: readonly KeptStep[]): Reader | PathProblem {
  const [name, ...path] = below
  if (name === undefined) {
    return problem('`steps` is read by the name of a step', 'write {{steps.<name>.body}}')
  }
  const step = known.find((one) => one.name === name)
  if (step === undefined) {
    const names = known.map((one) => one.name)
    const indexed = withoutBrackets(below.join('.'))
    const isIndexed = indexed !== null && names.includes(splitRoot(indexed))
    return problem(
      `no earlier step keeps its result as \`${name}\``,
      isIndexed
        ? `write {{steps.${indexed}}}`
        : (didYouMean(name, names) ??
            knownNames(names, `write as: ${name} in the action that gives it`)),
    )
  }
  const never = neverKept(step, path)
  if (never !== null) return never
  return (run) => {
    const { steps } = run.scope
    if (steps === null) throw new NoResult(name)
    return readBelow(steps, below)
  }
}

/** Why `path` below the result of `step` is absent whatever the step gives; `null` if it may be there. */
function neverKept(step: KeptStep, path: readonly string[]): PathProblem | null {
  const [first] = path
  if (first === undefined) return null
  if (step.isList && !indexForm.test(first)) {
    const hint = /^-\d+$/.test(first)
      ? `the last one is {{steps.${step.name} | last}}`
      : `write {{${pathOfStep(step, path)}}}`
    return problem(`\`${step.name}\` has \`each\`, so it is a list`, hint)
  }
  const key = step.isList ? path[1] : first
  const { keys } = step
  if (key === undefined || keys === null || keys.includes(key)) return null
  const message = `a step of \`${step.kind}\` keeps ${inWords(keys)}, not \`${key}\``
  const near = didYouMean(key, keys) ?? begunName(key, keys)
  if (near !== null) return problem(message, near)
  if (indexForm.test(key)) {
    const hint = step.isList
      ? `each element of \`${step.name}\` is such a map`
      : `\`${step.name}\` has no \`each\`, so it is no list`
    return problem(message, hint)
  }
  const hint = keys.includes('body')
    ? `write {{${pathOfStep(step, path)}}}`
    : `there are ${inWords(keys)}`
  return problem(message, hint)
}

/** The path of what `below` seems to mean: in the first element of a list, in the body of an answer. */
function pathOfStep(step: KeptStep, below: readonly string[]): string {
  const [first] = below
  const hasIndex = step.isList && first !== undefined && indexForm.test(first)
  const index = hasIndex ? [first] : step.isList && first !== undefined ? ['0'] : []
  const rest = hasIndex ? below.slice(1) : below
  const [key] = rest
  const isKept = key === undefined || step.keys === null || step.keys.includes(key)
  const inBody = !isKept && step.keys.includes('body') ? ['body'] : []
  const path = ['steps', step.name, ...index, ...inBody, ...rest]
  return path.map((one) => one.replace(/[.\\]/g, '\\$&')).join('.')
}

/** `stat` is too short for a slip of two letters, and yet plain. */
function begunName(key: string, keys: readonly string[]): string | null {
  const whole = keys.find((one) => key.length > 1 && one.startsWith(key))
  return whole === undefined ? null : `did you mean \`${whole}\`?`
}

function inWords(names: readonly string[]): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

function knownNames(known: readonly string[], ifNone: string): string {
  return known.length === 0
    ? ifNone
    : `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`
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
