import type { Condition, FieldTest } from './condition.ts'

/**
 * Whether a condition asks for something positive of a field on every way to hold: what an index
 * can file a rule under, so that not every event of a topic has to be asked.
 */
export function isIndexable(condition: Condition): boolean {
  switch (condition.kind) {
    case 'test':
      return isPositive(condition.test)
    case 'all':
      return condition.of.some(isIndexable)
    case 'any':
      return condition.of.every(isIndexable)
    case 'some':
      return true // the list has to be there
    case 'none':
    case 'expr':
      return false
  }
}

function isPositive(test: FieldTest): boolean {
  switch (test.kind) {
    case 'present':
    case 'has-all':
    case 'has-only':
    case 'len':
      return true
    case 'element':
      return true // even one that most values satisfy asks for a value
    case 'every':
      return test.tests.some(isPositive)
    case 'absent':
    case 'not':
    case 'same-as':
    case 'differs-from':
      return false
  }
}
