import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { sluice } from '../support/command-line.ts'
import { blocksOf, place, replayed } from '../support/document-blocks.ts'
import { tempFolder } from '../support/temp-folder.ts'

/*
 * README.md shows what is printed; test/program/readme.test.ts does what a daemon is needed for. To
 * write the output anew: UPDATE_DOCS=1, and then read the difference.
 */

const document = new URL('../../README.md', import.meta.url)
const isUpdate = process.env['UPDATE_DOCS'] === '1'
const readme = await readFile(document, 'utf8')

function section(title: string): string {
  const found = readme.split(/^(?=## )/m).find((part) => part.startsWith(`## ${title}\n`))
  if (found === undefined) throw new Error(`README.md has no section "${title}"`)
  return found
}

describe('the README', () => {
  const folder = tempFolder('readme', { isHome: true })
  let written = readme
  after(async () => {
    if (isUpdate) await writeFile(document, written)
  })

  const expectShown = (shown: string, real: string): void => {
    if (isUpdate) written = written.replace(shown, () => real)
    else expect(real).to.equal(shown)
  }

  it('leads from an event to a first rule, and shows what each command prints', async () => {
    for (const { path, language, text } of blocksOf(section('Write your first rule'))) {
      const needsDaemon = /^\$ sluice (run|emit|status)\b/m.test(text)
      if (path !== null) await place(folder(), { path, text })
      else if (language === 'console' && !needsDaemon) expectShown(text, await replayed(text))
    }
  })

  it('shows a first rule that `check --require-tests` finds nothing wrong with', async () => {
    for (const { path, text } of blocksOf(section('Write your first rule'))) {
      if (path !== null) await place(folder(), { path, text })
    }
    const { stdout } = await sluice(['check', '--require-tests'])
    expect(stdout).to.equal('no problems in 1 file, 1 rule; 2 tests passed\n')
  })

  it('shows what `sluice check` says of a slip', async () => {
    const blocks = blocksOf(section('Write your first rule'))
    const path = 'rules/welcome-user.yaml'
    const rule = blocks.find((block) => block.path === path)?.text ?? ''
    const shown = blocks.at(-1)?.text ?? ''
    await place(folder(), { path, text: rule.replace('when:', 'whem:') })
    const { code, stdout } = await sluice(['check'])
    expect(code).to.equal(1)
    expectShown(shown, stdout.replace(/\n1 error in 1 file, 1 rule\n$/, ''))
  })

  it('shows a config for Kafka that loads', async () => {
    const [config] = blocksOf(section('Running against Kafka'))
    expect(config).to.have.property('path', 'config.yaml')
    await place(folder(), { path: 'config.yaml', text: config?.text ?? '' })
    await place(folder(), { path: 'rules/none.yaml', text: 'rules: {}\n' })
    const { stdout } = await sluice(['check'])
    expect(stdout).to.equal('no problems in 2 files, 0 rules\n')
  })
})
