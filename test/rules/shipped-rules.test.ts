import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import { actionKinds } from '../../src/actions/kinds.ts'
import { recordedEdits } from '../../src/app/demo/recording.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { revealed } from '../../src/config/config.ts'
import { runTrial, type Happened } from '../../src/engine/trial/trial.ts'
import type { Event } from '../../src/model/event.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/model/json.ts'
import type { HttpRequest } from '../../src/ports/http-caller.ts'
import { loadRules } from '../../src/rules/load-rules.ts'
import type { RuleSet } from '../../src/rules/rule-set.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { readListFile, readRuleFiles } from '../../src/schema/source-files.ts'
import { anEvent } from '../support/builders.ts'
import { sluice } from '../support/command-line.ts'

/** A recorded edit with other fields, as an event of its topic. */
function anEdit(fields: JsonObject): Event {
  return anEvent({ ...recorded, ...fields }, { topic: 'mediawiki.recentchange' })
}

let recorded: JsonObject = {}
let ruleSet: RuleSet
let signingKey = ''

before(async () => {
  const [first] = await recordedEdits()
  const edit = JSON.parse(first ?? 'null') as Json // as: what JSON.parse gives
  if (!isJsonObject(edit)) throw new Error('the recording does not begin with an edit')
  recorded = edit
  const { config } = await loadConfig({ file: null, set: [], env: {} })
  if (config === null) throw new Error('the defaults do not load')
  const source = await readRuleFiles(['rules'])
  const loaded = await loadRules(source.files, {
    kinds: actionKinds,
    secrets: revealed(config),
    allowHosts: config.http.allowHosts,
    retryTiersMs: config.retry.tiersMs,
    lanes: config.lanes.map(({ name }) => name),
    readListFile,
    breathe: () => Promise.resolve(),
  })
  expect([...source.problems, ...loaded.problems], 'warnings included').to.deep.equal([])
  if (loaded.ruleSet === null) throw new Error('the rules that ship do not load')
  ruleSet = loaded.ruleSet
  signingKey = revealed(config).get('demo-signing-key') ?? ''
})

const firing = (event: Event): readonly string[] =>
  ruleSet.firing('default', event).map(({ rule }) => rule.name)

function ruleCalled(name: string): Rule {
  const rule = ruleSet.byName(name)
  if (rule === undefined) throw new Error(`there is no rule ${name}`)
  return rule
}

/** What a rule does with an event, when the calls that it makes are answered with these bodies. */
function happensIn(
  name: string,
  { body, record: { topic } }: Event,
  answers: readonly Json[] = [],
): Promise<readonly Happened[]> {
  const responses = answers.map((answer) => ({
    kind: 'answer' as const, // as: one of two kinds
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(answer),
    delayMs: 0,
  }))
  const events = [{ body, topic, atMs: 0, ageMs: 0, key: null, headers: {} }]
  const test = { rule: name, name, file: '', line: 1, events, responses, expect: [] }
  return runTrial(ruleCalled(name), test, { tiersMs: [10_000], hopsMax: 10 })
}

async function callOf(name: string, event: Event): Promise<HttpRequest> {
  const [first] = await happensIn(name, event)
  if (first?.kind !== 'http') throw new Error(`${name} made no call`)
  return first.request
}

/** The events that a rule makes of one, as they are read again. */
async function derivedBy(...of: Parameters<typeof happensIn>): Promise<readonly Derived[]> {
  return (await happensIn(...of)).flatMap((one) => {
    if (one.kind !== 'emit') return []
    const { topic, key, value } = one.record
    const body = JSON.parse(value?.toString() ?? '') as Json // as: what JSON.parse gives
    return [{ key: key?.toString() ?? null, event: anEvent(body, { topic }) }]
  })
}

interface Derived {
  readonly key: string | null
  readonly event: Event
}

