import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseDurationMs } from '../../src/model/units.ts'
import { sluice } from '../support/command-line.ts'
import { blocksOf, place } from '../support/document-blocks.ts'
import { loadText } from '../support/load-text.ts'

/*
 * Every rule of docs/dedup.md is one that loads, and its tests show the burst that the page draws.
 */

const text = await readFile(new URL('../../docs/dedup.md', import.meta.url), 'utf8')
const files = blocksOf(text).flatMap(({ path, text: content }) =>
  path === null ? [] : [{ path, text: content }],
)

describe('docs/dedup.md', () => {
  const home = process.cwd()
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-dedup-'))
    process.chdir(folder)
    for (const file of files) await place(folder, file)
  })
  afterEach(async () => {
    process.chdir(home)
    await rm(folder, { recursive: true })
  })

  for (const { path } of files) {
    it(`has rules in ${path} that \`check --require-tests\` has nothing to say about`, async () => {
      const { code, stdout } = await sluice(['check', path, '--require-tests'])
      expect(stdout).to.match(/^no problems in 1 file, 1 rule; \d+ tests passed\n$/)
      expect(code).to.equal(0)
    })
  }

  it('shows each `keep`, and a version', async () => {
    const kinds = await Promise.all(
      files.map(async (file) => {
        const dedup = (await loadText(file.text)).ruleSet?.rules[0]?.dedup
        return dedup?.window?.keep ?? (dedup?.version === null ? 'nothing' : 'version')
      }),
    )
    expect(kinds).to.deep.equal(['both', 'last', 'first', 'version'])
  })

  it('names entries of `dedup` that load, wherever it shows one', async () => {
    const shown = [...text.matchAll(/`(dedup: \{ .*? \})`/g)].map(([, entry = '']) => entry)
    expect(shown.length).to.be.at.least(4)
    for (const entry of shown) {
      const { problems } = await loadText(
        `rules: { r: { topics: [t], when: { a: 1 }, key: "{{event.id}}", ${entry}, do: { emit: { topic: o } } } }`,
      )
      expect(problems, entry).to.deep.equal([])
    }
  })

  /** Columns of a picture to a second, and where its first second stands. */
  const [perSecond, from] = [5, 16]

  it('draws windows as long as it says', () => {
    const pictures = blocksOf(text).filter(({ language }) => language === 'text')
    const drawn = pictures.flatMap(({ text: picture }) =>
      [...picture.matchAll(/\[-+ (\d+s) -+(?=[\][])/g)].map(([line, length = '']) => ({
        columns: line.length,
        seconds: (parseDurationMs(length) ?? 0) / 1_000,
      })),
    )
    expect(drawn.length).to.be.at.least(4)
    for (const { columns, seconds } of drawn) expect(columns).to.equal(seconds * perSecond)
  })

  it('draws a scale of seconds that fits', () => {
    const scales = text.split('\n').filter((line) => /^\w+: \d+s +0s /.test(line))
    expect(scales).to.have.length(4)
    for (const scale of scales) {
      for (const { 0: mark, index } of scale.matchAll(/(?<= )\d+s(?= |$)/g)) {
        if (index < from) continue
        expect(index, `${mark} in ${scale}`).to.equal(from + Number.parseInt(mark) * perSecond)
      }
    }
  })
})
