/** Why a pattern is refused, in words for the person who wrote it. */
export interface RegexRefusal {
  readonly message: string
  /** What to do about it, or `null`. */
  readonly hint: string | null
  /** UTF-16 units into the pattern; `null`: the pattern as a whole. */
  readonly offset: number | null
}

interface Explanation {
  readonly message: string
  readonly hint: string | null
}

/**
 * Tells a refusal of the linear engine in our words. `error` and `piece` are its: a fixed sentence,
 * and the part of the pattern that it was at.
 */
export function refusalOf(source: string, error: string, piece: string | null): RegexRefusal {
  const at = piece ?? ''
  const explanation =
    unsupported.find(({ piece }) => piece.test(at))?.explain(at) ??
    sentences.get(error)?.(at) ??
    explained(`${error}${at === '' ? '' : `: \`${at}\``}`)
  return { ...explanation, offset: offsetOf(source, at) }
}

const negation = 'say what must not be there in a test of its own, with `not` or `unless`'

/** Known from other regex languages, and left out of RE2's since it can not be run in linear time. */
const unsupported: readonly { piece: RegExp; explain: (at: string) => Explanation }[] = [
  {
    piece: /^\(\?(=|!|<=|<!)/,
    explain: (at) =>
      explained(`look-around (\`${/^\(\?<?[=!]/.exec(at)?.[0]}\`) is not supported`, negation),
  },
  {
    piece: /^(\\[1-9]|\\k|\(\?P=|\(\?P$)/,
    explain: (at) =>
      explained(
        `a back-reference (\`${at}\`) is not supported`,
        'compare two fields with `same_as` or `differs_from`',
      ),
  },
  {
    piece: /^\(\?>/,
    explain: () =>
      explained(
        'an atomic group (`(?>`) is not supported',
        'write `(?:`: no pattern can stall here',
      ),
  },
  {
    piece: /^[*+?}]\+$/,
    explain: (at) =>
      explained(
        `a possessive repetition (\`${at}\`) is not supported`,
        'leave the second `+` out: no pattern can stall here',
      ),
  },
  {
    piece: /^\(\?(#|x|i?x)/,
    explain: () => explained('comments in a pattern are not supported', 'write a YAML comment'),
  },
  { piece: /^\\Z/, explain: () => explained('`\\Z` is not supported', 'write `$` or `\\z`') },
  {
    piece: /^\\u/,
    explain: () =>
      explained('`\\u` is not supported', 'write the character itself, or `\\x{20ac}` for U+20AC'),
  },
]

/** By the sentence of the engine. */
const sentences = new Map<string, (at: string) => Explanation>([
  [
    'invalid character class range',
    (at) => explained(`\`${at}\` is no range or class of characters`),
  ],
  [
    'invalid escape sequence',
    (at) =>
      explained(`\`${at}\` is no escape`, 'a backslash before a letter has a meaning of its own'),
  ],
  [
    'invalid named capture',
    (at) =>
      explained(`\`${at}\` is no named group`, 'write `(?P<name>...)`: letters, digits and `_`'),
  ],
  ['duplicate capture group name', (at) => explained(`two groups are called \`${at}\``)],
  ['invalid or unsupported Perl syntax', (at) => explained(`\`${at}\` is not supported`)],
  [
    'invalid nested repetition operator',
    (at) => explained(`two repetitions in a row: \`${at}\``, 'put the first in a group: `(?:...)`'),
  ],
  [
    'invalid repeat count',
    (at) =>
      explained(
        `the repetition \`${at}\` asks for more than 1,000, or for more at least than at most`,
        'counts of repetitions in each other are multiplied',
      ),
  ],
  ['missing closing ]', () => explained('a `[` without its `]`', 'a bracket itself is `\\[`')],
  ['missing closing )', () => explained('a `(` without its `)`', 'a parenthesis itself is `\\(`')],
  ['unexpected )', () => explained('a `)` without its `(`', 'a parenthesis itself is `\\)`')],
  [
    'missing argument to repetition operator',
    (at) =>
      explained(
        `nothing stands before \`${at}\` to be repeated`,
        `the character itself is \`\\${at}\``,
      ),
  ],
  [
    'trailing backslash at end of expression',
    () => explained('a backslash at the end', 'a backslash itself is `\\\\`'),
  ],
  ['expression nests too deeply', () => explained('groups in groups, more than 1,000 deep')],
  [
    'expression too large',
    () => explained('the pattern is too large once its repetitions are written out'),
  ],
])

function explained(message: string, hint: string | null = null): Explanation {
  return { message, hint }
}

/** Where the piece stands if it stands there once; a guess would point at the wrong place. */
function offsetOf(source: string, piece: string): number | null {
  if (piece === '' || piece === source) return null
  const at = source.indexOf(piece)
  return at !== -1 && source.indexOf(piece, at + 1) === -1 ? at : null
}
