import type { Event } from '../model/event.ts'
import { compileCondition, type Check } from './compile-condition.ts'
import type { Condition, Doubt, Truth } from './condition.ts'
import type { Fired } from './rule.ts'
import { anyOf } from './truth.ts'

/** Shared, so that an event that fires a rule makes no object for it. */
const inDoubt: Readonly<Record<Doubt, Fired>> = {
  'value-too-long': Object.freeze({ way: 0, doubt: 'value-too-long' }),
  'expr-error': Object.freeze({ way: 0, doubt: 'expr-error' }),
}

/**
 * Compiles whether a rule fires and which way: its own condition has to hold, then the first of
 * `ways` that does is taken, and `null` among them always holds. A way in doubt that stands before
 * the one that holds might be the one to take, and so the rule is in doubt. Total.
 */
export function compileFire(
  condition: Condition,
  ways: readonly (Condition | null)[],
): (event: Event) => Fired | null {
  const holds = compileCondition(condition)
  const checks = ways.map((way) => (way === null ? null : compileCondition(way)))
  const [first] = checks
  if (first === null) return firing(holds)
  const fired: readonly Fired[] = ways.map((_way, way) => Object.freeze({ way, doubt: null }))
  return (event) => {
    const truth = holds(event)
    return truth === false ? null : takeWay(event, truth, checks, fired)
  }
}

/** Of a rule without cases, and one for all of those. */
const onlyWay: Fired = Object.freeze({ way: 0, doubt: null })

/** Hot: a rule without cases. */
function firing(holds: Check): (event: Event) => Fired | null {
  return (event) => {
    const truth = holds(event)
    if (truth === false) return null
    return truth === true ? onlyWay : inDoubt[truth]
  }
}

function takeWay(
  event: Event,
  ruleTruth: true | Doubt,
  checks: readonly (Check | null)[],
  fired: readonly Fired[],
): Fired | null {
  let before: Truth = false
  for (let way = 0; way < checks.length; way++) {
    const truth: Truth = checks[way]?.(event) ?? true
    if (truth !== true) {
      before = anyOf(before, truth)
      continue
    }
    const doubt = worst(ruleTruth, before)
    return doubt === null ? (fired[way] ?? null) : inDoubt[doubt]
  }
  if (before === false) return null
  const doubt = worst(ruleTruth, before)
  return doubt === null ? null : inDoubt[doubt]
}

function worst(a: Truth, b: Truth): Doubt | null {
  const doubt = anyOf(typeof a === 'boolean' ? false : a, typeof b === 'boolean' ? false : b)
  return typeof doubt === 'boolean' ? null : doubt
}
