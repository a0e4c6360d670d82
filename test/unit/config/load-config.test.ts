import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { secretNamed, revealed, type Config } from '../../../src/config/config.ts'
import { loadConfig, type ConfigSources } from '../../../src/config/load-config.ts'
import { renderProblem } from '../../../src/schema/render-problem.ts'
import { placesOf } from '../../support/load-text.ts'

let folder: string
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-config-'))))
after(() => rm(folder, { recursive: true, force: true }))

async function load(text: string | null, sources: Partial<ConfigSources> = {}) {
  const file = text === null ? null : join(folder, 'config.yaml')
  if (file !== null) await writeFile(file, text ?? '')
  return loadConfig({ file, set: [], env: {}, ...sources })
}

async function loadGood(
  text: string | null,
  sources: Partial<ConfigSources> = {},
): Promise<Config> {
  const { config, problems } = await load(text, sources)
  expect(problems).to.deep.equal([])
  if (config === null) throw new Error('no problem and no config')
  return config
}

describe('the config', () => {
  it('is all defaults without a file', async () => {
    const { secrets, ...config } = await loadGood(null)
    expect([...secrets.keys()]).to.deep.equal(['demo-signing-key'])
    expect(config).to.deep.equal({
      bus: {
        kind: 'embedded',
        path: './data',
        kafka: {
          brokers: ['localhost:9092'],
          clientId: 'sluice',
          tls: null,
          sasl: null,
          rack: null,
        },
        prefix: 'sluice',
        ensureTopics: 'create',
        topics: {},
      },
      store: { kind: 'embedded', timeoutMs: 200 },
      rules: { path: './rules', watch: false },
      lanes: [{ name: 'default', group: 'sluice', window: 2_000, startAt: 'latest' }],
      retry: { tiersMs: [10_000, 60_000, 600_000, 3_600_000] },
      http: {
        allowHosts: [],
        denyCidrs: [],
        allowCidrs: [],
        egress: 'public',
        connectionsPerOrigin: 64,
        ca: [],
        userAgent: 'sluice',
        maxResponseBytes: 65_536,
        connectTo: {},
      },
      limits: { memoryBytes: 536_870_912, eventBytes: 4_194_304, hopsMax: 10 },
      admin: {
        listen: { host: '127.0.0.1', port: 8090 },
        tokens: [],
        trustedProxies: [],
        publicMetrics: true,
      },
      log: { level: 'info', format: 'json' },
      shutdown: { drainMs: 30_000 },
      workers: 1,
    })
  })

  it('is the same from a file that says nothing', async () => {
    const secrets = new Map()
    const nothing = await loadGood('# nothing\n')
    const defaults = await loadGood(null)
    expect({ ...nothing, secrets }).to.deep.equal({ ...defaults, secrets })
  })

  it('takes lanes beside the default one, each with a group of its own', async () => {
    const { lanes } = await loadGood(
      'lanes: { slow: { window: 10 }, old: { start_at: 2026-01-31T00:00:00Z, group: history } }',
    )
    expect(lanes).to.deep.equal([
      { name: 'default', group: 'sluice', window: 2_000, startAt: 'latest' },
      { name: 'slow', group: 'sluice-slow', window: 10, startAt: 'latest' },
      { name: 'old', group: 'history', window: 2_000, startAt: Date.UTC(2026, 0, 31) },
    ])
  })

  it('reads a cluster with its secrets and files', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
    const ca = join(folder, 'ca.pem')
    const password = join(folder, 'password')
    await writeFile(ca, pem)
    await writeFile(password, 'hunter2\n')
    const config = await loadGood(
      `bus:
  kind: kafka
  kafka:
    brokers: [a:9092, "[::1]:9093"]
    tls: { ca: ${ca} }
    sasl: { mechanism: scram-sha-512, username: me, password: broker }
  topics: { out: { partitions: 6, retention: 7d } }
http: { ca: [${ca}], connect_to: { "cdn.internal:80": "127.0.0.1:8099" } }
secrets: { broker: { file: ${password} }, key: { env: KEY }, trial: { random: 16 } }
`,
      { env: { KEY: 'from the environment' } },
    )
    expect(config.bus.kafka).to.deep.equal({
      brokers: ['a:9092', '[::1]:9093'],
      clientId: 'sluice',
      tls: { ca: pem, cert: null, key: null, servername: null },
      sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'broker' },
      rack: null,
    })
    expect(config.bus.topics).to.deep.equal({
      out: { partitions: 6, replication: null, retentionMs: 604_800_000 },
    })
    expect(config.http.ca).to.deep.equal([pem])
    expect(config.http.connectTo).to.deep.equal({ 'cdn.internal:80': '127.0.0.1:8099' })
    expect(secretNamed(config, 'broker')).to.equal('hunter2')
    expect(secretNamed(config, 'key')).to.equal('from the environment')
    expect(revealed(config).get('trial')).to.match(/^[0-9a-f]{32}$/)
  })

  it('prints no secret, in whatever way it is printed', async () => {
    const config = await loadGood('secrets: { a: { env: KEY } }', { env: { KEY: 'hunter2' } })
    const secret = config.secrets.get('a')
    for (const text of [
      inspect(config, { depth: 9 }),
      JSON.stringify([...config.secrets]),
      String(secret),
    ]) {
      expect(text).to.include('***').and.not.include('hunter2')
    }
  })

  it('makes a new random key at every start', async () => {
    const [one, two] = [await loadGood(null), await loadGood(null)]
    expect(secretNamed(one, 'demo-signing-key')).to.match(/^[0-9a-f]{64}$/)
    expect(secretNamed(one, 'demo-signing-key')).not.to.equal(secretNamed(two, 'demo-signing-key'))
  })
})

