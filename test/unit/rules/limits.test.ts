import { expect } from 'chai'
import type { Dedup, Rule } from '../../../src/rules/rule.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf, ruleText } from '../../support/load-text.ts'
import { aScope } from '../../support/template-fixture.ts'

const key = 'key: "{{event.id}}"'

async function ruleWith(lines: string, when = '{ a: 1 }'): Promise<Rule> {
  const { ruleSet, problems } = await loadText(ruleText(`when: ${when}\n${lines}`))
  const errors = problems.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ message }) => message)).to.deep.equal([])
  const [rule] = ruleSet?.rules ?? []
  return rule ?? expect.fail('there is no rule')
}

async function ruleNamed(name: string, ...texts: readonly string[]): Promise<Rule> {
  const { ruleSet, problems } = await loadText(texts)
  expect(problems.map(({ message }) => message)).to.deep.equal([])
  return ruleSet?.byName(name) ?? expect.fail(`there is no rule ${name}`)
}

/** All of it but the templates, of which what they render. */
function shown({ key: ofDedup, version, ...rest }: Dedup, body: Record<string, string | number>) {
  const scope = aScope(body)
  return { key: ofDedup(scope), version: version?.(scope) ?? null, ...rest }
}

describe('the limits of a rule', () => {
  it('are thirty attempts at once, in any order, where it says nothing', async () => {
    expect(await ruleWith('')).to.include({
      concurrency: 30,
      concurrencyPerKey: null,
      order: 'none',
      dedup: null,
    })
  })

  it('may be attempts of one key, up to those of all', async () => {
    const rule = await ruleWith(`${key}\nconcurrency: { limit: 3, per_key: 3 }`)
    expect(rule).to.include({ concurrency: 3, concurrencyPerKey: 3, order: 'none' })
  })

  it('leaves the limit of all keys as it is where only that of one is named', async () => {
    const rule = await ruleWith(`${key}\nconcurrency: { per_key: 2 }`)
    expect(rule).to.include({ concurrency: 30, concurrencyPerKey: 2 })
  })

  it('may be an order of its keys', async () => {
    const rule = await ruleWith(`${key}\norder: key\nconcurrency: { limit: 9, per_key: 1 }`)
    expect(rule).to.include({ concurrency: 9, concurrencyPerKey: 1, order: 'key' })
  })
})

