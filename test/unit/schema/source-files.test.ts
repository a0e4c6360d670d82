import { expect } from 'chai'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileBytesMax, readRuleFiles, readSourceFile } from '../../../src/schema/source-files.ts'

describe('reading files', () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-files-'))))
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const write = async (name: string, content: string | Buffer): Promise<string> => {
    const path = join(folder, name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, content)
    return path
  }
  const below = (name: string): string => name.slice(folder.length + 1)

  it('walks a folder in order of name and takes .yaml and .yml', async () => {
    for (const name of [
      'b.yaml',
      'a/z.yml',
      'a/b/c.yaml',
      'c.json',
      '.hidden.yaml',
      '.git/x.yaml',
    ]) {
      await write(name, 'rules: {}')
    }
    const { files, problems } = await readRuleFiles([folder])
    expect(problems).to.deep.equal([])
    expect(files.map(({ name }) => below(name))).to.deep.equal(['a/b/c.yaml', 'a/z.yml', 'b.yaml'])
  })

  it('reads a file once that is named twice, whatever it is called', async () => {
    const file = await write('rules.txt', 'rules: {}')
    const { files } = await readRuleFiles([file, file])
    expect(files.map(({ text }) => text)).to.deep.equal(['rules: {}'])
  })

  it('follows links to folders and ends in a circle of them', async () => {
    await write('real/a.yaml', 'rules: {}')
    await symlink(folder, join(folder, 'real', 'circle'))
    const { files } = await readRuleFiles([folder])
    expect(files[0]?.text).to.equal('rules: {}')
    expect(files.length).to.be.below(40)
  })

  it('says that a folder holds no rules', async () => {
    const absent = join(folder, 'absent')
    const { problems } = await readRuleFiles([absent, folder])
    expect(problems.map(({ file, code }) => [file, code])).to.deep.equal([
      [absent, 'file-unreadable'],
      [folder, 'no-rule-files'],
    ])
  })

  it('says how to begin where no rules are found', async () => {
    const { problems } = await readRuleFiles([join(folder, 'absent'), folder])
    expect(problems.map(({ message, hint }) => [message, hint])).to.deep.equal([
      [
        'there is no such file or folder',
        'run it where `rules/` is, name a path, or start with `sluice new`',
      ],
      [
        'there is no rule file here',
        'rule files end in .yaml or .yml; `sluice new` writes a first one',
      ],
    ])
  })

  it('tells what cannot be read beside what can', async () => {
    const good = await write('good.yaml', 'rules: {}')
    const absent = join(folder, 'absent.yaml')
    const latin = await write('latin.yaml', Buffer.from([0x61, 0x3a, 0x20, 0xe9]))
    const { files, problems } = await readRuleFiles([absent, good, latin])
    expect(files.map(({ name }) => name)).to.deep.equal([good])
    expect(problems.map(({ file, code }) => [file, code])).to.deep.equal([
      [absent, 'file-unreadable'],
      [latin, 'file-not-utf8'],
    ])
  })

  it('drops a byte order mark, and keeps columns right by that', async () => {
    const file = await write('bom.yaml', '\uFEFFrules: {}')
    expect((await readSourceFile(file)).file?.text).to.equal('rules: {}')
  })

  it('takes a file of the largest size and refuses one byte more', async () => {
    const most = await write('most.yaml', Buffer.alloc(fileBytesMax, '#'))
    const more = await write('more.yaml', Buffer.alloc(fileBytesMax + 1, '#'))
    expect((await readSourceFile(most)).problem).to.equal(null)
    expect((await readSourceFile(more)).problem?.code).to.equal('file-too-large')
  })

  it('does not read without end from what is not a file', async () => {
    expect((await readSourceFile('/dev/zero')).problem?.code).to.equal('file-too-large')
  })

  it('says why a file cannot be read', async () => {
    expect((await readSourceFile(folder)).problem?.message).to.equal('this is a folder, not a file')
    expect((await readSourceFile(join(folder, 'x'))).problem?.message).to.equal(
      'there is no such file',
    )
    const file = await write('secret.yaml', 'a: 1')
    await chmod(file, 0o000)
    const { problem } = await readSourceFile(file)
    // Root may read everything; anybody else is told so.
    const message = process.getuid?.() === 0 ? undefined : 'the file may not be read'
    expect(problem?.message).to.equal(message)
  })
})
