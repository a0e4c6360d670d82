import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { elementsMax, elementsOf } from '../../../src/rules/elements.ts'
import type { Scope } from '../../../src/rules/scope.ts'
import type { TemplateNames } from '../../../src/rules/template-read.ts'
import { notRendered, RenderError } from '../../../src/rules/template.ts'
import { aCompiler, aScope, exampleNames, renderedOrError } from '../../support/template-fixture.ts'

const noNames = { captures: [], steps: [], hasItem: false, isKey: false }

const page = { status: 200, headers: { etag: '"7"' }, body: { title: 'A b', tags: ['x', 'y'] } }
const withAll: Partial<Scope> = {
  item: { id: 7, tags: ['p'], 'a.b': null },
  steps: {
    page,
    calls: [
      { status: 200, headers: {}, body: { id: 1 } },
      { status: 404, headers: {}, body: '' },
    ],
    sent: { topic: 'out', partition: 2, offset: 7 },
  },
  match: { title: 'Main' },
}

function rendered(template: string, scope: Partial<Scope>): string {
  const { compiler, problems } = aCompiler()
  const render = compiler.text(template, 'text', ['text'])
  if (render === null) return expect.fail(JSON.stringify(problems))
  return renderedOrError(() => render(aScope({}, {}, scope)))
}

function namesOf({ captures, steps, hasItem }: TemplateNames): string {
  const all = [...captures, ...steps.map(({ name }) => name), ...(hasItem ? ['item'] : [])]
  return all.length === 0 ? 'nothing' : all.join(', ')
}

function refusedWith(template: string, message: RegExp, hint: string): void {
  const { compiler, problems } = aCompiler()
  expect(compiler.text(template, 'text', ['text'])).to.equal(null)
  expect(problems).to.have.length(1)
  expect(problems[0]?.message).to.match(message)
  expect(problems[0]?.hint).to.equal(hint)
}

describe('beside the event a template reads', () => {
  const cases: [template: string, scope: Partial<Scope>, gives: string | RegExp][] = [
    ['{{item}}', { item: 'x' }, 'x'],
    ['{{item}}', { item: 0 }, '0'],
    ['{{item.id}}', withAll, '7'],
    ['{{#item.tags}}{{.}}{{/item.tags}}', withAll, 'p'],
    ['{{item.id}}', { item: 'text' }, /^template: {{item.id}} is missing/],
    ['{{item}}', { item: null }, /is missing/],
    ['{{item.a\\.b | default: "-"}}', withAll, '-'],
    ['{{item.constructor}}', withAll, /is missing/],
    ['{{steps.page.status}} {{steps.page.headers.etag}}', withAll, '200 "7"'],
    ['{{steps.page.body.title}} {{steps.page.body.tags.1}}', withAll, 'A b y'],
    ['{{steps.page.body.nope}}', withAll, /is missing/],
    ['{{steps.page | json}}', { steps: { page: [1] } }, '[1]'],
    ['{{steps.calls.0.body.id}} {{steps.calls.1.status}}', withAll, '1 404'],
    ['{{steps.calls.2.status | default: "-"}}', withAll, '-'],
    ['{{steps.calls | first | json}}', withAll, '{"status":200,"headers":{},"body":{"id":1}}'],
    ['{{#steps.calls}}[{{.status}}]{{/steps.calls}}', withAll, '[200][404]'],
    ['{{#steps.page}}{{.body.title}}{{/steps.page}}', withAll, 'A b'],
    ['{{steps.sent.topic}}/{{steps.sent.partition}}/{{steps.sent.offset}}', withAll, 'out/2/7'],
    ['{{match.title}}', withAll, 'Main'],
    ['{{match.other | default: "-"}}', withAll, '-'],
  ]
  for (const [template, scope, gives] of cases) {
    it(`${template} as ${String(gives)}`, () => {
      if (typeof gives === 'string') expect(rendered(template, scope)).to.equal(gives)
      else expect(rendered(template, scope)).to.match(gives)
    })
  }

  it('a whole result in a JSON tree, with its types', () => {
    const { compiler } = aCompiler()
    const tree = compiler.json({ all: '{{steps.page}}', id: '{{item.id}}' }, ['json'])
    expect(tree?.(aScope({}, {}, withAll))).to.deep.equal({ all: page, id: 7 })
  })
})

