import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'

/**
 * Whether two values are equal as JSON: the order of keys makes no difference, 1 is 1.0 and -0 is
 * 0. Absent, `undefined`, equals absent and nothing else. Does not call itself: a body may be as
 * deep as its parser takes, which is deeper than a stack.
 */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return false
  const open: (readonly [Json | undefined, Json | undefined])[] = [[a, b]]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [left, right] = pair
    if (left === right) continue
    if (Array.isArray(left) && Array.isArray(right)) {
      if (left.length !== right.length) return false
      const other = right as readonly Json[] // as: isArray forgets what the members are
      for (const [i, one] of (left as readonly Json[]).entries()) open.push([one, other[i]])
    } else if (isJsonObject(left) && isJsonObject(right)) {
      const names = Object.keys(left)
      if (names.length !== Object.keys(right).length) return false
      for (const name of names) {
        if (!Object.hasOwn(right, name)) return false
        open.push([left[name], right[name]])
      }
    } else {
      return false
    }
  }
  return true
}
