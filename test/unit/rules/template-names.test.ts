import { expect } from 'chai'
import type { Json } from '../../../src/model/json.ts'
import { elementsMax, elementsOf } from '../../../src/rules/elements.ts'
import type { Scope } from '../../../src/rules/scope.ts'
import { notRendered, RenderError } from '../../../src/rules/template.ts'
import { aCompiler, aScope, exampleNames, renderedOrError } from '../../support/template-fixture.ts'

const noNames = { captures: [], steps: [], hasItem: false }

const page = { status: 200, headers: { etag: '"7"' }, body: { title: 'A b', tags: ['x', 'y'] } }
const withAll: Partial<Scope> = {
  item: { id: 7, tags: ['p'], 'a.b': null },
  steps: { page },
  match: { title: 'Main' },
}

function rendered(template: string, scope: Partial<Scope>): string {
  const { compiler, problems } = aCompiler()
  const render = compiler.text(template, 'text', ['text'])
  if (render === null) return expect.fail(JSON.stringify(problems))
  return renderedOrError(() => render(aScope({}, {}, scope)))
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
    ['{{steps.x.body}}', exampleNames, /`x`/, 'there is page'],
    ['{{steps.page.body}}', noNames, /`page`/, 'write as: page in the action that gives it'],
    ['{{item}}', noNames, /has none/, 'write each: "{{event.items}}" in the action'],
    ['{{evnt.id}}', exampleNames, /`evnt`/, 'did you mean `event`?'],
  ] as const
  for (const [template, names, message, hint] of cases) {
    it(`${template} where there is ${JSON.stringify(names)}`, () => {
      const { compiler, problems } = aCompiler(null, names)
      expect(compiler.text(template, 'text', ['text'])).to.equal(null)
      expect(problems).to.have.length(1)
      expect(problems[0]).to.deep.include({ code: 'template-path', hint })
      expect(problems[0]?.message).to.match(message)
    })
  }
})

describe('where no step was carried out', () => {
  const scope = aScope({}, {}, { ...withAll, steps: null })
  const templates = [
    '{{steps.page.body}}',
    '{{steps.page.nope | default: "x"}}',
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
