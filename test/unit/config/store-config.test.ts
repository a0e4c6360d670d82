import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load-config.ts'
import { renderProblem } from '../../../src/schema/render-problem.ts'
import { placesOf } from '../../support/load-text.ts'

const secrets = 'secrets: { pw: { env: PW } }\n'

let folder: string
before(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-config-'))))
after(() => rm(folder, { recursive: true, force: true }))

async function load(text: string, set: readonly string[] = []) {
  const file = join(folder, 'config.yaml')
  await writeFile(file, text)
  return loadConfig({ file, set, env: { PW: 'hunter2', URL_WITH: 'redis://:hunter2@h' } })
}

async function storeOf(text: string, set: readonly string[] = []) {
  const { config, problems } = await load(text, set)
  expect(problems.map(renderProblem)).to.deep.equal([])
  return config?.store
}

const plain = { username: null, password: null, tls: null, prefix: 'sluice' }
const trusting = { ca: null, cert: null, key: null, servername: null }

describe('the store in the config', () => {
  const good: readonly { text: string; want: object }[] = [
    {
      text: 'store: { kind: redis, redis: { url: "redis://h:7000/3" } }',
      want: { ...plain, server: { kind: 'standalone', url: 'redis://h:7000/3' } },
    },
    {
      text: 'store: { kind: redis, redis: { url: "rediss://me@[::1]" } }',
      want: { ...plain, server: { kind: 'standalone', url: 'rediss://me@[::1]' } },
    },
    {
      text: 'store: { kind: redis, redis: { sentinels: { hosts: [a:1, "[::1]:2"], name: main } } }',
      want: {
        ...plain,
        server: {
          kind: 'sentinel',
          sentinels: [
            { host: 'a', port: 1 },
            { host: '::1', port: 2 },
          ],
          name: 'main',
          password: null,
        },
      },
    },
    {
      text: `${secrets}store: { kind: redis, redis: { sentinels: { hosts: [a:1], name: m, password: pw } } }`,
      want: {
        ...plain,
        server: {
          kind: 'sentinel',
          sentinels: [{ host: 'a', port: 1 }],
          name: 'm',
          password: 'pw',
        },
      },
    },
    {
      text: 'store: { kind: redis, redis: { cluster: [a:1, b:2], prefix: "team:x" } }',
      want: {
        ...plain,
        prefix: 'team:x',
        server: {
          kind: 'cluster',
          nodes: [
            { host: 'a', port: 1 },
            { host: 'b', port: 2 },
          ],
        },
      },
    },
    {
      text: `${secrets}store: { kind: redis, redis: { url: "redis://h", username: me, password: pw, tls: true } }`,
      want: {
        ...plain,
        server: { kind: 'standalone', url: 'redis://h' },
        username: 'me',
        password: 'pw',
        tls: trusting,
      },
    },
  ]
  for (const { text, want } of good) {
    it(`is read from ${text.split('\n').at(-1) ?? ''}`, async () => {
      expect(await storeOf(text)).to.deep.equal({ kind: 'redis', timeoutMs: 200, redis: want })
    })
  }

  it('reads the files that TLS names', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n'
    const ca = join(folder, 'ca.pem')
    await writeFile(ca, pem)
    const text = `store: { kind: redis, redis: { url: "redis://h", tls: { ca: ${ca}, servername: r } } }`
    expect(await storeOf(text))
      .to.have.nested.property('redis.tls')
      .that.deep.equals({
        ...trusting,
        ca: pem,
        servername: 'r',
      })
  })

  it('takes a time-box, for either kind', async () => {
    expect(await storeOf('store: { timeout: 1s }')).to.deep.equal({
      kind: 'embedded',
      timeoutMs: 1_000,
    })
  })

  it('may have a prefix for the day on which it is Redis', async () => {
    expect(await storeOf('store: { redis: { prefix: x } }')).to.include({ kind: 'embedded' })
  })

  it('is set on the command line as well', async () => {
    const set = ['store.kind=redis', 'store.redis.url=redis://h']
    expect(await storeOf('', set)).to.have.nested.property('redis.server.url', 'redis://h')
  })
})

