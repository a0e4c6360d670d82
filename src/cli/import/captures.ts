import type { Sourced } from '../../schema/lenient-yaml.ts'
import { groupsOf, readRegex, type RegexGroup } from './convert-regex.ts'

/** What `match.<path>` stands for in a template. */
export type MatchValue =
  | { readonly kind: 'capture'; readonly name: string; readonly holdsSlash: boolean }
  | { readonly kind: 'constant'; readonly value: null | boolean | number | string }

interface Field {
  readonly groups: readonly RegexGroup[]
  /** Names of ours by number of the group; unnamed groups get one when a template asks for it. */
  readonly names: Map<number, string>
}

/**
 * What a `match` takes out of an event. Theirs are found under the path of the field that was
 * matched, `match.meta.uri.title`; ours under the name of the group alone, `match.title`. So a name
 * that two fields use gets the field before it in the second one.
 */
export class Captures {
  readonly #fields = new Map<string, Field>()
  readonly #constants = new Map<string, null | boolean | number | string>()
  readonly #taken = new Set<string>()

  constructor(match: Sourced | null) {
    if (match !== null) this.#collect(match, [])
  }

  #collect(node: Sourced, path: readonly string[]): void {
    if (node.kind === 'map') {
      for (const [key, { value }] of node.entries) this.#collect(value, [...path, key])
      return
    }
    if (node.kind !== 'scalar') return // what list members match is not kept by change-propagation
    const regex = typeof node.value === 'string' ? readRegex(node.value) : null
    if (regex === null) {
      this.#constants.set(keyOf(path), node.value)
      return
    }
    const groups = groupsOf(regex)
    const names = new Map<number, string>()
    for (const { index, name } of groups) {
      if (name !== null) names.set(index, this.#free(name, path))
    }
    this.#fields.set(keyOf(path), { groups, names })
  }

  #free(name: string, path: readonly string[]): string {
    let free = name
    if (this.#taken.has(free)) free = `${path.join('_').replace(/\W+/g, '_')}_${name}`
    for (let n = 2; this.#taken.has(free); n++) free = `${name}_${n}`
    this.#taken.add(free)
    return free
  }

  /** What `match.<steps>` gives, or `null` where change-propagation has no text for it either. */
  resolve(steps: readonly (string | number)[]): MatchValue | null {
    const texts = steps.map(String)
    const constant = this.#constants.get(keyOf(texts))
    if (constant !== undefined) {
      return constant === 'undefined' ? null : { kind: 'constant', value: constant }
    }
    const field = this.#fields.get(keyOf(texts.slice(0, -1)))
    const last = texts.at(-1)
    if (field === undefined || last === undefined) return null
    const isNamed = field.groups.some(({ name }) => name !== null)
    const group = field.groups.find(({ index, name }) =>
      isNamed ? name === last : String(index) === last,
    )
    if (group === undefined) return null
    let name = field.names.get(group.index)
    if (name === undefined) {
      name = this.#free(`${(texts.at(-2) ?? 'match').replace(/\W+/g, '_')}_${group.index}`, [])
      field.names.set(group.index, name)
    }
    return { kind: 'capture', name, holdsSlash: group.holdsSlash }
  }

  /** The name under which a group of the regex at `path` is captured, or `null`. */
  nameAt(path: readonly string[], index: number): string | null {
    return this.#fields.get(keyOf(path))?.names.get(index) ?? null
  }
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path)
}
