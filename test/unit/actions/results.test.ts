import { expect } from 'chai'
import { emitKind } from '../../../src/actions/emit.ts'
import { httpKind } from '../../../src/actions/http.ts'
import type { Json } from '../../../src/model/json.ts'
import type { Outcome } from '../../../src/model/outcome.ts'
import type { HttpAnswer } from '../../../src/ports/http-caller.ts'
import { compileAction, fakeTools, requestOf } from '../../support/action-fixture.ts'
import { aScope } from '../../support/template-fixture.ts'

type Response = Extract<HttpAnswer, { kind: 'response' }>

const json = { 'content-type': 'application/json' }

function answer(body: string | Buffer, more: Partial<Response> = {}): Response {
  return {
    kind: 'response',
    status: 200,
    headers: {},
    body: Buffer.from(body),
    isCut: false,
    ...more,
  }
}

async function outcomeOf(response: Response, spec: Record<string, Json> = {}): Promise<Outcome> {
  const { action, problems } = compileAction(
    httpKind,
    { url: 'http://h/', ...spec },
    { keepsResult: true },
  )
  expect(problems).to.deep.equal([])
  const { signal } = new AbortController()
  return requestOf(action, aScope({})).perform(fakeTools(response), 1_000, signal)
}

describe('the result of an http step that is kept', () => {
  const cases: { name: string; response: Response; result: Json }[] = [
    {
      name: 'is status, headers and the text of the body',
      response: answer('ö{', { status: 201, headers: { etag: 'x' } }),
      result: { status: 201, headers: { etag: 'x' }, body: 'ö{' },
    },
    {
      name: 'has a JSON body as JSON',
      response: answer('{"a":[1,null]}', { headers: json }),
      result: { status: 200, headers: json, body: { a: [1, null] } },
    },
    {
      name: 'has no body where the answer is empty',
      response: answer('', { status: 204, headers: json }),
      result: { status: 204, headers: json, body: null },
    },
    {
      name: 'has an empty text where an empty answer does not say that it is JSON',
      response: answer(''),
      result: { status: 200, headers: {}, body: '' },
    },
    {
      name: 'keeps no session of the target',
      response: answer('', { headers: { 'set-cookie': 'session=1', a: 'b' } }),
      result: { status: 200, headers: { a: 'b' }, body: '' },
    },
  ]
  for (const { name, response, result } of cases) {
    it(name, async () => {
      expect(await outcomeOf(response)).to.deep.equal({ kind: 'success', detail: 'ok', result })
    })
  }

  const types: [type: string, isJson: boolean][] = [
    ['application/json; charset=utf-8', true],
    ['Application/JSON', true],
    ['application/problem+json', true],
    ['application/vnd.api+json;v=1', true],
    ['text/json', true],
    ['application/jsonl', false],
    ['text/plain', false],
    ['text/html; x=application/json', false],
  ]
  for (const [type, isJson] of types) {
    it(`is ${isJson ? 'JSON' : 'text'} for ${type}`, async () => {
      const outcome = await outcomeOf(answer('7', { headers: { 'content-type': type } }))
      expect(outcome).to.have.nested.property('result.body', isJson ? 7 : '7')
    })
  }

  const refused: { name: string; response: Response; kind: string; message: RegExp }[] = [
    {
      name: 'is above http.max_response',
      response: answer('x'.repeat(10), { isCut: true }),
      kind: 'too-large',
      message: /more than the 10 bytes/,
    },
    {
      name: 'is not UTF-8',
      response: answer(Buffer.from([0xff, 0xfe])),
      kind: 'undecodable',
      message: /not UTF-8/,
    },
    {
      name: 'says that it is JSON and is not',
      response: answer('{"a":', { headers: json }),
      kind: 'undecodable',
      message: /says that it is JSON and is not/,
    },
  ]
  for (const { name, response, kind, message } of refused) {
    it(`is a dead letter (${kind}) when the answer ${name}`, async () => {
      const outcome = await outcomeOf(response)
      if (outcome.kind !== 'dead') return expect.fail(outcome.kind)
      expect(outcome.failure.kind).to.equal(kind)
      expect(outcome.failure).to.have.property('message').that.matches(message)
    })
  }

  it('is not looked at where no later step reads it', async () => {
    const { action } = compileAction(httpKind, { url: 'http://h/' })
    const broken = answer(Buffer.from([0xff]), { isCut: true, headers: json })
    const { signal } = new AbortController()
    const outcome = await requestOf(action, aScope({})).perform(fakeTools(broken), 1_000, signal)
    expect(outcome).to.deep.equal({ kind: 'success', detail: 'ok', result: null })
  })

  it('is that of a failure that a policy takes for a success, too', async () => {
    const outcome = await outcomeOf(answer('gone', { status: 410 }), { success_on: [410] })
    expect(outcome).to.have.nested.property('result.status', 410)
  })
})

describe('a call with `kind: purge`', () => {
  const cases = [
    { method: 'POST', status: 404, detail: 'already_absent' },
    { method: 'DELETE', status: 410, detail: 'already_absent' },
    { method: 'GET', status: 412, detail: 'already_absent' },
    { method: 'PURGE', status: 404, detail: 'already_absent' },
    { method: 'DELETE', status: 204, detail: 'ok' },
  ]
  for (const { method, status, detail } of cases) {
    it(`is a success, ${detail}, when ${method} is answered ${status}`, async () => {
      const outcome = await outcomeOf(answer('', { status }), { method, kind: 'purge' })
      expect(outcome).to.deep.include({ kind: 'success', detail })
    })
  }

  it('fails as ever on what does not say that the thing is gone', async () => {
    const refused = await outcomeOf(answer('', { status: 403 }), {
      method: 'DELETE',
      kind: 'purge',
    })
    expect(refused).to.have.property('kind', 'retry')
    const plain = await outcomeOf(answer('', { status: 404 }), { method: 'DELETE' })
    expect(plain).to.have.property('kind', 'dead')
  })
})

describe('the result of an emit step that is kept', () => {
  for (const [offset, seen] of [
    [0n, 0],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [2n ** 53n, '9007199254740992'],
  ] as const) {
    it(`says where the record went: offset ${JSON.stringify(seen)}`, async () => {
      const { action } = compileAction(emitKind, { topic: 'derived' }, { keepsResult: true })
      const tools = {
        ...fakeTools(),
        bus: { produce: () => Promise.resolve([{ topic: 'derived', partition: 3, offset }]) },
      }
      const { signal } = new AbortController()
      const outcome = await requestOf(action, aScope({})).perform(tools, 1_000, signal)
      expect(outcome).to.deep.equal({
        kind: 'success',
        detail: 'ok',
        result: { topic: 'derived', partition: 3, offset: seen },
      })
    })
  }
})
