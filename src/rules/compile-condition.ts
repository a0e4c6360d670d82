import type { Event } from '../model/event.ts'
import type { Json } from '../model/json.ts'
import {
  compileEquality,
  compileTwoEqualities,
  equalityOf,
  type Equality,
} from './compile-equality.ts'
import { byCost, compileFieldTest, costOfField } from './compile-test.ts'
import type { Condition, Truth } from './condition.ts'
import { seesTooMuch, type RegexMode } from './regex-units.ts'
import { allOf, anyOf, negate } from './truth.ts'

/**
 * Whether an event satisfies a condition. Total: no event makes it throw. `element` is what the
 * paths of a `where` start at; left out everywhere else.
 */
export type Check = (event: Event, element?: Json) => Truth

/** Compiles a condition. Of several, cheap ones are asked first, which no outcome depends on. */
export function compileCondition(condition: Condition, regexes: RegexMode = 'reading'): Check {
  const compileParts = (parts: readonly Condition[]): readonly Check[] =>
    byCost(parts, costOf).map((part) => compileCondition(part, regexes))
  switch (condition.kind) {
    case 'test': {
      const equality = equalityOf(condition)
      if (equality !== null) return compileEquality(equality)
      const { read } = condition.path
      const check = compileFieldTest(condition.test, regexes)
      return (event, element) => check(read(event, element), event, element)
    }
    case 'all':
      return every(compileAll(condition.of, regexes))
    case 'any':
      return some(compileParts(condition.of))
    case 'none': {
      const any = some(compileParts(condition.of))
      return (event, element) => negate(any(event, element))
    }
    case 'some': {
      const { read } = condition.path
      const where = compileCondition(condition.where, regexes)
      const isTooMuch = regexes === 'reading' ? seesTooMuch(condition.where) : null
      if (isTooMuch !== null) {
        const inDoubt = compileCondition(condition.where, 'in-doubt')
        return (event, element) => {
          const value = read(event, element)
          if (!Array.isArray(value)) return false
          const list = value as readonly Json[] // as: isArray forgets what the members are
          return someWhere(list, isTooMuch(list, event) ? inDoubt : where, event)
        }
      }
      return (event, element) => {
        const list = read(event, element)
        if (!Array.isArray(list)) return false
        return someWhere(list as readonly Json[], where, event) // as: see above
      }
    }
    case 'expr': {
      const { holds } = condition.expr
      return (event, element) => {
        const truth = holds(event, element)
        return typeof truth === 'boolean' ? truth : 'expr-error'
      }
    }
  }
}

/** Two equalities at a time are one check. */
function compileAll(parts: readonly Condition[], regexes: RegexMode): readonly Check[] {
  const equalities: Equality[] = []
  const others: Condition[] = []
  for (const part of parts) {
    const equality = equalityOf(part)
    if (equality === null) others.push(part)
    else equalities.push(equality)
  }
  const checks: Check[] = []
  for (let i = 0; i < equalities.length; i += 2) {
    const [one, other] = equalities.slice(i, i + 2)
    if (one === undefined) continue
    checks.push(other === undefined ? compileEquality(one) : compileTwoEqualities(one, other))
  }
  for (const part of byCost(others, costOf)) checks.push(compileCondition(part, regexes))
  return checks
}

/** Hot: called for every event and rule. One or two conditions are called without a loop. */
function every(checks: readonly Check[]): Check {
  const [first, second, third] = checks
  if (first === undefined) return () => true
  if (second === undefined) return first
  if (third === undefined) {
    return (event, element) => {
      const truth = first(event, element)
      return truth === false ? false : allOf(truth, second(event, element))
    }
  }
  return (event, element) => {
    let truth: Truth = true
    for (let i = 0; i < checks.length; i++) {
      truth = allOf(truth, checks[i]?.(event, element) ?? true)
      if (truth === false) return false
    }
    return truth
  }
}

/** Hot, as `every` is. */
function some(checks: readonly Check[]): Check {
  const [first, second] = checks
  if (first === undefined) return () => false
  if (second === undefined) return first
  return (event, element) => {
    let truth: Truth = false
    for (let i = 0; i < checks.length; i++) {
      truth = anyOf(truth, checks[i]?.(event, element) ?? false)
      if (truth === true) return true
    }
    return truth
  }
}

function someWhere(list: readonly Json[], where: Check, event: Event): Truth {
  let truth: Truth = false
  for (let i = 0; i < list.length; i++) {
    truth = anyOf(truth, where(event, list[i]))
    if (truth === true) return true
  }
  return truth
}

/** Roughly what a condition costs; of meaning beside each other only. */
function costOf(condition: Condition): number {
  switch (condition.kind) {
    case 'test':
      return costOfField(condition.test) + condition.path.steps.length
    case 'all':
    case 'any':
    case 'none':
      return condition.of.reduce((total, one) => total + costOf(one), 1)
    case 'some':
      return 30 + costOf(condition.where)
    case 'expr':
      return 1_000
  }
}
