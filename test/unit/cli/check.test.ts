import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckDocument } from '../../../src/cli/check/json-format.ts'
import { sluice } from '../../support/command-line.ts'

const fixtures = 'test/fixtures/cli'
const env = { HOOK_KEY: 'a key that nobody may see' }

describe('sluice check', () => {
  it('tells every problem of every file at once, and then how many there are', async () => {
    const { code, stdout, stderr } = await sluice(
      ['check', `${fixtures}/bad`, '-c', `${fixtures}/config.yaml`],
      { env },
    )
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    expect(stdout).to.equal(`\
test/fixtures/cli/bad/hooks.yaml:4:5: error: unknown key \`whem\` [unknown-key]
  4 |     whem: { type: edit }
    |     ^^^^
  hint: did you mean \`when\`?

test/fixtures/cli/bad/hooks.yaml:6:14: error: found the number 5, expected a duration with a unit, such as \`10s\` [wrong-type]
  6 |     timeout: 5
    |              ^

test/fixtures/cli/bad/hooks.yaml:11:68: error: there is no secret \`hook-kex\` [unknown-secret]
  hint: did you mean \`hook-key\`?

test/fixtures/cli/bad/purge.yaml:2:3: error: there is a rule \`post-hook\` already, in test/fixtures/cli/bad/hooks.yaml:2 [duplicate-rule]
  2 |   post-hook:
    |   ^^^^^^^^^
  hint: names are unique over all files

4 errors in 3 files, 3 rules
`)
  })

  it('prints nothing but the document with --format json', async () => {
    const { code, stdout, stderr } = await sluice(
      ['check', `${fixtures}/bad/hooks.yaml`, `${fixtures}/bad/purge.yaml`, '--format', 'json'],
      { env },
    )
    const { problems, ...counts } = JSON.parse(stdout) as CheckDocument // as: what the test is about
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    expect(counts).to.deep.equal({
      left_out: [],
      files: 2,
      rules: 3,
      tests: { passed: 0, failed: 0, not_run: 0, cases: [] },
    })
    expect(problems[0]).to.deep.equal({
      file: 'test/fixtures/cli/bad/hooks.yaml',
      line: 4,
      column: 5,
      severity: 'error',
      code: 'unknown-key',
      message: 'unknown key `whem`',
      hint: 'did you mean `when`?',
    })
    expect(problems.map(({ code, severity }) => `${severity} ${code}`)).to.include(
      'error duplicate-rule',
    )
  })

  const summaries: readonly { args: readonly string[]; code: number; summary: string }[] = [
    {
      args: [`${fixtures}/good`],
      code: 0,
      summary: 'no problems in 1 file, 1 rule; 2 tests passed',
    },
    {
      args: [`${fixtures}/bad/purge.yaml`],
      code: 0,
      summary: '1 warning in 1 file, 1 rule (1 without tests)',
    },
    { args: [`${fixtures}/nowhere`], code: 1, summary: '1 error in 0 files, 0 rules' },
  ]
  for (const { args, code, summary } of summaries) {
    it(`ends \`${args.join(' ')}\` with ${code} and "${summary}"`, async () => {
      const result = await sluice(['check', ...args], { env })
      expect({ code: result.code, last: result.stdout.trimEnd().split('\n').at(-1) }).to.deep.equal(
        { code, last: summary },
      )
    })
  }

  it('reads the rules that the config names when no path is given', async () => {
    const { code, stdout } = await sluice(['check', '-c', `${fixtures}/config.yaml`], { env })
    expect(code).to.equal(0)
    expect(stdout).to.match(/^no problems in 2 files, 1 rule;/)
  })

  it('checks rules as far as they can be when the config does not load', async () => {
    const { code, stdout } = await sluice(
      ['check', `${fixtures}/bad`, '-c', `${fixtures}/bad-config.yaml`],
      { env },
    )
    expect(code).to.equal(1)
    expect(stdout).to.match(/^test\/fixtures\/cli\/bad-config\.yaml:1:14: error: found the text/)
    expect(stdout).to.contain('unknown key `whem`')
    expect(stdout, 'names of a config that nobody knows').not.to.contain('unknown-secret')
    expect(stdout).to.match(/\n4 errors in 3 files, 3 rules.*\n$/)
  })

  it('tells of a secret that is not there, and never what one holds', async () => {
    const args = ['check', `${fixtures}/bad`, '-c', `${fixtures}/config.yaml`]
    const without = await sluice(args)
    expect(without.stdout).to.contain('`HOOK_KEY` is not set in the environment')
    expect((await sluice(args, { env })).stdout).not.to.contain(env.HOOK_KEY)
  })

  it('marks places and severities on a terminal, unless NO_COLOR is set', async () => {
    const args = ['check', `${fixtures}/bad/purge.yaml`]
    const colored = await sluice(args, { terminal: 80 })
    const plain = await sluice(args, { terminal: 80, env: { NO_COLOR: '1' } })
    expect(colored.stdout).to.match(
      // eslint-disable-next-line no-control-regex -- colours are control characters
      /^\u001b\[1mtest\/fixtures\/cli\/bad\/purge\.yaml:2:3:\u001b\[22m \u001b\[33mwarning:\u001b\[39m /,
    )
    expect(plain.stdout).to.match(/^test\/fixtures\/cli\/bad\/purge\.yaml:2:3: warning: /)
  })

  it('runs the tests beside the rules, and shows what one expected and what happened', async () => {
    const { code, stdout } = await sluice(['check', `${fixtures}/failing/hooks.yaml`])
    expect(code).to.equal(1)
    expect(stdout).to.equal(`\
test/fixtures/cli/failing/hooks.yaml:7: failed: post-hook: an edit
- expected  + what happened
- - http: { url: http://hooks.example/wrong }
+ - http: { url: http://hooks.example/ }

no problems in 1 file, 1 rule; 1 of 2 tests failed
`)
  })

  describe('--require-tests', () => {
    const problemsOf = async (path: string): Promise<readonly string[]> => {
      const args = ['check', path, '--require-tests', '--format', 'json']
      const { problems } = JSON.parse((await sluice(args)).stdout) as CheckDocument // as: see above
      return problems
        .filter(({ code }) => code === 'untested')
        .map(({ line, message }) => `${line} ${message}`)
    }

    it('takes a rule with a test in which it fires and one in which it does not fire', async () => {
      expect(await problemsOf(`${fixtures}/good`)).to.deep.equal([])
    })

    it('names what a rule lacks', async () => {
      expect(await problemsOf(`${fixtures}/untested`)).to.deep.equal([
        '2 `none` lacks a test in which it fires and one in which it does not fire',
        '6 `only-fires` lacks a test in which it does not fire',
        '12 `only-skips` lacks a test in which it fires',
      ])
    })
  })

  it('tells without it of a rule whose tests show no event that meets it', async () => {
    const args = ['check', `${fixtures}/untested`, '--format', 'json']
    const { code, stdout } = await sluice(args)
    const { problems } = JSON.parse(stdout) as CheckDocument // as: see above
    expect(code).to.equal(1)
    expect(problems.map((one) => `${one.line} ${one.code} ${one.message}`)).to.deep.equal([
      '12 no-example no test of `only-skips` has an event that meets its condition',
    ])
  })

  it('refuses a format that there is not', async () => {
    const { code, stdout, stderr } = await sluice(['check', '--format', 'jnit'])
    expect({ code, stdout, stderr }).to.deep.equal({
      code: 2,
      stdout: '',
      stderr: 'error: there is no format jnit\n  hint: did you mean `junit`?\n',
    })
  })

  const formats = [
    { format: 'github', begins: '::error file=test/fixtures/cli/bad/hooks.yaml,line=4,col=5,' },
    { format: 'junit', begins: '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ' },
  ]
  for (const { format, begins } of formats) {
    it(`writes ${format} and nothing else, with the same exit code`, async () => {
      const args = ['check', `${fixtures}/bad`, '--format', format]
      const { code, stdout, stderr } = await sluice(args, { env })
      expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
      expect(stdout.startsWith(begins), stdout).to.equal(true)
    })
  }

  describe('with the embedded store on Kafka', () => {
    let folder: string
    before(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-check-'))))
    after(() => rm(folder, { recursive: true }))

    const rule = (name: string, extra: string): string =>
      `  ${name}:\n    topics: [edits]\n    when: { type: ${name} }\n    key: "{{event.id}}"\n` +
      `    do: { emit: { topic: ${name} } }\n    ${extra}\n`
    const windowed = 'dedup: { window: 10s, keep: last }'

    /** What is warned of the store. */
    const told = async (config: string, ...rules: readonly string[]) => {
      const path = join(folder, 'rules.yaml')
      const configPath = join(folder, 'config.yaml')
      await writeFile(path, `rules:\n${rules.join('')}`)
      await writeFile(configPath, config)
      const args = ['check', path, '-c', configPath, '--format', 'json']
      const { code, stdout } = await sluice(args)
      expect(code).to.equal(0)
      const { problems } = JSON.parse(stdout) as CheckDocument // as: see above
      return problems.filter((problem) => problem.code === 'store-of-one-machine')
    }
    const onKafka = 'bus: { kind: kafka }\nstore:\n  kind: embedded\n'

    it('warns that what is remembered is of one machine only, where the config says so', async () => {
      const [first, ...more] = await told(onKafka, rule('a', windowed), rule('b', 'order: key'))
      expect(more).to.deep.equal([])
      expect(first).to.include({ line: 3, column: 3, severity: 'warning' })
      expect(first?.message).to.match(
        / embedded store, and `a` and another rule may act again there$/,
      )
      expect(first?.hint).to.match(/`store\.kind: redis`$/)
    })

    const quiet: readonly { name: string; config: string; extra: string }[] = [
      { name: 'no rule needs a store', config: onKafka, extra: 'timeout: 5s' },
      {
        name: 'the bus is of this machine too',
        config: 'store: { kind: embedded }\n',
        extra: windowed,
      },
      {
        name: 'the store is Redis',
        config: 'bus: { kind: kafka }\nstore: { kind: redis, redis: { url: "redis://h" } }\n',
        extra: windowed,
      },
    ]
    for (const { name, config, extra } of quiet) {
      it(`says nothing where ${name}`, async () => {
        expect(await told(config, rule('a', extra))).to.deep.equal([])
      })
    }
  })
})
