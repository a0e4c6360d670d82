/*
 * The rules whose promises are judged. Windows hold events back on purpose, and an event is read again
 * with all its rules: so windows, orders and plain calls have a topic each, or the repeats of one
 * would be explained by the other.
 */

export const targetNames = ['plain', 'fragile', 'windows', 'ordered', 'secure'] as const
export type TargetName = (typeof targetNames)[number]

/** Those that do all kinds of wrong; the one with TLS has a kind of its own. */
export const plainTargets: readonly TargetName[] = ['plain', 'fragile', 'windows', 'ordered']

export const topics = {
  jobs: 'jobs',
  edits: 'edits',
  orders: 'orders',
  /** Read beside another one, and deleted now and then. */
  side: 'side',
  /** Which a rule makes and another one reads. */
  derived: 'derived',
} as const

/** What a rule promises for each event that it matches. */
type Promised =
  /** It is acted on, or is a dead letter. */
  | { readonly kind: 'each' }
  /** The same, and one after the other within a key. */
  | { readonly kind: 'ordered' }
  /** It is acted on, or a newer one of its key is. */
  | { readonly kind: 'newest'; readonly windowMs: number }
  /** It is acted on, or another one of its key was in the window. */
  | { readonly kind: 'first'; readonly windowMs: number }
  /** It is acted on, or one of its key whose version is not below its own. */
  | { readonly kind: 'version' }

export interface RuleUnderTest {
  readonly name: string
  readonly topics: readonly string[]
  readonly promised: Promised
  /** Which field of the event is its key; `null`: it has none. */
  readonly key: 'page' | 'account' | 'dup' | null
  /** `null`: it derives events. */
  readonly target: TargetName | null
  /** What else stands in its file. */
  readonly more: readonly string[]
}

/** Long enough that no outage of the schedule makes a dead letter of what is patient. */
const patient = 'retry: { attempts: 60, backoff: { first: 1s, factor: 1.5, max: 3s } }'
const windowMs = 2_000
const quietMs = 1_000
const waitMaxMs = 4_000
const onceMs = 3_600_000

export const rulesUnderTest: readonly RuleUnderTest[] = [
  {
    name: 'post',
    topics: [topics.jobs],
    promised: { kind: 'each' },
    key: null,
    target: 'plain',
    more: ['concurrency: 10', patient],
  },
  {
    name: 'fragile',
    topics: [topics.jobs],
    promised: { kind: 'each' },
    key: null,
    target: 'fragile',
    more: ['concurrency: 10', 'retry: { attempts: 2, backoff: { first: 1s } }'],
  },
  {
    name: 'derive',
    topics: [topics.jobs],
    promised: { kind: 'each' },
    key: null,
    target: null,
    more: [],
  },
  {
    name: 'follow',
    topics: [topics.derived],
    promised: { kind: 'each' },
    key: null,
    target: 'plain',
    more: ['concurrency: 10', patient],
  },
  {
    name: 'purge',
    topics: [topics.edits],
    promised: { kind: 'newest', windowMs },
    key: 'page',
    target: 'windows',
    more: [`dedup: { window: ${windowMs}ms, keep: both }`, patient],
  },
  {
    name: 'digest',
    topics: [topics.edits],
    promised: { kind: 'newest', windowMs: quietMs },
    key: 'page',
    target: 'windows',
    more: [
      `dedup: { window: ${quietMs}ms, keep: last, max_wait: ${waitMaxMs}ms, on_outage: wait }`,
      patient,
    ],
  },
  {
    name: 'once',
    topics: [topics.edits],
    promised: { kind: 'first', windowMs: onceMs },
    key: 'dup',
    target: 'windows',
    more: [`dedup: { window: ${onceMs}ms, keep: first }`, patient],
  },
  {
    name: 'index',
    topics: [topics.edits],
    promised: { kind: 'version' },
    key: 'page',
    target: 'windows',
    more: ['dedup: { version: "{{event.rev}}" }', patient],
  },
  {
    name: 'account',
    topics: [topics.orders],
    promised: { kind: 'ordered' },
    key: 'account',
    target: 'ordered',
    more: ['order: key', 'concurrency: 10', patient],
  },
  {
    name: 'secure',
    topics: [topics.orders],
    promised: { kind: 'each' },
    key: null,
    target: 'secure',
    more: ['concurrency: 10', patient],
  },
  {
    name: 'aside',
    topics: [topics.orders, topics.side],
    promised: { kind: 'each' },
    key: null,
    target: 'plain',
    more: ['concurrency: 10', patient],
  },
]

/** Above what a pause of a busy machine takes, and not so long that a stall holds a slot for ever. */
export const callMsMax = 2_000

/**
 * The rule file. `edition` is what a change of rules changes: the text of each rule, so that what
 * waits for a retry meets another rule than the one that it failed by.
 */
export function ruleFile(origins: Readonly<Record<TargetName, string>>, edition: number): string {
  return ['rules:', ...rulesUnderTest.map((rule) => ruleText(rule, origins, edition)), ''].join(
    '\n',
  )
}

const origin = '{{@topic}}/{{@partition}}/{{@offset}}'

function ruleText(
  rule: RuleUnderTest,
  origins: Readonly<Record<TargetName, string>>,
  edition: number,
): string {
  const { name, target, key } = rule
  const lines = [
    `topics: [${rule.topics.join(', ')}]`,
    ...(key === null ? [] : [`key: "{{event.${key}}}"`]),
    ...rule.more,
    `timeout: ${callMsMax}ms`,
    'do:',
    ...(target === null
      ? [
          '  emit:',
          `    topic: ${topics.derived}`,
          `    value: { n: "{{event.n}}", page: "{{event.page}}", account: "{{event.account}}", dup: "{{event.dup}}", rev: "{{event.rev}}", from: "${origin}", edition: ${edition} }`,
        ]
      : [
          '  http:',
          '    method: POST',
          `    url: "${origins[target]}/${name}"`,
          `    json: { origin: "${origin}", n: "{{event.n}}", edition: ${edition} }`,
        ]),
  ]
  return [`  ${name}:`, ...lines.map((line) => `    ${line}`)].join('\n')
}
