import { expect } from 'chai'
import fc from 'fast-check'
import type { Json } from '../../../src/model/json.ts'
import type { FieldPath } from '../../../src/rules/condition.ts'
import { isFieldPath, joinPath, parseFieldPath } from '../../../src/rules/field-path.ts'
import { anEvent } from '../../support/builders.ts'

function parsed(path: string, from: 'event' | 'element' = 'event'): FieldPath {
  const result = parseFieldPath(path, from)
  if (!isFieldPath(result)) throw new Error(result.message)
  return result
}

describe('a path', () => {
  const spellings: readonly (readonly [path: string, text: string, steps: readonly string[]])[] = [
    ['kind', 'kind', ['kind']],
    ['page.title', 'page.title', ['page', 'title']],
    ['page\\.title', 'page\\.title', ['page.title']],
    ['a\\\\b', 'a\\\\b', ['a\\b']],
    ['\\any', '\\any', ['any']],
    ['\\some', '\\some', ['some']],
    ['\\kind', 'kind', ['kind']],
    ['any.where', 'any.where', ['any', 'where']],
    ['\\@topic', '\\@topic', ['@topic']],
    ['page.@id', 'page.@id', ['page', '@id']],
    ['@topic', '@topic', []],
    ['@headers.with.dots', '@headers.with.dots', []],
    ['@headers.with\\.dots', '@headers.with.dots', []],
  ]
  for (const [path, text, steps] of spellings) {
    it(`${path} reads the names ${JSON.stringify(steps)}`, () => {
      expect(parsed(path)).to.deep.include({ text, steps })
    })
  }

  const refused = ['', '.', 'a.', '.a', 'a..b', 'a\\', 'a.\\b', '@tpic', '@headers.', '@']
  for (const path of refused) {
    it(`is not ${JSON.stringify(path)}`, () => {
      const result = parseFieldPath(path, 'event')
      expect(isFieldPath(result)).to.equal(false)
      expect(result).to.have.property('hint').that.is.a('string')
    })
  }

  it('is spelt so that it parses to the same names', () => {
    const name = fc.oneof(
      fc.string({ minLength: 1, maxLength: 4 }),
      fc.constantFrom('any', 'some', '@topic', '\\', '.', '\\.', 'expr'),
    )
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (steps) => {
        expect(parsed(joinPath(steps)).steps).to.deep.equal(steps)
      }),
    )
  })

  const body: Json = { page: { title: 'x', links: [{ id: 1 }] }, nil: null, text: 'abc' }
  const reads: readonly (readonly [path: string, value: Json | undefined])[] = [
    ['page.title', 'x'],
    ['nil', null],
    ['nil.below', undefined],
    ['text.length', undefined],
    ['page.links', [{ id: 1 }]],
    ['page.links.0', undefined],
    ['page.links.length', undefined],
    ['page.constructor', undefined],
    ['constructor.name', undefined],
    ['__proto__', undefined],
    ['page.__proto__.title', undefined],
  ]
  for (const [path, value] of reads) {
    it(`${path} reads ${JSON.stringify(value) ?? 'nothing'}`, () => {
      expect(parsed(path).read(anEvent(body), undefined)).to.deep.equal(value)
    })
    it(`${path} reads ${JSON.stringify(value) ?? 'nothing'} of an element`, () => {
      expect(parsed(path, 'element').read(anEvent(), body)).to.deep.equal(value)
    })
  }

  it('of an element reads the record where it says so, and nothing without one', () => {
    expect(parsed('@topic', 'element').read(anEvent(), {})).to.equal('edits')
    expect(parsed('page', 'element').read(anEvent(body), undefined)).to.equal(undefined)
  })

  it('reads an own field of a strange name', () => {
    const strange = JSON.parse('{"__proto__":{"a":1},"constructor":2}') as Json // as: of JSON
    expect(parsed('__proto__.a').read(anEvent(strange), undefined)).to.equal(1)
    expect(parsed('constructor').read(anEvent(strange), undefined)).to.equal(2)
  })
})
