import type { Rendered, RenderedRequest } from '../rules/action-kind.ts'
import { notRendered, RenderError } from '../rules/template.ts'

/** Runs `render` and turns what templates throw into what `Action.render` promises. */
export function rendered(render: () => RenderedRequest): Rendered {
  try {
    return { kind: 'ready', request: render() }
  } catch (error) {
    return notRendered(error)
  }
}

/** JSON of a rendered tree in UTF-8. Throws RenderError when it is above `bytesMax`. */
export function jsonBytes(value: unknown, bytesMax: number): Buffer {
  const bytes = Buffer.from(stringified(value))
  if (bytes.length <= bytesMax) return bytes
  throw new RenderError('too-large', `a body of ${bytes.length} bytes, above ${bytesMax}`)
}

function stringified(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // A text above V8's bound, or nested deeper than its stack.
    if (error instanceof RangeError) throw new RenderError('too-large', 'the JSON is too large')
    throw error
  }
}
