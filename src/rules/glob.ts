import { foldCase } from './case-folding.ts'
import type { Glob } from './condition.ts'

/**
 * UTF-16 units of a text that is looked for within others. Of a longer one V8 prepares only the last
 * 250 units, and what differs before those it may compare anew at each place: 1,000 take 0.4 s on
 * 1 MiB of one letter, up to 250 take 5 ms.
 */
export const soughtCharsMax = 250

/** Parses a glob: `*` is any run of characters, `\*` a star, `\\` a backslash. */
export function parseGlob(source: string, ci: boolean): Glob {
  const pieces = ['']
  for (const part of source.match(/\\[*\\]|[^]/g) ?? []) {
    if (part === '*') pieces.push('')
    else pieces.push((pieces.pop() ?? '') + part.slice(-1))
  }
  return { source, pieces: ci ? pieces.map(foldCase) : pieces }
}

/**
 * Whether a text fits the pieces between stars. They are looked for from left to right, each as
 * early as it can be: that never needs to go back, where a regex of `.*` could take time without
 * bound.
 */
export function fitsPieces(pieces: readonly string[]): (text: string) => boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    if (text.length < first.length + last.length) return false
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    let from = first.length
    for (let i = 0; i < rest.length; i++) {
      const piece = rest[i] ?? ''
      const found = text.indexOf(piece, from)
      if (found === -1) return false
      from = found + piece.length
    }
    return from <= text.length - last.length
  }
}
