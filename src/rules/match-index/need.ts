import type { Condition, ElementTest, FieldPath, FieldTest, Scalar } from '../condition.ts'
import { regexesIn } from '../regex-units.ts'
import { valueCharsMax } from '../regex.ts'
import type { Key } from './key.ts'
import type { PathNode, PathTree } from './path-tree.ts'

/*
 * What an event must hold for a condition not to be false: neither true nor in doubt without it.
 * Only tests for something can be looked up; whatever is asked by a negation is needed by nobody.
 */

export type Need =
  | { readonly kind: 'key'; readonly key: Key; readonly node: PathNode }
  /** Each of them is needed, so that looking up any one is enough. At least one. */
  | { readonly kind: 'all'; readonly of: readonly Need[] }
  /** One of them is needed, whichever: all have to be looked up. */
  | { readonly kind: 'any'; readonly of: readonly Need[] }

/** What `condition` needs; `null`: nothing, an event may hold anything. */
export function needOf(condition: Condition, tree: PathTree): Need | null {
  return ofCondition(condition, true, { tree, element: null })
}

/** Where paths start that start at an element. */
interface Place {
  readonly tree: PathTree
  readonly element: PathNode | null
}

/** What is needed for `condition` not to be false, or with `wanted` false, for it not to be true. */
function ofCondition(condition: Condition, wanted: boolean, place: Place): Need | null {
  switch (condition.kind) {
    case 'test':
      return ofField(condition.test, wanted, nodeAt(condition.path, place), place)
    case 'all':
    case 'any': {
      const needs = condition.of.map((one) => ofCondition(one, wanted, place))
      return (condition.kind === 'all') === wanted ? allOf(needs) : anyOf(needs)
    }
    case 'none': {
      const needs = condition.of.map((one) => ofCondition(one, !wanted, place))
      return wanted ? allOf(needs) : anyOf(needs)
    }
    case 'some': {
      if (!wanted) return null
      const node = nodeAt(condition.path, place)
      const within = { ...place, element: node.eachElement() }
      const where = ofCondition(condition.where, true, within)
      if (where === null) {
        return present(node, '`some` names nothing of an element that can be looked up')
      }
      // A `some` within another is a part of what that one's regexes see together.
      const lengths = place.element === null ? tooLongTogether(condition.where, within) : []
      return lengths.length === 0 ? where : { kind: 'any', of: [where, ...lengths] }
    }
    case 'expr':
      return null
  }
}

/**
 * What an event must hold for the regexes of a `where` to see too much together: at one of their
 * paths more than an even share. How often a part of the record is seen is known only when the list
 * is, so that any text there will do.
 */
function tooLongTogether(where: Condition, place: Place): readonly Need[] {
  const tests = regexTestsIn(where, place)
  const regexes = tests.reduce((sum, test) => sum + test.regexes, 0)
  const share = Math.floor(valueCharsMax / Math.max(1, regexes))
  const bounds = new Map(tests.map(({ node }) => [node, node.isSingle ? 0 : share]))
  return [...bounds].map(([node, unitsMax]) => ofKey({ kind: 'too-long', unitsMax }, node))
}

function regexTestsIn(
  condition: Condition,
  place: Place,
): readonly { readonly node: PathNode; readonly regexes: number }[] {
  switch (condition.kind) {
    case 'test': {
      const regexes = regexesIn(condition.test)
      return regexes === 0 ? [] : [{ node: nodeAt(condition.path, place), regexes }]
    }
    case 'all':
    case 'any':
    case 'none':
      return condition.of.flatMap((one) => regexTestsIn(one, place))
    case 'some': {
      const element = nodeAt(condition.path, place).eachElement()
      return regexTestsIn(condition.where, { ...place, element })
    }
    case 'expr':
      return []
  }
}

function nodeAt(path: FieldPath, { tree, element }: Place): PathNode {
  if (path.from === 'record') return tree.ofRecord(path)
  const start = path.from === 'element' && element !== null ? element : tree.body
  return path.steps.reduce((node, step) => node.child(step), start)
}

