import type { Json } from '../model/json.ts'
import type { PipeContext } from './pipes.ts'
import {
  checkHeaderValue,
  checkWellFormed,
  encodeFormValue,
  EscapeFailure,
} from './template-escape.ts'
import { compileJson } from './template-json.ts'
import { parseTemplate } from './template-parse.ts'
import type { TemplateNames } from './template-read.ts'
import {
  compileText,
  renderWith,
  type Part,
  type Report,
  type TextOptions,
} from './template-text.ts'
import { compileUrl } from './template-url.ts'
import {
  RenderError,
  type At,
  type Position,
  type TemplateCompiler,
  type TemplateProblemCode,
  type TextTemplate,
} from './template.ts'

/** What servers take for a request line and for one header; most stop at 8 KiB. */
export const lineLengthMax = 8 * 1024

/** The most that a rendered body holds, in bytes: what Kafka takes by default for a record. */
export const bodyBytesMax = 2 ** 20

export interface TemplateCompilerOptions extends TemplateNames {
  /** The `lists` of the rule file by name: what `| lookup:` looks into. */
  readonly lists: ReadonlyMap<string, Json>
  /** Secret values by name, or `null` where no config is known: names are then not checked. */
  readonly secrets: ReadonlyMap<string, string> | null
  /** Told everything that is wrong, with the path of the value that holds the template. */
  readonly report: (at: At, code: TemplateProblemCode, message: string, hint?: string) => void
}

/** Compiles the templates of a rule file; docs/rules.md, 3 is what they mean. */
export function createTemplateCompiler(options: TemplateCompilerOptions): TemplateCompiler {
  const { lists, secrets, captures, steps, hasItem, isKey } = options
  const pipes: PipeContext = { lists, secrets }
  const names: TemplateNames = { captures, steps, hasItem, isKey }
  const reportAt =
    (at: At): Report =>
    (code, message, hint) =>
      options.report(at, code, message, hint)
  return {
    text(source, position, at) {
      const report = reportAt(at)
      const { escape, lengthMax, isLine } = positions[position]
      const nodes = parseTemplate(source, (message, hint) =>
        report('template-syntax', message, hint),
      )
      if (nodes === null) return null
      let isSound = true
      const literal = (text: string): string => {
        try {
          return position === 'text' ? text : escape(text)
        } catch (error) {
          if (!(error instanceof EscapeFailure)) throw error
          report('template-syntax', `${JSON.stringify(text)} ${error.message}`)
          isSound = false
          return text
        }
      }
      const textOptions: TextOptions = { names, pipes, report, lengthMax, literal, escape }
      const part = compileText(nodes, false, textOptions)
      return part === null || !isSound ? null : bounded(part, lengthMax, isLine, false)
    },
    url(source, query, allowHosts, at) {
      const part = compileUrl(source, query, {
        names,
        pipes,
        allowHosts,
        lengthMax: lineLengthMax,
        report: reportAt(at.url),
        reportQuery: (name) => reportAt([...at.query, name]),
      })
      if (part === null) return null
      return {
        render: bounded(part, lineLengthMax, true, false),
        renderMasked: bounded(part, lineLengthMax, true, true),
      }
    },
    json(source, at) {
      const value = compileJson(source, at, { names, pipes, reportAt, lengthMax: bodyBytesMax })
      return value === null ? null : (scope) => renderWith(value, scope, false)
    },
  }
}

type PositionRules = Pick<TextOptions, 'escape' | 'lengthMax'> & { readonly isLine: boolean }

const positions: Readonly<Record<Position, PositionRules>> = {
  header: { escape: checkHeaderValue, lengthMax: lineLengthMax, isLine: true },
  form: {
    escape: encodeFormValue,
    lengthMax: bodyBytesMax,
    isLine: false,
  },
  text: { escape: checkWellFormed, lengthMax: bodyBytesMax, isLine: false },
}

function bounded(part: Part, lengthMax: number, isLine: boolean, masked: boolean): TextTemplate {
  const what = isLine ? 'a URL or header' : 'a text'
  return (scope) => {
    const text = renderWith(part, scope, masked)
    if (text.length <= lengthMax) return text
    throw new RenderError('too-large', `${what} of ${text.length} characters, above ${lengthMax}`)
  }
}
