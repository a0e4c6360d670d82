import { expect } from 'chai'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sluice } from '../support/command-line.ts'
import { madeFiles } from './made.ts'

/*
 * Typical mistakes, a file or a folder each, and beside it all that `sluice check` says of it. Each
 * gives one clear message and no cascade. After a change: UPDATE=1, then read what has become of it.
 */

const folder = 'test/mistakes'
const config = `${folder}/config.yaml`

const names = (await readdir(folder))
  .filter((name) => /^\d\d-/.test(name) && !name.endsWith('.txt'))
  .toSorted()

/** Does as it is told in the file where it is read, and compares where not. */
async function expectOutput(name: string, output: string): Promise<void> {
  const file = join(folder, `${name.replace(/\.yaml$/, '')}.txt`)
  if (process.env['UPDATE'] === '1') await writeFile(file, output)
  expect(output).to.equal(await readFile(file, 'utf8'))
}

describe('a typical mistake', () => {
  let made: string
  before(async () => {
    made = await mkdtemp(join(tmpdir(), 'sluice-mistakes-'))
  })
  after(() => rm(made, { recursive: true }))

  for (const name of names) {
    it(name, async () => {
      const { code, stdout, stderr } = await sluice(['check', join(folder, name), '-c', config])
      expect(stderr).to.equal('')
      await expectOutput(name, `${stdout}exit code ${code}\n`)
    })
  }

  for (const [name, make] of Object.entries(madeFiles)) {
    it(`${name}, made here`, async () => {
      const path = join(made, `${name}.yaml`)
      await writeFile(path, make())
      const { code, stdout, stderr } = await sluice(['check', path, '-c', config])
      expect(stderr).to.equal('')
      await expectOutput(name, `${stdout.replaceAll(made, folder)}exit code ${code}\n`)
    })
  }

  it('has no expected output of a file that is gone', async () => {
    const expected = (await readdir(folder)).filter((name) => name.endsWith('.txt'))
    const known = [...names.map((name) => name.replace(/\.yaml$/, '')), ...Object.keys(madeFiles)]
    expect(expected.map((name) => name.slice(0, -4)).toSorted()).to.deep.equal(known.toSorted())
  })
})
