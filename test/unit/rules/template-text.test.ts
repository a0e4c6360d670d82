import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import type { BusRecord } from '../../../src/model/record.ts'
import { bodyBytesMax, lineLengthMax } from '../../../src/rules/template-compiler.ts'
import { RenderError, type Position } from '../../../src/rules/template.ts'
import { aCompiler, aScope, renderedOrError } from '../../support/template-fixture.ts'

interface TextCase {
  readonly template: string
  readonly event?: Json
  readonly record?: Partial<BusRecord>
  readonly position?: Position
}

function compiled({ template, position = 'text' }: TextCase) {
  const { compiler, problems } = aCompiler()
  return { render: compiler.text(template, position, ['text']), problems }
}

function rendered(one: TextCase): string {
  const { render, problems } = compiled(one)
  if (render === null) return expect.fail(JSON.stringify(problems))
  return renderedOrError(() => render(aScope(one.event ?? {}, one.record)))
}

describe('a template renders', () => {
  const cases: (TextCase & { gives: string })[] = [
    { template: '', gives: '' },
    { template: 'no tags, } and { too', gives: 'no tags, } and { too' },
    { template: '{{event.a.b}}', event: { a: { b: 'x' } }, gives: 'x' },
    { template: '{{ event.a }}{{!comment}}!', event: { a: '<&">' }, gives: '<&">!' },
    { template: '{{event.a\\.b}}', event: { 'a.b': 1 }, gives: '1' },
    { template: '{{event.a\\\\.b}}', event: { 'a\\': { b: 1 } }, gives: '1' },
    { template: '{{event.list.1.id}}', event: { list: [{}, { id: 2 }] }, gives: '2' },
    {
      template: '{{event.n}} {{event.z}} {{event.f}}',
      event: { n: 1.5, z: 0, f: false },
      gives: '1.5 0 false',
    },
    { template: '{{event | json}}', event: { a: [1] }, gives: '{"a":[1]}' },
    { template: '{{event}}', event: 'text', gives: 'text' },
    { template: '{{match.title}} {{rule.name}}', gives: 'Main_page purge-page' },
    { template: '{{now}} {{now | unix}}', gives: '2026-11-24T12:00:00.000Z 1795521600' },
    {
      template: '{{@topic}}/{{@partition}}/{{@offset}} {{@key}} {{@timestamp | iso_date}}',
      gives: 'edits/2/42 enwiki:7 2026-11-24T11:59:55.000Z',
    },
    { template: '{{@offset}}', record: { offset: 2n ** 60n }, gives: '1152921504606846976' },
    { template: '{{@headers.content.type}}', gives: 'application/json' },
    { template: '{{event.x | default: "-"}}', gives: '-' },
    { template: '{{event.x | lower | default: "A" | lower}}', gives: 'a' },
    { template: '{{event.x | first | default: "-"}}', event: { x: [] }, gives: '-' },
    { template: '{{@key | default: "-"}}', record: { key: null }, gives: '-' },
    { template: '{{@key | default: "-"}}', record: { key: Buffer.from([0xff]) }, gives: '-' },
    { template: '{{event.x | lower | replace: "a", "b"}}', event: { x: 'AC' }, gives: 'bc' },
    { template: '{{#event.x}}[{{.}}]{{/event.x}}', event: { x: 'v' }, gives: '[v]' },
    { template: '{{#event.x}}[{{.}}]{{/event.x}}', event: { x: [1, 'b'] }, gives: '[1][b]' },
    {
      template: '{{#event.x}}{{.id}},{{/event.x}}',
      event: { x: [{ id: 1 }, { id: 2 }] },
      gives: '1,2,',
    },
    {
      template: '{{#event.x}}{{#.y}}{{.}}{{/.y}};{{/event.x}}',
      event: { x: [{ y: [1, 2] }, {}] },
      gives: '12;;',
    },
    {
      template: '{{#event.x}}{{^.y}}{{.id}}{{/.y}}{{/event.x}}',
      event: { x: [{ id: 3 }] },
      gives: '3',
    },
    { template: '{{#event.x}}{{event.z}}{{/event.x}}', event: { x: {}, z: 1 }, gives: '1' },
    { template: 'a\n{{#event.x}}\nb\n{{/event.x}}\nc', event: { x: true }, gives: 'a\nb\nc' },
    { template: '{{event.x}}', event: { x: 'a b&é' }, position: 'form', gives: 'a+b%26%C3%A9' },
    {
      template: 'a b{{event.x}}',
      event: { x: "!'()~*" },
      position: 'form',
      gives: 'a+b%21%27%28%29%7E*',
    },
    { template: 'W/"{{event.x}}"', event: { x: 'a b' }, position: 'header', gives: 'W/"a b"' },
  ]
  for (const one of cases) {
    it(`${JSON.stringify(one.gives)} from ${JSON.stringify(one.template)}`, () => {
      expect(rendered(one)).to.equal(one.gives)
    })
  }
})

