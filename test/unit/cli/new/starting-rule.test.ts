import { expect } from 'chai'
import fc from 'fast-check'
import { pickFields } from '../../../../src/cli/new/pick-fields.ts'
import { startingRuleText } from '../../../../src/cli/new/starting-rule.ts'
import { runRuleTests } from '../../../../src/cli/rule-tests/run-rule-tests.ts'
import type { JsonObject } from '../../../../src/model/json.ts'
import { parseYaml } from '../../../../src/schema/yaml-document.ts'
import { anEvent } from '../../../support/builders.ts'
import { rulesSchema, validatorOf } from '../../../support/json-schema.ts'
import { loadText } from '../../../support/load-text.ts'

const settings = { tiersMs: [10_000, 60_000], hopsMax: 10 }

function textFor(event: JsonObject | null): string | null {
  const schemaPath = '.sluice/rules.schema.json'
  return startingRuleText({ name: 'start', topic: 'edits', event, schemaPath })
}

function paths(fields: readonly { readonly steps: readonly string[] }[]): readonly string[] {
  return fields.map(({ steps }) => steps.join('.'))
}

describe('the fields that a rule starts from', () => {
  const page: JsonObject = {
    $schema: '/mediawiki/page/change/1.0.0',
    meta: { id: 'b0caf18d', stream: 'mediawiki.page_change.v1', domain: 'en.wikipedia.org' },
    wiki_id: 'enwiki',
    page_change_kind: 'edit',
    page: { page_id: 7, namespace_id: 0, page_title: 'C++ / notes' },
  }
  const cases: readonly (readonly [
    what: string,
    event: JsonObject,
    asked: string,
    sent: string,
  ])[] = [
    [
      'kind, namespace and wiki of an edit',
      page,
      'page_change_kind page.namespace_id wiki_id',
      'meta.id page.page_id page.page_title',
    ],
    ['a flag, where there is no kind', { id: 1, active: true }, 'active', 'id'],
    [
      'a word, where there is neither',
      { id: 'a', colour: 'red', at: '2026-01-01' },
      'colour',
      'id',
    ],
    ['presence, where nothing tells events apart', { at: '2026-01-01', n: 3.5 }, 'at', 'at'],
    [
      'nothing below a list',
      { items: [{ type: 'a' }], deep: { size: 2 } },
      'deep.size',
      'deep.size',
    ],
    ['presence alone of null and of nested nothing', { a: null, b: {}, c: [] }, 'a', ''],
    ['presence of a list of maps', { rows: [{ id: 1 }] }, 'rows', ''],
    ['a plain name before one that needs an escape', { 'a.b': 'x', c: 'y' }, 'c', 'c'],
    ['a name with a dot, a dash or an @', { '@id': 7, 'ce-type': 'x' }, 'ce-type', '@id'],
    ['nothing to send of a name that no tag can hold', { 'a b': 'x', 'c|d': true }, 'a b', ''],
    ['no name that is empty, or looks like a tag', { '': 'x', '{{a}}': 1, 'a\u0000': 1 }, '', ''],
    ['no number that YAML would not keep', { n: 2 ** 60, m: -0, k: 1 }, 'k', 'k'],
    [
      'no text that shows as something else',
      { type: 'a\u0000', state: '{{x}}', op: 'ok' },
      'op',
      'op',
    ],
  ]
  for (const [what, event, asked, sent] of cases) {
    it(`are ${what}`, () => {
      const picked = pickFields(event)
      expect(paths(picked.asked).join(' ')).to.equal(asked)
      expect(paths(picked.sent).join(' ')).to.equal(sent)
    })
  }
})

