import { expect } from 'chai'
import { anEvent } from '../../support/builders.ts'
import type { LoadedRules } from '../../../src/rules/load-rules.ts'
import type { Rule } from '../../../src/rules/rule.ts'
import { loadText, placesOf, ruleText } from '../../support/load-text.ts'

const whole = `
defaults:
  owner: web-performance
  labels: { team: web }
  retry: { attempts: 6 }
  timeout: 3s
lists:
  quiet-wikis: [testwiki, test2wiki]
rules:
  purge-page:
    description: Drop the CDN copy of a page that was edited
    topics: [mediawiki.page_change.v1]
    when:
      page_change_kind: [edit, move, undelete]
      page.namespace_id: 0
      meta.domain: { suffix: .wikipedia.org }
    unless:
      - wiki_id: { in: quiet-wikis }
    do:
      http:
        method: PURGE
        url: "http://cdn.internal/wiki/{{event.page.page_title}}"
        headers: { host: "{{event.meta.domain}}" }
    concurrency: { limit: 20 }
    tests:
      - name: an article edit is purged
        event: { page_change_kind: edit }
        expect: { skip: no-match }
  note-page:
    topics: { include: [mediawiki.*], exclude: [mediawiki.job.*] }
    when: { page_change_kind: delete }
    enabled: false
    lane: slow
    labels: { team: other }
    timeout: 1m
    retry: { backoff: { first: 2h } }
    do:
      - emit: { topic: notes }
      - http: { url: "http://notes.internal/" }
`

