import type { ASTNode } from '@marcbachmann/cel-js'
import { didYouMean } from '../../schema/did-you-mean.ts'
import { compileRegex } from '../regex.ts'
import { functions, matches, methods, type ExprFunction } from './functions.ts'
import {
  compare,
  equal,
  Fault,
  isIn,
  isList,
  isMap,
  isNumber,
  kindOf,
  reckon,
  tooCostly,
  type Budget,
  type Value,
} from './values.ts'

/*
 * From the tree that the CEL package parsed and checked to closures over an event. It is our own
 * evaluator since the package's has no bound on what an evaluation costs, runs `matches` on
 * JavaScript's engine, and fails on an object with a field `constructor` and on `event.n + 1`.
 * docs/decisions/regex-and-expr.md
 */

/** One evaluation: its variables, and what it may still cost. */
interface Frame extends Budget {
  readonly variables: Readonly<Record<string, Value>>
  /** Variables of the loops around, from the outermost on. */
  readonly locals: Value[]
}

export type Run = (frame: Frame) => Value | Fault

/** Where refusals of an expression go; the first one is told. */
export interface Refusals {
  add(refusal: {
    readonly message: string
    readonly hint: string | null
    readonly offset: number
  }): void
}

/** Names of the loops around, from the outermost on. */
type Scope = readonly string[]

const unusable: Run = () => tooCostly

/** Compiles a tree; where something is refused, the result is of no use. */
export function compileNode(node: ASTNode, scope: Scope, refusals: Refusals): Run {
  const inner = (each: ASTNode): Run => compileNode(each, scope, refusals)
  switch (node.op) {
    case 'value': {
      const value = node.args
      if (typeof value === 'object' && value !== null) {
        return refuse(node, refusals, 'bytes and unsigned numbers do not occur in events')
      }
      return () => value
    }
    case 'id':
      return compileName(node, node.args, scope, refusals)
    case '.': {
      const [of, name] = node.args
      const run = inner(of)
      return (frame) => {
        const value = run(frame)
        return value instanceof Fault ? value : fieldOf(value, name)
      }
    }
    case '[]': {
      const [of, at] = node.args
      return binary(inner(of), inner(at), itemOf)
    }
    case 'list':
      return all(node.args.map(inner), (values) => values)
    case 'map':
      return compileMap(node.args, inner)
    case '?:': {
      const [condition, yes, no] = node.args.map(inner)
      if (condition === undefined || yes === undefined || no === undefined) return unusable
      return (frame) => {
        const value = condition(frame)
        if (typeof value === 'boolean') return value ? yes(frame) : no(frame)
        return notTruth('?', value)
      }
    }
    case '&&':
    case '||':
      return logical(node.op, inner(node.args[0]), inner(node.args[1]))
    case '!_': {
      const run = inner(node.args)
      return (frame) => {
        const value = run(frame)
        return typeof value === 'boolean' ? !value : notTruth('!', value)
      }
    }
    case '-_': {
      const run = inner(node.args)
      return (frame) => {
        const value = run(frame)
        if (value instanceof Fault) return value
        return isNumber(value) ? -value : new Fault(`\`-\` found ${kindOf(value)}`)
      }
    }
    case '==':
    case '!=': {
      const [left, right] = node.args.map((each) => numberOrRun(each, inner))
      if (left === undefined || right === undefined) return unusable
      const isSameWanted = node.op === '=='
      return binary(left, right, (a, b, frame) => {
        const isSame = equal(a, b, frame)
        return typeof isSame === 'boolean' ? isSame === isSameWanted : isSame
      })
    }
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const { op } = node
      const [left, right] = node.args.map((each) => numberOrRun(each, inner))
      if (left === undefined || right === undefined) return unusable
      return binary(left, right, (a, b, frame) => compare(op, a, b, frame))
    }
    case 'in':
      return binary(inner(node.args[0]), inner(node.args[1]), isIn)
    case '+':
    case '-':
    case '*':
    case '/':
    case '%': {
      const { op } = node
      const [left, right] = node.args
      return binary(inner(left), inner(right), (a, b, frame) => reckon(op, a, b, frame))
    }
    case 'call': {
      const [name, given] = node.args
      const [first, ...rest] = given
      if (name === 'has' && first !== undefined) return compileHas(first, scope, refusals)
      return compileCall(node, { name, of: first, given: rest, known: functions }, scope, refusals)
    }
    case 'rcall': {
      const [name, of, given] = node.args
      if (name === 'matches') return compileMatches(node, of, given, scope, refusals)
      if (isLoop(name)) return compileLoop(name, of, given, scope, refusals)
      return compileCall(node, { name, of, given, known: methods }, scope, refusals)
    }
    case '.?':
    case '[?]':
      return refuse(node, refusals, `\`${node.op}\` is not supported`, 'ask with `has` first')
  }
}