describe('a starting rule', () => {
  it('names the schema in its first line, where editors look', () => {
    expect(textFor(null)?.split('\n')[0]).to.equal(
      '# yaml-language-server: $schema=.sluice/rules.schema.json',
    )
  })

  it('teaches when, do, retry and tests in comments before them', () => {
    expect(textFor(null)).to.match(/# .*\n {4}when:(?:.|\n)*# .*\n {4}do:(?:.|\n)*# .*\n {4}retry:/)
    expect(textFor(null)).to.match(/sluice test(?:.|\n)*tests:/)
  })

  it('cannot be made of an event without a field to ask for', () => {
    expect(textFor({})).to.equal(null)
    expect(textFor({ '': [1] })).to.equal(null)
  })

  const odd: readonly (readonly [event: JsonObject, asks: string, sends: string])[] = [
    [{ 'a.b': 'x' }, 'a\\.b: x', "a.b: '{{event.a\\.b}}'"],
    [{ '@x': 'y' }, '\\@x: y', "'@x': '{{event.@x}}'"],
    [{ any: 'y' }, '\\any: y', "any: '{{event.any}}'"],
    [{ 'back\\slash': true }, 'back\\\\slash: true', "'{{event.back\\\\slash}}'"],
    [{ 'order no': 'A' }, 'order no: A', "event: '{{event}}'"],
    [{ items: [{ id: 1 }] }, 'items: { exists: true }', "event: '{{event}}'"],
  ]
  for (const [event, asks, sends] of odd) {
    it(`asks for an odd name as a rule writes it: ${JSON.stringify(event)}`, () => {
      expect(textFor(event)).to.contain(asks).and.to.contain(sends)
    })
  }

  it('asks that a field is there, and its test leaves it out, where no value tells', () => {
    const text = textFor({ size: 3.5 }) ?? ''
    expect(text).to.contain('size: { exists: true }').and.to.contain('event: {}')
  })

  it('tells two fields of one name apart', () => {
    const text = textFor({ type: 'a', meta: { id: 1 }, page: { id: 2 } }) ?? ''
    expect(text).to.contain("meta_id: '{{event.meta.id}}'").and.to.contain('page_id: 2')
  })

  it('loads without a problem, passes its tests and fits the schema, whatever the event', async () => {
    const validate = validatorOf(rulesSchema)
    const name = fc.oneof(
      fc.constantFrom(
        'id',
        'type',
        'kind',
        'ns',
        'wiki',
        'title',
        'any',
        'some',
        'expr',
        'event',
        'full_scan',
      ),
      fc.constantFrom(
        'meta',
        'each',
        'item',
        'rule',
        'now',
        'true',
        'no',
        '__proto__',
        'constructor',
      ),
      fc.constantFrom('a.b', '.', '..', 'a b', ' ', '@x', '@topic', '\\', '\\any', '', '0', 'a[0]'),
      fc.constantFrom(
        'ce-type',
        '{x}',
        'a|b',
        '}}',
        '{{x}}',
        '#a',
        '- ',
        'a: b',
        '?',
        '\u00a0',
        '<<',
      ),
      fc.string({ maxLength: 6 }),
    )
    const leaf = fc.oneof(
      fc.constantFrom(
        'edit',
        'no',
        'null',
        '1',
        '1e3',
        '0x1F',
        '~',
        '- a',
        'a: b',
        '# a',
        "it's",
        '{{each.x}}',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.jsonValue({ maxDepth: 1 }),
      fc.double(),
      fc.integer(),
    )
    const events = fc.letrec((tie) => ({
      event: fc.dictionary(
        name,
        fc.oneof({ maxDepth: 4, depthSize: 'medium' }, leaf, tie('event')),
        {
          maxKeys: 6,
        },
      ),
    })).event
    let made = 0
    await fc.assert(
      fc.asyncProperty(events, async (given) => {
        const event = JSON.parse(JSON.stringify(given)) as JsonObject // as: a dictionary
        const text = textFor(event)
        if (text === null) return
        made++
        const { sound, problems, tests } = await loadText(text)
        expect(problems.map(({ message }) => message)).to.deep.equal([])
        expect(sound[0]?.fire(anEvent(event))?.doubt).to.equal(null)
        const results = await runRuleTests(sound, tests, settings, () => Promise.resolve())
        expect(results.map(({ ok }) => ok)).to.deep.equal([true, true])
        const fits = validate(parseYaml({ name: 'a', text }).document?.value)
        expect(fits, JSON.stringify(validate.errors)).to.equal(true)
      }),
      { numRuns: 400 },
    )
    expect(made).to.be.greaterThan(100)
  }).timeout(30_000)
})
