import { isJsonObject, type Json } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { YamlDocument } from '../../schema/yaml-document.ts'

/** A rule file whose rules are free of errors. */
interface LintedFile {
  readonly document: YamlDocument
  readonly lists: ReadonlyMap<string, unknown>
}

/**
 * Lists that no rule of their file reads, by `in` or by the pipe `lookup`. Rules of other files read
 * them through a rule of this one that they extend, which says their names here.
 */
export function unusedLists({ document, lists }: LintedFile): readonly Problem[] {
  if (lists.size === 0) return []
  const root = isJsonObject(document.value) ? document.value : {}
  const used = new Set<string>()
  for (const key of ['rules', 'defaults']) collectNames(root[key] ?? null, null, used)
  // A name that `for_each` fills in may be any of them.
  if ([...used].some((name) => name.includes('{{'))) return []
  return [...lists.keys()]
    .filter((name) => !used.has(name))
    .map((name) =>
      document.problemAt(['lists', name], 'key', {
        severity: 'warning',
        code: 'unused-list',
        message: `no rule of this file reads the list \`${name}\``,
        hint: 'remove it, or read it with `in` or the pipe `lookup`',
      }),
    )
}

const lookups = /\blookup\s*:\s*["']?([^"'|}\s]+)/g

/** Depth is that of a document, which is bounded. */
function collectNames(value: Json, key: string | null, names: Set<string>): void {
  if (typeof value === 'string') {
    if (key === 'in') names.add(value)
    for (const [, name = ''] of value.matchAll(lookups)) names.add(name)
  } else if (Array.isArray(value)) {
    for (const one of value as readonly Json[]) collectNames(one, null, names) // as: isArray forgets
  } else if (isJsonObject(value)) {
    for (const [name, one] of Object.entries(value)) collectNames(one, name, names)
  }
}
