/*
 * Templates as change-propagation reads them: `{{expression}}` is inserted as it is, `{expression}`
 * percent-encoded, `{+expression}` as it is, `{/expression}` as an optional path segment. An
 * expression is a path, a literal, or a call of a helper.
 */

export type Expression =
  | { readonly kind: 'path'; readonly steps: readonly (string | number)[] }
  | { readonly kind: 'literal'; readonly value: null | boolean | number | string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  /** A map, a list, or what is no expression at all. */
  | { readonly kind: 'unknown' }

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tag'
      /** As written, braces included. */
      readonly written: string
      readonly expression: Expression
      readonly insert: 'raw' | 'encoded' | 'segment'
    }

/** Ours takes no longer ones, and says so when the rule is loaded. */
const templateLengthMax = 64 * 1024

/** Takes a template apart. Braces that are never closed stay text. */
export function readTemplate(source: string): readonly TemplatePart[] {
  if (source.length > templateLengthMax) return [{ kind: 'text', text: source }]
  const parts: TemplatePart[] = []
  let text = ''
  for (let at = 0; at < source.length;) {
    const end = source.charAt(at) === '{' ? endOfTag(source, at) : null
    if (end === null) {
      text += source.charAt(at)
      at++
      continue
    }
    if (text !== '') parts.push({ kind: 'text', text })
    text = ''
    parts.push(tagOf(source.slice(at, end)))
    at = end
  }
  if (text !== '') parts.push({ kind: 'text', text })
  return parts
}

/** A tag is short; a brace is not looked for further, so that many open ones do not take long. */
const tagLengthMax = 1_000

/** The offset behind the brace that closes the one at `start`; `null` for `{}` and open ends. */
function endOfTag(source: string, start: number): number | null {
  const end = Math.min(source.length, start + tagLengthMax)
  let depth = 0
  for (let at = start; at < end; at++) {
    const character = source.charAt(at)
    if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at - start < 2 ? null : at + 1
  }
  return null
}

function tagOf(written: string): TemplatePart {
  const isDouble = written.startsWith('{{') && written.endsWith('}}')
  const inner = isDouble ? written.slice(2, -2) : written.slice(1, -1)
  const sign = isDouble ? '' : (/^[+/]/.exec(inner)?.[0] ?? '')
  const insert = isDouble || sign === '+' ? 'raw' : sign === '/' ? 'segment' : 'encoded'
  return { kind: 'tag', written, insert, expression: parse(inner.slice(sign.length)) }
}

/** Calls in calls; a person writes two or three. */
const depthMax = 8

function parse(text: string): Expression {
  const scan = new Scanner(text)
  const expression = readExpression(scan, 0)
  return scan.isAtEnd ? expression : { kind: 'unknown' }
}

class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.take(/\s*/y)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** What `form`, which is sticky, finds here, white space behind it skipped. */
  take(form: RegExp): RegExpExecArray | null {
    form.lastIndex = this.#at
    const found = form.exec(this.#text)
    if (found === null) return null
    this.#at += found[0].length
    const space = /\s*/y
    space.lastIndex = this.#at
    this.#at += space.exec(this.#text)?.[0].length ?? 0
    return found
  }
}

const quotedText = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y
const numberForm = /-?\d+(?:\.\d+)?(?![\w.])/y
const nameForm = /[$\w][$\w-]*/y

function readExpression(scan: Scanner, depth: number): Expression {
  if (depth > depthMax) return { kind: 'unknown' }
  const text = readText(scan)
  if (text !== null) return { kind: 'literal', value: text }
  const number = scan.take(numberForm)
  if (number !== null) return { kind: 'literal', value: Number(number[0]) }
  const first = scan.take(nameForm)?.[0]
  if (first === undefined) return { kind: 'unknown' }
  const word = new Map<string, null | boolean>([
    ['true', true],
    ['false', false],
    ['null', null],
  ]).get(first)
  if (word !== undefined) return { kind: 'literal', value: word }
  const steps: (string | number)[] = [first]
  for (;;) {
    if (scan.take(/\(/y) !== null) return readCall(steps, scan, depth)
    if (scan.take(/\./y) !== null) {
      const step = scan.take(nameForm)?.[0]
      if (step === undefined) return { kind: 'unknown' }
      steps.push(step)
    } else if (scan.take(/\[/y) !== null) {
      const step = readText(scan) ?? scan.take(/\d+/y)?.[0]
      if (step === undefined || scan.take(/\]/y) === null) return { kind: 'unknown' }
      steps.push(/^\d+$/.test(step) ? Number(step) : step)
    } else {
      return { kind: 'path', steps }
    }
  }
}

function readText(scan: Scanner): string | null {
  const found = scan.take(quotedText)
  return found === null ? null : (found[1] ?? found[2] ?? '').replace(/\\(.)/g, '$1')
}

function readCall(steps: readonly (string | number)[], scan: Scanner, depth: number): Expression {
  const [name, ...more] = steps[0] === '$$' ? steps.slice(1) : steps
  const args: Expression[] = []
  if (scan.take(/\)/y) === null) {
    do {
      const arg = readExpression(scan, depth + 1)
      if (arg.kind === 'unknown') return arg
      args.push(arg)
    } while (scan.take(/,/y) !== null)
    if (scan.take(/\)/y) === null) return { kind: 'unknown' }
  }
  if (name === undefined || more.length > 0) return { kind: 'unknown' }
  return { kind: 'call', name: String(name), args }
}
