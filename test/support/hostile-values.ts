import fc from 'fast-check'
import type { Json } from '../../src/model/json.ts'

/** Texts that mean something to a URL, a header, a form, a path or a reader's eye. */
const pieces = [
  ...['.', '..', '/', '\\', '%2e', '%2E', '%2f', '%5c', '%', '%0', '%0d%0a', '%c3', '?', '#', '@'],
  ...[
    ':',
    '&',
    '=',
    '\r\n',
    '\n',
    '\0',
    '\t',
    ' ',
    '\u00a0',
    '\u0085',
    '\u2028',
    '\ud800',
    '\udc00',
  ],
  ...[
    '\u202e',
    '\u2066',
    '\u200b',
    '\ufeff',
    "'",
    '"',
    '+',
    ';',
    ',',
    '$',
    '!',
    '*',
    '(',
    ')',
    '~',
  ],
  ...['a', 'B', '0', 'é', '😀', '[', ']', '|', '^', '`', '{', '}', '{{', '}}', '<', '://', '//'],
  ...[
    'evil.org',
    '.wikipedia.org',
    'en',
    '-',
    '_',
    'xn--',
    '0x7f',
    '1.1',
    '__proto__',
    'ａ',
    '．．',
  ],
]

const text = fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join(''))

/** A value that a rule would put into one place. */
const hostile: fc.Arbitrary<string | number | boolean> = fc.oneof(
  { weight: 8, arbitrary: text },
  {
    weight: 2,
    arbitrary: fc.constantFrom('.', '..', '%2e', '.%2E', './..', '../a', 'a/..', 'a?b'),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constant('a/'.repeat(6_000)) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.boolean() },
)

/** The same, or what is no text at all. */
const hostileJson: fc.Arbitrary<Json> = fc.oneof(
  { weight: 10, arbitrary: hostile },
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.array(hostile, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(text, hostile, { maxKeys: 2 }) },
)

const calls = [
  ...['json', 'uri', 'uri: ":@,"', 'path', 'path: ":,@;$&+=\'!*()"', 'raw', 'decode_uri', 'lower'],
  ...['upper', 'trim', 'default: ".."', 'join: "/"', 'first', 'last', 'replace: "a", "../"'],
  ...['replace: ".", "%2e"', 'slice: 0, 2', 'slice: -1', 'http_date', 'iso_date', 'unix', 'add: 1'],
  ...['sha256', 'hmac: example-key', 'base64', 'lookup: example-map'],
]

const sources = [
  ...['event.a', 'event.b', 'item', 'item.c', 'steps.page.body.d', 'steps.page', 'match.title'],
  ...['@key', '@headers.x', 'event.list'],
]

/** In a URL these say how a value enters. */
const lastCalls = ['raw', 'path', 'path: ":,@;$"', 'uri: ":,"']

/** A tag with up to three pipes, or a section around one. */
export function hostileTag(place: 'url' | 'elsewhere'): fc.Arbitrary<string> {
  const none = { weight: 2, arbitrary: fc.constant<string[]>([]) }
  const some = { weight: 3, arbitrary: fc.array(fc.constantFrom(...calls), { maxLength: 3 }) }
  const last = { weight: 3, arbitrary: fc.constantFrom(...lastCalls).map((call) => [call]) }
  return fc
    .record({
      source: fc.constantFrom(...sources),
      pipes: place === 'url' ? fc.oneof(none, some, last) : fc.oneof(none, some),
      isSection: fc.nat(5).map((n) => n === 0),
    })
    .map(({ source, pipes, isSection }) =>
      isSection
        ? `{{#${source}}}${['{{.', ...pipes].join(' | ')}}}{{/${source}}}`
        : `{{${[source, ...pipes].join(' | ')}}}`,
    )
}

/** What the tags read. */
export const hostileValues = fc.record({
  a: hostileJson,
  b: hostile,
  c: hostile,
  d: hostile,
  list: fc.array(hostile, { maxLength: 3 }),
  title: text,
  key: text,
  header: text,
})
