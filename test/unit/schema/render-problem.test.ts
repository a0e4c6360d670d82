import { expect } from 'chai'
import type { Problem } from '../../../src/model/problem.ts'
import { renderProblem, renderProblems } from '../../../src/schema/render-problem.ts'

const problem: Problem = {
  file: 'rules/cdn.yaml',
  line: 12,
  column: 5,
  severity: 'error',
  code: 'unknown-key',
  message: 'unknown key `whem`',
  hint: 'did you mean `when`?',
  source: { text: '    whem: {}', length: 4 },
}

describe('a problem as text', () => {
  it('names the place, shows the line with a caret, and says what to do', () => {
    expect(renderProblem(problem)).to.equal(
      'rules/cdn.yaml:12:5: error: unknown key `whem` [unknown-key]\n' +
        '  12 |     whem: {}\n' +
        '     |     ^^^^\n' +
        '  hint: did you mean `when`?',
    )
  })

  it('is one line where there is neither source nor hint', () => {
    const bare = { ...problem, severity: 'warning', source: null, hint: null } as const
    expect(renderProblem(bare)).to.equal(
      'rules/cdn.yaml:12:5: warning: unknown key `whem` [unknown-key]',
    )
  })

  it('names no place in a file that is wrong as a whole', () => {
    const whole = { ...problem, line: 1, column: 1, source: null, hint: null }
    expect(renderProblem(whole)).to.equal('rules/cdn.yaml: error: unknown key `whem` [unknown-key]')
  })

  it('is set apart from the next by an empty line', () => {
    const bare = { ...problem, source: null, hint: null }
    expect(renderProblems([bare, bare]).split('\n\n')).to.have.length(2)
  })

  it('keeps the caret below its character behind tabs and wide letters', () => {
    const source = { text: 'a:\t"ü𝄞" x', length: 1 }
    const [, line, caret] = renderProblem({ ...problem, column: 10, source, hint: null }).split(
      '\n',
    )
    expect(line).to.equal('  12 | a:\t"ü𝄞" x')
    expect(caret).to.equal('     |   \t     ^')
  })

  it('cuts a long line around the caret', () => {
    const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`
    const [, line = '', caret = ''] = renderProblem({
      ...problem,
      column: 501,
      source: { text, length: 4 },
    }).split('\n')
    expect(line.length).to.be.below(130)
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).to.equal('HERE')
  })

  it('has a caret even where a line ends before it', () => {
    const source = { text: '', length: 3 }
    expect(renderProblem({ ...problem, column: 1, source, hint: null })).to.match(/\| \^$/)
  })

  it('lets no file move the cursor of the terminal', () => {
    const evil = {
      ...problem,
      file: 'a\u001b[2J.yaml',
      message: 'x\ny',
      source: { text: '\u001b]0;t\u0007', length: 1 },
    }
    const codes = [...renderProblem(evil)].map((character) => character.charCodeAt(0))
    const isControl = (code: number): boolean => code < 32 || (code >= 127 && code < 160)
    expect(codes.filter((code) => isControl(code) && code !== 10)).to.deep.equal([])
    expect(renderProblem(evil).split('\n')).to.have.length(4)
  })
})
