import { writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { sluice, withEnvironment } from '../../support/command-line.ts'
import { tempFolder } from '../../support/temp-folder.ts'

describe('the command line', () => {
  const refused: readonly { args: string; stderr: string }[] = [
    {
      args: 'chek',
      stderr: `error: unknown command 'chek'
(Did you mean check?)
  hint: \`sluice --help\` shows what there is
`,
    },
    {
      args: 'pause purge-page --reason x',
      stderr: `error: \`sluice pause\` is not supported yet
  hint: \`sluice --help\` lists the commands that are
`,
    },
    {
      args: 'check --fromat json',
      stderr: `error: unknown option '--fromat'
(Did you mean --format?)
  hint: \`sluice check --help\` shows what there is
`,
    },
    {
      args: 'emit',
      stderr: `error: missing required argument 'topic'
  hint: \`sluice emit --help\` shows what there is
`,
    },
    {
      args: 'status one two',
      stderr: `error: too many arguments for 'status'. Expected 1 argument but got 2.
  hint: \`sluice status --help\` shows what there is
`,
    },
    {
      args: 'status --admin localhost:8090',
      stderr: `error: option '--admin <url>' argument 'localhost:8090' is invalid. write it as http://host:port
  hint: \`sluice status --help\` shows what there is
`,
    },
    {
      args: 'status --admin http://ann:secret@localhost',
      stderr: `error: option '--admin <url>' argument 'http://ann:secret@localhost' is invalid. only host, port and path count; a token goes into --token
  hint: \`sluice status --help\` shows what there is
`,
    },
    {
      args: 'import changprop',
      stderr: `error: there is no import from changprop
  hint: did you mean \`changeprop\`?
`,
    },
    {
      args: 'import eventbridge rules.json',
      stderr: `error: there is no import from eventbridge
  hint: rules are taken from changeprop
`,
    },
    {
      args: 'import changeprop',
      stderr: `error: there is no file to import
  hint: name the config: \`sluice import changeprop FILE\`
`,
    },
    {
      args: 'demo --rate 0',
      stderr: `error: option '--rate <n>' argument '0' is invalid. a whole number from 1 to 10000 is expected
  hint: \`sluice demo --help\` shows what there is
`,
    },
    {
      args: 'demo --json',
      stderr: `error: --json tells how the demo ended, and without --once it does not end
  hint: add --once, or ask the running demo with \`sluice status --json\`
`,
    },
  ]
  for (const { args, stderr } of refused) {
    it(`exits 2 for \`${args}\` and says what to do`, async () => {
      const result = await sluice(args.split(' '))
      expect(result).to.include({ code: 2, stdout: '', stderr })
      expect([...result.ran, ...result.demos]).to.deep.equal([])
    })
  }

  it('shows its help on stderr and exits 2 when there is nothing to do', async () => {
    const { code, stdout, stderr } = await sluice([])
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    expect(stderr).to.match(/^Usage: sluice \[options\] \[command\]\n/)
  })

  it('lists in its help the commands that work and no others', async () => {
    const { code, stdout } = await sluice(['--help'])
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name)
    expect(code).to.equal(0)
    expect(commands).to.deep.equal([
      ...['run', 'demo', 'new', 'check', 'test', 'explain', 'schema', 'emit', 'rules', 'status'],
      ...['import', 'help'],
    ])
  })

  it('takes help for a command, as users of other tools do', async () => {
    const [asked, flagged] = [await sluice(['help', 'emit']), await sluice(['emit', '--help'])]
    expect(asked).to.deep.equal(flagged)
    expect(asked).to.include({ code: 0, stderr: '' })
    expect(await sluice(['help'])).to.deep.equal(await sluice(['--help']))
    expect((await sluice(['help', 'nope'])).code).to.equal(2)
  })

  it('tells its version', async () => {
    expect(await sluice(['--version'])).to.include({ code: 0, stdout: '1.2.3\n', stderr: '' })
  })
})

describe('sluice run', () => {
  it('hands on the config and every --set, in order', async () => {
    const { code, ran } = await sluice(['run', '-c', 'a.yaml', '--set', 'a=1', '--set', 'b.c=2'])
    expect(code).to.equal(0)
    expect(ran).to.deep.equal([{ configFile: 'a.yaml', set: ['a=1', 'b.c=2'] }])
  })

  it('takes both from the environment, with one setting a line', async () => {
    const names = { SLUICE_CONFIG: 'env.yaml', SLUICE_SET: 'a=1\nb=2\n' }
    const { ran } = await withEnvironment(names, () => sluice(['run']))
    expect(ran).to.deep.equal([{ configFile: 'env.yaml', set: ['a=1', 'b=2'] }])
  })

  it('lets a flag go before its twin', async () => {
    const names = { SLUICE_CONFIG: 'env.yaml' }
    const { ran } = await withEnvironment(names, () => sluice(['run', '-c', 'flag.yaml']))
    expect(ran).to.deep.equal([{ configFile: 'flag.yaml', set: [] }])
  })

  describe('in a folder', () => {
    tempFolder('cli', { isHome: true })

    it('runs on the defaults when there is no config.yaml', async () => {
      const { ran } = await sluice(['run'])
      expect(ran).to.deep.equal([{ configFile: null, set: [] }])
    })

    it('takes the config.yaml that lies there', async () => {
      await writeFile('config.yaml', '')
      const { ran } = await sluice(['run'])
      expect(ran).to.deep.equal([{ configFile: 'config.yaml', set: [] }])
    })
  })
})

describe('sluice demo', () => {
  const cases = [
    { args: [], want: { once: false, json: false, rate: 8, port: null } },
    { args: ['--once', '--json'], want: { once: true, json: true, rate: 8, port: null } },
    {
      args: ['--rate', '50', '--port', '9000'],
      want: { once: false, json: false, rate: 50, port: 9000 },
    },
  ]
  for (const { args, want } of cases) {
    it(`hands on ${args.join(' ') || 'its defaults'}`, async () => {
      expect((await sluice(['demo', ...args])).demos).to.deep.equal([want])
    })
  }

  for (const [value, once] of [
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
    ['No', false],
    ['', false],
  ] as const) {
    it(`takes SLUICE_DEMO_ONCE=${value} for ${once}`, async () => {
      const names = { SLUICE_DEMO_ONCE: value }
      const { demos } = await withEnvironment(names, () => sluice(['demo']))
      expect(demos.map((demo) => demo.once)).to.deep.equal([once])
    })
  }
})
