import { expect } from 'chai'
import { ruleText, statusTable, statusText } from '../../../src/cli/status-table.ts'
import { stylesFor } from '../../../src/cli/styles.ts'
import type { RuleDocument, StatusDocument } from '../../../src/model/status.ts'
import { aRuleDocument } from '../../support/admin-source.ts'
import { CliDaemon } from '../../support/cli-daemon.ts'
import { sluice } from '../../support/command-line.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** Three minutes after the last match of a document from the builder. */
const nowMs = Date.UTC(2026, 0, 1, 0, 3)

/** A clock for what is shown; deadlines of it never come. */
const clock = new FakeClock(nowMs)

describe('sluice status', () => {
  const daemon = new CliDaemon()
  before(() => daemon.start())
  after(() => daemon.stop())

  it('shows the daemon and a line for each rule, with times as they were from now', async () => {
    const args = ['status', '--admin', daemon.url]
    const result = await sluice(args, { clock, terminal: 100, env: { NO_COLOR: '1' } })
    expect(result).to.include({ code: 0, stderr: '' })
    expect(result.stdout).to.equal(`\
sluice 0.1.0, ready, up 12s (counts are since then)
bus embedded: 3 events behind, the oldest since 0s

RULE   STATE  MATCHED  DONE  SKIPPED  RETRIED  DEAD  PENDING  LAST MATCH
hook   live        10     4        1        3     2        3  3m ago
purge  live        10     4        1        3     2        3  3m ago
`)
  })

  it('gives times as RFC 3339 to a pipe', async () => {
    const { stdout } = await sluice(['status', '--admin', daemon.url], { clock })
    expect(stdout).to.contain(
      'hook   live        10     4        1        3     2        3  2026-01-01T00:00:00.000Z\n',
    )
  })

  it('shows all that is known of one rule', async () => {
    const args = ['status', 'purge', '--admin', daemon.url]
    expect((await sluice(args, { clock, terminal: 80, env: { NO_COLOR: '1' } })).stdout).to.equal(`\
purge
state       live
file        rules/purge.yaml
topics      edits, jobs.*
counted     since the daemon started
matched     10
done        4
skipped     1 (disabled 1)
retried     3
held        0
dead        2 (status 2)
pending     3 (in_flight 1, queue 1, retry 1)
last match  3m ago
`)
  })

  it('prints nothing but the document with --json', async () => {
    const { stdout, stderr } = await sluice(['status', '--json', '--admin', daemon.url])
    const document = JSON.parse(stdout) as StatusDocument // as: what the test is about
    expect(stderr).to.equal('')
    expect(document).to.deep.equal(await daemon.source.status())
  })

  it('prints the document of one rule with --json', async () => {
    const { stdout } = await sluice(['status', 'hook', '--json', '--admin', daemon.url])
    expect(JSON.parse(stdout)).to.deep.equal(aRuleDocument('hook'))
  })

  it('tells what the daemon says of a rule that it does not have', async () => {
    const { code, stdout, stderr } = await sluice(['status', 'hok/', '--admin', daemon.url])
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
    expect(stderr).to.equal(
      `error: the daemon at ${daemon.url} says: no rule is called "hok/" [unknown-rule]
  hint: \`sluice rules\` lists the rules that are loaded
`,
    )
  })

  it('exits 3 and says what to do when no daemon answers', async () => {
    const { code, stderr } = await sluice(['status', '--admin', 'http://127.0.0.1:1'])
    expect(code).to.equal(3)
    expect(stderr).to.equal(
      `error: no daemon answers at http://127.0.0.1:1 (connection refused)
  hint: start one with \`sluice run\`, or name the one that you mean with --admin
`,
    )
  })
})

describe('a daemon with tokens', () => {
  const daemon = new CliDaemon([
    { name: 'grafana', role: 'viewer', payload: false, value: 'view-token' },
  ])
  before(() => daemon.start())
  after(() => daemon.stop())

  it('refuses a command without one, which says where to put it', async () => {
    const { code, stderr } = await sluice(['status', '--admin', daemon.url])
    expect(code).to.equal(1)
    expect(stderr).to.match(/\[unauthorized\]\n {2}hint: give a token with --token, or better in/)
  })

  it('answers one that has it', async () => {
    const args = ['rules', '--admin', daemon.url, '--token', 'view-token']
    expect(await sluice(args)).to.include({ code: 0, stderr: '' })
  })
})

