import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { MemoryBroker } from '../../../src/drivers/memory/broker.ts'
import { MemoryBus } from '../../../src/drivers/memory/bus.ts'
import { PortError, type PortErrorCode } from '../../../src/ports/port-error.ts'
import { CliDaemon } from '../../support/cli-daemon.ts'
import { sluice } from '../../support/command-line.ts'
import { FakeClock } from '../../support/fake-clock.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-emit-'))
})
after(() => rm(folder, { recursive: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe('sluice emit through a daemon', () => {
  let daemon: CliDaemon
  beforeEach(async () => {
    daemon = new CliDaemon()
    await daemon.start()
  })
  afterEach(() => daemon.stop())

  const emit = (args: readonly string[], stdin?: readonly string[]) =>
    sluice(['emit', 'edits', ...args, '--admin', daemon.url], stdin === undefined ? {} : { stdin })
  const emitted = () =>
    daemon.source.emitted.flatMap(({ events }) =>
      events.map(({ key, value }) => [key, value?.toString() ?? null]),
    )

  it('puts every line of stdin on the bus, byte for byte', async () => {
    const result = await emit([], ['{"id": 9007199254740993}\n', '\n{"b":', '"é"}'])
    expect(result).to.include({ code: 0, stderr: '' })
    expect(result.stdout).to.equal(
      `2 events emitted to edits through the daemon at ${daemon.url}\n`,
    )
    expect(emitted()).to.deep.equal([
      [null, '{"id": 9007199254740993}'],
      [null, '{"b":"é"}'],
    ])
    expect(daemon.source.emitted.map(({ topic }) => topic)).to.deep.equal(['edits'])
  })

  it('takes files in the order given, and stdin as `-`', async () => {
    const [a, b] = [await file('a.ndjson', '1\n2\n'), await file('b.ndjson', '4\n')]
    const { stdout } = await emit([a, '-', b], ['3\n'])
    expect(stdout).to.match(/^4 events emitted/)
    expect(emitted().map(([, value]) => value)).to.deep.equal(['1', '2', '3', '4'])
  })

  it('takes the key of each record from the event', async () => {
    await emit(['--key', 'meta.id'], ['{"meta":{"id":"a\\"b"}}\n{"meta":{"id":7}}\n'])
    expect(emitted()).to.deep.equal([
      ['a"b', '{"meta":{"id":"a\\"b"}}'],
      ['7', '{"meta":{"id":7}}'],
    ])
  })

  it('sends many events in batches and keeps their order', async () => {
    const numbers = Array.from({ length: 2_500 }, (_, i) => String(i))
    const { stdout } = await emit([], [numbers.join('\n')])
    expect(stdout).to.match(/^2500 events emitted/)
    expect(emitted().map(([, value]) => value)).to.deep.equal(numbers)
    expect(daemon.source.emitted.map(({ events }) => events.length)).to.deep.equal([
      1_000, 1_000, 500,
    ])
  })

  it('ends a batch by size as well', async () => {
    const large = JSON.stringify('x'.repeat(600_000))
    await emit([], [`${large}\n${large}\n${large}\n`])
    expect(daemon.source.emitted.map(({ events }) => events.length)).to.deep.equal([2, 1])
  })

  it('stops at the first bad line, with all before it emitted and nothing after it', async () => {
    const path = await file('bad.ndjson', '1\n2\n{"a":}\n4\n')
    const { code, stdout, stderr } = await emit([path])
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
    expect(stderr).to.equal(
      `error: ${path}:3:6: not JSON: expected a value; 2 events were emitted before
  hint: nothing from line 3 on was emitted: mend it and emit the rest
`,
    )
    expect(emitted().map(([, value]) => value)).to.deep.equal(['1', '2'])
  })

  it('stops at an event that has no key, where one is asked for', async () => {
    const { code, stderr } = await emit(['--key', 'id'], ['{"id":1}\n{}\n'])
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /^error: stdin:2:1: the event has no text or number where its key should be; 1 event was emitted before\n/,
    )
  })

  it('stops at a number that would lose digits on the way', async () => {
    const { code, stderr } = await emit(['--key', 'id'], ['{"id":9007199254740993}\n'])
    expect(code).to.equal(1)
    expect(stderr).to.match(/^error: stdin:1:1: with --key a daemon would change the number 9007/)
    expect(emitted()).to.deep.equal([])
  })

  it('emits nothing when one of the files cannot be read', async () => {
    const good = await file('good.ndjson', '1\n')
    const { code, stderr } = await emit([good, join(folder, 'missing.ndjson')])
    expect(code).to.equal(2)
    expect(stderr).to.contain(
      'missing.ndjson cannot be read: there is no such file; nothing was emitted',
    )
    expect(emitted()).to.deep.equal([])
  })

  it('emits nothing when one of the files is a folder', async () => {
    const good = await file('good.ndjson', '1\n')
    const { code, stderr } = await emit([good, folder])
    expect(code).to.equal(2)
    expect(stderr).to.match(
      /cannot be read: it is a folder; nothing was emitted\n {2}hint: name the files/,
    )
    expect(emitted()).to.deep.equal([])
  })

  it('names the line of the file that a daemon does not take, whatever the batch', async () => {
    const tooLarge = `"${'x'.repeat(2 ** 22)}"`
    const lines = [...Array.from({ length: 1_000 }, () => '{"a":1}'), '', '{"a":1}', tooLarge]
    for (const args of [[], ['--key', 'a']]) {
      const last = args.length === 0 ? tooLarge : `{"a":1,"b":${tooLarge}}`
      const { code, stderr } = await emit(args, [[...lines.slice(0, -1), last].join('\n')])
      expect(code).to.equal(1)
      expect(stderr).to.match(
        /^error: stdin:1003:1: \d+ bytes, above the 4194304 of limits\.event; 1000 events were emitted before\n {2}hint: nothing from line 1002 on was emitted: mend it and emit the rest\n$/,
      )
    }
  })

  it('refuses a key path that is none', async () => {
    const { code, stderr } = await emit(['--key', 'a..b'], ['1\n'])
    expect(code).to.equal(2)
    expect(stderr).to.match(/^error: "a..b" is not a path: a name is empty\n {2}hint: write it as/)
  })

  const troubles: readonly { code: PortErrorCode; exit: number; doubt: string }[] = [
    { code: 'unknown-topic', exit: 1, doubt: 'none of lines 1 to 2 of stdin was' },
    { code: 'too-large', exit: 1, doubt: 'none of lines 1 to 2 of stdin was' },
    { code: 'unreachable', exit: 3, doubt: 'whether lines 1 to 2 of stdin were is not known' },
    { code: 'full', exit: 1, doubt: 'whether lines 1 to 2 of stdin were is not known' },
  ]
  for (const { code, exit, doubt } of troubles) {
    it(`says what is in doubt when the bus of the daemon has the trouble ${code}`, async () => {
      daemon.source.trouble = new PortError('bus', code, 'that went wrong')
      const result = await emit([], ['1\n2\n'])
      expect(result).to.include({ code: exit, stdout: '' })
      expect(result.stderr).to.match(
        new RegExp(`says: that went wrong \\[.*\\]; 0 events were emitted before, and ${doubt}\n`),
      )
    })
  }

  it('names the topic that was probably meant', async () => {
    daemon.source.emit = (topic) =>
      Promise.reject(new PortError('bus', 'unknown-topic', `there is no topic ${topic}`))
    const { code, stderr } = await sluice(['emit', 'edit', '--admin', daemon.url], {
      stdin: ['1\n'],
    })
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /there is no topic edit \[unknown-topic\].*\n {2}hint: did you mean `edits`\?\n$/,
    )
    const other = await sluice(['emit', 'orders', '--admin', daemon.url], { stdin: ['1\n'] })
    expect(other.stderr).to.contain('hint: topics of rules are made when the daemon starts')
  })

  const onSeveralLines = [
    ['{\n  "a": 1\n}\n', '1:2', '`jq -c .` puts each of them on one'],
    ['\n{"a":\n 1}\n', '2:6', '`jq -c .` puts each of them on one'],
    ['[\n{"a":1},\n{"a":2}]', '1:2', "`jq -c '.[]'` makes that of a list"],
    ['{"a":1}\n{"a":', '2:6', 'nothing from line 2 on was emitted'],
    ['{"a" 1}\n', '1:6', 'nothing from line 1 on was emitted'],
  ] as const
  for (const [text, at, hint] of onSeveralLines) {
    it(`says how an event comes onto one line: ${JSON.stringify(text)}`, async () => {
      const { code, stderr } = await emit([], [text])
      expect(code).to.equal(1)
      expect(stderr).to.contain(`stdin:${at}: not JSON`).and.to.contain(hint)
    })
  }

  it('does not go another way when the daemon that was named does not answer', async () => {
    const bus = new MemoryBus(new MemoryBroker(new FakeClock()))
    const args = ['emit', 'edits', '--admin', 'http://127.0.0.1:1']
    const { code, stderr } = await sluice(args, { stdin: ['1\n'], bus })
    expect(code).to.equal(3)
    expect(stderr).to.equal(
      `error: no daemon answers at http://127.0.0.1:1 (connection refused); 0 events were emitted before, and none of line 1 of stdin was
  hint: start one with \`sluice run\`, or name the one that you mean with --admin
`,
    )
  })

  it('finds the daemon where the config says that it listens', async () => {
    const config = await file('daemon.yaml', `admin: { listen: '${daemon.listen}' }\n`)
    const { code, stdout } = await sluice(['emit', 'edits', '-c', config], { stdin: ['1\n'] })
    expect({ code, stdout }).to.deep.equal({
      code: 0,
      stdout: `1 event emitted to edits through the daemon at ${daemon.url}\n`,
    })
  })
})

describe('sluice emit without a daemon', () => {
  let broker: MemoryBroker
  let config = ''
  beforeEach(async () => {
    broker = new MemoryBroker(new FakeClock())
    broker.create({
      name: 'edits',
      partitions: 1,
      replication: 1,
      retentionMs: null,
      retentionBytes: null,
      compacted: false,
    })
    config = await file('bus.yaml', "admin: { listen: '127.0.0.1:1' }\nlimits: { event: 1KiB }\n")
  })

  const emit = (topic: string, stdin: readonly string[], args: readonly string[] = []) =>
    sluice(['emit', topic, '-c', config, ...args], { stdin, bus: new MemoryBus(broker) })
  const records = () =>
    broker
      .log('edits', 0)
      .records.map(({ key, value }) => [key?.toString() ?? null, value?.toString() ?? null])

  it('goes straight to the bus and says so', async () => {
    const result = await emit('edits', ['{"id":9007199254740993}\n'], ['--key', 'id'])
    expect(result).to.include({ code: 0, stderr: '' })
    expect(result.stdout).to.equal('1 event emitted to edits straight to the bus (embedded)\n')
    expect(records()).to.have.length(1)
  })

  it('keeps every byte of a value with many digits', async () => {
    await emit('edits', ['{"id":9007199254740993, "k":"a"}\n'], ['--key', 'k'])
    expect(records()).to.deep.equal([['a', '{"id":9007199254740993, "k":"a"}']])
  })

  it('names the topic that was probably meant', async () => {
    const { code, stderr } = await emit('edit', ['1\n'])
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /0 events were emitted before, and none of line 1 of stdin was\n {2}hint: did you mean `edits`\?\n$/,
    )
  })

  it('stops at an event that a daemon would not take', async () => {
    const { code, stderr } = await emit('edits', [`1\n"${'x'.repeat(1_100)}"\n3\n`])
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /^error: stdin:2:1: 1102 bytes are above `limits.event`, 1KiB; 1 event was emitted before\n/,
    )
    expect(records()).to.deep.equal([[null, '1']])
  })

  it('says that lines are in doubt when the bus goes away', async () => {
    broker.goAway()
    const { code, stderr } = await emit('edits', ['1\n2\n'])
    expect(code).to.equal(3)
    expect(stderr).to.contain(
      '0 events were emitted before, and whether lines 1 to 2 of stdin were is not known',
    )
  })

  it('exits 3 when the bus cannot be opened', async () => {
    const { code, stderr } = await sluice(['emit', 'edits', '-c', config], { stdin: ['1\n'] })
    expect(code).to.equal(3)
    expect(stderr).to.equal(
      `error: the bus does not take events: nothing listens at localhost:9092
  hint: look at \`bus\` of the config: is it the right one, and does it run?
`,
    )
  })

  it('emits nothing under a config that does not load', async () => {
    const bad = await file('bad.yaml', 'buss: {}\n')
    const args = ['emit', 'edits', '-c', bad]
    const { code, stderr } = await sluice(args, { stdin: ['1\n'], bus: new MemoryBus(broker) })
    expect(code).to.equal(2)
    expect(stderr).to.contain('unknown key `buss`')
    expect(stderr).to.contain('error: the config does not load; nothing was emitted\n')
    expect(records()).to.deep.equal([])
  })

  it('tells someone at a terminal that it waits for lines', async () => {
    const result = await sluice(['emit', 'edits', '-c', config], { bus: new MemoryBus(broker) })
    expect(result.stderr).to.equal(
      'reading events from the terminal, one JSON document a line; Ctrl-D ends\n',
    )
    expect(result.stdout).to.match(/^0 events emitted/)
  })
})
