import type { Problem } from '../../model/problem.ts'
import type { Condition, ElementTest, FieldTest, Regex } from '../condition.ts'
import type { Linted } from './linted.ts'

/** Regexes that say what `prefix` says. */
export function plainPrefixes({ rule, document }: Linted): readonly Problem[] {
  const conditions = [rule.condition, ...rule.ways.map(({ condition }) => condition)]
  return conditions.flatMap((condition) =>
    condition === null
      ? []
      : fieldTestsOf(condition).flatMap(({ test, at }) =>
          regexesOf(test)
            .filter(({ isPlainPrefix }) => isPlainPrefix)
            .map((regex) => {
              const text = regex.source.slice(1).replace(/\\(.)/gsu, '$1')
              return document.problemAt(at, 'key', {
                severity: 'warning',
                code: 'regex-is-prefix',
                message: `the regex ${regex.source} only asks how the text begins`,
                hint: `write \`prefix: ${JSON.stringify(text)}\`, which is quicker and reads better`,
              })
            }),
        ),
  )
}

function fieldTestsOf(condition: Condition): readonly Extract<Condition, { kind: 'test' }>[] {
  switch (condition.kind) {
    case 'test':
      return [condition]
    case 'all':
    case 'any':
    case 'none':
      return condition.of.flatMap(fieldTestsOf)
    case 'some':
      return fieldTestsOf(condition.where)
    case 'expr':
      return []
  }
}

function regexesOf(test: FieldTest | ElementTest): readonly Regex[] {
  if (test.kind === 'regex') return [test.regex]
  if ('test' in test) return regexesOf(test.test)
  if (!('tests' in test)) return []
  const tests: readonly (FieldTest | ElementTest)[] = test.tests
  return tests.flatMap(regexesOf)
}