const variableNames: readonly string[] = ['event', 'record', 'element']

function compileName(node: ASTNode, name: string, scope: Scope, refusals: Refusals): Run {
  const depth = scope.lastIndexOf(name)
  if (depth !== -1) return ({ locals }) => locals[depth] ?? null
  if (!variableNames.includes(name)) {
    return refuse(node, refusals, `\`${name}\` is a name of CEL's types, which have no use here`)
  }
  return ({ variables }) => variables[name] ?? null
}

/** Own fields of maps only: no event makes a rule see what a prototype has. */
function fieldOf(value: Value, name: string): Value | Fault {
  if (!isMap(value)) return new Fault(`${kindOf(value)} has no field \`${name}\``)
  return Object.hasOwn(value, name)
    ? (value[name] ?? null)
    : new Fault(`there is no field \`${name}\``)
}

function itemOf(value: Value, at: Value): Value | Fault {
  if (isList(value)) {
    if (!isNumber(at)) return new Fault(`${kindOf(at)} is no place in a list`)
    const element: Value | undefined = value[Number(at)]
    if (element !== undefined) return element
    return new Fault(`a list of ${value.length} has no element ${at}`)
  }
  if (typeof at !== 'string') return new Fault(`${kindOf(at)} is no name of a field`)
  return fieldOf(value, at)
}

/** False where anything on the way is absent, or no map: `has(event.a.b)` needs no `has(event.a)`. */
function compileHas(node: ASTNode, scope: Scope, refusals: Refusals): Run {
  const steps: string[] = []
  let root = node
  for (; root.op === '.'; [root] = root.args) steps.unshift(root.args[1])
  const run = compileNode(root, scope, refusals)
  return (frame) => {
    let value = run(frame)
    for (const step of steps) {
      if (value instanceof Fault) return value
      if (!isMap(value) || !Object.hasOwn(value, step)) return false
      value = value[step] ?? null
    }
    return true
  }
}

function compileMap(
  entries: readonly (readonly [ASTNode, ASTNode])[],
  inner: (node: ASTNode) => Run,
): Run {
  const keys = all(
    entries.map(([key]) => inner(key)),
    (values) => values,
  )
  const values = all(
    entries.map(([, value]) => inner(value)),
    (each) => each,
  )
  return binary(keys, values, (names, contents) => {
    if (!isList(names) || !isList(contents)) return tooCostly
    const fields: [string, Value][] = []
    for (const [i, name] of names.entries()) {
      if (typeof name !== 'string') return new Fault('a key that is no text')
      fields.push([name, contents[i] ?? null])
    }
    return Object.fromEntries(fields)
  })
}

interface Call {
  readonly name: string
  readonly of: ASTNode | undefined
  readonly given: readonly ASTNode[]
  readonly known: ReadonlyMap<string, ExprFunction>
}