describe('a section stands for', () => {
  const cases: { x: Json | undefined; stands: boolean }[] = [
    { x: undefined, stands: false },
    { x: null, stands: false },
    { x: false, stands: false },
    { x: '', stands: false },
    { x: [], stands: false },
    { x: 0, stands: true },
    { x: true, stands: true },
    { x: ' ', stands: true },
    { x: {}, stands: true },
    { x: [null], stands: true },
  ]
  for (const { x, stands } of cases) {
    it(`${JSON.stringify(x) ?? 'absent'}: ${stands ? 'yes' : 'no, its inverse does'}`, () => {
      const template = '{{#event.x}}yes{{/event.x}}{{^event.x}}no{{/event.x}}'
      expect(rendered({ template, event: x === undefined ? {} : { x } })).to.equal(
        stands ? 'yes' : 'no',
      )
    })
  }
})

describe('a template fails at run time on', () => {
  const cases: (TextCase & { message: string | RegExp })[] = [
    {
      template: '{{event.x}}',
      message: 'template: {{event.x}} is missing: absent, null, or nothing found',
    },
    { template: '{{event.x.y}}', event: { x: 'text' }, message: /missing/ },
    {
      template: '{{event.x | lower}}',
      event: { x: null },
      message: /{{event.x \| lower}} is missing/,
    },
    { template: '{{event.x | first}}', event: { x: [] }, message: /missing/ },
    { template: '{{event.x | default: null}}', message: /is null/ },
    { template: '{{event.constructor}}', message: /missing/ },
    { template: '{{event.__proto__}}', message: /missing/ },
    { template: '{{event.x.length}}', event: { x: [1] }, message: /missing/ },
    { template: '{{event.x.01}}', event: { x: [1, 2] }, message: /missing/ },
    { template: '{{match.other}}', message: /missing/ },
    { template: '{{@headers.nope}}', message: /missing/ },
    {
      template: '{{event.x}}',
      event: { x: {} },
      message: /{{event.x}} is an object: write \| json/,
    },
    { template: '{{event.x}}', event: { x: [] }, message: /is an array/ },
    {
      template: '{{event.x | add: 1}}',
      event: { x: 'a' },
      message: /{{event.x \| add: 1}} is not a number/,
    },
    {
      template: '{{#event.x}}{{.}}{{/event.x}}',
      event: { x: [null] },
      message: /{{\.}} is missing/,
    },
    {
      template: '{{event.x}}',
      event: { x: 'a\r\nb: c' },
      position: 'header',
      message: /a header cannot carry/,
    },
    {
      template: '{{event.x}}',
      event: { x: 'é' },
      position: 'header',
      message: /a header cannot carry/,
    },
    {
      template: '{{event.x}}',
      event: { x: '\t' },
      position: 'header',
      message: /a header cannot carry/,
    },
    { template: '{{event.x}}', event: { x: '\ud800' }, message: /half of a character/ },
    {
      template: '{{event.x}}',
      event: { x: '\ud800' },
      position: 'form',
      message: /half of a character/,
    },
    {
      template: '{{event.x}}',
      event: { x: 'a'.repeat(lineLengthMax + 1) },
      position: 'header',
      message: /^too-large/,
    },
    { template: '{{event.x}}', event: { x: 'a'.repeat(bodyBytesMax + 1) }, message: /^too-large/ },
    {
      template: '{{#event.x}}{{.}}{{/event.x}}',
      event: { x: Array<Json>(10_001).fill(1) },
      message: /^too-large.*elements/,
    },
  ]
  for (const one of cases) {
    it(`${one.template} of ${(JSON.stringify(one.event) ?? '{}').slice(0, 40)}`, () => {
      expect(rendered(one)).to.match(
        one.message instanceof RegExp ? one.message : new RegExp(escaped(one.message)),
      )
    })
  }

  it('sections within sections that would multiply without end', () => {
    const x = Array<Json>(2_000).fill(1)
    const template = '{{#event.x}}{{#event.x}}{{#event.x}}{{/event.x}}{{/event.x}}{{/event.x}}'
    expect(rendered({ template, event: { x } })).to.match(/^too-large/)
  })

  it('JSON nested deeper than the stack', () => {
    let deep: Json = []
    for (let i = 0; i < 200_000; i++) deep = [deep]
    expect(
      renderedOrError(() =>
        compiled({ template: '{{event.x | json}}' }).render?.(bare({ x: deep })),
      ),
    ).to.match(/^too-large/)
  })

  /** The record's bytes are not made from the body here: that alone would overflow. */
  function bare(body: Json) {
    const scope = aScope({})
    return { ...scope, event: { ...scope.event, body } }
  }
})

