import type { Sourced, SourcedEntry, SourcedMap } from '../../schema/lenient-yaml.ts'
import { entryOf, mapOf, numberOf, textOf } from './sourced.ts'

/** Rules that stand together, with the options of the module that they stand in. */
export interface RuleModule {
  readonly rules: ReadonlyMap<string, SourcedEntry>
  /** `null` for a file that is a bare map of rules. */
  readonly options: SourcedMap | null
  readonly line: number
}

export interface FoundModules {
  readonly modules: readonly RuleModule[]
  /** Where duplicates are looked for, and how long an event is remembered; `null`: nowhere. */
  readonly dedup: { readonly line: number; readonly windowSeconds: number } | null
}

/** Theirs, when `window` is not given. */
const dedupWindowDefaultS = 86_400

/**
 * Finds the rules wherever they stand: `x-modules` with `path: sys/kafka.js` at any depth (the paths
 * around it have changed over the years), a map with `templates` or `rules`, or a bare map of rules.
 */
export function findModules(roots: readonly Sourced[]): FoundModules {
  const seen = new Set<Sourced>() // an alias leads to what was seen already
  const modules: RuleModule[] = []
  let dedup: FoundModules['dedup'] = null
  const visit = (node: Sourced): void => {
    if (node.kind === 'scalar' || seen.has(node)) return
    seen.add(node)
    if (node.kind === 'list') {
      node.items.forEach(visit)
      return
    }
    const path = textOf(node, 'path') ?? ''
    const options = mapOf(node, 'options')
    if (options !== null && /(?:^|\/)kafka\.js$/.test(path)) {
      const rules = rulesIn(options)
      if (rules !== null) modules.push({ rules, options, line: options.line })
    } else if (options !== null && /(?:^|\/)deduplicator\.js$/.test(path)) {
      const window = entryOf(options, 'window')
      const seconds = window === null ? null : numberOf(window.value)
      dedup = { line: node.line, windowSeconds: seconds ?? dedupWindowDefaultS }
    }
    for (const { value } of node.entries.values()) visit(value)
  }
  roots.forEach(visit)
  if (modules.length > 0) return { modules, dedup }
  const bare = roots.flatMap((root) => {
    const rules = root.kind === 'map' ? (rulesIn(root) ?? bareRules(root)) : null
    return rules === null ? [] : [{ rules, options: null, line: root.line }]
  })
  return { modules: bare, dedup }
}

function rulesIn(options: SourcedMap): RuleModule['rules'] | null {
  const found = mapOf(options, 'templates') ?? mapOf(options, 'rules')
  return found === null || found.entries.size === 0 ? null : found.entries
}

function bareRules(root: SourcedMap): RuleModule['rules'] | null {
  const rules = [...root.entries].filter(([, { value }]) => isRule(value))
  return rules.length === 0 ? null : new Map(rules)
}

function isRule(node: Sourced): boolean {
  return (
    node.kind === 'map' &&
    (node.entries.has('topic') || node.entries.has('topics')) &&
    ['exec', 'cases', 'match'].some((key) => node.entries.has(key))
  )
}
