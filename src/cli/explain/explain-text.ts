import { printable } from '../../model/printable.ts'
import { formatDuration } from '../../model/units.ts'
import type { Inspected } from '../../rules/inspect-condition.ts'
import { cut, seenText, testText, whyNone, whyNot } from '../../rules/why-not.ts'
import type { Styles } from '../styles.ts'
import { bodyOf, headersOf } from './explain-json.ts'
import { hasCases, type Explanation, type Shown, type ShownWindow } from './explanation.ts'

/** An explanation as a screen: the answer first, then why, then what would be sent. */
export function explanationText(explanation: Explanation, styles: Styles): string {
  const { conditions, cases, taken, rule, captures, key } = explanation
  const parts = [
    headline(explanation, styles),
    ...sectionsOf(conditions).map(({ title, of }) => section(title, of, conditions.truth, styles)),
    ...cases.map((one, i) =>
      one === null
        ? `case ${i + 1}\n  ${styles.green('✔')} whatever is left`
        : section(`case ${i + 1}`, [one], one.truth, styles),
    ),
    facts([
      ['case', hasCases(rule) && taken !== null ? String(taken + 1) : null],
      ['key', key],
      ...windowFacts(explanation.window),
      ...Object.entries(captures).map(([name, text]) => [`match.${name}`, text] as const),
    ]),
    requestsText(explanation, styles),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function headline(explanation: Explanation, { bold, green, yellow }: Styles): string {
  const { rule, outcome, reason, why, event } = explanation
  const name = bold(rule.name)
  const place = `${rule.file}:${rule.line}`
  const of = `on ${event.record.topic}`
  if (outcome === 'run') return `${name} ${green('fires')} ${of}  (${place})`
  const because = why ?? reasonOf(explanation) ?? reason ?? ''
  const skip = reason === null || reason === 'no-match' ? '' : ` (${reason})`
  return `${name} ${yellow('does not act')} ${of}${skip}: ${printable(because)}  (${place})`
}

/** The part that decided, in words. */
function reasonOf({ conditions, cases }: Explanation): string | null {
  if (conditions.truth !== true) return whyNot(conditions)
  const inDoubt = cases.find((one) => one !== null && typeof one.truth !== 'boolean')
  if (inDoubt !== undefined && inDoubt !== null) return whyNot(inDoubt)
  const none = whyNone(cases.filter((one) => one !== null))
  const nearest = none === null ? '' : `; the nearest is case ${none.nearest + 1}: ${none.why}`
  return `none of its cases holds${nearest}`
}

/** `when` and `unless`, each below its own title; nothing for a rule that has neither. */
function sectionsOf(root: Inspected): readonly { title: string; of: readonly Inspected[] }[] {
  // A block stands at `rules.<name>.when`; what holds several of them at the rule itself.
  const parts = root.kind === 'all' && root.at[2] === undefined ? root.children : [root]
  return parts.flatMap((part) => {
    const isUnless = part.at[2] === 'unless'
    const isBlock = part.kind === (isUnless ? 'none' : 'all')
    const of = isBlock ? part.children : [part]
    return of.length === 0 ? [] : [{ title: isUnless ? 'unless one of these holds' : 'when', of }]
  })
}

function section(
  title: string,
  of: readonly Inspected[],
  whole: Inspected['truth'],
  styles: Styles,
): string {
  const rows = of.flatMap((part) => rowsOf(part, 1))
  const width = (pick: (row: Row) => string): number =>
    Math.min(40, Math.max(0, ...rows.map((row) => [...pick(row)].length)))
  const pathWidth = width((row) => '  '.repeat(row.depth) + row.name)
  const seenWidth = width((row) => row.seen)
  const lines = rows.map((row) => {
    const indent = '  '.repeat(row.depth)
    const name = `${indent.slice(2)}${row.name}`.padEnd(pathWidth - 2)
    const arrow = row.decides && whole !== true ? styles.bold('  <- this decides') : ''
    const near = row.near === null ? '' : `\n${indent}    ${styles.yellow(row.near)}`
    const asks = row.asks === '' ? '' : `  ${styles.dim(row.asks)}`
    const line = `  ${mark(row.truth, styles)} ${name}  ${row.seen.padEnd(seenWidth)}${asks}`
    return `${line.trimEnd()}${arrow}${near}`
  })
  return [title, ...lines].join('\n')
}

interface Row {
  readonly depth: number
  readonly name: string
  readonly seen: string
  readonly asks: string
  readonly truth: Inspected['truth']
  readonly decides: boolean
  readonly near: string | null
}

const groupNames: Readonly<Record<string, string>> = {
  all: 'all of',
  any: 'any of',
  none: 'none of',
  some: 'some of',
  element: '',
  expr: 'expr',
}

function rowsOf(part: Inspected, depth: number): readonly Row[] {
  const { kind, path, truth, decided, children } = part
  const group = groupNames[kind] ?? ''
  const row: Row = {
    depth,
    name: printable([group, path ?? ''].filter((text) => text !== '').join(' ')),
    seen: kind === 'test' || kind === 'some' || kind === 'element' ? seenText(part.value) : '',
    asks:
      kind === 'test' ? `asks for ${testText(part.test)}` : kind === 'expr' ? exprText(part) : '',
    truth,
    decides: decided && children.length === 0,
    near: part.nearMiss === null ? part.doubt : printable(part.nearMiss),
  }
  return [row, ...children.flatMap((child) => rowsOf(child, depth + 1))]
}

function exprText({ test }: Inspected): string {
  return printable(cut(typeof test === 'string' ? test : ''))
}

function mark(truth: Inspected['truth'], { green, red, yellow }: Styles): string {
  if (typeof truth !== 'boolean') return yellow('?')
  return truth ? green('✔') : red('✘')
}

/** `null`: it is not told. */
type Fact = readonly [name: string, text: string | null]

function facts(rows: readonly Fact[]): string {
  return rows
    .flatMap(([name, text]) => (text === null ? [] : [`${name}: ${printable(cut(text))}`]))
    .join('\n')
}

function windowFacts(shown: ShownWindow | null): readonly Fact[] {
  if (shown === null) return []
  const { window, key, version } = shown
  const text = window === null ? null : `window ${formatDuration(window.ms)}, keep ${window.keep}`
  return [
    ['dedup', text],
    ['dedup.key', key],
    ['dedup.version', version],
  ]
}

function requestsText({ previews, outcome }: Explanation, styles: Styles): string {
  if (previews.length === 0) return ''
  const title = outcome === 'run' ? 'sends' : 'would send'
  return [title, ...previews.flatMap((preview) => previewLines(preview, styles))].join('\n')
}

function previewLines(preview: Shown, { red, yellow, dim }: Styles): readonly string[] {
  const number = `${preview.step + 1}${preview.item === null ? '' : `.${preview.item + 1}`}`
  const lead = `  ${number.padEnd(4)}`
  const below = (text: string): string => `      ${dim(printable(text))}`
  switch (preview.kind) {
    case 'http': {
      const { method, url, headers, body } = preview.request
      const lines = [`${lead}${method} ${printable(url)}`, ...shownHeaders(headers).map(below)]
      return body === null ? lines : [...lines, below(bodyText(body))]
    }
    case 'emit': {
      const { topic, key, value, headers } = preview.record
      const keyed = key === null ? '' : `  key ${printable(key.toString('utf8'))}`
      return [
        `${lead}emit ${topic}${keyed}`,
        ...shownHeaders(headersOf(headers)).map(below),
        below(value === null ? 'a tombstone' : bodyText(value)),
      ]
    }
    case 'failed':
      return [`${lead}${red('fails')}: ${printable(preview.why)}`]
    case 'needs-result':
      return [`${lead}${yellow(`depends on what the step \`${preview.of}\` is answered`)}`]
    case 'more':
      return [`${lead}and ${preview.elements} more like these`]
    case 'empty':
      return [`${lead}${yellow('the list of its `each` is empty: nothing is sent by this step')}`]
  }
}

/** Without those of lineage and tracing, which every request has. */
function shownHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('sluice-') || name === 'traceparent' ? [] : [`${name}: ${value}`],
  )
}

/** Characters of a body that are shown. */
const bodyShownMax = 2_000

function bodyText(body: string | Buffer): string {
  const text = JSON.stringify(bodyOf(body))
  return text.length <= bodyShownMax ? text : `${text.slice(0, bodyShownMax)}…`
}
