import type { CompileContext } from '../rules/action-kind.ts'
import type { Scope } from '../rules/scope.ts'
import { bodyBytesMax } from '../rules/template-compiler.ts'
import { encodeFormValue } from '../rules/template-escape.ts'
import { RenderError, type TextTemplate } from '../rules/template.ts'
import type { HttpSpec } from './http-schema.ts'
import type { ReportAction } from './report-action.ts'
import { jsonBytes } from './rendered.ts'

/** The body of a call, and what it is unless the rule's headers say otherwise. */
export interface Body {
  readonly contentType: string | null
  readonly render: ((scope: Scope) => Buffer) | null
}

const kinds = ['json', 'form', 'text', 'body'] as const

/** Compiles the one body that a call may have, or gives `null` after reporting. */
export function compileBody(
  spec: HttpSpec,
  context: CompileContext,
  report: ReportAction,
): Body | null {
  const [kind, ...more] = kinds.filter((name) => spec[name] !== undefined)
  if (more[0] !== undefined) {
    report([more[0]], 'action-body', `a call has one body: \`${kind}\` or \`${more[0]}\`, not both`)
    return null
  }
  if (spec.json !== undefined) {
    const tree = context.templates.json(spec.json, ['json'])
    if (tree === null) return null
    return {
      contentType: 'application/json',
      render: (scope) => jsonBytes(tree(scope), bodyBytesMax),
    }
  }
  if (spec.form !== undefined) return compileForm(spec.form, context, report)
  if (spec.text !== undefined) {
    const text = context.templates.text(spec.text, 'text', ['text'])
    if (text === null) return null
    return {
      contentType: 'text/plain; charset=utf-8',
      render: (scope) => textBytes(text(scope)),
    }
  }
  if (spec.body !== undefined) return { contentType: 'application/json', render: eventBytes }
  return { contentType: null, render: null }
}

/** As it came, bounded by what the bus let in. */
function eventBytes(scope: Scope): Buffer {
  const bytes = scope.event.record.value
  if (bytes !== null) return bytes
  throw new RenderError('template', 'body: event has no bytes: the record is a tombstone')
}

function compileForm(
  form: NonNullable<HttpSpec['form']>,
  context: CompileContext,
  report: ReportAction,
): Body | null {
  const fields: { name: string; value: TextTemplate }[] = []
  for (const [name, source] of Object.entries(form)) {
    const value = context.templates.text(String(source), 'form', ['form', name])
    if (name.includes('{{') || /\p{Surrogate}/u.test(name)) {
      report(['form', name], 'action-body', 'the names of a form are literal')
    } else if (value !== null) {
      fields.push({ name: `${encodeFormValue(name)}=`, value })
    }
  }
  if (fields.length < Object.keys(form).length) return null
  return {
    contentType: 'application/x-www-form-urlencoded',
    render: (scope) => textBytes(fields.map(({ name, value }) => name + value(scope)).join('&')),
  }
}

function textBytes(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length <= bodyBytesMax) return bytes
  throw new RenderError('too-large', `a body of ${bytes.length} bytes, above ${bodyBytesMax}`)
}
