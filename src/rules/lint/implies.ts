import type { Condition } from '../condition.ts'
import { impliesField, isSamePath, refutesField } from './implies-field.ts'

/*
 * Whether one condition follows from another, over their trees. Sound and not complete: what is said
 * to follow does for every event, or is in doubt; of the rest nothing is known. Two tests of one path
 * are never put together, since two elements of a list may each satisfy one of them.
 */

/** Pairs of nodes compared for one question; above it the answer is no. */
const stepsMax = 100_000

/** Whether `b` holds, or is in doubt, for every event for which `a` holds. */
export function implies(a: Condition, b: Condition): boolean {
  return new Question().implies(a, b)
}

class Question {
  #steps = 0

  implies(a: Condition, b: Condition): boolean {
    if (this.#steps++ > stepsMax) return false
    if (b.kind === 'all') return b.of.every((one) => this.implies(a, one))
    if (b.kind === 'none') return b.of.every((one) => this.refutes(a, one))
    if (a.kind === 'any' && a.of.every((one) => this.implies(one, b))) return true
    if (b.kind === 'any' && b.of.some((one) => this.implies(a, one))) return true
    if (a.kind === 'all') return a.of.some((one) => this.implies(one, b))
    if (a.kind === 'none') return a.of.some((one) => this.#absenceImplies(one, b))
    if (a.kind === 'test' && b.kind === 'test') {
      return isSamePath(a.path, b.path) && impliesField(a.test, b.test)
    }
    if (a.kind === 'some' && b.kind === 'some') {
      return isSamePath(a.path, b.path) && this.implies(a.where, b.where)
    }
    if (a.kind === 'some' && b.kind === 'test') {
      return isSamePath(a.path, b.path) && b.test.kind === 'present'
    }
    return a.kind === 'expr' && b.kind === 'expr' && a.expr.source === b.expr.source
  }

  /** Whether `b` does not hold for any event for which `a` holds. */
  refutes(a: Condition, b: Condition): boolean {
    if (this.#steps++ > stepsMax) return false
    if (b.kind === 'any') return b.of.every((one) => this.refutes(a, one))
    if (b.kind === 'none') return b.of.some((one) => this.implies(a, one))
    if (a.kind === 'any') return a.of.every((one) => this.refutes(one, b))
    if (a.kind === 'none' && a.of.some((one) => this.implies(b, one))) return true
    if (a.kind === 'all' && a.of.some((one) => this.refutes(one, b))) return true
    if (b.kind === 'all') return b.of.some((one) => this.refutes(a, one))
    return (
      a.kind === 'test' &&
      b.kind === 'test' &&
      isSamePath(a.path, b.path) &&
      refutesField(a.test, b.test)
    )
  }

  /** Whether `b` holds where `part` does not. */
  #absenceImplies(part: Condition, b: Condition): boolean {
    return (
      part.kind === 'test' &&
      b.kind === 'test' &&
      isSamePath(part.path, b.path) &&
      impliesField({ kind: 'not', test: part.test }, b.test)
    )
  }
}
