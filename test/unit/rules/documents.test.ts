import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { generatedPart } from '../../support/documents.ts'
import { loadText } from '../../support/load-text.ts'
import { ruleReference } from '../../support/rule-reference.ts'

const document = new URL('../../../docs/rules.md', import.meta.url)

/** The YAML blocks of the document that are whole rule files, in order. */
async function filesShown(): Promise<readonly string[]> {
  const text = await readFile(document, 'utf8')
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block)
  return blocks.filter((block) => /^rules:/m.test(block))
}

describe('docs/rules.md', () => {
  for (const [name, text] of ruleReference()) {
    it(`lists what there is for ${name}`, async () => {
      expect(await generatedPart('docs/rules.md', name, text)).to.equal(text)
    })
  }

  it('shows rule files that load without a problem', async () => {
    const files = await filesShown()
    expect(files.length).to.be.greaterThan(2)
    for (const file of files) {
      const { problems } = await loadText(file)
      expect(
        problems.map(({ line, message }) => `${line}: ${message}`),
        file,
      ).to.deep.equal([])
    }
  })
})
