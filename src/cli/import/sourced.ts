import type { Json } from '../../model/json.ts'
import type { Sourced, SourcedEntry, SourcedMap } from '../../schema/lenient-yaml.ts'

/** What stands under a key of a map, or `null`. */
export function entryOf(node: Sourced | null, key: string): SourcedEntry | null {
  return node?.kind === 'map' ? (node.entries.get(key) ?? null) : null
}

/** The map under a key, or `null`. */
export function mapOf(node: Sourced | null, key: string): SourcedMap | null {
  const value = entryOf(node, key)?.value
  return value?.kind === 'map' ? value : null
}

/** The text under a key, or `null`. */
export function textOf(node: Sourced | null, key: string): string | null {
  const value = entryOf(node, key)?.value
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : null
}

/** A number, also one that is written in quotes; else `null`. */
export function numberOf(node: Sourced): number | null {
  if (node.kind !== 'scalar') return null
  const { value } = node
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : null
}

/** The plain value. */
export function jsonOf(node: Sourced): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(jsonOf)
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, jsonOf(value)]))
  }
}