describe('a name that does not exist where the template stands is refused at load', () => {
  const cases = [
    ['{{match.titel}}', exampleNames, /group `titel`/, 'did you mean `title`?'],
    ['{{match.title}}', noNames, /group `title`/, 'name one in `when`: (?<name>...)'],
    ['{{match.x}}', exampleNames, /group `x`/, 'there are title, other'],
    ['{{steps.paeg.body}}', exampleNames, /`paeg`/, 'did you mean `page`?'],
    ['{{steps.x.body}}', exampleNames, /`x`/, 'there are page, calls, sent'],
    ['{{steps.page.body}}', noNames, /`page`/, 'write as: page in the action that gives it'],
    ['{{item}}', noNames, /has none/, 'write each: "{{event.items}}" in the action'],
    ['{{evnt.id}}', exampleNames, /`evnt`/, 'did you mean `event`?'],
  ] as const
  for (const [template, names, message, hint] of cases) {
    it(`${template} where there is ${namesOf(names)}`, () => {
      const { compiler, problems } = aCompiler(null, names)
      expect(compiler.text(template, 'text', ['text'])).to.equal(null)
      expect(problems).to.have.length(1)
      expect(problems[0]).to.deep.include({ code: 'template-path', hint })
      expect(problems[0]?.message).to.match(message)
    })
  }
})

describe('a key or a version', () => {
  const key = { ...exampleNames, isKey: true }

  for (const template of ['{{event.a}}', '{{match.title}}', '{{rule.name}}', '{{@offset}}']) {
    it(`reads ${template}`, () => {
      const { compiler, problems } = aCompiler(null, key)
      const render = compiler.text(template, 'text', [])
      expect(problems).to.deep.equal([])
      expect(render?.(aScope({ a: 'x' }))).to.be.a('string')
    })
  }

  const changing = [
    ['{{now}}', /`now` is another time at each attempt, and a key or a version must stay/],
    ['{{steps.page.status}}', /`steps` is what earlier steps gave this time/],
    ['{{item.id | default: 1}}', /`item` is another element at each call/],
    ['{{#event.list}}{{now}}{{/event.list}}', /`now` is another time/],
    ['{{#steps}}x{{/steps}}', /`steps` is what earlier steps gave/],
  ] as const
  for (const [template, message] of changing) {
    it(`does not read what changes between attempts: ${template}`, () => {
      const { compiler, problems } = aCompiler(null, key)
      expect(compiler.text(template, 'text', [])).to.equal(null)
      expect(problems.map(({ code }) => code)).to.deep.equal(['template-path'])
      expect(problems[0]?.message).to.match(message)
      expect(problems[0]?.hint).to.match(/\{\{@timestamp\}\}|reads event, match/)
    })
  }
})

describe('a path below a step that can never be there is refused at load', () => {
  const ofHttp = /a step of `http` keeps status, headers and body, not/
  const ofEmit = /a step of `emit` keeps topic, partition and offset, not/
  const aList = /`calls` has `each`, so it is a list/
  const cases: [template: string, message: RegExp, hint: string][] = [
    ['{{steps.page.stat}}', ofHttp, 'did you mean `status`?'],
    ['{{steps.page.boddy.id}}', ofHttp, 'did you mean `body`?'],
    ['{{steps.page.json.a}}', ofHttp, 'write {{steps.page.body.json.a}}'],
    ['{{steps.page.id | default: 1}}', ofHttp, 'write {{steps.page.body.id}}'],
    ['{{#steps.page.items}}{{.}}{{/steps.page.items}}', ofHttp, 'write {{steps.page.body.items}}'],
    ['{{steps.page.0.body}}', ofHttp, '`page` has no `each`, so it is no list'],
    ['{{steps.sent.body}}', ofEmit, 'there are topic, partition and offset'],
    ['{{steps.sent.ofset}}', ofEmit, 'did you mean `offset`?'],
    ['{{steps.calls.body.id}}', aList, 'write {{steps.calls.0.body.id}}'],
    ['{{steps.calls.-1.body}}', aList, 'the last one is {{steps.calls | last}}'],
    ['{{steps.calls.id}}', aList, 'write {{steps.calls.0.body.id}}'],
    ['{{steps.calls.0.id}}', ofHttp, 'write {{steps.calls.0.body.id}}'],
    ['{{steps.calls.0.0}}', ofHttp, 'each element of `calls` is such a map'],
    ['{{steps.calls[1].body}}', /no earlier step/, 'write {{steps.calls.1.body}}'],
  ]
  for (const [template, message, hint] of cases) {
    it(`${template}, with the hint: ${hint}`, () => refusedWith(template, message, hint))
  }

  it('but not below a step of which it is not known what it keeps', () => {
    const names = { ...noNames, steps: [{ name: 'x', kind: 'k', keys: null, isList: false }] }
    expect(aCompiler(null, names).compiler.text('{{steps.x.y}}', 'text', ['text'])).to.be.a(
      'function',
    )
  })
})

