import { expect } from 'chai'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rulesSchemaText } from '../../../src/cli/schema.ts'
import {
  sluice,
  type CommandLineOptions,
  type CommandLineResult,
} from '../../support/command-line.ts'

describe('sluice new', () => {
  let folder: string
  let config: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-new-'))
    config = join(folder, 'config.yaml')
    await writeFile(config, `rules: { path: ${join(folder, 'rules')} }\n`)
  })
  afterEach(() => rm(folder, { recursive: true }))

  function run(args: readonly string[], options?: CommandLineOptions): Promise<CommandLineResult> {
    return sluice(['new', ...args, '-c', config], options)
  }

  async function expectRefusal(args: readonly string[], message: string | RegExp): Promise<void> {
    const { code, stdout, stderr } = await run(args)
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    if (typeof message === 'string') expect(stderr).to.contain(message)
    else expect(stderr).to.match(message)
  }

  it('writes a rule that check has nothing to say of, and whose tests pass', async () => {
    const { code, stdout, stderr } = await run(['welcome', '--topic', 'users'])
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    const file = join(folder, 'rules', 'welcome.yaml')
    expect(stdout).to.contain(`next: sluice test ${file}`)
    const checked = await sluice(['check', '--require-tests', file, '-c', config])
    expect(checked.stdout).to.contain('no problems in 2 files, 1 rule; 2 tests passed')
    const tested = await sluice(['test', file, '-c', config])
    expect(tested.stdout).to.contain('2 passed, 0 failed')
    expect([checked.code, tested.code]).to.deep.equal([0, 0])
  })

  it('keeps the schema beside the rules, where the first line of the rule finds it', async () => {
    await run(['welcome', '--topic', 'users'])
    await run(['deep', '--topic', 'users', '--out', join(folder, 'rules', 'team', 'deep.yaml')])
    await run(['apart', '--topic', 'users', '--out', join(folder, 'elsewhere', 'apart.yaml')])
    const places = [
      ['rules/welcome.yaml', '.sluice/rules.schema.json', 'rules'],
      ['rules/team/deep.yaml', '../.sluice/rules.schema.json', 'rules'],
      ['elsewhere/apart.yaml', '.sluice/rules.schema.json', 'elsewhere'],
    ] as const
    for (const [file, path, beside] of places) {
      const [line] = (await readFile(join(folder, file), 'utf8')).split('\n')
      expect(line).to.equal(`# yaml-language-server: $schema=${path}`)
      const schema = await readFile(join(folder, beside, '.sluice', 'rules.schema.json'), 'utf8')
      expect(schema).to.equal(rulesSchemaText())
    }
  })

  it('brings a schema of another version up to date', async () => {
    await mkdir(join(folder, 'rules', '.sluice'), { recursive: true })
    const schema = join(folder, 'rules', '.sluice', 'rules.schema.json')
    await writeFile(schema, '{}')
    await run(['welcome', '--topic', 'users'])
    expect(await readFile(schema, 'utf8')).to.equal(rulesSchemaText())
  })

  it('starts from an event: of a file, of a line of one, or of stdin', async () => {
    const events = join(folder, 'events.ndjson')
    await writeFile(events, '{"kind":"made","id":1}\n{"kind":"gone","id":2}\n')
    await run(['second', '--topic', 't', '--event', events, '--line', '2'])
    expect(await readFile(join(folder, 'rules', 'second.yaml'), 'utf8')).to.contain('kind: gone')
    const args = ['piped', '--topic', 't', '--event', '-']
    await run(args, { stdin: ['{"kind":"piped"}'] })
    expect(await readFile(join(folder, 'rules', 'piped.yaml'), 'utf8')).to.contain('kind: piped')
  })

  it('never overwrites a file, and leaves it as it was', async () => {
    const file = join(folder, 'mine.yaml')
    await writeFile(file, 'mine')
    await expectRefusal(['mine', '--topic', 't', '--out', file], 'is there already')
    expect(await readFile(file, 'utf8')).to.equal('mine')
  })

  it('refuses a name that another file has, and says where', async () => {
    await run(['welcome', '--topic', 'users'])
    const out = join(folder, 'rules', 'other.yaml')
    await expectRefusal(
      ['welcome', '--topic', 'users', '--out', out],
      /there is a rule.*welcome\.yaml:5/,
    )
    expect(await readdir(join(folder, 'rules'))).to.deep.equal(['.sluice', 'welcome.yaml'])
  })

  const refused: readonly (readonly [what: string, args: readonly string[], message: string])[] = [
    ['a name that is none', ['Welcome_User', '--topic', 't'], 'cannot be the name of a rule'],
    ['a topic that is none', ['a', '--topic', 'a b'], 'cannot be the name of a topic'],
    ['no topic', ['a'], '--topic'],
    ['a line of no file', ['a', '--topic', 't', '--line', '3'], '--line without --event'],
    ['a file that is not there', ['a', '--topic', 't', '--event', 'nothing.json'], 'no such file'],
    ['a file that is no rule file', ['a', '--topic', 't', '--out', 'a.txt'], 'end it in .yaml'],
  ]
  for (const [what, args, message] of refused) {
    it(`refuses ${what}`, async () => {
      await expectRefusal(args, message)
      expect(await readdir(folder)).to.deep.equal(['config.yaml'])
    })
  }

  const events = [
    ['[1]', 'the event is a list'],
    ['{', 'an event is one JSON document'],
    ['{"":[]}', 'no field that a condition could ask for'],
  ] as const
  for (const [event, message] of events) {
    it(`refuses the event ${event}`, async () => {
      const file = join(folder, 'event.json')
      await writeFile(file, event)
      await expectRefusal(['a', '--topic', 't', '--event', file], message)
    })
  }

  it('asks for --out where the rules are one file', async () => {
    await writeFile(join(folder, 'rules'), 'rules: {}\n')
    await expectRefusal(['a', '--topic', 't'], 'are one file')
  })

  it('says so where the config does not load', async () => {
    await writeFile(config, 'buss: 1\n')
    await expectRefusal(
      ['a', '--topic', 't'],
      /unknown key `buss`(?:.|\n)*the config does not load/,
    )
  })
})
