import { Lexer } from 'yaml'

/** Maps and lists inside each other. Deeper is not written by a person. */
export const depthMax = 64

/** Columns that a line may be indented, and so levels that it may be in: all, at four blanks each. */
const indentMax = 4 * depthMax

/** What the lexer puts before a plain or block scalar, whose text could be anything. */
const scalarFollows = '\u001f'

/**
 * The offset at which a text nests deeper than can be meant, or `null`. Asked before parsing: the
 * parser calls itself for every level, and V8 ends the process, with no error to catch, when a regex
 * is first compiled near the end of the stack. The lexer does not call itself. It finds brackets and
 * `- - -` exactly; other levels take a column each, so the bound on columns is one on them.
 */
export function tooDeepAt(text: string): number | null {
  const indented = new RegExp(`^ {${indentMax + 1},}[^ \\r\\n]`, 'm').exec(text)
  if (indented !== null) return indented.index + indented[0].length - 1
  let offset = 0
  let brackets = 0
  let indicators = 0
  let isScalar = false
  for (const token of new Lexer().lex(text)) {
    if (token === scalarFollows) {
      isScalar = true
      continue
    }
    if (!isScalar) {
      if (token === '[' || token === '{') brackets++
      else if (token === ']' || token === '}') brackets--
      else if (token === '-' || token === '?') indicators++
      else if (token.endsWith('\n')) indicators = 0
    }
    isScalar = false
    if (brackets > depthMax || indicators > depthMax) return offset
    if (!isControl(token)) offset += token.length
  }
  return null
}

/** Tokens of the lexer that stand for no text: end of flow, start of document. */
function isControl(token: string): boolean {
  return token === '\u0018' || token === '\u0002'
}
