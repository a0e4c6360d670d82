import { expect } from 'chai'
import { emitKind, emitSchema } from '../../../src/actions/emit.ts'
import { actionKinds } from '../../../src/actions/kinds.ts'
import type { Json } from '../../../src/model/json.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import type { BusRecord, NewRecord } from '../../../src/model/record.ts'
import { PortError, type PortErrorCode } from '../../../src/ports/port-error.ts'
import { compileAction, fakeTools, requestOf } from '../../support/action-fixture.ts'
import { aScope, noonMs } from '../../support/template-fixture.ts'

const event = { id: 7, title: 'é', at: '2026-11-24T11:00:00Z', ms: 1_234, neg: -1 }

async function produced(spec: Json, record: Partial<BusRecord> = {}): Promise<NewRecord> {
  const { action, problems } = compileAction(emitKind, spec)
  expect(problems).to.deep.equal([])
  const tools = fakeTools()
  const request = requestOf(action, aScope(event, record))
  const outcome = await request.perform(tools, 1_000, new AbortController().signal)
  expect(outcome).to.deep.equal({ kind: 'success', detail: 'ok', result: null })
  return tools.produced[0] ?? expect.fail('nothing was produced')
}

function headerTexts({ headers }: NewRecord): [string, string][] {
  return headers.map(([name, value]) => [name, String(value)])
}