describe('the environment in a config', () => {
  it('fills in texts, numbers and booleans, with defaults as a shell has them', async () => {
    const config = await loadGood(
      'rules: { path: "${DIR}/rules" }\nhttp: { connections_per_origin: "${N}" }\n' +
        'admin: { public_metrics: "${PUBLIC:-false}" }\nlog: { level: "${EMPTY:-warn}" }\nbus: { prefix: "${NUMBER}" }',
      { env: { DIR: '/etc/sluice', N: '7', EMPTY: '', NUMBER: '42' } },
    )
    expect(config.rules.path).to.equal('/etc/sluice/rules')
    expect(config.http.connectionsPerOrigin).to.equal(7)
    expect(config.admin.publicMetrics).to.equal(false)
    expect(config.log.level).to.equal('warn')
    expect(config.bus.prefix).to.equal('42') // a text where a text is wanted
  })

  it('fills in where a number or a boolean is one of several forms', async () => {
    const config = await loadGood('workers: "${W:-1}"\nbus: { kafka: { tls: "${TLS}" } }', {
      env: { TLS: 'true' },
    })
    expect(config.workers).to.equal(1)
    expect(config.bus.kafka.tls).to.deep.equal({
      ca: null,
      cert: null,
      key: null,
      servername: null,
    })
  })

  it('is a value and never YAML, and is not looked into again', async () => {
    const config = await loadGood('http: { user_agent: "${UA}" }', { env: { UA: 'a: [${X}] #' } })
    expect(config.http.userAgent).to.equal('a: [${X}] #')
  })

  it('leaves a plain `${` where it is doubled', async () => {
    const config = await loadGood('http: { user_agent: "$${X}" }')
    expect(config.http.userAgent).to.equal('${X}')
  })

  it('does not show up in problems of any kind', async () => {
    const settings = [
      'limits: { memory: "${X}" }',
      'http: { allow_cidrs: ["${X}"] }',
      'lanes: { default: { start_at: "${X}" } }',
      'bus: { kind: "${X}" }',
      'http: { connections_per_origin: "${X}" }',
      'admin: { listen: "${X}" }',
    ]
    for (const text of settings) {
      const { problems } = await load(text, { env: { X: 'hunter2' } })
      expect(problems.map(renderProblem).join()).to.include('${X}').and.not.include('hunter2')
    }
    const { problems } = await load('secrets: { a: { env: 271828 }, b: 314159, c: { file: [1] } }')
    expect(problems.map(renderProblem).join()).not.to.match(/271828|314159/)
    expect(problems).to.have.length(3)
  })

  it('is named in a problem as it is written', async () => {
    const { problems } = await load('log: { level: "${LEVEL}" }', { env: { LEVEL: 'hunter2' } })
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'found what `${LEVEL}` stands for, expected `trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`',
    ])
  })
})

