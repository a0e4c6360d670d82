/** What other languages call the tests, in lower case and without `_`, `-` and `$`. */
const synonyms: Readonly<Record<string, string>> = {
  ...alike('write the value alone, or `equals`', ['eq', 'equal', 'is', 'equalto', '=', '==']),
  ...alike('write `not`', ['ne', 'neq', 'isnot', 'notequal', 'notequals', '!=']),
  ...alike('write `not: { in: .. }`, or `not` of a list', ['notin', 'nin', 'noneof']),
  ...alike('write a list alone, or `in` with the name of one of `lists`', ['oneof', 'anyof']),
  ...alike('write `prefix`', ['startswith', 'startwith', 'beginswith']),
  ...alike('write `suffix`', ['endswith', 'endwith']),
  ...alike('write `contains`', ['includes', 'include', 'substring']),
  ...alike('write `regex`', ['matches', 'match', 'regexp', 'pattern', '=~']),
  ...alike('write `glob`', ['like', 'wildcard']),
  ...alike('write `gt`', ['>', 'greaterthan', 'above']),
  ...alike('write `gte`', ['>=', 'min', 'minimum', 'ge', 'atleast']),
  ...alike('write `lt`', ['<', 'lessthan', 'below']),
  ...alike('write `lte`', ['<=', 'max', 'maximum', 'le', 'atmost']),
  ...alike('write `gte` and `lte` side by side', ['between', 'range']),
  ...alike('write `exists: true`', ['has', 'exist', 'present', 'defined']),
  ...alike('write `exists: false`', ['missing', 'absent', 'undefined']),
  ...alike('write `len`', ['length', 'size', 'count']),
  ...alike('write `ci: true`', ['ignorecase', 'caseinsensitive', 'nocase']),
}

function alike(hint: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, hint]))
}

/** What to write instead of the name that another language has for a test; `null`: it is none. */
export function synonymHint(name: string): string | null {
  const plain = name.toLowerCase().replace(/[_$-]/g, '')
  return Object.hasOwn(synonyms, plain) ? (synonyms[plain] ?? null) : null
}
