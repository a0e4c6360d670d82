import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import { aCompiler, aScope, renderedOrError } from '../../support/template-fixture.ts'

function rendered(tree: Json, event: Json): Json | string | undefined {
  const { compiler, problems } = aCompiler()
  const template = compiler.json(tree, ['json'])
  if (template === null) return expect.fail(JSON.stringify(problems))
  return renderedOrError(() => template(aScope(event)))
}

describe('a json tree', () => {
  const event = { id: 7, title: 'T', ok: false, tags: ['a'], page: { id: 1 }, none: null }
  const cases: { name: string; tree: Json; gives: Json }[] = [
    {
      name: 'keeps what is no template',
      tree: [1, null, true, { a: 'x' }],
      gives: [1, null, true, { a: 'x' }],
    },
    { name: 'keeps the whole event', tree: '{{event}}', gives: event },
    { name: 'keeps a number', tree: { id: '{{event.id}}' }, gives: { id: 7 } },
    { name: 'keeps false', tree: ['{{event.ok}}'], gives: [false] },
    {
      name: 'keeps arrays and objects',
      tree: { t: '{{event.tags}}', p: '{{event.page}}' },
      gives: { t: ['a'], p: { id: 1 } },
    },
    { name: 'keeps the type that pipes give', tree: '{{event.id | add: 1}}', gives: 8 },
    { name: 'keeps a default with its type', tree: '{{event.x | default: 0}}', gives: 0 },
    {
      name: 'lets null stand where the template says so',
      tree: { x: '{{event.none | default: null}}' },
      gives: { x: null },
    },
    { name: 'makes text of more than a tag', tree: 'id {{event.id}}', gives: 'id 7' },
    { name: 'makes text of two tags', tree: '{{event.id}}{{event.ok}}', gives: '7false' },
    { name: 'makes text of a section', tree: '{{#event.tags}}{{.}}{{/event.tags}}', gives: 'a' },
    { name: 'makes a string of json', tree: '{{event.page | json}}', gives: '{"id":1}' },
    {
      name: 'takes names of fields literally',
      tree: { 'event.id': '{{event.title}}' },
      gives: { 'event.id': 'T' },
    },
    {
      name: 'fails on null',
      tree: { x: ['{{event.none}}'] },
      gives: 'template: {{event.none}} is missing: absent, null, or nothing found',
    },
    {
      name: 'fails on an object within text',
      tree: 'x {{event.page}}',
      gives: 'template: {{event.page}} is an object: write | json, or name a field of it',
    },
  ]
  for (const { name, tree, gives } of cases) {
    it(name, () => expect(rendered(tree, event)).to.deep.equal(gives))
  }

  it('says where in the tree something is wrong, and all of it', () => {
    const { compiler, problems } = aCompiler()
    const tree = { a: [{ b: '{{event.x | nope}}' }, '{{'], '{{event.k}}': 1, c: '{{each.x}}' }
    expect(compiler.json(tree, ['json'])).to.equal(null)
    expect(problems.map(({ at, code }) => [at.join('.'), code])).to.deep.equal([
      ['json.a.0.b', 'template-pipe'],
      ['json.a.1', 'template-syntax'],
      ['json.{{event.k}}', 'template-json'],
      ['json.c', 'template-path'],
    ])
  })

  it('refuses the one name that would not become a field', () => {
    const { compiler, problems } = aCompiler()
    const tree: Json = JSON.parse('{"__proto__":{"polluted":true}}') as Json // as: it is JSON
    expect(compiler.json(tree, [])).to.equal(null)
    expect(problems.map(({ code }) => code)).to.deep.equal(['template-json'])
  })

  it('refuses a tree that is deeper than a person writes', () => {
    let tree: Json = 'x'
    for (let i = 0; i < 100; i++) tree = [tree]
    const { compiler, problems } = aCompiler()
    expect(compiler.json(tree, [])).to.equal(null)
    expect(problems[0]?.message).to.match(/deeper/)
  })

  it('gives any event back as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const body = { value } as Json // as: fast-check types JSON with undefined, and makes none
        fc.pre(value !== null)
        expect(rendered({ v: ['{{event.value}}'] }, body)).to.deep.equal({ v: [value] })
      }),
    )
  })
})