describe('dedup', () => {
  const both = { ms: 5_000, keep: 'both', waitMaxMs: 50_000 }
  const day = 86_400_000
  const cases: readonly (readonly [written: string, want: object])[] = [
    ['{ window: 5s }', { window: both }],
    ['{ window: 5s, keep: first }', { window: { ...both, keep: 'first' } }],
    ['{ window: 5s, keep: last }', { window: { ...both, keep: 'last' } }],
    [
      '{ window: 5s, keep: last, max_wait: 5s }',
      { window: { ms: 5_000, keep: 'last', waitMaxMs: 5_000 } },
    ],
    [
      '{ window: 20d, keep: last }',
      { window: { ms: 20 * day, keep: 'last', waitMaxMs: 30 * day } },
    ],
    ['{ window: 5s, on_outage: wait }', { window: both, onOutage: 'wait' }],
    ['{ version: "{{event.rev}}" }', { window: null, version: '12' }],
    [
      '{ window: 5s, keep: first, version: "{{event.rev}}" }',
      { window: { ...both, keep: 'first' }, version: '12' },
    ],
    ['{ key: "{{event.user}}/{{@topic}}", window: 5s }', { window: both, key: 'ann/edits' }],
  ]
  for (const [written, want] of cases) {
    it(`is what it says, and what the language says beside it: ${written}`, async () => {
      const { dedup } = await ruleWith(`${key}\ndedup: ${written}`)
      const base = { key: '7', version: null, onOutage: 'run' }
      expect(shown(dedup ?? expect.fail('none'), { id: 7, user: 'ann', rev: 12 })).to.deep.equal({
        ...base,
        ...want,
      })
    })
  }

  it('reads what the regexes of the rule captured, also where no step does', async () => {
    const when = '{ title: { regex: "^(?<space>\\\\w+):" } }'
    const rule = await ruleWith('dedup: { key: "{{match.space}}", window: 5s }', when)
    const event = anEvent({ title: 'Talk:Main' })
    const match = rule.ways[0]?.captures(event) ?? expect.fail('no way')
    expect(rule.dedup?.key(aScope({}, {}, { event, match }))).to.equal('Talk')
  })

  it('may tell its own key apart from that of the order', async () => {
    const rule = await ruleWith(
      `${key}\norder: key\ndedup: { key: "{{event.meta.id}}", window: 1h, keep: first }`,
    )
    const scope = aScope({ id: 7, meta: { id: 'uuid' } })
    expect([rule.key?.(scope), rule.dedup?.key(scope)]).to.deep.equal(['7', 'uuid'])
  })

  const base =
    'rules: { base: { abstract: true, topics: [t], when: { a: 1 }, order: key, ' +
    'dedup: { window: 5s, keep: first }, do: { emit: { topic: out } } } }'

  it('is taken over from a base, and uses the key of the rule that takes it', async () => {
    const rule = await ruleNamed('child', `rules: { child: { extends: base, ${key} } }`, base)
    expect(rule.order).to.equal('key')
    expect(shown(rule.dedup ?? expect.fail('none'), { id: 7 })).to.deep.include({ key: '7' })
  })

  it('replaces that of a base whole', async () => {
    const own = `rules: { child: { extends: base, ${key}, dedup: { window: 1m } } }`
    const rule = await ruleNamed('child', own, base)
    expect(rule.dedup?.window).to.include({ ms: 60_000, keep: 'both' })
  })

  it('may stand in the defaults of a file', async () => {
    const text =
      'defaults: { dedup: { window: 5s }, concurrency: { limit: 4, per_key: 2 } }\n' +
      `rules: { one: { topics: [t], when: { a: 1 }, ${key}, do: { emit: { topic: out } } } }`
    const rule = await ruleNamed('one', text)
    expect(rule).to.include({ concurrency: 4, concurrencyPerKey: 2 })
    expect(rule.dedup?.window).to.deep.equal(both)
  })

  it('is filled in for each entry of `for_each`', async () => {
    const text =
      'rules: { "p-{{each.w}}": { for_each: [{ w: a, t: 5s }, { w: b, t: 1m }], topics: [t], ' +
      `when: { wiki: "{{each.w}}" }, dedup: { key: "{{each.w}}/{{event.id}}", window: "{{each.t}}" }, ` +
      'do: { emit: { topic: out } } } }'
    const rule = await ruleNamed('p-b', text)
    expect(shown(rule.dedup ?? expect.fail('none'), { id: 7 })).to.deep.include({
      key: 'b/7',
      window: { ms: 60_000, keep: 'both', waitMaxMs: 600_000 },
    })
  })

  it('changes the version of the rule', async () => {
    const [one, other] = [
      await ruleWith(`${key}\ndedup: { window: 5s }`),
      await ruleWith(`${key}\ndedup: { window: 6s }`),
    ]
    expect(one.version).not.to.equal(other.version)
  })
})

