import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ImportDocument } from '../../../src/cli/import-changeprop.ts'
import { sluice } from '../../support/command-line.ts'

const folder = 'test/fixtures/changeprop'
const config = `${folder}/config.yaml`

/** Compares with a file; UPDATE_GOLDEN=1 writes it anew, and the difference is then read in git. */
async function expectGolden(name: string, text: string): Promise<void> {
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(`${folder}/${name}`, text)
  expect(text).to.equal(await readFile(`${folder}/${name}`, 'utf8'))
}

describe('sluice import changeprop', () => {
  let out: string
  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), 'sluice-import-'))
  })
  afterEach(() => rm(out, { recursive: true }))

  const write = async (text: string): Promise<string> => {
    const name = join(out, 'theirs.yaml')
    await writeFile(name, text)
    return name
  }
  const plain = 'a_rule: { topic: edits, match: { a: 1 }, exec: { uri: http://x.internal/ } }\n'

  it('prints the rules, and on stderr what they do not say', async () => {
    const { code, stdout, stderr } = await sluice(['import', 'changeprop', config])
    expect(code).to.equal(1)
    await expectGolden('rules.yaml', stdout)
    await expectGolden('report.txt', stderr)
  })

  it('writes rules that `check` finds nothing wrong with', async () => {
    const result = await sluice(['import', 'changeprop', config, '--out', `${out}/rules`])
    expect(result).to.include({ code: 1, stderr: '' })
    expect(await readdir(`${out}/rules`)).to.deep.equal(['config.yaml'])
    expect(await readFile(`${out}/rules/config.yaml`, 'utf8')).to.equal(
      await readFile(`${folder}/rules.yaml`, 'utf8'),
    )
    const checked = await sluice(['check', `${out}/rules`])
    expect({ code: checked.code, errors: /error:/.exec(checked.stdout) }).to.deep.equal({
      code: 0,
      errors: null,
    })
  })

  it('exits 0 when all was carried over', async () => {
    const { code, stdout } = await sluice([
      'import',
      'changeprop',
      await write(plain),
      '--out',
      out + '/new',
    ])
    expect({ code, stdout }).to.deep.equal({
      code: 0,
      stdout: `1 of 1 rules in ${out}/new/theirs.yaml; all was carried over\n`,
    })
  })

  it('overwrites nothing unless told to', async () => {
    const args = ['import', 'changeprop', await write(plain), '--out', out]
    const refused = await sluice(args)
    expect(refused).to.include({ code: 2, stdout: '' })
    expect(refused.stderr).to.equal(
      `error: ${out}/theirs.yaml is there already\n  hint: name another folder, or add --force to overwrite it\n`,
    )
    expect(await readFile(`${out}/theirs.yaml`, 'utf8')).to.equal(plain)
    expect((await sluice([...args, '--force'])).code).to.equal(0)
    expect(await readFile(`${out}/theirs.yaml`, 'utf8')).to.match(/^# Made from /)
  })

  it('says that a folder cannot be written to', async () => {
    const file = await write(plain)
    const { code, stderr } = await sluice(['import', 'changeprop', file, '--out', `${file}/rules`])
    expect(code).to.equal(3)
    expect(stderr).to.match(/^error: the rules cannot be written: /)
  })

  it('gives one document with --json', async () => {
    const file = await write(`${plain}b_rule: { topic: '/^\\d+$/', exec: { uri: a/b } }\n`)
    const { code, stdout, stderr } = await sluice(['import', 'changeprop', file, '--json'])
    const { files, ...document } = JSON.parse(stdout) as ImportDocument // as: what the test is about
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    expect(document.rules).to.deep.equal([
      { name: 'a-rule', from: 'a_rule', line: 1, file: 'theirs.yaml' },
      { name: 'b-rule', from: 'b_rule', line: 2, file: null },
    ])
    expect(
      document.not_carried.map(({ rule, line, what }) => ({ rule, line, what })),
    ).to.deep.equal([
      { rule: 'b-rule', line: 2, what: '`topic: /^\\d+$/`' },
      { rule: 'b-rule', line: 2, what: '`uri: a/b`' },
      { rule: 'b-rule', line: 2, what: '`exec`' },
    ])
    expect(document.not_carried[0]).to.have.all.keys(
      'file',
      'line',
      'rule',
      'what',
      'why',
      'instead',
    )
    expect(document.problems).to.deep.equal([])
    expect(files.map(({ name, rules }) => ({ name, rules }))).to.deep.equal([
      { name: 'theirs.yaml', rules: 1 },
    ])
    expect(files[0]?.text).to.match(/^# Made from /)
  })

  it('takes hosts that URLs from data may go to', async () => {
    const file = await write(`a: { topic: b, exec: { uri: 'https://{{message.host}}/' } }`)
    const { code, stdout } = await sluice([
      ...['import', 'changeprop', file, '--allow-hosts', '*.example.org, cdn.internal'],
    ])
    expect(code).to.equal(0)
    expect(stdout).to.contain("allow_hosts: [ '*.example.org', cdn.internal ]")
    const refused = await sluice(['import', 'changeprop', file, '--allow-hosts', 'a:80'])
    expect(refused.code).to.equal(2)
    expect(refused.stderr).to.contain('"a:80" is no host')
  })

  const windows: readonly (readonly [options: string, ours: string])[] = [
    ['{}', '1h'], // of the day that is theirs where nothing is said
    ['{ window: 3600 }', '150s'],
    ['{ window: 0 }', '1s'],
    ['{ window: 1e12 }', '30d'],
  ]
  for (const [options, ours] of windows) {
    it(`remembers events by their id for ${ours} where the deduplicator has ${options}`, async () => {
      const file = await write(
        `all: [{ x-modules: [{ path: sys/deduplicator.js, options: ${options} }] }, ` +
          `{ x-modules: [{ path: sys/kafka.js, options: { templates: { ${plain.trim()} } } }] }]`,
      )
      const { code, stdout, stderr } = await sluice(['import', 'changeprop', file])
      expect(code).to.equal(1)
      expect(stderr).to.match(/sys\/deduplicator\.js.*1 of 1 rules? above/s)
      expect(stdout).to.contain(
        `\n  dedup: { key: '{{event.meta.id}}', window: ${ours}, keep: first }\n`,
      )
    })
  }

  it('comments a rule out that would not load, and says why', async () => {
    const file = await write(`a: { topic: b, exec: { uri: 'http://x/a b' } }\n${plain}`)
    const { code, stdout, stderr } = await sluice(['import', 'changeprop', file])
    expect(code).to.equal(1)
    expect(stdout).to.contain('\n  a-rule:\n').and.to.contain('\n  # a: does not load, from ')
    expect(stdout).to.contain('\n  #     http: { method: GET, url: http://x/a b }\n')
    expect(stderr).to.contain('it does not load: ').and.to.contain('[template-url]')
    expect(stderr).to.contain('1 of 2 rules above')
  })

  const layouts: readonly { name: string; text: string; topics: readonly string[] }[] = [
    { name: 'a bare map of rules', text: plain, topics: ['edits'] },
    { name: 'a map of templates', text: `templates:\n  ${plain}`, topics: ['edits'] },
    { name: 'a map of rules', text: `rules:\n  ${plain}`, topics: ['edits'] },
    {
      name: 'a module below a path',
      text: `spec: { paths: { '/{domain:a}/sys/queue': { x-modules: [{ path: sys/kafka.js, options: { consume_dc: dc, templates: { ${plain.trim()} } } }] } } }`,
      topics: ['dc.edits'],
    },
    {
      name: 'a spec that services name by an alias',
      text: `spec: &spec { x-modules: [{ path: src/sys/kafka.js, options: { dc_name: '', rules: { ${plain.trim()} } } }] }\nservices: [{ conf: { spec: *spec } }]`,
      topics: ['edits'],
    },
    {
      name: 'two modules',
      text: `a: [{ path: sys/kafka.js, options: { dc_name: x, templates: { ${plain.trim()} } } }, { path: sys/kafka.js, options: { dc_name: y, templates: { ${plain.trim()} } } }]`,
      topics: ['x.edits', 'y.edits'],
    },
  ]
  for (const { name, text, topics } of layouts) {
    it(`finds the rules in ${name}`, async () => {
      const { code, stdout } = await sluice(['import', 'changeprop', await write(text)])
      expect(
        [...stdout.matchAll(/^ {4}topics: \[ (.*) \]$/gm)].map(([, topic]) => topic),
      ).to.deep.equal(topics)
      expect(code).to.equal(0)
    })
  }

  it('tells problems of rules that are printed by the line of what is printed', async () => {
    const [one, two] = [plain.trim(), plain.trim().replace('a_rule', 'b_rule')].map((rule) =>
      rule.replace('a: 1', "a: '/[a-z]/'"),
    )
    const module = (rule = ''): string =>
      `{ path: sys/kafka.js, options: { dc_name: x, templates: { ${rule} } } }`
    const file = await write(`a: [${module(one)}, ${module(two)}]`)
    const { stdout, stderr } = await sluice(['import', 'changeprop', file])
    const lines = stdout.split('\n')
    const told = [...stderr.matchAll(/^stdout:(\d+):3: warning: no index can leave `(.*?)` out/gm)]
    expect(told.map(([, , rule]) => rule)).to.deep.equal(['a-rule', 'b-rule'])
    expect(told.map(([, line]) => lines[Number(line) - 1])).to.deep.equal([
      '  a-rule:',
      '  b-rule:',
    ])
  })

  it('converts the last of two rules of one name, and tells of the first', async () => {
    const file = await write(`${plain}${plain.replace('edits', 'moves')}`)
    const { code, stdout } = await sluice(['import', 'changeprop', file, '--json'])
    const { rules, files, not_carried: lost } = JSON.parse(stdout) as ImportDocument // as: as above
    expect(code).to.equal(1)
    expect(rules).to.deep.equal([{ name: 'a-rule', from: 'a_rule', line: 2, file: 'theirs.yaml' }])
    expect(files[0]?.text).to.contain('topics: [ moves ]')
    expect(lost.map(({ line, rule, what }) => ({ line, rule, what }))).to.deep.equal([
      { line: 1, rule: null, what: '`a_rule`' },
    ])
  })

  it('gives each rule a name of its own', async () => {
    const names = ['a_b', 'a-b', 'aB', '__', 'x'.repeat(80), '404']
    const text = names.map((name) => `"${name}": ${plain.slice('a_rule: '.length)}`).join('')
    const { stdout } = await sluice(['import', 'changeprop', await write(text), '--json'])
    const { rules } = JSON.parse(stdout) as ImportDocument // as: what the test is about
    expect(rules.map(({ name }) => name)).to.deep.equal([
      ...['a-b', 'a-b-2', 'a-b-3', 'rule', 'x'.repeat(57), '404'],
    ])
    expect(rules.map(({ from }) => from)).to.deep.equal(names)
  })

  const unreadable: readonly { name: string; text: string | null; stderr: RegExp }[] = [
    { name: 'is not there', text: null, stderr: /there is no such file/ },
    { name: 'is no YAML', text: 'a: [', stderr: /theirs\.yaml:1:\d+: error: not YAML: / },
    {
      name: 'holds no rules',
      text: 'a: { b: 1 }',
      stderr: /^error: there are no rules of change-propagation in /,
    },
    { name: 'is empty', text: '', stderr: /^error: there are no rules/ },
  ]
  for (const { name, text, stderr } of unreadable) {
    it(`exits 2 for a file that ${name}`, async () => {
      const file = text === null ? `${out}/nowhere.yaml` : await write(text)
      const result = await sluice(['import', 'changeprop', file])
      expect(result).to.include({ code: 2, stdout: '' })
      expect(result.stderr).to.match(stderr)
    })
  }

  it('knows no other program', async () => {
    const { code, stderr } = await sluice(['import', 'cron', config])
    expect(code).to.equal(2)
    expect(stderr).to.contain('there is no import from cron')
  })
})