interface Wrong {
  readonly text: string
  readonly places: readonly string[]
  readonly says?: string
}

const inRedis = (text: string): string => `store: { kind: redis, redis: { ${text} } }`

describe('a mistake in the store of a config', () => {
  const wrong: readonly Wrong[] = [
    {
      text: 'store: { kind: reddis }',
      places: ['1:16 bad-value'],
      says: 'found the text "reddis", expected `embedded` or `redis`|did you mean `redis`?',
    },
    {
      text: 'store: { kind: redis }',
      places: ['1:16 missing-key'],
      says: '`kind: redis` needs an address|one of `url`, `sentinels` and `cluster` below `redis`',
    },
    {
      text: 'store:\n  redis:\n    url: redis://h\n',
      places: ['3:5 bad-value'],
      says:
        'settings of Redis, while the store is the embedded one|' +
        'write `kind: redis`, or leave them out',
    },
    { text: `${secrets}store: { redis: { password: pw } }`, places: ['2:17 bad-value'] },
    { text: 'store: { redis: { tls: true } }', places: ['1:17 bad-value'] },
    {
      text: inRedis('url: "redis://h", cluster: [a:1]'),
      places: ['1:59 bad-value'],
      says: '`url` and `cluster` both say where Redis is|leave one out',
    },
    {
      text: inRedis('cluster: [a:1], sentinels: { hosts: [a:1], name: m }'),
      places: ['1:41 bad-value'],
    },
    {
      text: inRedis('url: "redis://me:hunter2@h"'),
      places: ['1:37 bad-value'],
      says:
        'a password does not belong into the URL|' +
        'take it out, and name a secret: `password: <name of a secret>`',
    },
    {
      text: inRedis('url: "http://h"'),
      places: ['1:37 bad-address'],
      says:
        'this is not a URL such as `redis://host:6379`|' +
        '`rediss://` is with TLS; a number behind a slash is the database',
    },
    { text: inRedis('url: "redis:h"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: "redis://"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: "redis://h:99999"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: "redis://h/x"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: "redis://h?a=b"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: "redis://%zz@h"'), places: ['1:37 bad-address'] },
    { text: inRedis('url: 3'), places: ['1:37 wrong-type'] },
    { text: inRedis('cluster: []'), places: ['1:41 bad-value'] },
    {
      text: inRedis('cluster: [node]'),
      places: ['1:42 bad-address'],
      says: '"node" is not an address such as `host:6379`|null',
    },
    { text: inRedis('sentinels: [a:26379]'), places: ['1:43 wrong-type'] },
    { text: inRedis('sentinels: { name: m }'), places: ['1:32 missing-key'] },
    { text: inRedis('sentinels: { hosts: [a:1] }'), places: ['1:32 missing-key'] },
    {
      text: inRedis('sentinels: { hosts: [a:1], name: m, password: nope }'),
      places: ['1:78 unknown-secret'],
    },
    { text: inRedis('url: "redis://h", password: nope'), places: ['1:60 unknown-secret'] },
    { text: inRedis('url: "redis://h", prefix: "a{b}"'), places: ['1:58 bad-value'] },
    { text: inRedis('url: "redis://h", tls: { cert: 1 }'), places: ['1:63 wrong-type'] },
    { text: inRedis('url: "redis://h", tls: { ca: /nowhere }'), places: ['1:61 file-unreadable'] },
    {
      text: inRedis('urll: "redis://h"'),
      places: ['1:32 unknown-key'],
      says: 'unknown key `urll`|did you mean `url`?',
    },
    { text: inRedis('sentinel: { hosts: [a:1], name: m }'), places: ['1:32 unknown-key'] },
    { text: inRedis('nodes: [a:1]'), places: ['1:32 unknown-key'] },
    { text: 'store: { timeout: 5s }', places: ['1:19 bad-duration'] },
    { text: 'store: { timeout: 1ms }', places: ['1:19 bad-duration'] },
  ]
  for (const { text, places, says } of wrong) {
    it(`${JSON.stringify(text)} is told at its place`, async () => {
      const { config, problems } = await load(text)
      expect(config).to.equal(null)
      expect(placesOf(problems)).to.deep.equal(places)
      const [first] = problems
      if (says !== undefined) expect(`${first?.message}|${first?.hint}`).to.equal(says)
    })
  }

  const leaky: readonly { name: string; text: string; set?: readonly string[] }[] = [
    { name: 'a URL', text: inRedis('url: "redis://me:hunter2@h"') },
    { name: 'a URL that is none', text: inRedis('url: "reds://me:hunter2@h"') },
    { name: 'a line with another mistake', text: inRedis('uri: "redis://:hunter2@h"') },
    { name: 'a URL from the environment', text: inRedis('url: "${URL_WITH}"') },
    {
      name: 'a URL from the command line',
      text: '',
      set: ['store.kind=redis', 'store.redis.url=redis://:hunter2@h'],
    },
    { name: 'a secret in place of its name', text: inRedis('url: "redis://h", password: hunter2') },
    {
      name: 'a secret below its key',
      text: inRedis('url: "redis://h", password: >-\n  hunter2\n '),
    },
    {
      name: 'a secret of the sentinels',
      text: inRedis('sentinels: { hosts: [a:1], name: m, password: hunter2 }'),
    },
    {
      name: 'a secret beside another mistake',
      text: inRedis('uri: "redis://h", password: hunter2'),
    },
    { name: 'a misspelt key', text: inRedis('url: "redis://h", pasword: hunter2') },
    { name: 'a mistake in YAML', text: 'store:\n  redis:\n    password: "hunter2\n' },
    { name: 'a variable', text: inRedis('url: "redis://h", password: "${PW}"') },
    {
      name: 'the broker',
      text: 'bus: { kafka: { sasl: { mechanism: plain, username: a, password: hunter2 } } }',
    },
    {
      name: 'a broker with another mistake',
      text: 'bus: { kafka: { sasl: { mechanism: plian, username: a, password: hunter2 } } }',
    },
    {
      name: 'a token',
      text: 'admin: { tokens: [{ name: a, role: admin, secret: hunter2 }] }',
    },
    {
      name: 'the command line, in place of a name',
      text: inRedis('url: "redis://h"'),
      set: ['store.redis.password=hunter2'],
    },
    {
      name: 'an override that is none',
      text: inRedis('url: "redis://h"'),
      set: ['store.redis.password="hunter2'],
    },
    {
      name: 'an override that has no place',
      text: 'store: redis',
      set: ['store.redis.password=hunter2'],
    },
  ]
  for (const { name, text, set } of leaky) {
    it(`does not repeat the password of ${name}`, async () => {
      const { problems } = await load(text, set)
      expect(problems).not.to.deep.equal([])
      expect(problems.map(renderProblem).join('\n')).not.to.include('hunter2')
    })
  }

  it('does not repeat a password that is a number, nor how to write it', async () => {
    const { problems } = await load(inRedis('url: "redis://h", password: 12345678'))
    expect(placesOf(problems)).to.deep.equal(['1:60 wrong-type'])
    expect(problems.map(renderProblem).join('\n')).not.to.include('12345678')
  })

  it('says which setting takes the name of a secret, and how one is written', async () => {
    const { problems } = await load(inRedis('url: "redis://h", password: S3cr3t!pw'))
    expect(problems.map(renderProblem).join('\n').replace(/^\S+ /, '')).to.equal(
      'error: what `store.redis.password` holds is not the name of a secret [unknown-secret]\n' +
        '  hint: it takes the name of a secret, such as redis-password with ' +
        '`secrets: { redis-password: { env: REDIS_PASSWORD } }` in the config',
    )
  })

  it('repeats a name that is a slip of one, which no secret is', async () => {
    const text = `secrets: { redis-pw: { env: PW } }\n${inRedis('url: "redis://h", password: redis-pq')}`
    const [problem] = (await load(text)).problems
    expect(problem).to.include({
      message: 'there is no secret `redis-pq`',
      hint: 'did you mean `redis-pw`?',
    })
  })
})
