/** Where a text stops being JSON, and what was expected there. */
export interface JsonFault {
  /** Index into the text; its length when the text ends too early. */
  readonly index: number
  readonly message: string
}

/** What may come next. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'comma-or-end' | 'end'

const messages: Readonly<Record<Expected, string>> = {
  value: 'expected a value',
  'value-or-end': 'expected a value or `]`',
  key: 'expected a name in double quotes',
  'key-or-end': 'expected a name in double quotes or `}`',
  colon: 'expected `:`',
  'comma-or-end': 'expected `,` or the end of this list or map',
  end: 'expected the end of the line: one JSON document a line',
}

const blank = /[ \t\n\r]*/y
const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escape = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y

/**
 * Finds the first fault; `null` for JSON. JSON.parse says the same, but names the place only in
 * the text of its message. Slower, so asked only about what JSON.parse refused.
 */
export function findJsonFault(text: string): JsonFault | null {
  const open: ('[' | '{')[] = []
  let expected: Expected = 'value'
  let at = 0
  const afterValue = (): Expected => (open.length === 0 ? 'end' : 'comma-or-end')
  for (;;) {
    at = endOf(blank, text, at) ?? at
    const character = text.charAt(at)
    if (expected === 'end' && character === '') return null
    const inside = open.at(-1)
    const closes = (character === ']' && inside === '[') || (character === '}' && inside === '{')
    if (closes && (expected === 'comma-or-end' || expected.endsWith('-or-end'))) {
      open.pop()
      expected = afterValue()
      at++
    } else if (character === ',' && expected === 'comma-or-end') {
      expected = inside === '{' ? 'key' : 'value'
      at++
    } else if (character === ':' && expected === 'colon') {
      expected = 'value'
      at++
    } else if (character === '"' && (expected.startsWith('key') || expected.startsWith('value'))) {
      const end = endOfString(text, at)
      if (typeof end !== 'number') return end
      expected = expected.startsWith('key') ? 'colon' : afterValue()
      at = end
    } else if (expected.startsWith('value') && (character === '[' || character === '{')) {
      open.push(character)
      expected = character === '[' ? 'value-or-end' : 'key-or-end'
      at++
    } else {
      const end = expected.startsWith('value') ? endOf(word, text, at) : null
      if (end === null) return { index: at, message: messages[expected] }
      expected = afterValue()
      at = end
    }
  }
}

function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : null
}

/** Where the string that begins at `from` is over. */
function endOfString(text: string, from: number): number | JsonFault {
  for (let at = from + 1; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') return at + 1
    if (character < ' ') return { index: at, message: 'a text may not hold control characters' }
    if (character !== '\\') continue
    const end = endOf(escape, text, at + 1)
    if (end === null) return { index: at, message: 'this escape is none that JSON knows' }
    at = end - 1
  }
  return { index: text.length, message: 'expected `"`: the text is not closed' }
}