function compileCall(
  node: ASTNode,
  { name, of, given, known }: Call,
  scope: Scope,
  refusals: Refusals,
): Run {
  const found = known.get(name)
  if (found === undefined || of === undefined) {
    const hint = functionHint(name, known === methods ? methodNames : functionNames)
    return refuse(node, refusals, `there is no function \`${name}\` here`, hint)
  }
  const { params, call } = found
  if (params.length !== given.length) {
    const message = `\`${name}\` takes ${params.length} values, found ${given.length}`
    return refuse(node, refusals, message)
  }
  const wrong = given.find(
    (each, i) => params[i] === 'text' && each.op === 'value' && typeof each.args !== 'string',
  )
  if (wrong !== undefined) return refuse(wrong, refusals, `\`${name}\` takes a text`)
  const receiver = compileNode(of, scope, refusals)
  const runs = given.map((each) => compileNode(each, scope, refusals))
  const [only] = runs
  if (only === undefined) {
    return (frame) => {
      const value = receiver(frame)
      return value instanceof Fault ? value : call(frame, value)
    }
  }
  return binary(receiver, only, (value, part, frame) => call(frame, value, part))
}

/** The pattern is compiled at load; one that is made of the event would have to be at each event. */
function compileMatches(
  node: ASTNode,
  of: ASTNode,
  given: readonly ASTNode[],
  scope: Scope,
  refusals: Refusals,
): Run {
  const [pattern] = given
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    const message = '`matches` takes a pattern that is written out'
    return refuse(pattern ?? node, refusals, message, 'compare texts with `contains` or `==`')
  }
  const compiled = compileRegex(pattern.args, { ci: false, search: true })
  if (!compiled.ok) return refuse(pattern, refusals, compiled.message, compiled.hint)
  const run = compileNode(of, scope, refusals)
  return (frame) => {
    const value = run(frame)
    return value instanceof Fault ? value : matches(compiled.regex, value, frame)
  }
}

const loops = ['all', 'exists', 'exists_one', 'filter', 'map'] as const

type Loop = (typeof loops)[number]

function isLoop(name: string): name is Loop {
  return (loops as readonly string[]).includes(name) // as: only to ask
}

/** What can be called as `x.f(...)`, and as `f(x)`. */
export const methodNames: readonly string[] = [...methods.keys(), 'matches', ...loops]
export const functionNames: readonly string[] = [...functions.keys(), 'has']

/** What to write in place of a function that there is none of. */
export function functionHint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ?? `known are ${known.join(', ')}`
}

/** The elements of a list, or the keys of a map, one after the other; each costs its body. */
function compileLoop(
  name: Loop,
  of: ASTNode,
  given: readonly ASTNode[],
  scope: Scope,
  refusals: Refusals,
): Run {
  const [variable, first, second] = given
  if (variable?.op !== 'id' || first === undefined) return unusable
  const range = compileNode(of, scope, refusals)
  const within = [...scope, variable.args]
  const body = compileNode(first, within, refusals)
  // `map` may have a filter before what it makes of an element.
  const change = second === undefined ? null : compileNode(second, within, refusals)
  const cost = nodesIn(first) + (second === undefined ? 0 : nodesIn(second))
  const depth = scope.length
  return (frame) => {
    const found = range(frame)
    if (found instanceof Fault) return found
    const elements = isMap(found) ? Object.keys(found) : found
    if (!isList(elements)) return new Fault(`\`${name}\` found ${kindOf(found)}, not a list`)
    const gather = gatherers[name]()
    for (const element of elements) {
      frame.stepsLeft -= cost
      if (frame.stepsLeft < 0) return tooCostly
      frame.locals[depth] = element
      const value = body(frame)
      const made = change !== null && value === true ? change(frame) : null
      if (gather.isDone(value, change === null ? value : made, element, change !== null)) break
    }
    return gather.result()
  }
}

/** What a loop makes of its elements, one by one. */
interface Gatherer {
  /** Takes what the body says of an element; true when the rest does not matter. */
  isDone(value: Value | Fault, made: Value | Fault, element: Value, isFiltered: boolean): boolean
  result(): Value | Fault
}