describe('the rules that ship', () => {
  const cases: readonly { name: string; fields: JsonObject; fire: readonly string[] }[] = [
    {
      name: 'an edit of a long article by a person',
      fields: {},
      fire: [
        'index-article',
        'purge-article',
        'request-rerender',
        'score-edit',
        'notify-human-edit',
      ],
    },
    {
      name: 'an edit of a short article',
      fields: { length: { old: 10, new: 19_999 } },
      fire: ['index-article', 'purge-article', 'score-edit', 'notify-human-edit'],
    },
    {
      name: 'a minor edit',
      fields: { minor: true },
      fire: ['purge-article', 'request-rerender', 'score-edit', 'notify-human-edit'],
    },
    {
      name: 'an edit by a bot',
      fields: { bot: true },
      fire: ['index-article', 'purge-article', 'request-rerender'],
    },
    {
      name: 'a new article',
      fields: { type: 'new' },
      fire: ['index-article', 'purge-article', 'request-rerender'],
    },
    { name: 'an edit of a talk page', fields: { namespace: 1 }, fire: ['notify-human-edit'] },
    {
      name: 'someone who tries things out',
      fields: { namespace: 4, title: 'Wikipedia:Sandbox/2' },
      fire: [],
    },
    { name: 'a log entry', fields: { type: 'log' }, fire: [] },
    {
      name: 'a moved article',
      fields: { type: 'log', log_type: 'move', log_params: { target: 'B' } },
      fire: ['index-article', 'purge-moved-page'],
    },
    {
      name: 'a draft that is moved to be an article',
      fields: { type: 'log', log_type: 'move', namespace: 118, log_params: { target: 'B' } },
      fire: ['purge-moved-page'],
    },
    {
      name: 'a deleted article',
      fields: { type: 'log', log_type: 'delete', log_action: 'delete' },
      fire: ['copy-to-audit', 'purge-deleted-article', 'index-article'],
    },
    {
      name: 'a user who is blocked',
      fields: { type: 'log', log_type: 'block', namespace: 2 },
      fire: ['copy-to-audit', 'notify-block'],
    },
    {
      name: 'an edit of a template',
      fields: { namespace: 10, title: 'Template:Infobox' },
      fire: ['find-pages-of-template', 'notify-human-edit'],
    },
    {
      name: 'an edit of a template in another language',
      fields: { wiki: 'dewiki', namespace: 10, title: 'Vorlage:Infobox' },
      fire: ['find-pages-of-template', 'notify-human-edit'],
    },
    {
      name: 'an edit of another project',
      fields: { server_name: 'www.wikidata.org', wiki: 'wikidatawiki' },
      fire: ['index-article', 'score-edit', 'notify-human-edit'],
    },
  ]
  for (const { name, fields, fire } of cases) {
    it(`fire for ${name}: ${fire.join(', ') || 'none'}`, () => {
      expect(firing(anEdit(fields))).to.have.members(fire)
    })
  }

  it('leave the topics of others alone', () => {
    expect(firing(anEvent(recorded, { topic: 'mediawiki.page_change' }))).to.deep.equal([])
  })

  it('that fire for a recorded edit are those that the demo shows', async () => {
    const names = new Set<string>()
    for (const text of await recordedEdits()) {
      const body = JSON.parse(text) as Json // as: what JSON.parse gives
      for (const name of firing(anEvent(body, { topic: 'mediawiki.recentchange' }))) names.add(name)
    }
    expect([...names].sort()).to.deep.equal([
      'index-article',
      'notify-human-edit',
      'purge-article',
      'request-rerender',
      'score-edit',
    ])
  })

  it('are all found by what they ask for: none has to be asked about every event', () => {
    expect(ruleSet.residual).to.deep.equal([])
  })
})

describe('the tests beside the rules that ship', () => {
  it('all hold, and every rule has one that fires and one that does not', async () => {
    const checked = await sluice(['check', 'rules', '--require-tests'])
    expect(checked).to.include({ code: 0, stderr: '' })
    const { code, stdout } = await sluice(['test', 'rules', '--json'])
    const { passed, failed } = JSON.parse(stdout) as { passed: number; failed: number } // as: `test --json`
    expect({ code, failed }).to.deep.equal({ code: 0, failed: 0 })
    expect(passed).to.be.at.least(2 * ruleSet.rules.length)
  })
})

describe('purge-article', () => {
  const cases = [
    { title: 'EFL Championship', path: '/wiki/EFL_Championship' },
    { title: 'AC/DC', path: '/wiki/AC/DC' },
    { title: 'Verónica Chen', path: '/wiki/Ver%C3%B3nica_Chen' },
    { title: 'Who?', path: '/wiki/Who%3F' },
    { title: '100%', path: '/wiki/100%25' },
    { title: 'Kill Bill: Volume 1', path: '/wiki/Kill_Bill%3A_Volume_1' },
  ]
  for (const { title, path } of cases) {
    it(`asks for ${path} of the wiki for the title ${title}`, async () => {
      const { method, url, headers } = await callOf('purge-article', anEdit({ title }))
      expect({ method, url, host: headers['host'] }).to.deep.equal({
        method: 'PURGE',
        url: `http://cdn.internal${path}`,
        host: 'en.wikipedia.org',
      })
    })
  }

  it('sends nothing for a title that would lead elsewhere', async () => {
    const [first, ...rest] = await happensIn('purge-article', anEdit({ title: '../admin' }))
    expect(first).to.include({ kind: 'dead', reason: 'template-error' })
    expect(rest).to.deep.equal([])
  })
})

