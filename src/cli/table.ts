import { printable } from '../model/printable.ts'
import type { Style } from './styles.ts'

export interface Column<Row> {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly text: (row: Row) => string
  /** How the text of a row is shown; left out: plainly. */
  readonly style?: (row: Row) => Style
}

const gap = '  '

/**
 * Rows below titles, each column as wide as its widest text. The last one is cut where the terminal
 * ends; `widthMax` is `null` where there is none, and nothing is cut.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { titleStyle, widthMax }: { readonly titleStyle: Style; readonly widthMax: number | null },
): string {
  const texts = rows.map((row) => columns.map(({ text }) => printable(text(row))))
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...texts.map((line) => lengthOf(line[i] ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + gap.length, 0)
  const lastMax = widthMax === null ? Infinity : Math.max(8, widthMax - before)
  const place = (text: string, i: number): string => {
    const isLast = i === columns.length - 1
    const shown = isLast ? cut(text, lastMax) : text
    const padding = ' '.repeat(Math.max(0, (widths[i] ?? 0) - lengthOf(shown)))
    if (columns[i]?.align === 'right') return padding + shown
    return isLast ? shown : shown + padding
  }
  const title = columns.map((column, i) => place(column.title, i)).join(gap)
  const lines = rows.map((row, r) =>
    columns
      .map((column, i) => (column.style?.(row) ?? plain)(place(texts[r]?.[i] ?? '', i)))
      .join(gap),
  )
  return [titleStyle(title), ...lines].map((line) => `${line}\n`).join('')
}

const plain: Style = (text) => text

function lengthOf(text: string): number {
  return [...text].length
}

function cut(text: string, max: number): string {
  return lengthOf(text) <= max ? text : `${[...text].slice(0, max - 1).join('')}…`
}
