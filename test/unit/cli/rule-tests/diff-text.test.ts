import { expect } from 'chai'
import { diffText } from '../../../../src/cli/rule-tests/diff-text.ts'
import { plainStyles } from '../../../../src/cli/styles.ts'

describe('the difference of a case that failed', () => {
  const calls = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ http: { url: `u${i}` } }))
  const failed = { ok: false, expected: calls(1), actual: calls(2), notes: [] }

  it('shows what was expected beside what happened, as one writes it', () => {
    expect(diffText(failed, plainStyles)).to.equal(`\
- expected  + what happened
  - http: { url: u0 }
+ - http: { url: u1 }`)
  })

  it('shows the times that a case asks for', () => {
    const at = (time: string) => [{ at: time, http: { url: 'u' } }]
    const text = diffText({ ...failed, expected: at('2s'), actual: at('5s') }, plainStyles)
    expect(text).to.equal(`\
- expected  + what happened
- - at: 2s
+ - at: 5s
    http: { url: u }`)
  })

  it('says that nothing happened', () => {
    expect(diffText({ ...failed, actual: [] }, plainStyles)).to.contain('\n+ nothing')
  })

  it('is bounded: 200 lines, 20 notes, and how much more there is', () => {
    const notes = Array.from({ length: 996 }, (_, i) => `skipped at ${i}s: superseded`)
    const lines = diffText({ ...failed, actual: calls(300), notes }, plainStyles).split('\n')
    expect(lines).to.have.length(1 + 200 + 1 + 20 + 1)
    expect(lines[201]).to.equal('  ... and 100 lines more')
    expect(lines.at(-2)).to.equal('  note: skipped at 19s: superseded')
    expect(lines.at(-1)).to.equal('  ... and 976 notes more')
  })
})
