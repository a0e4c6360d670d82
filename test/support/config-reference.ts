import { z } from 'zod'
import { configSchema } from '../../src/config/config-schema.ts'
import { markdownTable } from './documents.ts'

/** What a JSON Schema says of one setting, as far as the reference needs it. */
interface Node {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | false
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

export interface Setting {
  /** `http.egress`; `lanes.<name>.window`. */
  readonly path: string
  readonly description: string
  /** As a person writes it; `null` where there is none to write. */
  readonly fallback: string | null
}

/** Every setting of the config, from the schema that checks it. */
export function settings(): readonly Setting[] {
  // as: the schemas of zod are JSON Schema, of which `Node` names a part
  return settingsBelow(z.toJSONSchema(configSchema, { io: 'input' }) as Node, '')
}

function settingsBelow(node: Node, prefix: string): readonly Setting[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([name, below]) => {
    const path = prefix + name
    if (below.properties !== undefined) return settingsBelow(below, `${path}.`)
    return [settingOf(path, below), ...settingsBelow(below, `${path}.`)]
  })
  const each = node.additionalProperties
  if (typeof each !== 'object' || each.properties === undefined) return own
  return [...own, ...settingsBelow(each, `${prefix}<name>.`)]
}

function settingOf(path: string, node: Node): Setting {
  const fallback = node.default === undefined ? null : JSON.stringify(node.default)
  const plain = fallback?.replaceAll(/"([\w.:/-]+)"/g, '$1').replaceAll(',', ', ') ?? null
  return { path, description: node.description ?? '', fallback: plain }
}

/** The table of docs/configuration.md. */
export function settingsTable(): string {
  const rows = settings().map(({ path, description, fallback }) => {
    const value = fallback === null || fallback === '{}' ? '-' : `\`${fallback}\``
    return [`\`${path}\``, value, description]
  })
  return markdownTable(['setting', 'default', 'meaning'], rows)
}
