import { expect } from 'chai'
import { readdir, readFile } from 'node:fs/promises'
import { problemCodes } from '../../../src/schema/problem-code.ts'

describe('the codes of problems', () => {
  it('are those of docs/errors.md', async () => {
    const text = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    const documented = [...text.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code)
    expect(documented.toSorted()).to.deep.equal([...problemCodes].sort())
  })

  it('are kebab-case and stand once', () => {
    expect(problemCodes.filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).to.deep.equal([])
    expect(new Set(problemCodes).size).to.equal(problemCodes.length)
  })

  it('are each used somewhere in the program', async () => {
    const root = new URL('../../../src/', import.meta.url)
    const names = await readdir(root, { recursive: true })
    const sources = names.filter(
      (name) => name.endsWith('.ts') && !name.endsWith('problem-code.ts'),
    )
    const texts = await Promise.all(sources.map((name) => readFile(new URL(name, root), 'utf8')))
    const all = texts.join('\n')
    expect(problemCodes.filter((code) => !all.includes(`'${code}'`))).to.deep.equal([])
  })
})