describe('loading rules', () => {
  let loaded: LoadedRules
  let purge: Rule | undefined
  let note: Rule | undefined
  before(async () => {
    loaded = await loadText(whole)
    purge = loaded.ruleSet?.byName('purge-page')
    note = loaded.ruleSet?.byName('note-page')
  })

  it('counts rules, and cases that it keeps without running them', () => {
    expect(loaded.problems.map(({ code }) => code)).to.deep.equal(['delay-above-tiers'])
    expect({ rules: loaded.rules, tests: loaded.tests.length }).to.deep.equal({
      rules: 2,
      tests: 1,
    })
  })

  it('fills in what the file and the language leave out', () => {
    expect(purge).to.deep.include({
      file: 'rules/a.yaml',
      line: 10,
      owner: 'web-performance',
      labels: { team: 'web' },
      enabled: true,
      lane: 'default',
      concurrency: 20,
      timeoutMs: 3_000,
    })
    expect(purge?.retry).to.deep.equal({
      attemptsMax: 6,
      ageMaxMs: null,
      firstMs: 10_000,
      factor: 4,
      maxMs: 3_600_000,
      jitter: 0.2,
      on: [],
      neverOn: [],
      successOn: [],
    })
  })

  it("lets a rule's own key replace the whole value of the defaults", () => {
    expect(note).to.deep.include({
      labels: { team: 'other' },
      enabled: false,
      lane: 'slow',
      timeoutMs: 60_000,
      concurrency: 30,
    })
    expect(note?.retry).to.include({ attemptsMax: 5, firstMs: 7_200_000, maxMs: 7_200_000 })
  })

  it('compiles the actions in their order', () => {
    expect(
      note?.ways[0]?.steps.map(({ action }) => action).map(({ kind, target }) => [kind, target]),
    ).to.deep.equal([
      ['emit', 'emit notes'],
      ['http', 'GET http://notes.internal/'],
    ])
  })

  it('makes a set in which the event finds its rules', () => {
    const event = anEvent(
      {
        page_change_kind: 'edit',
        wiki_id: 'enwiki',
        meta: { domain: 'en.wikipedia.org' },
        page: { namespace_id: 0 },
      },
      { topic: 'mediawiki.page_change.v1' },
    )
    expect(loaded.ruleSet?.firing('default', event).map(({ rule }) => rule.name)).to.deep.equal([
      'purge-page',
    ])
    expect(loaded.ruleSet?.topicsOf('slow', ['mediawiki.a', 'mediawiki.job.b'])).to.deep.equal([
      'mediawiki.a',
    ])
  })

  it('loads rules of several files, with carriage returns and a JSON file for YAML', async () => {
    const json = JSON.stringify({
      rules: { other: { topics: ['a'], when: { a: 1 }, do: { emit: { topic: 'b' } } } },
    })
    const both = await loadText([ruleText('when: { a: 1 }').replaceAll('\n', '\r\n'), json])
    expect(both.problems).to.deep.equal([])
    expect(both.ruleSet?.rules.map(({ name }) => name)).to.deep.equal(['purge', 'other'])
  })

  it('rejects the whole set for one bad rule, and tells all problems of all files in order', async () => {
    const good = ruleText('when: { a: 1 }').replace('purge', 'good')
    const bad = ruleText('ownr: x\ntimeout: 3').replace('purge', 'bad')
    const worse = ruleText('when: { a: [] }').replace('purge', 'worse')
    const all = await loadText([good, bad, worse])
    expect(all.ruleSet).to.equal(null)
    expect(all.rules).to.equal(3)
    expect(all.problems.map(({ file, line, code }) => `${file}:${line} ${code}`)).to.deep.equal([
      'rules/b.yaml:4 unknown-key',
      'rules/b.yaml:5 wrong-type',
      'rules/c.yaml:4 impossible',
    ])
  })

  it('tells the mistakes of a file that holds nothing else, 150,000 of them', async () => {
    const keys = Array.from({ length: 150_000 }, (_, i) => `k${i.toString(36)}`)
    const text = `rules: { purge: { ${keys.join(',')} } }\n`
    const { problems, ruleSet } = await loadText(text)
    expect({ problems: problems.length, ruleSet }).to.deep.equal({
      problems: 150_000,
      ruleSet: null,
    })
  }).timeout(20_000)

  it('goes on behind a mistake, so that one run tells every one of them', async () => {
    const text = ruleText('ownr: x\nwhen: { a: { prefx: y } }\nunless: [{ b: [] }]', 'htp: {}')
    expect(placesOf((await loadText(text)).problems)).to.deep.equal([
      '4:5 unknown-key',
      '5:18 unknown-operator',
      '6:19 impossible',
      '7:11 unknown-action',
    ])
  })

  it('looks at the templates of an action beside a slip in its keys', async () => {
    const text = ruleText(
      'when: { a: 1 }',
      'http: { url: "http://a/{{event.x | uper}}", timeot: 1 }',
    )
    expect(placesOf((await loadText(text)).problems)).to.deep.equal([
      '5:24 template-pipe',
      '5:55 unknown-key',
    ])
  })

  it('refuses a name that another file has, and says where', async () => {
    const text = ruleText('when: { a: 1 }')
    const [problem] = (await loadText([text, text])).problems
    expect(problem).to.include({ file: 'rules/b.yaml', line: 2, column: 3, code: 'duplicate-rule' })
    expect(problem?.message).to.equal('there is a rule `purge` already, in rules/a.yaml:2')
  })

  it('lets the process go on between rules', async () => {
    let breaths = 0
    const rules = Array.from(
      { length: 100 },
      (_, i) => `  r${i}: { topics: [a], when: { n: ${i} }, do: { emit: { topic: b } } }\n`,
    )
    const breathe = (): Promise<void> => Promise.resolve(void breaths++)
    const { ruleSet } = await loadText(`rules:\n${rules.join('')}`, { breathe })
    expect(ruleSet?.rules).to.have.length(100)
    expect(breaths).to.be.at.least(300) // when it is expanded, when it is compiled, when it is linted
  })

  it('keeps the rules that are sound, also where others leave no set', async () => {
    const bad = ruleText('when: { a: [] }').replace('purge', 'bad')
    const { ruleSet, sound } = await loadText([ruleText('when: { a: 1 }'), bad])
    expect(ruleSet).to.equal(null)
    expect(sound.map(({ name }) => name)).to.deep.equal(['purge'])
  })

  it('does not check lanes and secrets where no config is known', async () => {
    const text = ruleText('when: { a: 1 }\nlane: any-lane')
    expect((await loadText(text, { lanes: null, secrets: null })).problems).to.deep.equal([])
  })

  it('tells a lane of the defaults once, where it stands', async () => {
    const rules = ['a', 'b'].map(
      (name) => `  ${name}: { topics: [${name}], when: { a: 1 }, do: { emit: { topic: c } } }`,
    )
    const text = `defaults: { lane: fast }\nrules:\n${rules.join('\n')}\n`
    expect(placesOf((await loadText(text)).problems)).to.deep.equal(['1:19 unknown-lane'])
  })
})