describe('what other template languages write is told how it is written here', () => {
  const path = /is not something that a template reads/
  const cases: [template: string, message: RegExp, hint: string][] = [
    ['{{event[0].a}}', path, 'write {{event.0.a}}'],
    ['{{item[2]}}', path, 'write {{item.2}}'],
    ['{{page.body.a}}', path, 'write {{steps.page.body.a}}'],
    ['{{calls.body.a}}', path, 'write {{steps.calls.0.body.a}}'],
    ['{{calls.1.body.a}}', path, 'write {{steps.calls.1.body.a}}'],
    [
      '{{#if event.a}}x{{/if}}',
      /unclosed section/,
      'there is no `if`: write {{#event.a}}..{{/event.a}}',
    ],
    [
      '{{#if event.a == 1}}x{{/if}}',
      /unclosed section/,
      'there is no `if`: write {{#event.a}}..{{/event.a}}; what a value is, is asked in `when`',
    ],
    [
      '{{#unless event.a}}x{{/unless event.a}}',
      /takes a path and nothing else/,
      'there is no `unless`: write {{^event.a}}..{{/event.a}}',
    ],
    ['{{#event.a | lower}}x{{/event.a | lower}}', /a section/, 'put the pipe on a tag inside'],
  ]
  for (const [template, message, hint] of cases) {
    it(`${template}, with the hint: ${hint}`, () => refusedWith(template, message, hint))
  }
})

describe('where no step was carried out', () => {
  const scope = aScope({}, {}, { ...withAll, steps: null })
  const templates = [
    '{{steps.page.body}}',
    '{{steps.page.body.nope | default: "x"}}',
    'a{{^steps.page}}b{{/steps.page}}',
  ]
  for (const template of templates) {
    it(`${template} says that it needs the step`, () => {
      const render = aCompiler().compiler.text(template, 'text', ['text'])
      const read = (): unknown => {
        try {
          return render?.(scope)
        } catch (error) {
          return notRendered(error)
        }
      }
      expect(read()).to.deep.equal({ kind: 'no-result', step: 'page' })
    })
  }
})

describe('the elements of `each`', () => {
  const each = aCompiler().compiler.json('{{event.items}}', ['each'])
  const found = (items: Json): ReturnType<typeof elementsOf> =>
    each === null ? expect.fail('not compiled') : elementsOf(each, aScope({ items }))

  it('are those of the list', () => {
    expect(found([1, { id: 2 }, null])).to.deep.equal({
      kind: 'elements',
      elements: [1, { id: 2 }, null],
    })
    expect(found([])).to.deep.equal({ kind: 'elements', elements: [] })
    expect(found(Array<Json>(elementsMax).fill(0))).to.have.property('kind', 'elements')
  })

  const refused: [Json, string, RegExp][] = [
    [{ a: 1 }, 'template', /not a list: an object/],
    ['abc', 'template', /not a list: a string/],
    [7, 'template', /not a list: a number/],
    [null, 'template', /missing/],
    [Array<Json>(elementsMax + 1).fill(0), 'too-large', /1001 elements, above 1000/],
  ]
  for (const [items, kind, message] of refused) {
    it(`are refused as ${kind} for ${JSON.stringify(items).slice(0, 20)}`, () => {
      const ended = found(items)
      if (ended.kind !== 'failed') return expect.fail('taken')
      expect(ended.failure.kind).to.equal(kind)
      expect(ended.failure).to.have.property('message').that.matches(message)
    })
  }

  it('a bug in a template is not taken for a failure of it', () => {
    const broken = (): never => {
      throw new TypeError('a bug')
    }
    expect(() => elementsOf(broken, aScope({}))).to.throw(TypeError)
    expect(() => notRendered(new RenderError('guard', 'x'))).to.not.throw()
  })
})