describe('a table of rules', () => {
  const options = { styles: stylesFor({ isTerminal: false }, {}), widthMax: 120, nowMs }
  const quiet: RuleDocument = {
    ...aRuleDocument('never-fired'),
    state: 'disabled',
    ladder: {
      matched: 0,
      done: 0,
      skipped: {},
      retried: 0,
      held: 0,
      dead: {},
      pending: { in_flight: 0, queue: 0, retry: 0, backlog: 0 },
    },
    last_match_at: null,
  }

  it('shows a rule that never fired as such', () => {
    expect(statusTable([quiet], options).split('\n')[1]).to.equal(
      'never-fired  disabled        0     0        0        0     0        0  never',
    )
  })

  it('shows that a rule is in shadow mode, where a table or a text has its state', () => {
    const shadow: RuleDocument = { ...aRuleDocument('a'), mode: 'shadow' }
    expect(statusTable([shadow], options).split('\n')[1]).to.match(/^a +live, shadow /)
    expect(ruleText(shadow, options)).to.match(/^state +live, shadow$/m)
    const styled = { ...options, styles: stylesFor({ isTerminal: true }, {}) }
    expect(statusTable([shadow], styled)).to.contain('\u001b[33mlive, shadow\u001b[39m')
  })

  it('marks a state that is not live and dead letters', () => {
    const styled = { ...options, styles: stylesFor({ isTerminal: true }, {}) }
    expect(statusTable([quiet], styled)).to.contain('\u001b[33mdisabled\u001b[39m')
    expect(statusTable([aRuleDocument('a')], styled)).to.contain('\u001b[31m   2\u001b[39m')
  })

  const trouble = {
    reason: 'unreachable',
    error: 'connect ECONNREFUSED \u001b[2J',
    since: '2026-01-01T00:00:12.000Z',
  }

  const daemons: readonly { name: string; of: Partial<StatusDocument>; want: string }[] = [
    {
      name: 'that is not ready and has no rules',
      of: { ready: false },
      want: 'sluice 0.1.0, not ready, up 1h (counts are since then)\nbus kafka: no lag\n\nno rules are loaded\n',
    },
    {
      name: 'that is one event behind',
      of: { bus: { kind: 'kafka', lag_events: 1, lag_s: 65 } },
      want: 'sluice 0.1.0, ready, up 1h (counts are since then)\nbus kafka: 1 event behind, the oldest since 1m 5s\n\nno rules are loaded\n',
    },
    {
      name: 'whose store is degraded',
      of: { store: { kind: 'redis', degraded: true, trouble } },
      want: 'sluice 0.1.0, ready, up 1h (counts are since then)\nbus kafka: no lag\nstore redis: degraded for 2m 48s (unreachable: connect ECONNREFUSED \uFFFD[2J)\n\nno rules are loaded\n',
    },
  ]
  for (const { name, of, want } of daemons) {
    it(`stands below a daemon ${name}`, () => {
      const status: StatusDocument = {
        version: '0.1.0',
        ready: true,
        uptime_s: 3_600,
        bus: { kind: 'kafka', lag_events: 0, lag_s: 0 },
        store: { kind: 'none', degraded: false, trouble: null },
        rules: [],
        ...of,
      }
      expect(statusText(status, options)).to.equal(want)
    })
  }

  it('has no line for a store that is well, and a time that is no length for a pipe', () => {
    const status = (degraded: boolean): StatusDocument => ({
      version: '0.1.0',
      ready: true,
      uptime_s: 1,
      bus: { kind: 'kafka', lag_events: 0, lag_s: 0 },
      store: { kind: 'redis', degraded, trouble: degraded ? trouble : null },
      rules: [],
    })
    const piped = { ...options, widthMax: null }
    expect(statusText(status(false), piped)).not.to.include('store')
    expect(statusText(status(true), piped)).to.include(
      '\nstore redis: degraded since 2026-01-01T00:00:12.000Z (unreachable: ',
    )
    const later = { ...options, nowMs: Date.parse(trouble.since) - 5_000 }
    expect(statusText(status(true), later), 'a clock that is behind').to.include('for 0s (')
  })
})

describe('sluice rules', () => {
  const daemon = new CliDaemon()
  before(() => daemon.start())
  after(() => daemon.stop())

  it('shows a table on a terminal, cut where that ends', async () => {
    const options = { terminal: 54, env: { NO_COLOR: '1' } }
    const { stdout } = await sluice(['rules', '--admin', daemon.url], options)
    expect(stdout).to.equal(`\
RULE   STATE  MATCHED  DONE  FILE              TOPICS
hook   live        10     4  rules/hook.yaml   edits, …
purge  live        10     4  rules/purge.yaml  edits, …
`)
  })

  for (const { name, args, terminal } of [
    { name: 'to a pipe', args: [], terminal: undefined },
    { name: 'with --json', args: ['--json'], terminal: 80 },
  ]) {
    it(`gives one document a line ${name}`, async () => {
      const options = terminal === undefined ? {} : { terminal }
      const { stdout } = await sluice(['rules', ...args, '--admin', daemon.url], options)
      const documents: unknown[] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)
      expect(documents).to.deep.equal([aRuleDocument('hook'), aRuleDocument('purge')])
    })
  }

  it('lists more rules than one page holds, each once', async () => {
    const names = Array.from({ length: 2_500 }, (_, i) => `rule-${String(i).padStart(4, '0')}`)
    daemon.source.ruleNames = names
    const { stdout } = await sluice(['rules', '--admin', daemon.url])
    const listed = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as RuleDocument).name) // as: see above
    expect(listed).to.deep.equal(names)
  })

  it('says so when there are none', async () => {
    daemon.source.ruleNames = []
    const args = ['rules', '--admin', daemon.url]
    expect((await sluice(args, { terminal: 80 })).stdout).to.equal('no rules are loaded\n')
    expect((await sluice(args)).stdout).to.equal('')
  })
})
