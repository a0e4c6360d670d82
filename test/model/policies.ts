import type { Dedup, Rule } from '../../src/rules/rule.ts'
import type { Json } from '../../src/model/json.ts'
import type { Scope } from '../../src/rules/scope.ts'

/** What a rule of the model asks for. */
export interface Policy {
  readonly name: string
  readonly rule: Pick<Rule, 'order' | 'key' | 'concurrencyPerKey' | 'concurrency'>
  readonly dedup: Dedup | null
}

interface Body {
  readonly key: string
  readonly version: number
}

function bodyOf({ event }: Scope): Body {
  return event.body as unknown as Body // as: the events of the model are made by `bodyFor`
}

export function bodyFor(key: string, version: number): Json {
  return { key, version }
}

const keyOf = (scope: Scope): string => bodyOf(scope).key
const versionOf = (scope: Scope): string => String(bodyOf(scope).version)

const plain: Policy['rule'] = {
  order: 'none',
  key: keyOf,
  concurrencyPerKey: null,
  concurrency: 30,
}

function dedup(
  keep: 'first' | 'last' | 'both' | null,
  ms: number,
  more: Partial<Dedup> & { readonly waitMaxMs?: number } = {},
): Dedup {
  const { waitMaxMs = 10 * ms, ...rest } = more
  const window = keep === null ? null : { keep, ms, waitMaxMs }
  return { key: keyOf, window, version: null, onOutage: 'run', ...rest }
}

function policy(name: string, dedupOf: Dedup | null, rule: Partial<Policy['rule']> = {}): Policy {
  return { name, rule: { ...plain, ...rule }, dedup: dedupOf }
}

const long = 90_000

export const policies: readonly Policy[] = [
  policy('first', dedup('first', 5_000)),
  policy('last', dedup('last', 5_000, { waitMaxMs: 15_000 })),
  policy('both', dedup('both', 5_000)),
  policy('version', dedup(null, 0, { version: versionOf })),
  policy('first, version', dedup('first', 5_000, { version: versionOf })),
  policy('both, version', dedup('both', 5_000, { version: versionOf })),
  policy('both, on_outage: wait', dedup('both', 5_000, { onOutage: 'wait' })),
  policy('both, one slot', dedup('both', 5_000), { concurrency: 1 }),
  policy('first, long', dedup('first', long)),
  policy('last, long', dedup('last', long, { waitMaxMs: 2 * long })),
  policy('both, long', dedup('both', long)),
  policy('order: key', null, { order: 'key' }),
  policy('order: key, both', dedup('both', 5_000), { order: 'key' }),
  policy('order: key, version', dedup(null, 0, { version: versionOf }), { order: 'key' }),
  policy('per_key: 2', null, { concurrencyPerKey: 2 }),
  policy('per_key: 1, both', dedup('both', 5_000), { concurrencyPerKey: 1 }),
]

export function policyNamed(name: string): Policy {
  const found = policies.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no policy ${name}`)
  return found
}
