/** What other languages call the keys of a rule and of a case, by the key that is meant. */
const ofBoth: Readonly<Record<string, readonly string[]>> = {
  when: ['if', 'match', 'matches', 'filter', 'filters', 'where', 'condition', 'conditions'],
  unless: ['except', 'match_not', 'not', 'ignore'],
  do: ['then', 'action', 'actions', 'run', 'exec', 'execute', 'effects', 'steps'],
}

const ofRules: Readonly<Record<string, readonly string[]>> = {
  ...ofBoth,
  topics: ['on', 'from', 'source', 'sources', 'trigger', 'triggers', 'input', 'subscribe'],
  cases: ['switch', 'choose'],
  for_each: ['each', 'matrix'],
  extends: ['inherits', 'base', 'parent'],
  rate: ['throttle', 'rate_limit'],
  dedup: ['debounce', 'deduplicate', 'deduplication', 'coalesce', 'idempotency'],
}

/** Words of other languages that no key of ours stands for alone. */
const hints: Readonly<Record<string, string>> = {
  ...alike('what is done where no case holds is a last case without `when`', [
    ...['else', 'otherwise', 'default'],
  ]),
  ...alike('the name of a rule is the key that it stands below', ['name', 'id']),
  ...alike('write `enabled: false`', ['disabled']),
  ...alike('write `mode: shadow`', ['dry_run', 'dryrun', 'dry-run']),
}

function alike(hint: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, hint]))
}

/** The key of a rule that a word of another language stands for, or `null`. */
export function keyOfRule(word: string): string | null {
  return keyIn(ofRules, word)
}

/** The key of a case that a word of another language stands for, or `null`. */
export function keyOfCase(word: string): string | null {
  return keyIn(ofBoth, word)
}

function keyIn(keys: Readonly<Record<string, readonly string[]>>, word: string): string | null {
  return Object.keys(keys).find((key) => keys[key]?.includes(word.toLowerCase())) ?? null
}

/** What to write where a word of another language means more than a key of ours; `null`: it is none. */
export function hintForWord(word: string): string | null {
  const plain = word.toLowerCase()
  return Object.hasOwn(hints, plain) ? (hints[plain] ?? null) : null
}
