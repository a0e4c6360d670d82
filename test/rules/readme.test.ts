import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { sluice } from '../support/command-line.ts'

/** The text of README.md between a line and the end of the fenced block that follows it. */
async function blockAfter(line: string): Promise<string> {
  const readme = await readFile('README.md', 'utf8')
  const [, after] = readme.split(line)
  const block = /^\n+```\w+\n(.*?)```/s.exec(after ?? '')?.[1]
  if (block === undefined) throw new Error(`there is no block after "${line}" in README.md`)
  return block
}

describe('the README', () => {
  const home = process.cwd()
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-readme-'))
    await mkdir(join(folder, 'rules'))
  })
  afterEach(async () => {
    process.chdir(home)
    await rm(folder, { recursive: true })
  })

  it('shows a first rule that `sluice check` finds nothing wrong with', async () => {
    const rule = await blockAfter('In a folder of your own, `rules/first.yaml`:')
    await writeFile(join(folder, 'rules/first.yaml'), rule)
    process.chdir(folder)
    const { stdout } = await sluice(['check'])
    expect(stdout).to.equal('no problems in 1 file, 1 rule; 2 tests passed\n')
  })

  it('shows what `sluice explain` says of an event that nearly matches', async () => {
    const rule = await blockAfter('In a folder of your own, `rules/first.yaml`:')
    const command = await blockAfter('and what it would send:')
    const shown = await blockAfter('explain welcome-user -\n```')
    const event = /echo '(.*?)'/.exec(command)?.[1] ?? ''
    await writeFile(join(folder, 'rules/first.yaml'), rule)
    process.chdir(folder)
    const { stdout } = await sluice(['explain', 'welcome-user', '-'], { stdin: [event] })
    expect(stdout).to.equal(shown)
  })

  it('shows what `sluice check` says of a slip', async () => {
    const rule = await blockAfter('In a folder of your own, `rules/first.yaml`:')
    const shown = await blockAfter('`sluice check` says')
    await writeFile(join(folder, 'rules/first.yaml'), rule.replace('when:', 'whem:'))
    process.chdir(folder)
    const { code, stdout } = await sluice(['check'])
    expect(code).to.equal(1)
    expect(stdout).to.equal(`${shown}\n1 error in 1 file, 1 rule\n`)
  })

  it('shows a config for Kafka that loads', async () => {
    await writeFile(join(folder, 'config.yaml'), await blockAfter('`config.yaml`:'))
    const { stdout } = await sluice(['check', 'rules', '-c', join(folder, 'config.yaml')])
    expect(stdout).to.match(/^no problems in 9 files, 14 rules; \d+ tests passed\n$/)
  })
})
