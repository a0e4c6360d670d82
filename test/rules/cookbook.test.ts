import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { sluice } from '../support/command-line.ts'
import { blocksOf, place, replayed, type NamedFile } from '../support/document-blocks.ts'
import { tempFolder } from '../support/temp-folder.ts'

/*
 * Every block of docs/cookbook.md is what it says that it is: the files load, and the commands print
 * what stands below them. To write the output anew: UPDATE_DOCS=1, and then read the difference.
 */

const document = new URL('../../docs/cookbook.md', import.meta.url)
/** For `check`, which needs that there is a key and not which: consoles export their own. */
const env = { PARTNER_KEY: 'a-key' }
const isUpdate = process.env['UPDATE_DOCS'] === '1'

interface Task {
  readonly title: string
  /** Its part of the document, heading left out. */
  readonly text: string
  readonly files: readonly NamedFile[]
  readonly consoles: readonly string[]
}

const text = await readFile(document, 'utf8')
const tasks = text.split(/^## /m).slice(1).map(taskOf)

function taskOf(part: string): Task {
  const [title = ''] = part.split('\n', 1)
  const blocks = blocksOf(part)
  return {
    title,
    text: part.slice(title.length),
    files: blocks.flatMap(({ path, text: content }) =>
      path === null ? [] : [{ path, text: content }],
    ),
    consoles: blocks
      .filter(({ language }) => language === 'console')
      .map(({ text: shown }) => shown),
  }
}

const rulesOf = ({ files }: Task): readonly NamedFile[] =>
  files.filter(({ path }) => /^rules\/[^/]+\.yaml$/.test(path))

describe('the cookbook', () => {
  const folder = tempFolder('cookbook', { isHome: true })
  let written = text

  after(async () => {
    if (isUpdate) await writeFile(document, written)
  })

  const placeAll = async ({ files }: Task): Promise<void> => {
    for (const file of files) await place(folder(), file)
  }

  for (const task of tasks) {
    describe(task.title, () => {
      beforeEach(() => placeAll(task))

      it('has a rule, and a command that proves it', () => {
        expect(rulesOf(task)).to.have.length(1)
        expect(task.consoles.join('')).to.match(/^\$ .*sluice (test|explain) /m)
      })

      it('has no block that is neither a named file nor a console', () => {
        const fences = task.text.match(/^```/gm) ?? []
        expect(task.files.length + task.consoles.length).to.equal(fences.length / 2)
      })

      it('shows what its commands print', async () => {
        for (const block of task.consoles) {
          const real = await replayed(block)
          if (isUpdate) written = written.replace(block, () => real)
          else expect(real).to.equal(block)
        }
      })

      it('has rules that `check --require-tests` has nothing to say about', async () => {
        for (const { path } of rulesOf(task)) {
          const { code, stdout } = await sluice(['check', path, '--require-tests'], { env })
          expect(stdout).to.match(/^no problems in [12] files?, \d+ rules?; \d+ tests passed\n$/)
          expect(code).to.equal(0)
        }
      })
    })
  }

  it('has rules that can all lie in one folder', async () => {
    for (const task of tasks) await placeAll(task)
    const { stdout } = await sluice(['check', '--require-tests'], { env })
    expect(stdout).to.match(/^no problems in \d+ files, \d+ rules; \d+ tests passed\n$/)
  })

  it('lists its tasks at the top, in their order', () => {
    expect(tasks.length).to.be.at.least(10)
    const [top = ''] = text.split(/^## /m)
    const listed = [...top.matchAll(/^(\d+\. )\[(.*?)\]\(#(.*?)\)$/gm)]
    expect(listed.map(([, number = '', title = '']) => number + title)).to.deep.equal(
      tasks.map(({ title }) => title),
    )
    expect(listed.map(([, , , anchor]) => anchor)).to.deep.equal(
      tasks.map(({ title }) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      ),
    )
  })
})