function ofField(test: FieldTest, wanted: boolean, node: PathNode, place: Place): Need | null {
  switch (test.kind) {
    case 'present':
      return wanted ? present(node, null) : absent(node)
    case 'absent':
      return wanted ? absent(node) : present(node, null)
    case 'not':
      return ofField(test.test, !wanted, node, place)
    case 'every': {
      const needs = test.tests.map((one) => ofField(one, wanted, node, place))
      return wanted ? allOf(needs) : anyOf(needs)
    }
    case 'element':
      return wanted ? ofElement(test.test, node, place) : null
    case 'has-all': {
      if (!wanted) return null
      const one = [...test.members].map((value) => ofValues(new Set([value]), node))
      return allOf(one) ?? present(node, '`has_all` of nothing')
    }
    case 'has-only':
      // The empty list holds as well, so that no member is needed.
      return wanted ? present(node, '`has_only` needs no member') : null
    case 'len':
      return wanted ? present(node, '`len` cannot be looked up') : null
    case 'differs-from':
    case 'same-as': {
      // Two absent fields are the same: of two that differ at least one is there.
      if ((test.kind === 'differs-from') !== wanted) return null
      const why = 'two values of the event are compared'
      return anyOf([present(node, why), present(nodeAt(test.path, place), why)])
    }
  }
}

function ofElement(test: ElementTest, node: PathNode, place: Place): Need {
  switch (test.kind) {
    case 'one-of':
      return ofValues(test.values, node, test.ci)
    case 'prefix':
    case 'suffix':
    case 'contains':
      return ofText(test.kind, test.text, node, test.ci)
    case 'glob': {
      const needs = globNeeds(test.glob.pieces, node, test.ci)
      return allOf(needs) ?? present(node, 'the glob has no text between its stars')
    }
    case 'regex': {
      const { literal } = test.regex
      const why = 'no text is in all that the regex matches'
      if (literal === null || literal.text === '') return present(node, why)
      const found =
        literal.kind === 'equals'
          ? ofValues(new Set([literal.text]), node)
          : ofText(literal.kind, literal.text, node, false)
      if (place.element !== null) return found // what is too long is looked for in all of the `some`
      const tooLong = ofKey({ kind: 'too-long', unitsMax: valueCharsMax }, node)
      return { kind: 'any', of: [found, tooLong] }
    }
    case 'range':
      return ofKey({ kind: 'range', interval: test.interval }, node)
    case 'cidr':
      return ofKey({ kind: 'cidr', source: test.cidr.source }, node)
    case 'not':
      return present(node, 'it is only said what the value is not')
    case 'every': {
      // Tests of what a value is not narrow nothing beside one of what it is.
      const needs = test.tests.map((one) => ofElement(one, node, place))
      return allOf(needs) ?? present(node, null)
    }
  }
}

function ofValues(values: ReadonlySet<Scalar>, node: PathNode, ci = false): Need {
  return ofKey({ kind: 'one-of', values, ci }, node)
}

function globNeeds(pieces: readonly string[], node: PathNode, ci: boolean): readonly Need[] {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return [ofValues(new Set([first]), node, ci)]
  return [
    ...(first === '' ? [] : [ofText('prefix', first, node, ci)]),
    ...(last === '' ? [] : [ofText('suffix', last, node, ci)]),
    ...rest.filter((piece) => piece !== '').map((piece) => ofText('contains', piece, node, ci)),
  ]
}

/** Units of a text that are looked up; so much tells any two texts apart that rules tell apart. */
const unitsMax = 512

function ofText(
  kind: 'prefix' | 'suffix' | 'contains',
  whole: string,
  node: PathNode,
  ci: boolean,
): Need {
  const text = kind === 'suffix' ? whole.slice(-unitsMax) : whole.slice(0, unitsMax)
  return ofKey({ kind, text, ci }, node)
}

function ofKey(key: Key, node: PathNode): Need {
  return { kind: 'key', key, node }
}

function present(node: PathNode, beyond: string | null): Need {
  return ofKey({ kind: 'present', beyond }, node)
}

function absent(node: PathNode): Need {
  return ofKey({ kind: 'absent' }, node)
}

function allOf(needs: readonly (Need | null)[]): Need | null {
  const some = needs.filter((need) => need !== null)
  const [only] = some
  return only !== undefined && some.length > 1 ? { kind: 'all', of: some } : (only ?? null)
}

/** `any` of nothing never holds; nothing is needed then, for want of a key that never is found. */
function anyOf(needs: readonly (Need | null)[]): Need | null {
  const all = needs.filter((need) => need !== null)
  const [only] = all
  if (all.length < needs.length || only === undefined) return null
  return all.length > 1 ? { kind: 'any', of: all } : only
}