describe('a template is refused at load for', () => {
  const cases: (TextCase & { code?: string; message: RegExp })[] = [
    { template: 'x {{event.a', message: /unclosed tag, near "x {{event\.a"/ },
    { template: '{{#event.a}}', message: /unclosed section "event.a"/ },
    { template: '{{#event.a}}{{/event.b}}', message: /unclosed section/ },
    { template: '{{/event.a}}', message: /unopened section/ },
    { template: '{{}}', message: /a tag holds a path/ },
    { template: '{{{event.a}}}', message: /{{{event\.a}}}: there is no unescaped form/ },
    { template: '{{&event.a}}', message: /no unescaped form/ },
    { template: '{{> other}}', message: /no partials/ },
    { template: '{{=<% %>=}}', message: /delimiters cannot be changed/ },
    { template: '{{event.a b}}', message: /cannot read "b"/ },
    { template: '{{event.a | }}', message: /cannot read/ },
    { template: '{{event.a | join: }}', message: /cannot read the argument/ },
    { template: '{{event.a | join: "x" y}}', message: /cannot read "y"/ },
    { template: '{{event.a | join: "\\q"}}', message: /cannot read the argument/ },
    { template: '{{event.a | slice: 1x}}', message: /cannot read the argument/ },
    { template: '{{#event.a | first}}{{/event.a | first}}', message: /a section takes a path/ },
    { template: 'x\ud800', message: /half of a character/ },
    { template: 'x'.repeat(70_000), message: /longer than/ },
    { template: nested(17), message: /nested deeper/ },
    {
      template: '{{title}}',
      code: 'template-path',
      message: /{{title}}: `title` is not something/,
    },
    { template: '{{event..a}}', code: 'template-path', message: /a name is empty/ },
    { template: '{{event.}}', code: 'template-path', message: /a name is empty/ },
    { template: '{{event.a\\b}}', code: 'template-path', message: /means nothing in a path/ },
    { template: '{{.}}', code: 'template-path', message: /the section around it/ },
    {
      template: '{{^event.a}}{{.}}{{/event.a}}',
      code: 'template-path',
      message: /the section around it/,
    },
    { template: '{{match}}', code: 'template-path', message: /name of a capture/ },
    { template: '{{rule.owner}}', code: 'template-path', message: /a rule has no/ },
    { template: '{{now.year}}', code: 'template-path', message: /nothing below/ },
    { template: '{{@when}}', code: 'template-path', message: /the record has no `@when`/ },
    { template: '{{@headers.}}', code: 'template-path', message: /the record has no/ },
    { template: '{{each.x}}', code: 'template-path', message: /filled in when the rules are/ },
    { template: '{{match.tilte}}', code: 'template-path', message: /no regex .* group `tilte`/ },
    { template: '{{steps}}', code: 'template-path', message: /by the name of a step/ },
    {
      template: '{{steps.pag.status}}',
      code: 'template-path',
      message: /no earlier step .* `pag`/,
    },
    { template: '{{#steps.pag.x}}{{/steps.pag.x}}', code: 'template-path', message: /no earlier/ },
    { template: '{{event.a | path: ":/"}}', code: 'template-pipe', message: /cannot keep "\/"/ },
    { template: '{{event.a | nope}}', code: 'template-pipe', message: /no pipe `nope`/ },
    { template: '{{event.a | raw}}', code: 'template-pipe', message: /end of a tag in a URL/ },
    { template: 'a\r\nb', position: 'header', message: /cannot carry/ },
    { template: '{{#event.a}}\u0000{{/event.a}}', position: 'header', message: /cannot carry/ },
  ]
  for (const one of cases) {
    it(JSON.stringify(one.template).slice(0, 60), () => {
      const { render, problems } = compiled(one)
      expect(render).to.equal(null)
      expect(problems.map(({ code }) => code)).to.deep.equal([one.code ?? 'template-syntax'])
      expect(problems[0]?.message).to.match(one.message)
      expect(problems[0]?.at).to.deep.equal(['text'])
    })
  }

  it('all that is wrong with it, at once', () => {
    const { problems } = compiled({
      template: '{{a}}{{{b}}}{{event.c |}}{{#event.d}}{{e}}{{/event.d}}',
    })
    expect(problems).to.have.length(2) // what cannot be parsed is told before what cannot be read
    expect(compiled({ template: '{{a}}{{event.c | d}}{{#e}}{{f}}{{/e}}' }).problems).to.have.length(
      4,
    )
  })

  function nested(depth: number): string {
    return '{{#event.a}}'.repeat(depth) + '{{/event.a}}'.repeat(depth)
  }
})

it('a template never throws anything but RenderError, whatever the event', () => {
  const template =
    '{{event.a}}{{#event.b}}{{.}}{{.c}}{{/event.b}}{{event.d | default: 1 | json | upper}}{{event | json}}'
  const { render } = compiled({ template })
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      try {
        render?.(aScope(body as Json)) // as: fast-check types JSON with undefined, and makes none
      } catch (error) {
        expect(error).to.be.instanceOf(RenderError)
      }
    }),
  )
})

it('a header value never begins another header', () => {
  const { render } = compiled({ template: 'v={{event.x}}', position: 'header' })
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (x) => {
      const text = renderedOrError(() => render?.(aScope({ x })) ?? '')
      if (!text.startsWith('template: ')) expect(text).to.match(/^v=[\x20-\x7e]*$/)
    }),
  )
})

it('a form value comes back as it went in', () => {
  const { render } = compiled({ template: '{{event.x}}', position: 'form' })
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (x) => {
      const text = render?.(aScope({ x })) ?? ''
      expect(text).to.equal(new URLSearchParams({ v: x }).toString().slice(2))
    }),
  )
})

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
