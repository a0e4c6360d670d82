import { expect } from 'chai'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { actionKinds } from '../../../src/actions/kinds.ts'
import { loadRules, type LoadedRules } from '../../../src/rules/load-rules.ts'
import { prepareMembers } from '../../../src/rules/parse-members.ts'
import { readListFile, readRuleFiles, type ListFile } from '../../../src/schema/source-files.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf } from '../../support/load-text.ts'

const rule = 'purge: { topics: [t], when: { wiki: { in: wikis } }, do: { emit: { topic: x } } }'

function withList(list: string): string {
  return `lists: { wikis: ${list} }\nrules: { ${rule} }\n`
}

/** Loads with files of lists that are there in memory, and says which were asked for. */
async function loadWith(
  texts: string | readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<LoadedRules & { readonly asked: readonly string[] }> {
  const asked: string[] = []
  const fault: ListFile = {
    kind: 'fault',
    code: 'file-unreadable',
    message: 'there is no such file',
  }
  const loaded = await loadText(texts, {
    readListFile: (path) => {
      asked.push(path)
      const text = files[path]
      return Promise.resolve(text === undefined ? fault : { kind: 'text', text })
    },
  })
  return { ...loaded, asked }
}

function has({ ruleSet, problems }: LoadedRules, wiki: string | number): boolean {
  expect(problems).to.deep.equal([])
  return ruleSet?.rules[0]?.fire(anEvent({ wiki })) !== null
}

describe('a list from a file', () => {
  const file = withList('{ file: lists/wikis.txt }')

  it('is one text a line, without blank lines, comments and blanks at the ends', async () => {
    const text = '# wikis\nenwiki\n\n  dewiki\t\r\n7\n#frwiki\nlast wiki'
    const loaded = await loadWith(file, { 'rules/lists/wikis.txt': text })
    for (const wiki of ['enwiki', 'dewiki', '7', 'last wiki'])
      expect(has(loaded, wiki)).to.equal(true)
    for (const wiki of [7, '#frwiki', 'frwiki', '']) expect(has(loaded, wiki)).to.equal(false)
  })

  it('of JSON holds values of any type', async () => {
    const loaded = await loadWith(withList('{ file: wikis.json }'), {
      'rules/wikis.json': '["a", 7, "#b"]',
    })
    expect([has(loaded, 'a'), has(loaded, 7), has(loaded, '#b')]).to.deep.equal([true, true, true])
    expect([has(loaded, '7'), has(loaded, 'c')]).to.deep.equal([false, false])
  })

  it('of JSON may be a map, for the pipe lookup', async () => {
    const text =
      'lists: { hosts: { file: hosts.json } }\nrules: { a: { topics: [t], when: { a: 1 }, ' +
      'do: { http: { url: "http://cdn/{{event.wiki | lookup: hosts}}" } } } }'
    const loaded = await loadWith(text, { 'rules/hosts.json': '{ "enwiki": "en" }' })
    expect(loaded.problems).to.deep.equal([])
  })

  it('is read once, however many files and rules name it', async () => {
    const other = file.replace('purge:', 'other:')
    const { asked, problems } = await loadWith([file, other], { 'rules/lists/wikis.txt': 'a' })
    expect(problems.map(({ code }) => code)).to.deep.equal(['identical-rules'])
    expect(asked).to.deep.equal(['rules/lists/wikis.txt'])
  })

  it('changes the version of the rules that use it', async () => {
    const versions = await Promise.all(
      ['a\n', 'a\nb\n', 'a\n'].map(async (text) => {
        const { ruleSet } = await loadWith(file, { 'rules/lists/wikis.txt': text })
        return ruleSet?.rules[0]?.version
      }),
    )
    expect(versions[0]).to.equal(versions[2])
    expect(versions[0]).not.to.equal(versions[1])
  })

  it('holds up to a million members, and lets the process go on while it is taken apart', async () => {
    let breaths = 0
    const lines = Array.from({ length: 1_000_000 }, (_, i) => `w${i}\n`)
    const load = (text: string): Promise<LoadedRules> =>
      loadText(file, {
        readListFile: () => Promise.resolve({ kind: 'text', text }),
        breathe: () => Promise.resolve(void breaths++),
      })
    const loaded = await load(lines.join(''))
    expect(has(loaded, 'w999999')).to.equal(true)
    expect(breaths).to.be.above(200)
    const { problems } = await load(`${lines.join('')}one more\n`)
    expect(placesOf(problems).slice(0, 1)).to.deep.equal(['1:25 too-many'])
  }).timeout(20_000)

  it('lets the process go on while its set is made, and the folded one for `ci`', async () => {
    const list = Array.from({ length: 50_000 }, (_, i) => `Wiki${i}`)
    for (const folds of [false, true]) {
      let breaths = 0
      const own = [...list] // sets are kept by the list that they are made of
      await prepareMembers(own, folds, () => Promise.resolve(void breaths++))
      expect(breaths).to.equal(12)
      await prepareMembers(own, folds, () => Promise.resolve(void breaths++))
      expect(breaths).to.equal(12)
    }
  })

  it('is made into a set while the file is read, before any rule waits for it', async () => {
    const breathsOf = async (members: number): Promise<number> => {
      let breaths = 0
      await loadText(file.replace('{ in: wikis }', 'x'), {
        readListFile: () => Promise.resolve({ kind: 'text', text: 'a\n'.repeat(members) }),
        breathe: () => Promise.resolve(void breaths++),
      })
      return breaths
    }
    // A dozen times for the lines, and as often for the set.
    expect((await breathsOf(50_000)) - (await breathsOf(1))).to.equal(24)
  })

  it('is the same list where its sets are made ahead', async () => {
    const text = Array.from({ length: 5_000 }, (_, i) => `Wiki${i}`).join('\n')
    for (const when of ['{ in: wikis }', '{ in: wikis, ci: true }']) {
      const loaded = await loadText(file.replace('{ in: wikis }', when), {
        readListFile: () => Promise.resolve({ kind: 'text', text }),
      })
      expect(has(loaded, 'Wiki4999')).to.equal(true)
      expect(has(loaded, 'wIkI4999')).to.equal(when.includes('ci'))
      expect(has(loaded, 'Wiki5000')).to.equal(false)
    }
  })
})

describe('lists with a mistake', () => {
  const cases: readonly (readonly [
    about: string,
    list: string,
    files: Readonly<Record<string, string>>,
    place: string,
    message?: string,
  ])[] = [
    [
      'a file that is not there',
      '{ file: no.txt }',
      {},
      '1:25 file-unreadable',
      'rules/no.txt: there is no such file',
    ],
    ['a path from the root', '{ file: /etc/passwd }', {}, '1:25 bad-value'],
    ['a path of another system', '{ file: "C:\\\\x.txt" }', {}, '1:25 bad-value'],
    [
      'a path that leads out',
      '{ file: ../x.txt }',
      {},
      '1:25 bad-value',
      '"../x.txt" leads out of the folder of the rules',
    ],
    ['a path that leads out on a detour', '{ file: a/../../x.txt }', {}, '1:25 bad-value'],
    ['a file without a name', '{ file: "" }', {}, '1:25 bad-value'],
    ['a file that is a number', '{ file: 7 }', {}, '1:25 bad-value'],
    ['JSON that is none', '{ file: a.json }', { 'rules/a.json': '[1,' }, '1:25 bad-value'],
    [
      'JSON of one value',
      '{ file: a.json }',
      { 'rules/a.json': '7' },
      '1:25 bad-value',
      'rules/a.json: found the number 7, expected a list or a map',
    ],
    [
      'a file without a member',
      '{ file: a.txt }',
      { 'rules/a.txt': '# none\n' },
      '2:52 impossible',
    ],
    ['a text', 'enwiki', {}, '1:17 wrong-type'],
    ['a list in a list', '[enwiki, [dewiki]]', {}, '1:26 wrong-type'],
    [
      'a map in a list of a file',
      '{ file: a.json }',
      { 'rules/a.json': '["a", {}]' },
      '1:25 wrong-type',
      'rules/a.json: found a map as member 2, expected a text, a number, true, false or null',
    ],
    ['too many members', `[${Array(10_001).fill('a').join(',')}]`, {}, '1:17 too-many'],
  ]
  for (const [about, list, files, place, message] of cases) {
    it(`are told where they stand: ${about}`, async () => {
      const { problems, ruleSet } = await loadWith(withList(list), files)
      expect(placesOf(problems)).to.include(place)
      expect(ruleSet).to.equal(null)
      if (message !== undefined) expect(problems[0]?.message).to.equal(message)
    })
  }

  it('are told once: a rule that names one of them is not wrong as well', async () => {
    const { problems } = await loadWith(withList('{ file: no.txt }'), {})
    expect(placesOf(problems)).to.deep.equal(['1:25 file-unreadable'])
    const nested = withList('[enwiki, [dewiki]]')
    for (const text of [
      nested,
      nested.replace('{ in: wikis }', '{ in: wikis, suffix: wiki }'),
      nested.replace('topic: x', 'topic: x, key: "{{event.wiki | lookup: wikis}}"'),
    ]) {
      const loaded = await loadWith(text, {})
      expect(placesOf(loaded.problems)).to.deep.equal(['1:26 wrong-type'])
    }
  })
})

describe('lists on a disk', () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-lists-'))))
  afterEach(() => rm(folder, { recursive: true }))

  async function load(path: string): Promise<LoadedRules> {
    const { files, problems } = await readRuleFiles([path])
    expect(problems).to.deep.equal([])
    return loadRules(files, {
      kinds: actionKinds,
      secrets: null,
      allowHosts: [],
      retryTiersMs: [],
      lanes: null,
      readListFile,
      breathe: () => Promise.resolve(),
    })
  }

  it('lie anywhere in the folder of the rules', async () => {
    await mkdir(join(folder, 'rules', 'wiki'), { recursive: true })
    await mkdir(join(folder, 'rules', 'lists'))
    await writeFile(join(folder, 'rules', 'lists', 'wikis.txt'), '\uFEFFenwiki\n')
    await writeFile(
      join(folder, 'rules', 'wiki', 'a.yaml'),
      withList('{ file: ../lists/wikis.txt }'),
    )
    expect(has(await load(join(folder, 'rules')), 'enwiki')).to.equal(true)
    // Named alone, the folder of the file is all that it may read.
    const { problems } = await load(join(folder, 'rules', 'wiki', 'a.yaml'))
    expect(problems.map(({ code }) => code)).to.deep.equal(['bad-value'])
  })

  it('say why they cannot be read', async () => {
    await writeFile(join(folder, 'a.yaml'), withList('{ file: wikis.txt }'))
    const codes = async (): Promise<readonly string[]> =>
      (await load(folder)).problems.map(({ code, message }) => `${code} ${message.split(': ')[1]}`)
    expect(await codes()).to.deep.equal(['file-unreadable there is no such file'])
    await writeFile(join(folder, 'wikis.txt'), Buffer.from([0x61, 0xe4, 0x0a]))
    expect(await codes()).to.deep.equal(['file-not-utf8 the file is not UTF-8 text'])
    await writeFile(join(folder, 'wikis.txt'), Buffer.alloc(64 * 2 ** 20 + 1, 'a'))
    expect(await codes()).to.deep.equal(['file-too-large the file is larger than 64MiB'])
    await rm(join(folder, 'wikis.txt'))
    await mkdir(join(folder, 'wikis.txt'))
    expect(await codes()).to.deep.equal(['file-unreadable this is a folder, not a file'])
  })
})
