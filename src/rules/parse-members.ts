import type { Json } from '../model/json.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { At } from '../schema/yaml-document.ts'
import { foldCase } from './case-folding.ts'
import type { Scalar } from './condition.ts'
import type { Breathe } from './match-index/in-slices.ts'
import type { TestContext } from './parse-operators.ts'

/** Members of one list in a rule; a longer one belongs into `lists`. */
export const membersMax = 10_000

export function isScalar(value: Json): value is Scalar {
  return value === null || typeof value !== 'object'
}

/** The values of a list that stands in a test; `null` after reporting what is wrong. */
export function parseMembers(
  list: readonly Json[],
  at: At,
  context: TestContext,
): ReadonlySet<Scalar> | null {
  const { reporter } = context
  if (list.length > membersMax) {
    const message = `a list of ${list.length} members, above ${membersMax}`
    reporter.error(at, 'too-many', message, 'a list in `lists` may be longer; name it with `in`')
    return null
  }
  return scalarsOf(list, at, context)
}

/** The values of the list of `lists` that `in` names, at least one. */
export function parseListName(
  operand: Json,
  at: At,
  context: TestContext,
): ReadonlySet<Scalar> | null {
  const { lists, reporter } = context
  if (typeof operand !== 'string') {
    const hint = Array.isArray(operand)
      ? 'write the list without `in`, or put it into `lists`'
      : null
    const message = `found ${describeValue(operand)}, expected the name of a list of this file`
    reporter.error(at, 'wrong-type', message, hint)
    return null
  }
  const list = lists.get(operand)
  if (list === undefined) {
    const message = `there is no list \`${operand}\` in this file`
    const known =
      lists.size === 0 ? 'the file has no `lists`' : `lists are ${[...lists.keys()].join(', ')}`
    reporter.error(at, 'unknown-list', message, didYouMean(operand, lists.keys()) ?? known)
    return null
  }
  if (list === null) return null // it is wrong, and that has been told
  if (!Array.isArray(list)) {
    const message = `\`${operand}\` is ${describeValue(list)}, expected a list`
    reporter.error(at, 'wrong-type', message, 'a map of `lists` is for the pipe `lookup`')
    return null
  }
  if (list.length === 0) {
    reporter.error(at, 'impossible', `no value is in \`${operand}\`: the list is empty`)
    return null
  }
  return namedMembers(list as readonly Json[]) // as: an array of a Json value
}

/**
 * One set for each list, however many rules name it: a list of a million members is not kept once
 * a rule. It goes when the list goes.
 */
const sets = new WeakMap<readonly Json[], ReadonlySet<Scalar>>()
const foldedSets = new WeakMap<ReadonlySet<Scalar>, ReadonlySet<Scalar>>()

/** Members that are put into a set between two looks at the clock: below a millisecond. */
const membersAtOnce = 4_096

/**
 * Makes the sets of a long list ahead of the rules that name it, and lets the process go on between
 * parts of it: compiling a rule waits for nobody.
 *
 * @param folds - whether a rule may ask without regard to case
 */
export async function prepareMembers(
  list: readonly Json[],
  folds: boolean,
  breathe: Breathe,
): Promise<void> {
  if (list.length <= membersAtOnce || sets.has(list)) return
  const members = new Set<Scalar>()
  const folded = new Set<Scalar>()
  let count = 0
  // as: rule-lists.ts lets no other member through
  for (const one of list as readonly Scalar[]) {
    members.add(one)
    if (folds) folded.add(typeof one === 'string' ? foldCase(one) : one)
    if (++count % membersAtOnce === 0) await breathe()
  }
  sets.set(list, members)
  if (folds) foldedSets.set(members, folded)
}

function namedMembers(list: readonly Json[]): ReadonlySet<Scalar> {
  const known = sets.get(list)
  if (known !== undefined) return known
  const members = new Set(list as readonly Scalar[]) // as: rule-lists.ts lets no other member through
  sets.set(list, members)
  return members
}

/** The same values, the texts among them folded. */
export function foldMembers(members: ReadonlySet<Scalar>): ReadonlySet<Scalar> {
  let folded = foldedSets.get(members)
  if (folded === undefined) {
    folded = new Set([...members].map((one) => (typeof one === 'string' ? foldCase(one) : one)))
    foldedSets.set(members, folded)
  }
  return folded
}

function scalarsOf(
  list: readonly Json[],
  at: At,
  { reporter }: TestContext,
): ReadonlySet<Scalar> | null {
  const index = list.findIndex((member) => !isScalar(member))
  // as: every member was asked just now; filtering would copy a list that may be long
  if (index === -1) return new Set(list as readonly Scalar[])
  reporter.error(
    [...at, index],
    'wrong-type',
    `found ${describeValue(list[index])} in a list of values, expected a text, a number, true, false or null`,
    'alternatives that are tests of their own are written with `any`',
  )
  return null
}
