import { expect } from 'chai'
import { stylesFor } from '../../../src/cli/styles.ts'
import { renderTable, type Column } from '../../../src/cli/table.ts'

interface Row {
  readonly name: string
  readonly count: number
  readonly note: string
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', align: 'left', text: ({ name }) => name },
  { title: 'COUNT', align: 'right', text: ({ count }) => String(count) },
  { title: 'NOTE', align: 'left', text: ({ note }) => note },
]
const rows: readonly Row[] = [
  { name: 'a', count: 7, note: 'short' },
  { name: 'Verónica', count: 1_234_567, note: 'longer than the others' },
]
const plain = (text: string) => text

describe('a table', () => {
  it('is as wide as its texts where there is no terminal', () => {
    expect(renderTable(columns, rows, { titleStyle: plain, widthMax: null })).to.equal(
      `NAME        COUNT  NOTE
a               7  short
Verónica  1234567  longer than the others
`,
    )
  })

  it('cuts its last column where the terminal ends', () => {
    expect(renderTable(columns, rows, { titleStyle: plain, widthMax: 30 })).to.equal(
      `NAME        COUNT  NOTE
a               7  short
Verónica  1234567  longer tha…
`,
    )
  })

  it('leaves some of the last column on the narrowest terminal', () => {
    const text = renderTable(columns, rows, { titleStyle: plain, widthMax: 3 })
    expect(text).to.contain('Verónica  1234567  longer …\n')
  })

  it('lines up where texts are coloured', () => {
    const { bold, red } = stylesFor({ isTerminal: true }, {})
    const styled = [{ ...(columns[1] as Column<Row>), style: () => red }, columns[0]] // as: of three columns
    const text = renderTable(styled as Column<Row>[], rows, { titleStyle: bold, widthMax: null }) // as: see above
    expect(text).to.equal(
      '\u001b[1m  COUNT  NAME\u001b[22m\n' +
        '\u001b[31m      7\u001b[39m  a\n' +
        '\u001b[31m1234567\u001b[39m  Verónica\n',
    )
  })

  it('lets no text move the cursor', () => {
    const bad = [{ name: 'a\u001b[2Jb\nc', count: 0, note: '' }]
    const text = renderTable(columns, bad, { titleStyle: plain, widthMax: null })
    expect(text.split('\n')[1]).to.equal('a\uFFFD[2Jb\uFFFDc      0  ')
  })
})

describe('colour', () => {
  const cases = [
    { isTerminal: true, noColor: undefined, want: true },
    { isTerminal: true, noColor: '', want: true },
    { isTerminal: true, noColor: '1', want: false },
    { isTerminal: true, noColor: '0', want: false }, // any value counts
    { isTerminal: false, noColor: undefined, want: false },
  ]
  for (const { isTerminal, noColor, want } of cases) {
    const where = isTerminal ? 'a terminal' : 'a pipe'
    it(`is ${want ? 'used' : 'left out'} on ${where} with NO_COLOR=${noColor ?? 'unset'}`, () => {
      const { red } = stylesFor({ isTerminal }, { NO_COLOR: noColor })
      expect(red('x')).to.equal(want ? '\u001b[31mx\u001b[39m' : 'x')
    })
  }
})