describe('--set', () => {
  it('goes above the file, and the last one wins', async () => {
    const set = [
      'limits.max_hops=3',
      'log={ level: debug }',
      'limits.max_hops=4',
      'bus.topics.a\\.b.partitions=2',
    ]
    const config = await loadGood('limits: { max_hops: 2, memory: 1GiB }', { set })
    expect(config.limits).to.include({ hopsMax: 4, memoryBytes: 2 ** 30 })
    expect(config.log.level).to.equal('debug')
    expect(config.bus.topics).to.have.property('a.b').that.includes({ partitions: 2 })
  })

  const cases: readonly (readonly [set: string, place: string])[] = [
    ['limits.max_hops', '1:1 bad-override'],
    ['limits.max_hops=', '1:1 bad-override'],
    ['=3', '1:1 bad-override'],
    ['limits..max_hops=3', '1:1 bad-override'],
    ['workers.x.y=3', '1:13 wrong-type'],
    ['limits.max_hops=[1', '1:18 yaml-syntax'],
    ['limits.max_hops=many', '1:17 wrong-type'],
    ['limits.max_hopz=1', '1:17 unknown-key'],
    ['http.allow_cidrs=[10.0.0.0/8, 1.2.3]', '1:31 bad-cidr'],
    ['admin.listen=0.0.0.0:80', '1:14 admin-unprotected'],
  ]
  for (const [set, place] of cases) {
    it(`${set} is a problem of the command line, ${place}`, async () => {
      const { config, problems } = await load(null, { set: [set] })
      expect(config).to.equal(null)
      expect(placesOf(problems)).to.deep.equal([place])
      expect(problems[0]).to.include({ file: '--set' })
      expect(problems[0]?.source?.text).to.equal(set)
    })
  }

  it('cannot go below what is not a map', async () => {
    const { problems } = await load('log: pretty', { set: ['log.level=info'] })
    expect(problems.map(({ file, code }) => `${file} ${code}`)).to.include('--set bad-override')
  })
})

interface Wrong {
  readonly text: string
  readonly places: readonly string[]
  readonly shown?: string
}