describe('the version of a rule', () => {
  const versionOf = async (text: string): Promise<string | undefined> =>
    (await loadText(text)).ruleSet?.rules[0]?.version
  let base: string | undefined
  before(async () => {
    base = await versionOf('lists: { few: [x] }\n' + ruleText('when: { a: 1, b: { in: few } }'))
  })

  const same: readonly (readonly [string, string])[] = [
    ['the order of keys', 'lists: { few: [x] }\n' + ruleText('when: { b: { in: few }, a: 1.0 }')],
    [
      'comments and layout',
      '# hi\nlists: {few: [x]}\n' + ruleText('when:\n  a: 1\n  b: { in: few }'),
    ],
    [
      'a list that it does not use',
      'lists: { few: [x], more: [y] }\n' + ruleText('when: { a: 1, b: { in: few } }'),
    ],
    [
      'cases',
      'lists: { few: [x] }\n' +
        ruleText(
          'when: { a: 1, b: { in: few } }\ntests: [{ name: a, event: {}, expect: { skip: no-match } }]',
        ),
    ],
  ]
  const other: readonly (readonly [string, string])[] = [
    ['a value', 'lists: { few: [x] }\n' + ruleText('when: { a: 2, b: { in: few } }')],
    [
      'a list that it uses',
      'lists: { few: [x, y] }\n' + ruleText('when: { a: 1, b: { in: few } }'),
    ],
    [
      'a default',
      'lists: { few: [x] }\ndefaults: { timeout: 3s }\n' +
        ruleText('when: { a: 1, b: { in: few } }'),
    ],
    [
      'the action',
      'lists: { few: [x] }\n' + ruleText('when: { a: 1, b: { in: few } }', 'emit: { topic: o }'),
    ],
  ]
  it('is twelve hex digits', () => {
    expect(base).to.match(/^[0-9a-f]{12}$/)
  })
  for (const [what, text] of same) {
    it(`does not change with ${what}`, async () => {
      expect(await versionOf(text)).to.equal(base)
    })
  }
  for (const [what, text] of other) {
    it(`changes with ${what}`, async () => {
      const version = await versionOf(text)
      expect(version).to.match(/^[0-9a-f]{12}$/)
      expect(version).not.to.equal(base)
    })
  }
})

describe('a warning', () => {
  const codes = async (text: string, tiers?: readonly number[]): Promise<readonly string[]> => {
    const loaded = await loadText(text, tiers === undefined ? {} : { retryTiersMs: tiers })
    expect(loaded.ruleSet).not.to.equal(null) // a warning rejects nothing
    return placesOf(loaded.problems)
  }
  const rule = (name: string, topic: string, to: string, when = '{ a: 1 }'): string =>
    `  ${name}: { topics: [${topic}], when: ${when}, do: { emit: { topic: ${to} } } }\n`

  it('is given for a rule that matches everything', async () => {
    expect(await codes(ruleText(''))).to.deep.equal(['2:3 matches-everything'])
    expect(await codes(ruleText('unless: [{ a: 1 }]'))).to.deep.equal(['2:3 unindexable'])
    expect(await codes(ruleText('when: { "@topic": { exists: true } }'))).to.deep.equal([])
  })

  it('is given for two rules that are the same but for their names', async () => {
    const text = `rules:\n${rule('one', 'a', 'b')}${rule('two', 'a', 'b')}${rule('three', 'a', 'c')}`
    expect(await codes(text)).to.deep.equal(['3:3 identical-rules'])
    const twice = (
      await loadText([`rules:\n${rule('one', 'a', 'b')}`, `rules:\n${rule('one', 'a', 'b')}`])
    ).problems
    expect(twice.map(({ code }) => code)).to.deep.equal(['duplicate-rule'])
    const listed = (name: string, wiki: string): string =>
      `lists: { few: [${wiki}] }\nrules:\n${rule(name, 'a', 'b', '{ a: { in: few } }')}`
    expect((await loadText([listed('one', 'x'), listed('two', 'y')])).problems).to.deep.equal([])
    expect((await loadText([listed('one', 'x'), listed('two', 'x')])).problems).to.have.length(1)
  })

  it('is given once for each circle of emitted topics', async () => {
    expect(await codes(`rules:\n${rule('self', 'a.*', 'a.b')}`)).to.deep.equal(['2:3 leads-back'])
    const circle = `rules:\n${rule('feed', 'x', 'a')}${rule('one', 'a', 'b')}${rule('two', 'b', 'c')}${rule('three', 'c', 'a')}`
    const { problems } = await loadText(circle)
    expect(placesOf(problems)).to.deep.equal(['3:3 leads-back'])
    expect(problems[0]?.message).to.include('one -> two -> three -> one')
    expect(await codes(`rules:\n${rule('one', 'a', 'b')}${rule('two', 'b', 'c')}`)).to.deep.equal(
      [],
    )
  })

  it('is given for a delay that no tier is long enough for, where it is written', async () => {
    const first = ruleText('when: { a: 1 }\nretry: { backoff: { first: 2h } }')
    expect(await codes(first)).to.deep.equal(['5:5 delay-above-tiers'])
    expect(await codes(ruleText('when: { a: 1 }'), [10_000])).to.deep.equal([
      '2:3 delay-above-tiers',
    ])
    expect(await codes(ruleText('when: { a: 1 }\nretry: { attempts: 1 }'), [10_000])).to.deep.equal(
      [],
    )
    const ordered = 'when: { a: 1 }\nkey: "{{event.id}}"\norder: key' // waits in place, in no tier
    expect(await codes(ruleText(ordered), [10_000])).to.deep.equal([])
    const inDefaults = `defaults: { retry: { attempts: 9 } }\n${ruleText('when: { a: 1 }')}`
    expect(await codes(inDefaults, [60_000])).to.deep.equal(['1:13 delay-above-tiers'])
  })
})
