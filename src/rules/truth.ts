import type { Doubt, Truth } from './condition.ts'

/* Kleene's logic of three values. Hot, and without a list or a closure made for a call. */

export function negate(truth: Truth): Truth {
  return typeof truth === 'boolean' ? !truth : truth
}

/** Both: false if one is false, else in doubt if one is. */
export function allOf(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false
  if (a === true) return b
  return b === true ? a : firstDoubt(a, b)
}

/** Either: true if one is true, else in doubt if one is. */
export function anyOf(a: Truth, b: Truth): Truth {
  if (a === true || b === true) return true
  if (a === false) return b
  return b === false ? a : firstDoubt(a, b)
}

/** The one that stands first in `Doubt`. */
function firstDoubt(a: Doubt, b: Doubt): Doubt {
  return a === 'value-too-long' ? a : b
}

/** Whether some element satisfies a check; looks no further than the first that does. */
export function someElement<T>(list: readonly T[], check: (element: T) => Truth): Truth {
  let truth: Truth = false
  for (let i = 0; i < list.length; i++) {
    truth = anyOf(truth, check(list[i] as T)) // as: within its length
    if (truth === true) return true
  }
  return truth
}