describe('a mistake in the limits of a rule', () => {
  const mistakes: readonly (readonly [lines: string, place: string])[] = [
    ['order: keys', '5:12 bad-value'],
    ['order: key', '5:5 missing-key'],
    ['dedup: { window: 5s }', '5:5 missing-key'],
    ['concurrency: { limit: 3, per_key: 1 }', '5:30 missing-key'],
    [`${key}\nconcurrency: { limit: 3, per_key: 4 }`, '6:39 bad-value'],
    [`${key}\nconcurrency: { limit: 3, per_key: 0 }`, '6:39 bad-value'],
    [`${key}\nconcurrency: { per_key: 31 }`, '6:29 bad-value'],
    [`${key}\norder: key\nconcurrency: { limit: 3, per_key: 2 }`, '7:30 bad-value'],
    ['dedup: { key: "{{event.id}}" }', '5:12 missing-key'],
    ['dedup: { key: a, windo: 5s }', '5:22 unknown-key'],
    ['dedup: { key: a, duration: 5s, keep: first }', '5:22 unknown-key'],
    ['dedup: { key: a, window: 5s, kep: last, max_wait: 9s }', '5:34 unknown-key'],
    ['dedup: { key: a, keep: first, version: "{{event.n}}" }', '5:28 bad-value'],
    ['dedup: { key: a, window: 5s, max_wait: 9s }', '5:44 bad-value'],
    ['dedup: { key: a, window: 5s, keep: last, max_wait: 1s }', '5:56 bad-value'],
    ['dedup: { key: a, window: 5s, keep: all }', '5:40 bad-value'],
    ['dedup: { key: a, window: 31d }', '5:30 bad-duration'],
    ['dedup: { key: a, window: 5s, on_outage: skip }', '5:45 bad-value'],
    ['dedup: { key: "{{title}}", window: 5s }', '5:19 template-path'],
    ['dedup: { key: "{{now}}", window: 5s }', '5:19 template-path'],
    ['dedup: { key: a, version: "{{steps.one.body}}" }', '5:31 template-path'],
    ['dedup: { key: a, version: rev_id }', '5:31 bad-value'],
    ['dedup: { key: a, version: "{{event.n" }', '5:31 template-syntax'],
    ['dedup: 5s', '5:12 wrong-type'],
    ['debounce: { window: 5s }', '5:5 unknown-key'],
    ['key: "{{item.id}}"\ndedup: { window: 5s }', '5:10 template-path'],
    ['sample: { rate: 0.5, key: "{{now}}" }', '5:31 template-path'],
  ]
  for (const [lines, place] of mistakes) {
    it(`is told at its place: ${lines.replaceAll('\n', ', ')}`, async () => {
      const { problems, ruleSet } = await loadText(ruleText(`when: { a: 1 }\n${lines}`))
      expect(placesOf(problems)).to.deep.equal([place])
      expect(ruleSet).to.equal(null)
    })
  }

  const hints: readonly (readonly [lines: string, message: RegExp, hint: string | null])[] = [
    ['dedup: 5s', /expected a map, such as `\{ window: 5s \}`$/, null],
    ['dedup: true', /expected a map, such as `\{ window: 5s \}`$/, null],
    ['dedup: { key: a, version: rev_id }', /`version: rev_id` is the same/, '{{event.rev_id}}'],
    ['debounce: { window: 5s }', /unknown key `debounce`/, '`dedup`'],
  ]
  for (const [lines, message, hint] of hints) {
    it(`says what to write instead of ${lines}`, async () => {
      const [problem] = (await loadText(ruleText(`when: { a: 1 }\n${lines}`))).problems
      expect(problem?.message).to.match(message)
      if (hint !== null) expect(problem?.hint).to.include(hint)
    })
  }

  it('that is a key which a rule lacks for its defaults names the rule, once for all entries', async () => {
    const text =
      'defaults: { order: key }\nrules:\n' +
      `  one: { topics: [t], when: { a: 1 }, ${key}, do: { emit: { topic: x } } }\n` +
      '  two: { topics: [t], when: { a: 2 }, do: { emit: { topic: x } } }\n' +
      '  "p-{{each.w}}": { for_each: [{ w: a }, { w: b }], topics: [t], when: { w: "{{each.w}}" },\n' +
      '    do: { emit: { topic: x } } }\n'
    const { problems } = await loadText(text)
    expect(problems.map(({ message }) => message)).to.deep.equal([
      '`order: key` needs the `key` of the rule, and `two` has none',
      '`order: key` needs the `key` of the rule, and `p-{{each.w}}` has none',
    ])
    expect(placesOf(problems)).to.deep.equal(['1:13 missing-key', '1:13 missing-key'])
  })

  it('is none where a base leaves the key to those that extend it', async () => {
    const text =
      'rules:\n  base: { abstract: true, dedup: { window: 5s }, order: key, concurrency: { limit: 3, per_key: 1 } }\n' +
      `  one: { extends: base, topics: [t], when: { a: 1 }, ${key}, do: { emit: { topic: x } } }\n`
    expect((await loadText(text)).problems).to.deep.equal([])
  })
})
