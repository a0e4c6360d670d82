import type { Problem } from '../../model/problem.ts'
import type { At } from '../../schema/yaml-document.ts'
import type { Condition, FieldPath, FieldTest } from '../condition.ts'
import { joinPath } from '../field-path.ts'
import type { RuleTest } from '../rule-test-schema.ts'
import type { Linted } from './linted.ts'
import { hasField } from './unseen-fields.ts'

/**
 * Paths as templates and other languages have them: `event.kind`, and `teams.0.id` of a list. Both
 * are names that a field may have, so that a test beside the rule with such a field is believed.
 */
export function unlikelyPaths(
  { rule, document }: Linted,
  tests: readonly RuleTest[],
): readonly Problem[] {
  const bodies = tests.flatMap(({ events }) => events.map(({ body }) => body))
  const conditions = [rule.condition, ...rule.ways.flatMap(({ condition }) => condition ?? [])]
  return conditions.flatMap(placesOf).flatMap(({ path, at }) => {
    if (path.from === 'event' && bodies.some((body) => hasField(body, path.steps))) return []
    const unlikely = fromEvent(path) ?? intoList(path)
    if (unlikely === null) return []
    return [
      document.problemAt(at, 'key', { severity: 'warning', code: 'unlikely-path', ...unlikely }),
    ]
  })
}

interface Place {
  readonly path: FieldPath
  readonly at: At
}

function placesOf(condition: Condition): readonly Place[] {
  switch (condition.kind) {
    case 'test': {
      const { path, test, at } = condition
      return [path, ...othersOf(test)].map((one) => ({ path: one, at }))
    }
    case 'all':
    case 'any':
    case 'none':
      return condition.of.flatMap(placesOf)
    case 'some': {
      const { path, where, at } = condition
      return [{ path, at: [...at, 'path'] }, ...placesOf(where)]
    }
    case 'expr':
      return []
  }
}

/** The paths that a test compares with. */
function othersOf(test: FieldTest): readonly FieldPath[] {
  switch (test.kind) {
    case 'same-as':
    case 'differs-from':
      return [test.path]
    case 'not':
      return othersOf(test.test)
    case 'every':
      return test.tests.flatMap(othersOf)
    case 'present':
    case 'absent':
    case 'element':
    case 'has-all':
    case 'has-only':
    case 'len':
      return []
  }
}

interface Unlikely {
  readonly message: string
  readonly hint: string
}

function fromEvent({ from, steps, text }: FieldPath): Unlikely | null {
  const [first, ...rest] = steps
  if (first !== 'event' || rest.length === 0 || from === 'record') return null
  const [begin, message] =
    from === 'event'
      ? ['paths of `when` begin at the event', `\`${text}\` reads a field that is called \`event\``]
      : ['paths of `where` begin at the element', `\`${text}\` reads \`event\` of the element`]
  return { message, hint: `${begin}: write \`${joinPath(rest)}\`` }
}

/** `teams.0`, and `teams[0]` or `teams[]` as one name. */
const indexForm = /^(?:\d+|\*)$/
const bracketForm = /^(.+)\[(?:\d*|\*)\]$/

function intoList({ from, steps, text }: FieldPath): Unlikely | null {
  if (from === 'record') return null
  const i = steps.findIndex(
    (step, at) => (at > 0 && indexForm.test(step)) || bracketForm.test(step),
  )
  const step = steps[i]
  if (step === undefined) return null
  const [, name] = bracketForm.exec(step) ?? []
  const list = joinPath([...steps.slice(0, i), ...(name === undefined ? [] : [name])])
  const below = steps.slice(i + 1)
  const hint =
    below.length === 0
      ? `write \`${list}\`: a test of a list holds where some element satisfies it`
      : `of a list write \`some: { path: ${list}, where: { ${joinPath(below)}: .. } }\``
  return { message: `nothing below a list is read by a path, as \`${text}\` looks to do`, hint }
}