describe('a config with a mistake', () => {
  const wrong: readonly Wrong[] = [
    {
      text: 'shutdwn: { drain: 1s }',
      places: ['1:1 unknown-key'],
      shown:
        '1:1: error: unknown key `shutdwn` [unknown-key]\n  1 | shutdwn: { drain: 1s }\n    | ^^^^^^^\n  hint: did you mean `shutdown`?',
    },
    {
      text: 'bus:\n  kind: kafak\n',
      places: ['2:9 bad-value'],
      shown:
        '2:9: error: found the text "kafak", expected `embedded` or `kafka` [bad-value]\n  2 |   kind: kafak\n    |         ^^^^^\n  hint: did you mean `kafka`?',
    },
    {
      text: 'admin: { listen: "0.0.0.0:8090" }',
      places: ['1:18 admin-unprotected'],
      shown:
        '1:18: error: anybody who reaches 0.0.0.0 could steer this daemon: there are no tokens [admin-unprotected]\n' +
        '  1 | admin: { listen: "0.0.0.0:8090" }\n    |                  ^^^^^^^^^^^^^^\n' +
        '  hint: add admin.tokens, or admin.trusted_proxies, or listen on 127.0.0.1',
    },
    {
      text: 'log: { level: "${LEVEL}" }',
      places: ['1:15 environment-missing'],
      shown:
        '1:15: error: `LEVEL` is not set in the environment [environment-missing]\n  1 | log: { level: "${LEVEL}" }\n' +
        '    |               ^^^^^^^^^^\n  hint: set it, or write `${LEVEL:-default}`',
    },
    {
      text: 'secrets: { key: hunter2 }',
      places: ['1:17 wrong-type'],
      shown:
        '1:17: error: found something else, expected `{ env: NAME }`, `{ file: path }` or `{ random: 32 }` [wrong-type]',
    },
    { text: '- bus', places: ['1:1 wrong-type'] },
    { text: 'a: 1\na: 2', places: ['2:1 duplicate-key'] },
    { text: 'bus: { kafka: { brokers: [localhost] } }', places: ['1:27 bad-address'] },
    { text: 'bus: { kafka: { brokers: [] } }', places: ['1:26 bad-value'] },
    { text: 'bus: { kafka: { brokers: ["a:99999"] } }', places: ['1:27 bad-address'] },
    {
      text: 'bus: { kafka: { sasl: { mechanism: plain, username: a, password: b } } }',
      places: ['1:66 unknown-secret'],
    },
    { text: 'bus: { kafka: { sasl: { mechanism: plian } } }', places: ['1:36 bad-value'] },
    { text: 'bus: { kafka: { tls: { ca: /nowhere/ca.pem } } }', places: ['1:28 file-unreadable'] },
    { text: 'bus: { kafka: { sasl: plain } }', places: ['1:23 wrong-type'] },
    { text: 'bus: { kafka: { sasl: { mechanism: oauthbearer } } }', places: ['1:17 missing-key'] },
    {
      text: 'bus: { kafka: { tls: { cert: /nowhere/c.pem } } }',
      places: ['1:22 bad-value', '1:30 file-unreadable'],
    },
    { text: 'bus: { topics: { "a b": {} } }', places: ['1:18 bad-name'] },
    { text: 'bus: { topics: { a: { partitions: 0 } } }', places: ['1:35 bad-value'] },
    { text: 'lanes: { Slow: {} }', places: ['1:10 bad-name'] },
    { text: 'lanes: { slow: { group: sluice } }', places: ['1:16 bad-value'] },
    { text: 'lanes: { default: { start_at: yesterday } }', places: ['1:31 bad-value'] },
    { text: 'lanes: { default: { window: 0 } }', places: ['1:29 bad-value'] },
    { text: 'retry: { tiers: [1m, 10s] }', places: ['1:22 bad-value'] },
    { text: 'retry: { tiers: [] }', places: ['1:17 bad-value'] },
    { text: 'retry: { tiers: [10] }', places: ['1:18 wrong-type'] },
    { text: 'http: { egress: internl }', places: ['1:17 bad-value'] },
    { text: 'http: { deny_cidrs: [10.0.0.0/33] }', places: ['1:22 bad-cidr'] },
    { text: 'http: { allow_cidrs: ["fe80::1%eth0"] }', places: ['1:23 bad-cidr'] },
    { text: 'http: { connect_to: { cdn: "127.0.0.1:1" } }', places: ['1:28 bad-address'] },
    { text: 'http: { max_response: 64KB }', places: ['1:23 bad-size'] },
    { text: 'http: { user_agent: "a\\nb" }', places: ['1:21 bad-value'] },
    { text: 'admin: { listen: 8090 }', places: ['1:18 wrong-type'] },
    { text: 'admin: { tokens: [{ name: a, role: root, secret: a }] }', places: ['1:36 bad-value'] },
    {
      text: 'admin: { tokens: [{ name: a, role: admin, secret: a }] }',
      places: ['1:51 unknown-secret'],
    },
    { text: 'limits: { memory: 1KiB }', places: ['1:19 bad-size'] },
    { text: 'log: { format: color }', places: ['1:16 bad-value'] },
    { text: 'secrets: { a: { env: NOPE } }', places: ['1:22 secret-unreadable'] },
    { text: 'secrets: { a: { file: /nowhere/key } }', places: ['1:23 secret-unreadable'] },
    { text: 'secrets: { a: { random: 8 } }', places: ['1:25 bad-value'] },
    { text: 'log: { level: "${1X}" }', places: ['1:15 bad-value'] },
    // named by operations.md, not built yet
    { text: 'rules: { watch: true }', places: ['1:17 not-supported-yet'] },
    { text: 'http: { proxy: "http://p/" }', places: ['1:9 not-supported-yet'] },
    { text: 'workers: 4', places: ['1:10 not-supported-yet'] },
    { text: 'workers: auto', places: ['1:10 not-supported-yet'] },
  ]
  for (const { text, places, shown } of wrong) {
    it(`${JSON.stringify(text)} is told at its place`, async () => {
      const { config, problems } = await load(text)
      expect(config).to.equal(null)
      expect(placesOf(problems)).to.deep.equal(places)
      if (shown !== undefined) {
        const texts = problems.map((problem) => renderProblem({ ...problem, file: 'c' }))
        expect(texts.join('\n')).to.equal(`c:${shown}`)
      }
    })
  }

  it('is listened to on every interface once there are tokens, or a proxy to trust', async () => {
    const listen = 'listen: "0.0.0.0:8090"'
    const token = 'tokens: [{ name: a, role: viewer, secret: demo-signing-key }]'
    const withToken = await loadGood(`admin: { ${listen}, ${token} }`)
    expect(withToken.admin.tokens).to.deep.equal([
      { name: 'a', role: 'viewer', payload: false, secret: 'demo-signing-key' },
    ])
    await loadGood(`admin: { ${listen}, trusted_proxies: [10.0.0.1] }`)
    for (const host of ['127.0.0.2', '[::1]', 'localhost'])
      await loadGood(`admin: { listen: "${host}:1" }`)
  })

  it('that is not there is a problem of the file', async () => {
    const { problems } = await loadConfig({ file: join(folder, 'absent.yaml'), set: [], env: {} })
    expect(placesOf(problems)).to.deep.equal(['1:1 file-unreadable'])
  })

  it('is told with all of its other mistakes', async () => {
    const { problems } = await load('log: { level: x, format: y }\nretry: { tiers: [1] }', {
      set: ['workers=3', 'foo'],
    })
    expect(
      problems.map(({ file, code }) => `${file === '--set' ? file : 'file'} ${code}`),
    ).to.have.members([
      '--set bad-override',
      '--set not-supported-yet',
      'file bad-value',
      'file bad-value',
      'file wrong-type',
    ])
  })
})
