import { expect } from 'chai'
import type { Json, JsonObject } from '../../../src/model/json.ts'
import { MemoryBroker } from '../../../src/drivers/memory/broker.ts'
import { MemoryBus } from '../../../src/drivers/memory/bus.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { sluice, type CommandLineOptions } from '../../support/command-line.ts'

const rules = ['--rules', 'test/fixtures/cli/explain']

const edit = {
  kind: 'edit',
  wiki: 'enwiki',
  page: { namespace_id: 0, title: 'a b', size: 500 },
  meta: { domain: 'de.wiktionary.org' },
}

function explain(event: Json, args: readonly string[] = [], options: CommandLineOptions = {}) {
  const stdin = [JSON.stringify(event)]
  return sluice(['explain', 'purge-page', '-', ...rules, ...args], { stdin, ...options })
}

async function documentOf(event: Json, args: readonly string[] = []): Promise<JsonObject> {
  const { stdout } = await explain(event, ['--json', ...args])
  return JSON.parse(stdout) as JsonObject // as: what the command is about
}

describe('sluice explain', () => {
  it('shows that the rule fires, the case that it takes, and what it sends', async () => {
    const { code, stdout, stderr } = await explain(edit)
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expect(stdout).to.equal(`\
purge-page fires on page-change  (test/fixtures/cli/explain/purge.yaml:4)

when
  ✔ kind               is "edit"               asks for [ edit, move ]
  ✔ page.namespace_id  is 0                    asks for 0
  ✔ any of
  ✘   meta.domain      is "de.wiktionary.org"  asks for { suffix: .wikipedia.org }
  ✔   meta.domain      is "de.wiktionary.org"  asks for { regex: '^(?P<lang>[a-z]+)\\.wiktionary\\.org$' }

unless one of these holds
  ✘ wiki  is "enwiki"  asks for { in: quiet }

case 1
  ✔ page.size  is 500  asks for { gt: 100 }

case: 1
key: enwiki:a b
match.lang: de

sends
  1   PURGE http://cdn.internal/a%20b
`)
  })

  it('marks every test that decided, and says what it may have been meant for', async () => {
    const near = {
      ...edit,
      kind: 'Edit',
      page: { namespace_id: '0', title: 'a' },
      meta: { domain: 'en.wikipedia.org ' },
    }
    const { code, stdout } = await explain(near)
    expect(code).to.equal(1)
    expect(stdout).to.equal(`\
purge-page does not act on page-change: kind is "Edit", and the rule asks for [ edit, move ]  (test/fixtures/cli/explain/purge.yaml:4)

when
  ✘ kind               is "Edit"               asks for [ edit, move ]  <- this decides
      it differs only in case
  ✘ page.namespace_id  is "0"                  asks for 0  <- this decides
      it is the string "0", the rule asks for the number 0
  ✘ any of
  ✘   meta.domain      is "en.wikipedia.org "  asks for { suffix: .wikipedia.org }  <- this decides
        it is off by white space at the end
  ✘   meta.domain      is "en.wikipedia.org "  asks for { regex: '^(?P<lang>[a-z]+)\\.wiktionary\\.org$' }  <- this decides

unless one of these holds
  ✘ wiki  is "enwiki"  asks for { in: quiet }
`)
  })

  const headlines: readonly { why: string; event: Json; args?: readonly string[]; says: string }[] =
    [
      {
        why: 'an exception',
        event: { ...edit, wiki: 'testwiki' },
        says: 'wiki is "testwiki", which it excepts',
      },
      {
        why: 'no case',
        event: { ...edit, page: { ...edit.page, size: 5 } },
        says: 'none of its cases holds; the nearest is case 1: page.size is 5, and the rule asks for { gt: 100 }',
      },
      {
        why: 'another topic',
        event: edit,
        args: ['--topic', 'others'],
        says: 'it does not read the topic others',
      },
      {
        why: 'a skip whose reason is counted',
        event: { ...edit, meta: { domain: 'x'.repeat(70_000) } },
        says: 'page-change (value-too-long): meta.domain is "x',
      },
      {
        why: 'a field that is not there',
        event: { ...edit, page: {} },
        says: 'page.namespace_id is absent, and the rule asks for 0',
      },
    ]
  for (const { why, event, args = [], says } of headlines) {
    it(`says first why the rule does not act: ${why}`, async () => {
      const { code, stdout } = await explain(event, args)
      expect(code).to.equal(1)
      expect(stdout.split('\n')[0]).to.contain(says)
    })
  }

  for (const format of [[], ['--json']]) {
    it(`shows an event that is nested deeper than a stack: ${format.join() || 'text'}`, async () => {
      const kind = '['.repeat(50_000) + ']'.repeat(50_000)
      const args = ['explain', 'purge-page', '-', ...rules, ...format]
      const { code, stdout } = await sluice(args, { stdin: [`{"kind":${kind}}`] })
      expect(code).to.equal(1)
      expect(stdout).to.contain(format.length === 0 ? 'kind is [[[' : '"outcome": "skip"')
    })
  }

  it('renders every step: those that wait for an answer, and those of each element', async () => {
    const links = [{ to: 'x', n: 3 }, { to: 'y' }, { to: 'z' }, { to: 'u' }, { n: 1 }, { to: 'v' }]
    const small = { ...edit, page: { ...edit.page, size: 5 }, links }
    const { code, stdout } = await explain(small)
    expect(code).to.equal(1)
    expect(stdout.slice(stdout.indexOf('sends'))).to.equal(`\
sends
  1   GET http://score.internal/a%20b
  2   depends on what the step \`score\` is answered
  3.1 POST http://hook.internal/x
  3.2 POST http://hook.internal/y
  3.3 POST http://hook.internal/z
  3.5 fails: template: {{item.to}} is missing: absent, null, or nothing found
  3   and 2 more like these
`)
  })

  it('says of a step whose list is empty that it sends nothing', async () => {
    const event = { ...edit, page: { ...edit.page, size: 500 }, links: [] }
    const args = ['explain', 'tell-links', '-', ...rules]
    const options = { stdin: [JSON.stringify(event)] }
    const { code, stdout } = await sluice(args, options)
    expect(code).to.equal(0)
    expect(stdout.slice(stdout.indexOf('sends'))).to.equal(`\
sends
  1   the list of its \`each\` is empty: nothing is sent by this step
  2   GET http://hook.internal/a%20b
`)
    const { stdout: json } = await sluice([...args, '--json'], options)
    const { requests } = JSON.parse(json) as { requests: JsonObject[] } // as: what the command is about
    expect(requests.map(({ step, kind }) => ({ step, kind }))).to.deep.equal([
      { step: 0, kind: 'empty' },
      { step: 1, kind: 'http' },
    ])
  })

  it('prints nothing but the document with --json', async () => {
    const document = await documentOf({ ...edit, page: { namespace_id: '0', title: 'a b' } })
    const { conditions, ...rest } = document
    expect(rest).to.deep.include({
      rule: 'purge-page',
      outcome: 'skip',
      reason: 'no-match',
      requests: [],
      key: null,
      window: null,
    })
    const [when] = (conditions as { children: { children: JsonObject[] }[] }).children // as: the tree of the fixture
    expect(when?.children[1]).to.deep.equal({
      kind: 'test',
      path: 'page.namespace_id',
      test: 0,
      value: '0',
      holds: false,
      decided: true,
      near_miss: 'it is the string "0", the rule asks for the number 0',
      doubt: null,
    })
  })

  it('leaves out the value of what is absent, which null is not', async () => {
    const tree = JSON.stringify((await documentOf({ ...edit, page: {}, kind: null }))['conditions'])
    expect(tree).to.contain('"path":"page.namespace_id","test":0,"holds":false')
    expect(tree).to.contain('"path":"kind","test":["edit","move"],"value":null')
  })

  it('reads key and headers of the record from flags', async () => {
    const { stdout } = await explain(edit, ['--key', 'k', '--header', 'by=me', '--json'])
    expect(JSON.parse(stdout)).to.include({ outcome: 'run', event: 'page-change/0/0' })
  })

  it('takes one line of a file that holds an event a line', async () => {
    const stdin = [`${JSON.stringify({ kind: 'move' })}\n${JSON.stringify(edit)}\n`]
    const { code } = await explain(edit, ['--line', '2'], { stdin })
    expect(code).to.equal(0)
  })

  it('takes a document on several lines', async () => {
    const { code } = await explain(edit, [], { stdin: [JSON.stringify(edit, null, 2)] })
    expect(code).to.equal(0)
  })

  const mistakes: readonly {
    what: string
    args: readonly string[]
    stdin?: readonly string[]
    says: string
    hint: string
  }[] = [
    {
      what: 'a rule that is not there',
      args: ['purge-pgae', '-'],
      says: 'there is no rule purge-pgae',
      hint: 'did you mean `purge-page`?',
    },
    {
      what: 'no event',
      args: ['purge-page'],
      says: 'there is no event to explain',
      hint: 'name a file, or --topic and --offset',
    },
    {
      what: 'a file that is not there',
      args: ['purge-page', 'no-such.json'],
      says: 'no-such.json cannot be read: there is no such file',
      hint: 'check its name',
    },
    {
      what: 'several events',
      args: ['purge-page', '-'],
      stdin: ['{"a":1}\n{"a":2}\n'],
      says: 'stdin holds 2 events, one a line',
      hint: 'say which: --line 1',
    },
    {
      what: 'what is no JSON',
      args: ['purge-page', '-'],
      stdin: ['{\n  "a": tru\n}'],
      says: 'stdin:2:8: expected a value',
      hint: 'an event is one JSON document',
    },
    {
      what: 'a line that is not there',
      args: ['purge-page', '-', '--line', '7'],
      stdin: ['{}'],
      says: 'stdin has no event on line 7',
      hint: 'lines are counted from 1',
    },
    {
      what: 'an offset without a topic',
      args: ['purge-page', '--offset', '0:1'],
      says: '--offset without --topic',
      hint: 'say of which topic',
    },
    {
      what: 'a file and an offset',
      args: ['purge-page', '-', '--topic', 't', '--offset', '0:1'],
      says: 'a file and --offset at once',
      hint: 'the event comes from one of the two',
    },
  ]
  for (const { what, args, stdin = ['{}'], says, hint } of mistakes) {
    it(`says what is wrong with ${what}`, async () => {
      const { code, stdout, stderr } = await sluice(['explain', ...args, ...rules], { stdin })
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
      expect(stderr).to.equal(`error: ${says}\n  hint: ${hint}\n`)
    })
  }

  describe('with an event of the bus', () => {
    const fromBus = async (...args: readonly string[]) => {
      const bus = new MemoryBus(new MemoryBroker(new FakeClock()))
      await bus.admin.ensureTopics([
        {
          name: 'page-change',
          partitions: 1,
          replication: 1,
          retentionMs: null,
          retentionBytes: null,
          compacted: false,
        },
      ])
      const record = { topic: 'page-change', key: null, headers: [] }
      await bus.produce([
        { ...record, value: Buffer.from(JSON.stringify(edit)) },
        { ...record, value: Buffer.from('no JSON') },
      ])
      return sluice(['explain', 'purge-page', ...args, ...rules], { bus })
    }

    it('explains the record that stands there', async () => {
      const { code, stdout } = await fromBus('--topic', 'page-change', '--offset', '0:0', '--json')
      expect(code).to.equal(0)
      expect(JSON.parse(stdout)).to.include({ outcome: 'run', event: 'page-change/0/0' })
    })

    const refusals = [
      ['0:1', 1, 'the record is no event'],
      ['0:7', 2, 'page-change has no record at 0:7'],
      ['3:0', 2, 'page-change has no record at 3:0'],
    ] as const
    for (const [offset, wanted, says] of refusals) {
      it(`says of ${offset}: ${says}`, async () => {
        const { code, stderr } = await fromBus('--topic', 'page-change', '--offset', offset)
        expect(code).to.equal(wanted)
        expect(stderr).to.contain(says)
      })
    }

    it('says that there is no such topic', async () => {
      const { code, stderr } = await fromBus('--topic', 'page-chance', '--offset', '0:0')
      expect(code).to.equal(1)
      expect(stderr).to.contain('page-chance').and.to.contain('did you mean `page-change`?')
    })
  })
})
