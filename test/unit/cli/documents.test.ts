import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { generatedPart } from '../../support/documents.ts'
import { flags, flagsTable, type Flag } from '../../support/flag-reference.ts'

/** Twins that several commands share, and so without the name of one. */
const shared = ['config', 'set', 'admin', 'token', 'json']

function twinOf({ command, name }: Flag): string {
  const own = name.toUpperCase().replaceAll('-', '_')
  const isShared = shared.includes(name)
  return isShared ? `SLUICE_${own}` : `SLUICE_${command.toUpperCase()}_${own}`
}

describe('docs/operations.md', () => {
  let all: readonly Flag[] = []
  before(async () => {
    all = await flags()
  })

  it('lists every flag of every command, as the help has it', async () => {
    const table = flagsTable(all)
    expect(await generatedPart('docs/operations.md', 'flags', table)).to.equal(table)
  })

  it('names every command in its table of commands', async () => {
    const text = await readFile('docs/operations.md', 'utf8')
    for (const command of new Set(all.map((flag) => flag.command))) {
      expect(text, command).to.match(new RegExp(`^\\| \`sluice ${command}[ \`]`, 'm'))
    }
  })

  it('can say of every flag that its twin is called as it is', () => {
    expect(all.length).to.be.greaterThan(20)
    for (const flag of all)
      expect(flag.twin, `${flag.command} --${flag.name}`).to.equal(twinOf(flag))
  })
})
