import { expect } from 'chai'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reachOf } from '../../../src/app/reach.ts'
import type { CheckDocument } from '../../../src/cli/check/json-format.ts'
import type { ProgramDeps, Reach } from '../../../src/cli/program-deps.ts'
import { openEmbeddedBus } from '../../../src/drivers/embedded/bus.ts'
import { systemClock } from '../../../src/drivers/system-clock.ts'
import { sluice, type CommandLineOptions } from '../../support/command-line.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { hostileServer, type HostileServer } from '../../support/hostile-server.ts'
import { silentLogger } from '../../support/silent-logger.ts'

/** A file of rules that each emit, or call what is given. */
function rulesCalling(urls: Readonly<Record<string, string>>): string {
  const rules = Object.entries(urls).map(
    ([name, url]) => `  ${name}:
    topics: [edits]
    when: { kind: edit }
    do: { http: { url: "${url}" } }
`,
  )
  return `rules:\n${rules.join('')}`
}

const emits =
  'rules:\n  copy:\n    topics: [edits]\n    when: { a: 1 }\n    do: { emit: { topic: copies } }\n'

describe('sluice check --online', () => {
  let folder: string
  const servers: HostileServer[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-check-'))
  })
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()))
    await rm(folder, { recursive: true })
  })

  const check = async (
    rules: string,
    config: string,
    options: CommandLineOptions = {},
  ): Promise<{ readonly code: number; readonly problems: CheckDocument['problems'] }> => {
    const path = join(folder, 'rules.yaml')
    const configPath = join(folder, 'config.yaml')
    await writeFile(path, rules)
    await writeFile(configPath, config)
    const args = ['check', path, '-c', configPath, '--online', '--format', 'json']
    const { code, stdout } = await sluice(args, { clock: systemClock, reachOf, ...options })
    const { problems } = JSON.parse(stdout) as CheckDocument // as: what the test is about
    return { code, problems }
  }

  const serve = async (tls?: 'self-signed'): Promise<HostileServer> => {
    const server = await hostileServer(tls === undefined ? {} : { tls })
    servers.push(server)
    return server
  }

  /** An embedded bus in the folder of the test, with these topics. */
  const makeBus = async (topics: readonly string[]): Promise<string> => {
    const path = join(folder, 'data')
    const bus = await openEmbeddedBus({
      path,
      clock: systemClock,
      logger: silentLogger,
      recordBytesMax: 2 ** 20,
    })
    await bus.admin.ensureTopics(
      topics.map((name) => ({
        name,
        partitions: 1,
        replication: 1,
        retentionMs: null,
        retentionBytes: null,
        compacted: false,
      })),
    )
    await bus.close()
    return `bus: { path: ${path} }\n`
  }

  it('finds nothing where all is there, and sends no request', async () => {
    const server = await serve()
    const config = `${await makeBus(['edits'])}http: { allow_cidrs: [127.0.0.1] }\n`
    const rules = rulesCalling({ purge: `http://127.0.0.1:${server.port}/{{event.title}}` })
    expect(await check(rules, config)).to.deep.equal({ code: 0, problems: [] })
    expect(server.accepted).to.equal(1)
    expect(server.requests).to.deep.equal([])
  })

  it('ends with 3 for targets alone, each told once and at the first rule that calls it', async () => {
    const gone = await hostileServer()
    await gone.close()
    const config = `${await makeBus(['edits'])}http: { allow_cidrs: [127.0.0.1, "::1"] }\n`
    const secured = await serve('self-signed')
    const { code, problems } = await check(
      rulesCalling({
        a: `http://127.0.0.1:${gone.port}/a`,
        b: `https://localhost:${secured.port}/`,
        c: `http://127.0.0.1:${gone.port}/c`,
        d: 'http://nowhere.invalid/',
      }),
      config,
    )
    expect(code).to.equal(3)
    expect(problems.map(({ line, column, code: of }) => `${line}:${column} ${of}`)).to.deep.equal([
      '2:3 target-unreachable',
      '6:3 target-unreachable',
      '14:3 target-unreachable',
    ])
    const [refused, untrusted, unknown] = problems.map(({ message }) => message)
    expect(refused).to.match(
      /^`a` calls http:\/\/127\.0\.0\.1:\d+ \(as another rule does\), and cannot connect: .*ECONNREFUSED/,
    )
    expect(untrusted).to.match(/^`b` calls https:.* cannot connect: .*self.signed/i)
    expect(unknown).to.match(/^`d` calls http:\/\/nowhere\.invalid, and cannot connect: .*nowhere/)
  })

  it('ends with 1 for a target that the config does not let us call', async () => {
    const server = await serve()
    const { code, problems } = await check(
      rulesCalling({ purge: `http://127.0.0.1:${server.port}/` }),
      await makeBus(['edits']),
    )
    expect(code).to.equal(1)
    expect(problems).to.have.length(1)
    expect(problems[0]).to.include({ line: 2, code: 'target-refused', severity: 'error' })
    expect(problems[0]?.message).to.contain('loopback')
    expect(server.accepted).to.equal(0)
  })

  it('ends with 3 when the cluster is away, and looks at targets all the same', async () => {
    const gone = await hostileServer()
    await gone.close()
    const { code, problems } = await check(
      rulesCalling({ purge: `http://127.0.0.1:${gone.port}/` }),
      `bus:\n  kind: kafka\n  kafka:\n    brokers: [127.0.0.1:${gone.port}]\nhttp: { allow_cidrs: [127.0.0.1] }\n`,
    )
    expect(code).to.equal(3)
    expect(problems.map(({ line, code: of }) => `${line} ${of}`)).to.deep.equal([
      '4 bus-unreachable',
      '2 target-unreachable',
    ])
  }).timeout(10_000)

  it('ends with 3 for a store that is away, told where the config names it', async () => {
    const gone = await hostileServer()
    await gone.close()
    const store = `store:\n  kind: redis\n  redis:\n    url: redis://127.0.0.1:${gone.port}\n`
    const { code, problems } = await check(emits, `${await makeBus(['edits', 'copies'])}${store}`)
    expect(code).to.equal(3)
    expect(problems).to.have.length(1)
    const [problem] = problems
    expect(problem).to.include({ line: 5, column: 5, code: 'store-unreachable', severity: 'error' })
    expect(problem?.message).to.match(
      /^the store \(redis, redis:\/\/127\.0\.0\.1:\d+\) does not answer as it should: unreachable, .*ECONNREFUSED/,
    )
  }).timeout(10_000)

  const places: readonly { redis: string; place: string; names: string }[] = [
    { redis: 'cluster: [a:1, b:2]', place: '4:5', names: 'redis cluster, a:1, b:2' },
    {
      redis: 'sentinels: { hosts: [a:1], name: m }',
      place: '4:5',
      names: 'redis sentinel, a:1',
    },
  ]
  for (const { redis, place, names } of places) {
    it(`tells of a store that refuses us at ${redis}`, async () => {
      const state = { kind: 'degraded', trouble: 'denied', error: 'WRONGPASS' } as const
      const { code, problems } = await check(
        emits,
        `store:\n  kind: redis\n  redis:\n    ${redis}\n`,
        {
          reachOf: () => ({
            listTopics: () => Promise.resolve(['edits', 'copies']),
            askStore: () => Promise.resolve(state),
            probe: () => Promise.resolve(null),
          }),
        },
      )
      expect(code).to.equal(3)
      expect(problems.map(({ line, column }) => `${line}:${column}`)).to.deep.equal([place])
      expect(problems[0]?.message).to.equal(
        `the store (${names}) does not answer as it should: denied, WRONGPASS`,
      )
    })
  }

  it('does not wait for ever for a bus that never answers, nor for targets that never do', async () => {
    const clock = new FakeClock()
    const probed: [string, number][] = []
    let looks: () => void = () => {}
    const looking = new Promise<void>((resolve) => (looks = resolve))
    const reach: Reach = {
      listTopics() {
        looks()
        return new Promise(() => {})
      },
      askStore: () => new Promise(() => {}),
      probe: async (origin, timeoutMs) => {
        probed.push([origin, timeoutMs])
        await clock.sleep(timeoutMs)
        return { kind: 'timeout', afterMs: timeoutMs }
      },
    }
    const urls = Array.from({ length: 60 }, (_, i) => [`rule-${i}`, `http://h${i}.test/`])
    const checking = check(rulesCalling(Object.fromEntries(urls) as Record<string, string>), '', {
      clock,
      reachOf: () => reach,
    }) // as: pairs of texts
    let isDone = false
    void checking.finally(() => (isDone = true))
    await looking
    while (!isDone) await clock.advance(1_000)
    const { code, problems } = await checking
    expect(code).to.equal(3)
    expect(clock.monotonic()).to.be.at.most(40_000)
    expect(probed).to.have.length(48)
    expect(new Set(probed.map(([, timeoutMs]) => timeoutMs))).to.deep.equal(new Set([5_000]))
    expect(problems).to.have.length(62)
    expect(problems.filter(({ message }) => message.includes('before its turn'))).to.have.length(12)
    expect(problems[0]?.message).to.match(/cannot be reached: no answer within 5 s$/)
    expect(problems[1]?.message).to.equal(
      'the store (embedded, ./data) does not answer as it should: no answer within 5 s',
    )
  })

  const missing: readonly { ensure: string; code: number; severity: string }[] = [
    { ensure: 'create', code: 0, severity: 'warning' },
    { ensure: 'check', code: 1, severity: 'error' },
    { ensure: 'off', code: 1, severity: 'error' },
  ]
  const withTopics = (...topics: readonly string[]): ProgramDeps['reachOf'] => {
    return () => ({
      listTopics: () => Promise.resolve(topics),
      askStore: () => Promise.resolve({ kind: 'ok' }),
      probe: () => Promise.resolve(null),
    })
  }
  for (const { ensure, code, severity } of missing) {
    it(`tells topics that are missing as ${severity}s with ensure_topics: ${ensure}`, async () => {
      const own = ['sluice.dead', ...['10s', '1m', '10m', '1h'].map((ms) => `sluice.retry.${ms}`)]
      const result = await check(emits, `bus: { ensure_topics: ${ensure} }\n`, {
        reachOf: withTopics('edit', ...own),
      })
      expect(result.code).to.equal(code)
      expect(result.problems.map((one) => `${one.line} ${one.severity} ${one.code}`)).to.deep.equal(
        [`2 ${severity} topic-missing`, `2 ${severity} topic-missing`],
      )
      const [read, emitted] = result.problems
      expect(read?.message).to.match(/^`copy` reads edits, and there is no such topic; /)
      expect(read?.hint).to.equal('did you mean `edit`?')
      expect(emitted?.message).to.match(/^`copy` emits to copies, and there is no such topic; /)
    })
  }

  it('asks for our own topics where the daemon would not start without', async () => {
    const { code, problems } = await check(emits, 'bus:\n  ensure_topics: check\n', {
      reachOf: withTopics('edits', 'copies', 'sluice.dead'),
    })
    expect(code).to.equal(1)
    expect(problems).to.have.length(1)
    expect(problems[0]).to.include({ line: 2, code: 'topic-missing' })
    expect(problems[0]?.message).to.contain('sluice.retry.10s, sluice.retry.1m')
  })

  it('warns of a glob that no topic fits', async () => {
    const rules = emits.replace('[edits]', '["edits.*"]')
    const { code, problems } = await check(rules, '', { reachOf: withTopics('copies') })
    expect(code).to.equal(0)
    expect(problems.map(({ message }) => message)).to.deep.equal([
      '`copy` reads edits.*, which no topic fits',
    ])
  })

  it('makes no embedded log, and says when none could be made', async () => {
    const path = join(folder, 'data')
    const made = await check(emits, `bus: { path: ${path} }\n`)
    expect(made).to.deep.equal({ code: 0, problems: [] })
    expect(existsSync(path)).to.equal(false)
    await mkdir(join(folder, 'file'))
    await writeFile(join(folder, 'file', 'x'), '')
    const refused = await check(emits, `bus: { path: ${join(folder, 'file', 'x', 'data')} }\n`)
    expect(refused.code).to.equal(3)
    expect(refused.problems.map(({ code }) => code)).to.deep.equal([
      'bus-unreachable',
      'store-unreachable',
    ])
  })

  it('looks at the rules that are sound, and ends with 1 for the one that is not', async () => {
    const broken = '  bad:\n    topics: [edits]\n    whem: {}\n    do: { emit: { topic: x } }\n'
    const { code, problems } = await check(`${emits}${broken}`, '', {
      reachOf: withTopics('edits'),
    })
    expect(code).to.equal(1)
    expect(problems.map(({ code: of }) => of)).to.include.members(['unknown-key', 'topic-missing'])
  })
})
