import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly value: Json
  /** Paths (as JSON) whose texts the environment had a part in, and the texts as written. */
  readonly written: ReadonlyMap<string, string>
}

const reference = /\$\$\{|\$\{([^}]*)\}?/g
const inner = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/**
 * Puts the environment into the texts of a config: `${NAME}`, or `${NAME:-default}` for when it is
 * unset or empty, as a shell has it. `$${` is a plain `${`. Keys are left alone. After parsing and
 * not before: what a variable holds is a value and never YAML.
 */
export function interpolate(root: Json, env: Environment, reporter: Reporter): Interpolated {
  const written = new Map<string, string>()
  const visit = (value: Json, at: At): Json => {
    if (typeof value === 'string') {
      if (!value.includes('${')) return value
      written.set(JSON.stringify(at), value)
      return resolveText(value, env, at, reporter)
    }
    if (Array.isArray(value)) return value.map((one: Json, i) => visit(one, [...at, i]))
    if (!isJsonObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, below]) => [key, visit(below, [...at, key])]),
    )
  }
  return { value: visit(root, []), written }
}

function resolveText(text: string, env: Environment, at: At, reporter: Reporter): string {
  return text.replace(reference, (whole, content: string | undefined) => {
    if (content === undefined) return '${'
    const parts = whole.endsWith('}') ? inner.exec(content) : null
    const [, name, fallback] = parts ?? []
    if (name === undefined) {
      const hint = 'write `${NAME}` or `${NAME:-default}`; a plain `${` is written `$${`'
      reporter.error(at, 'bad-value', `\`${whole}\` names no variable`, hint)
      return ''
    }
    const value = env[name]
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback !== undefined) return fallback
    const message = `\`${name}\` is not set in the environment`
    reporter.error(at, 'environment-missing', message, `set it, or write \`\${${name}:-default}\``)
    return ''
  })
}