describe('notify-human-edit', () => {
  it('signs the bytes that it sends, and sends numbers as numbers', async () => {
    const { method, url, headers, body } = await callOf('notify-human-edit', anEdit({}))
    const bytes = body ?? ''
    expect({ method, url }).to.deep.equal({
      method: 'POST',
      url: 'http://hooks.internal/wiki-edits',
    })
    expect(headers['x-event-id']).to.equal('0416300b-980c-45bb-b0a2-c9d7a9e2b7eb')
    expect(headers['x-sluice-signature']).to.equal(
      `sha256=${createHmac('sha256', signingKey).update(bytes).digest('hex')}`,
    )
    expect(JSON.parse(bytes.toString())).to.deep.equal({
      id: 1659529639,
      wiki: 'enwiki',
      page: 'EFL Championship',
      user: '87.12.215.232',
      revision: { from: 1166824248, to: 1167689309 },
      comment: '/* League champions, runners-up and play-off finalists */',
      text: '87.12.215.232 edited EFL Championship',
    })
  })

  it('sends an edit without a comment all the same', async () => {
    const fields = Object.entries(recorded).filter(([name]) => name !== 'comment')
    const edit = anEvent(Object.fromEntries(fields), { topic: 'mediawiki.recentchange' })
    const { body } = await callOf('notify-human-edit', edit)
    expect(JSON.parse(body?.toString() ?? '')).to.have.property('comment', '')
  })
})

describe('rules that hand on what they make', () => {
  it('ask for a page to be rendered, and have it rendered', async () => {
    const [job, ...rest] = await derivedBy('request-rerender', anEdit({}))
    if (job === undefined) throw new Error('nothing was asked for')
    expect(rest).to.deep.equal([])
    expect(job.key).to.equal('enwiki:EFL Championship')
    expect(firing(job.event)).to.deep.equal(['rerender-page'])
    const { method, url, body } = await callOf('rerender-page', job.event)
    expect({ method, url }).to.deep.equal({ method: 'POST', url: 'http://render.internal/jobs' })
    expect(JSON.parse(body?.toString() ?? '')).to.deep.equal({
      wiki: 'enwiki',
      title: 'EFL Championship',
      revision: 1167689309,
    })
  })

  it('find the pages of a template, whatever templates are called there, and invalidate each', async () => {
    const edit = anEdit({ wiki: 'dewiki', namespace: 10, title: 'Vorlage:Infobox' })
    const uses = { pages: [{ title: 'Wien' }, { title: 'Graz Hbf' }] }
    const stale = await derivedBy('find-pages-of-template', edit, [uses])
    for (const { event } of stale) expect(firing(event)).to.deep.equal(['invalidate-page'])
    const calls = await Promise.all(stale.map(({ event }) => callOf('invalidate-page', event)))
    expect(calls.map(({ method, url }) => `${method} ${url}`)).to.deep.equal([
      'DELETE http://cache.internal/rendered/dewiki/Wien',
      'DELETE http://cache.internal/rendered/dewiki/Graz%20Hbf',
    ])
  })

  it('have an edit scored, and queue it for its score', async () => {
    const edit = anEdit({ title: 'Bad Brains', comment: 'x' }) // a page that the sample takes
    const [scored, ...rest] = await derivedBy('score-edit', edit, [{ damaging: 0.93 }])
    if (scored === undefined) throw new Error('no score was published')
    expect(rest).to.deep.equal([])
    expect(firing(scored.event)).to.deep.equal(['queue-for-review'])
    const { url, body } = await callOf('queue-for-review', scored.event)
    expect(url).to.equal('http://queue.internal/urgent')
    expect(JSON.parse(body?.toString() ?? '')).to.deep.equal({
      language: 'English',
      title: 'Bad Brains',
      revision: 1167689309,
      user: '87.12.215.232',
      score: 0.93,
    })
  })
})

describe('index-article', () => {
  it('puts an article under one path segment', async () => {
    const { method, url, body } = await callOf('index-article', anEdit({ title: 'AC/DC' }))
    expect({ method, url }).to.deep.equal({
      method: 'PUT',
      url: 'http://search.internal/articles/enwiki/AC%2FDC',
    })
    expect(JSON.parse(body?.toString() ?? '')).to.deep.equal({
      title: 'AC/DC',
      revision: 1167689309,
      length: 91166,
      edited_at: '2023-07-29T07:51:39Z',
    })
  })

  it('is tried three times, soon', () => {
    expect(ruleCalled('index-article').retry).to.include({
      attemptsMax: 3,
      firstMs: 2_000,
      factor: 2,
      maxMs: 5_000,
    })
  })
})
