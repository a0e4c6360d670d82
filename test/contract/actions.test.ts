import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { actionKinds } from '../../src/actions/kinds.ts'
import type { Json } from '../../src/model/json.ts'
import type { HttpAnswer } from '../../src/ports/http-caller.ts'
import { compileAction, fakeTools } from '../support/action-fixture.ts'
import { aScope } from '../support/template-fixture.ts'

/** An action of each kind that reads much of the event. A new kind is done when it has a row here. */
const specs: Readonly<Record<string, Json>> = {
  http: {
    method: 'POST',
    url: 'http://cdn.internal/{{event.a}}/{{event.b | path}}?q={{event.c}}',
    headers: { host: '{{event.d}}', 'x-a': '{{event.a}}' },
    json: { whole: '{{event}}', text: '{{event.b}}{{#event.c}}{{.}}{{/event.c}}' },
    sign: { secret: 'example-key' },
  },
  emit: {
    topic: 'derived',
    key: '{{event.a}}',
    value: { whole: '{{event}}', b: '{{event.b}}' },
    headers: { c: '{{event.c}}' },
    timestamp: '{{event.d}}',
  },
}

const answers: readonly HttpAnswer[] = [
  ...[100, 200, 302, 404, 429, 503, 999].map((status): HttpAnswer => ({
    kind: 'response',
    status,
    headers: { 'retry-after': 'never' },
    body: Buffer.alloc(0),
    isCut: false,
  })),
  { kind: 'failed', failure: { kind: 'timeout', afterMs: 1 } },
  { kind: 'failed', failure: { kind: 'guard', reason: 'loopback', message: 'loopback' } },
  { kind: 'aborted' },
]

for (const kind of actionKinds) {
  describe(`ActionKind contract: ${kind.name}`, () => {
    const { action } = compileAction(kind, specs[kind.name])
    const plainScope = aScope({ a: 'a', b: 'b', c: 'c', d: 7 })

    it('refuses a key that it does not know', () => {
      // as: every spec above is a map
      const spec = { ...(specs[kind.name] as Record<string, Json>), nobody_knows_this: 1 }
      expect(kind.schema.safeParse(spec).success).to.equal(false)
    })

    it('can be written as a JSON Schema, for editors and the reference', () => {
      const schema = z.toJSONSchema(kind.schema, { io: 'input' })
      expect(schema).to.include({ type: 'object', additionalProperties: false })
      expect(schema.description).to.match(/\.$/)
    })

    it('says in one line what it acts on, as written', () => {
      expect(action?.kind).to.equal(kind.name)
      expect(action?.target).to.match(/^\S+ .+$/)
    })

    it('renders any event to a request or a failure, and never throws', () => {
      const value = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.webUrl(),
        fc.jsonValue({ maxDepth: 2 }),
      )
      fc.assert(
        fc.property(fc.record({ a: value, b: value, c: value, d: value }), (body) => {
          // as: fast-check types JSON with undefined in objects, and makes none
          const rendered = action?.render(aScope(body as Json))
          if (rendered?.kind === 'ready') return
          if (rendered?.kind !== 'failed') return expect.fail('neither rendered nor failed')
          expect(rendered.failure.kind).to.be.oneOf(['template', 'guard', 'too-large'])
        }),
      )
    })

    it('ends every attempt with an outcome, and never rejects', async () => {
      const rendered = action?.render(plainScope)
      if (rendered?.kind !== 'ready') return expect.fail('not rendered')
      for (const answer of answers) {
        const { signal } = new AbortController()
        const { kind: outcome } = await rendered.request.perform(fakeTools(answer), 1_000, signal)
        expect(outcome).to.be.oneOf(['success', 'retry', 'dead', 'aborted'])
      }
    })

    it('tells in one line what it did', () => {
      const rendered = action?.render(plainScope)
      if (rendered?.kind !== 'ready') return expect.fail('not rendered')
      expect(rendered.request.summary).to.match(/^\S+ \S+$/)
    })
  })
}
