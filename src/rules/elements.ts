import type { Json } from '../model/json.ts'
import { isArray } from './template-read.ts'
import { notRendered, RenderError, type JsonTemplate, type NotRendered } from './template.ts'
import type { Scope } from './scope.ts'

/** Calls that one step may make; a longer list is events of its own, one per element. */
export const elementsMax = 1_000

/** The elements that a step with `each` runs for, or why it cannot be said. Never throws. */
export function elementsOf(
  each: JsonTemplate,
  scope: Scope,
): { readonly kind: 'elements'; readonly elements: readonly Json[] } | NotRendered {
  try {
    const value = each(scope)
    if (value === null || !isArray(value)) {
      throw new RenderError('template', `each is not a list: ${kindOf(value)}`)
    }
    if (value.length > elementsMax) {
      const message = `each has ${value.length} elements, above ${elementsMax}`
      throw new RenderError('too-large', message)
    }
    return { kind: 'elements', elements: value }
  } catch (error) {
    return notRendered(error)
  }
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