describe('an emit action puts on the bus', () => {
  it('the bytes of the event, now, with its lineage, unless told otherwise', async () => {
    const value = Buffer.from('{ "spaces":  "kept" }')
    const record = await produced({ topic: 'derived' }, { value })
    expect(record).to.deep.include({ topic: 'derived', key: null, value, timestampMs: noonMs })
    expect(headerTexts(record)).to.deep.equal([
      ['sluice-root', 'edits/0/7'],
      ['sluice-root-time', '2026-11-24T11:59:59.000Z'],
      ['sluice-hops', '1'],
      ['sluice-path', 'purge-page'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ])
  })

  it('key, value, headers and time as rendered', async () => {
    const record = await produced({
      topic: 'derived',
      key: 'k:{{event.title}}',
      value: { id: '{{event.id}}', job: 're-render' },
      headers: { title: '{{event.title}}', n: 1 },
      timestamp: '{{event.at}}',
    })
    expect(String(record.key)).to.equal('k:é')
    expect(String(record.value)).to.equal('{"id":7,"job":"re-render"}')
    expect(headerTexts(record).slice(-2)).to.deep.equal([
      ['title', 'é'],
      ['n', '1'],
    ])
    expect(record.timestampMs).to.equal(Date.UTC(2026, 10, 24, 11))
  })

  const times: { timestamp: string | number; want: number }[] = [
    { timestamp: '{{event.ms}}', want: 1_234 },
    { timestamp: '12{{event.ms}}', want: 121_234 },
    { timestamp: 99, want: 99 },
    { timestamp: '{{@timestamp}}', want: noonMs - 5_000 },
    { timestamp: '{{now}}', want: noonMs },
  ]
  for (const { timestamp, want } of times) {
    it(`the time ${want} for ${timestamp}`, async () => {
      expect((await produced({ topic: 'd', timestamp })).timestampMs).to.equal(want)
    })
  }

  it('names what picks the partition, where that is not the key', async () => {
    const record = await produced({ topic: 'd', key: 'k', partition_key: '{{event.title}}' })
    expect(record.key).to.deep.equal(Buffer.from('k'))
    expect(record.partitionKey?.toString()).to.equal('é')
    expect((await produced({ topic: 'd', key: 'k' })).partitionKey).to.equal(undefined)
  })

  it('a tombstone where the value is null, or the event is one', async () => {
    expect((await produced({ topic: 'd', key: 'k', value: null })).value).to.equal(null)
    expect((await produced({ topic: 'd', key: 'k' }, { value: null })).value).to.equal(null)
  })
})

describe('an emit action does not render', () => {
  const cases: { spec: Record<string, Json>; message: RegExp }[] = [
    { spec: { key: '{{event.nope}}' }, message: /{{event.nope}} is missing/ },
    { spec: { value: { a: '{{event.nope}}' } }, message: /missing/ },
    { spec: { headers: { a: '{{event.nope}}' } }, message: /missing/ },
    { spec: { timestamp: '{{event.title}}' }, message: /timestamp is not a time/ },
    { spec: { timestamp: '{{event.neg}}' }, message: /timestamp lies before 1970/ },
  ]
  for (const { spec, message } of cases) {
    it(JSON.stringify(spec), () => {
      const { action } = compileAction(emitKind, { topic: 'd', ...spec })
      const made = action?.render(aScope(event))
      if (made?.kind !== 'failed' || made.failure.kind !== 'template')
        return expect.fail('rendered')
      expect(made.failure.message).to.match(message)
    })
  }

  it('a value above its bound', () => {
    const { action } = compileAction(emitKind, {
      topic: 'd',
      value: ['{{event.t}}', '{{event.t}}'],
    })
    const made = action?.render(aScope({ t: 'a'.repeat(600_000) }))
    expect(made).to.have.nested.property('failure.kind', 'too-large')
  })
})

describe('when the bus does not take a record, an emit action', () => {
  const fails = (code: PortErrorCode) => new PortError('bus', code, 'it said so')

  async function outcomeOf(errors: Error[], signal: AbortSignal, onPause?: () => Promise<void>) {
    const { action } = compileAction(emitKind, { topic: 'derived' })
    const tools = fakeTools(undefined, errors, onPause)
    const outcome = await requestOf(action, aScope(event)).perform(tools, 1, signal)
    return { outcome, tools }
  }

  it('waits and tries again for as long as it takes', async () => {
    const codes: PortErrorCode[] = ['unreachable', 'full', 'damaged', 'denied', 'not-owner']
    const errors = [...codes, ...codes].map(fails)
    const { outcome, tools } = await outcomeOf(errors, new AbortController().signal)
    expect(outcome).to.deep.equal({ kind: 'success', detail: 'ok', result: null })
    expect(tools.pauses).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(tools.produced).to.have.length(1)
  })

  it('ends without an outcome when it is stopped while waiting', async () => {
    const controller = new AbortController()
    const { outcome, tools } = await outcomeOf([fails('unreachable')], controller.signal, () => {
      controller.abort()
      return Promise.reject(new Error('aborted'))
    })
    expect(outcome).to.deep.equal({ kind: 'aborted' })
    expect(tools.produced).to.deep.equal([])
  })

  it('does not begin when it is stopped already', async () => {
    const { outcome, tools } = await outcomeOf([], AbortSignal.abort())
    expect(outcome).to.deep.equal({ kind: 'aborted' })
    expect(tools.produced).to.deep.equal([])
  })

  const refusals: { code: PortErrorCode; want: Outcome }[] = [
    {
      code: 'too-large',
      want: { kind: 'dead', failure: { kind: 'too-large', message: 'it said so' } },
    },
    {
      code: 'unknown-topic',
      want: { kind: 'dead', failure: { kind: 'refused', message: 'unknown-topic: it said so' } },
    },
    {
      code: 'invalid',
      want: { kind: 'dead', failure: { kind: 'refused', message: 'invalid: it said so' } },
    },
    { code: 'closed', want: { kind: 'aborted' } },
  ]
  for (const { code, want } of refusals) {
    it(`does not try again for ${code}: ${want.kind}`, async () => {
      const { outcome, tools } = await outcomeOf([fails(code)], new AbortController().signal)
      expect(outcome).to.deep.equal(want)
      expect(tools.pauses).to.deep.equal([])
    })
  }

  it('lets a bug be one', async () => {
    const bug = new TypeError('bug')
    const caught: unknown = await outcomeOf([bug], new AbortController().signal).catch(
      (error: unknown) => error,
    )
    expect(caught).to.equal(bug)
  })
})

describe('an emit action is refused at load for', () => {
  const cases: { spec: Record<string, Json>; at: string; code: string }[] = [
    { spec: { topic: 'a-{{event.wiki}}' }, at: 'topic', code: 'action-topic' },
    { spec: { topic: 'a b' }, at: 'topic', code: 'action-topic' },
    { spec: { topic: '..' }, at: 'topic', code: 'action-topic' },
    { spec: { topic: 'a'.repeat(250) }, at: 'topic', code: 'action-topic' },
    { spec: { key: '{{nope}}' }, at: 'key', code: 'template-path' },
    { spec: { value: ['{{'] }, at: 'value.0', code: 'template-syntax' },
    { spec: { timestamp: '{{x}}' }, at: 'timestamp', code: 'template-path' },
    { spec: { headers: { 'sluice-root': 'x' } }, at: 'headers.sluice-root', code: 'action-header' },
    { spec: { headers: { traceparent: 'x' } }, at: 'headers.traceparent', code: 'action-header' },
    { spec: { headers: { '{{event.a}}': 'x' } }, at: 'headers.{{event.a}}', code: 'action-header' },
  ]
  for (const { spec, at, code } of cases) {
    it(JSON.stringify(spec).slice(0, 60), () => {
      const { action, problems } = compileAction(emitKind, { topic: 'derived', ...spec })
      expect(action).to.equal(null)
      expect(problems.map((one) => [one.at.join('.'), one.code])).to.deep.equal([[at, code]])
    })
  }

  it('unknown keys', () => {
    expect(emitSchema.safeParse({ topic: 'a', values: 1 }).success).to.equal(false)
  })
})

describe('an emit action says of itself', () => {
  it('where it emits, as text and for the makers of topics', () => {
    const { action } = compileAction(emitKind, { topic: 'derived' })
    expect(action).to.include({ kind: 'emit', target: 'emit derived', emitsTo: 'derived' })
    expect(requestOf(action, aScope(event)).summary).to.equal('emit derived')
  })

  it('what each of its keys means', () => {
    for (const [key, schema] of Object.entries(emitSchema.shape)) {
      expect(schema.description, key).to.match(/\.$/)
    }
  })
})

it('the kinds of actions are known by different names', () => {
  expect(actionKinds.map(({ name }) => name)).to.deep.equal(['http', 'emit'])
})