const gatherers: Readonly<Record<Loop, () => Gatherer>> = {
  all: () => quantifier('all', false),
  exists: () => quantifier('exists', true),
  exists_one: () => {
    let count = 0
    let fault: Fault | null = null
    return {
      isDone: (value) => {
        if (typeof value !== 'boolean') fault = notTruth('exists_one', value)
        else if (value) count += 1
        return fault !== null
      },
      result: () => fault ?? count === 1,
    }
  },
  filter: () => {
    const kept: Value[] = []
    let fault: Fault | null = null
    return {
      isDone: (value, _made, element) => {
        if (typeof value !== 'boolean') fault = notTruth('filter', value)
        else if (value) kept.push(element)
        return fault !== null
      },
      result: () => fault ?? kept,
    }
  },
  map: () => {
    const all: Value[] = []
    let fault: Fault | null = null
    return {
      isDone: (value, made, _element, isFiltered) => {
        if (isFiltered && typeof value !== 'boolean') fault = notTruth('map', value)
        else if (made instanceof Fault) fault = made
        else if (!isFiltered || value === true) all.push(made)
        return fault !== null
      },
      result: () => fault ?? all,
    }
  },
}

/** An element that decides is not outweighed by one that fails, wherever the two stand. */
function quantifier(name: Loop, deciding: boolean): Gatherer {
  let fault: Fault | null = null
  let isDecided = false
  return {
    isDone: (value) => {
      if (typeof value !== 'boolean') fault ??= notTruth(name, value)
      else if (value === deciding) isDecided = true
      return isDecided
    },
    result: () => (isDecided ? deciding : (fault ?? !deciding)),
  }
}

/** As in quantifiers: what decides on one side is not outweighed by a fault on the other. */
function logical(op: '&&' | '||', left: Run, right: Run): Run {
  const deciding = op === '||'
  return (frame) => {
    const first = left(frame)
    if (first === deciding) return deciding
    const second = right(frame)
    if (second === deciding) return deciding
    if (typeof first !== 'boolean') return notTruth(op, first)
    return typeof second === 'boolean' ? second : notTruth(op, second)
  }
}

function binary(
  left: Run,
  right: Run,
  apply: (a: Value, b: Value, frame: Frame) => Value | Fault,
): Run {
  return (frame) => {
    const a = left(frame)
    if (a instanceof Fault) return a
    const b = right(frame)
    return b instanceof Fault ? b : apply(a, b, frame)
  }
}

function all(runs: readonly Run[], apply: (values: readonly Value[]) => Value | Fault): Run {
  return (frame) => {
    const values: Value[] = []
    for (const run of runs) {
      const value = run(frame)
      if (value instanceof Fault) return value
      values.push(value)
    }
    return apply(values)
  }
}

/** A whole number that is only compared: as a double, which is quicker to compare with an event's. */
function numberOrRun(node: ASTNode, inner: (node: ASTNode) => Run): Run {
  const value = node.op === 'value' ? node.args : null
  const isExact = typeof value === 'bigint' && Number.isSafeInteger(Number(value))
  if (!isExact) return inner(node)
  const number = Number(value)
  return () => number
}

function notTruth(name: string, value: Value | Fault): Fault {
  if (value instanceof Fault) return value
  return new Fault(`\`${name}\` found ${kindOf(value)}, not true or false`)
}

/** Operators below a node: what one evaluation of it costs, loops and long texts aside. */
function nodesIn(node: ASTNode): number {
  let nodes = 1
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(visit)
    else if (isNode(part)) nodes += nodesIn(part)
  }
  visit(node.args)
  return nodes
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part
}

function refuse(
  { start }: ASTNode,
  refusals: Refusals,
  message: string,
  hint: string | null = null,
): Run {
  refusals.add({ message, hint, offset: start })
  return unusable
}
