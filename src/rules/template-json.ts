import type { Json } from '../model/json.ts'
import { parseTemplate } from './template-parse.ts'
import { isArray, type TemplateNames } from './template-read.ts'
import {
  compileText,
  compileValue,
  type Report,
  type TextOptions,
  type Value,
} from './template-text.ts'
import type { PipeContext } from './pipes.ts'
import type { At } from './template.ts'

/*
 * A `json:` tree. Strings are templates, everything else is itself; a string that is exactly one tag
 * keeps the type of its value. Names of fields are literal: data never decides the shape.
 */

export interface JsonOptions {
  readonly names: TemplateNames
  readonly pipes: PipeContext
  readonly reportAt: (at: At) => Report
  readonly lengthMax: number
}

/** Levels of a tree; what YAML holds that a person wrote is far below. */
const depthMax = 64

/** Compiles a tree, or gives `null` after reporting all that is wrong with it. */
export function compileJson(source: Json, at: At, options: JsonOptions): Value | null {
  if (typeof source === 'string') return compileString(source, at, options)
  if (typeof source !== 'object' || source === null) return () => source
  if (at.length > depthMax) {
    options.reportAt(at)('template-json', `the tree is deeper than ${depthMax} levels`)
    return null
  }
  return isArray(source) ? compileArray(source, at, options) : compileObject(source, at, options)
}

function compileString(source: string, at: At, options: JsonOptions): Value | null {
  const report = options.reportAt(at)
  const nodes = parseTemplate(source, (message, hint) => report('template-syntax', message, hint))
  if (nodes === null) return null
  const [only] = nodes
  if (nodes.length === 1 && only?.kind === 'tag') {
    return compileValue(only, false, { names: options.names, pipes: options.pipes, report })
  }
  const textOptions: TextOptions = {
    names: options.names,
    pipes: options.pipes,
    report,
    lengthMax: options.lengthMax,
    literal: (text) => text,
    // JSON.stringify escapes whatever a string holds, lone surrogates included.
    escape: (text) => text,
  }
  return compileText(nodes, false, textOptions)
}

function compileArray(source: readonly Json[], at: At, options: JsonOptions): Value | null {
  const values = source.map((value, index) => compileJson(value, [...at, index], options))
  if (values.includes(null)) return null
  const sound = values.filter((value) => value !== null)
  return (run, element) => sound.map((value) => value(run, element))
}

function compileObject(
  source: { readonly [key: string]: Json },
  at: At,
  options: JsonOptions,
): Value | null {
  const fields: { name: string; value: Value }[] = []
  let isSound = true
  for (const [name, json] of Object.entries(source)) {
    const path = [...at, name]
    if (name.includes('{{') || name === '__proto__') {
      options.reportAt(path)(
        'template-json',
        `\`${name}\` cannot be the name of a field`,
        'names are literal; only values are templates',
      )
      isSound = false
    }
    const value = compileJson(json, path, options)
    if (value === null) isSound = false
    else fields.push({ name, value })
  }
  if (!isSound) return null
  return (run, element) => {
    const result: Record<string, Json> = {}
    for (const { name, value } of fields) result[name] = value(run, element)
    return result
  }
}
