import type { At } from '../schema/yaml-document.ts'
import { compileElementTest } from './compile-test.ts'
import type { ElementTest, Scalar } from './condition.ts'
import { both, hasWholeNumber, isEmpty } from './parse-interval.ts'
import type {
  ElementOperator,
  ElementPart,
  TestContext,
  WholeOperator,
  WholePart,
} from './parse-operators.ts'

/*
 * Maps of operators that no value can satisfy. Told only where it is certain: what is not seen here
 * is a rule that never fires, and what is seen wrongly is one that cannot be loaded.
 */

/** Values that are tried one by one; of a longer list it is not asked whether one is left. */
const candidatesMax = 10_000

/** Whether no single value can satisfy all tests of one map; reported where it is so. */
export function refuseImpossibleElement(
  parts: readonly ElementPart[],
  at: At,
  { reporter }: TestContext,
): boolean {
  const finding = typesApart(parts) ?? textsApart(parts) ?? noCandidate(parts)
  if (finding === null) return false
  reporter.errorAtKey([...at, finding.name], 'impossible', finding.message)
  return true
}

/** Whether no single value can satisfy all of some tests that were written apart. Sound. */
export function areApart(tests: readonly ElementTest[]): boolean {
  const single = tests.flatMap((test) => (test.kind === 'every' ? test.tests : [test]))
  const parts = single.map((test) => ({ name: 'equals', test }) as const)
  const ranges = single.flatMap((test) => (test.kind === 'range' ? [test.interval] : []))
  const isEmptyRange = ranges.some((a) => ranges.some((b) => isEmpty(both(a, b))))
  return isEmptyRange || (typesApart(parts) ?? textsApart(parts) ?? noCandidate(parts)) !== null
}

interface Finding {
  readonly name: ElementOperator | WholeOperator
  readonly message: string
}

function typesApart(parts: readonly ElementPart[]): Finding | null {
  const text = parts.find(({ test }) => isOfTexts(test))
  const range = parts.find(({ test }) => test.kind === 'range')
  if (text === undefined || range === undefined) return null
  const message = `no value is a text (\`${text.name}\`) and a number (\`${range.name}\`)`
  return { name: range.name, message }
}

function isOfTexts({ kind }: ElementTest): boolean {
  return ['prefix', 'suffix', 'contains', 'glob', 'regex', 'cidr'].includes(kind)
}

/** Two tests that ask for beginnings, or for ends, of which neither can be the other's. */
function textsApart(parts: readonly ElementPart[]): Finding | null {
  for (const [i, part] of parts.entries()) {
    for (const before of parts.slice(0, i)) {
      const [a, b] = [before, part].map(({ test }) => endsOf(test))
      if (a === undefined || b === undefined) continue
      const begins = a.first.startsWith(b.first) || b.first.startsWith(a.first)
      const ends = a.last.endsWith(b.last) || b.last.endsWith(a.last)
      if (begins && ends) continue
      const message = `no text ${begins ? 'ends' : 'begins'} as \`${before.name}\` and \`${part.name}\` ask`
      return { name: part.name, message }
    }
  }
  return null
}

/** What a text has to begin and to end with; empty where nothing is known. */
function endsOf(test: ElementTest): { readonly first: string; readonly last: string } {
  switch (test.kind) {
    case 'prefix':
      return { first: test.text, last: '' }
    case 'suffix':
      return { first: '', last: test.text }
    case 'glob':
      return { first: test.glob.pieces[0] ?? '', last: test.glob.pieces.at(-1) ?? '' }
    case 'one-of':
    case 'contains':
    case 'regex': // its literal is of another case than the others' where `ci` is
    case 'range':
    case 'cidr':
    case 'not':
    case 'every':
      return { first: '', last: '' }
  }
}

/** The few values that some test can hold for, of which none satisfies the others. */
function noCandidate(parts: readonly ElementPart[]): Finding | null {
  for (const finite of parts) {
    const candidates = candidatesOf(finite.test)
    if (candidates === null) continue
    let left = candidates.values
    for (const { name, test } of parts) {
      // What is below `not` has its own `ci`: another case of a folded text may pass it.
      if (test.kind === 'not' && candidates.areFolded) continue
      const check = compileElementTest(test)
      left = left.filter((candidate) => check(candidate) !== false)
      if (left.length > 0) continue
      return { name, message: `no value of \`${finite.name}\` can satisfy \`${name}\`` }
    }
  }
  return null
}

interface Candidates {
  readonly values: readonly Scalar[]
  readonly areFolded: boolean
}

/** All values that can satisfy a test, or `null`. */
function candidatesOf(test: ElementTest): Candidates | null {
  if (test.kind === 'one-of') {
    return test.values.size > candidatesMax
      ? null
      : { values: [...test.values], areFolded: test.ci }
  }
  if (test.kind !== 'glob' || test.glob.pieces.length > 1) return null
  return { values: test.glob.pieces, areFolded: test.ci }
}

/** Whether no value can satisfy all tests of one map, those of the whole value among them. */
export function refuseImpossibleField(
  wholes: readonly WholePart[],
  elements: readonly ElementPart[],
  at: At,
  { reporter }: TestContext,
): boolean {
  const finding = besideAbsence(wholes, elements) ?? membersApart(wholes, elements)
  if (finding === null) return false
  reporter.errorAtKey([...at, finding.name], 'impossible', finding.message)
  return true
}

function besideAbsence(
  wholes: readonly WholePart[],
  elements: readonly ElementPart[],
): Finding | null {
  if (!wholes.some(({ test }) => test.kind === 'absent')) return null
  const isLoneNot = elements.length === 1 && elements[0]?.name === 'not'
  const beside =
    wholes.find(({ test }) => ['has-all', 'has-only', 'len'].includes(test.kind)) ??
    (isLoneNot ? undefined : elements[0])
  if (beside === undefined) return null
  const message = `an absent field has no value for \`${beside.name}\` to hold for`
  return { name: 'exists', message }
}

/** Lists whose members, or whose number, leave none to be. */
function membersApart(
  wholes: readonly WholePart[],
  elements: readonly ElementPart[],
): Finding | null {
  const all = wholes.find(({ test }) => test.kind === 'has-all')?.test
  const only = wholes.find(({ test }) => test.kind === 'has-only')?.test
  const len = wholes.find(({ test }) => test.kind === 'len')?.test
  const wanted = all?.kind === 'has-all' ? all.members : null
  const allowed = only?.kind === 'has-only' ? only.members : null
  const asksElement = elements.length > 1 || (elements[0] ?? { name: 'not' }).name !== 'not'
  const least = wanted?.size ?? (asksElement ? 1 : 0)
  if (
    len?.kind === 'len' &&
    !hasWholeNumber({ ...len.interval, min: Math.max(least, len.interval.min) })
  ) {
    const count = `${least} ${least === 1 ? 'element' : 'different elements'}`
    return { name: 'len', message: `the other tests ask for at least ${count}` }
  }
  if (allowed === null) return null
  const missing = [...(wanted ?? [])].find((member) => !allowed.has(member))
  if (missing !== undefined) {
    const message = `\`has_all\` asks for ${JSON.stringify(missing)}, which \`has_only\` leaves out`
    return { name: 'has_only', message }
  }
  if (!asksElement) return null
  const checks = elements.map(({ test }) => compileElementTest(test))
  const isLeft = [...allowed].some((member) => checks.every((check) => check(member) !== false))
  if (isLeft) return null
  const names = elements.map(({ name }) => `\`${name}\``).join(' and ')
  return { name: 'has_only', message: `none of its members can satisfy ${names}` }
}
