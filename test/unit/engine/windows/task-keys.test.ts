import { expect } from 'chai'
import { keysOf } from '../../../../src/engine/windows/task-keys.ts'
import { windowPolicyOf } from '../../../../src/engine/windows/window-policy.ts'
import { invariant } from '../../../../src/model/invariant.ts'
import type { Json } from '../../../../src/model/json.ts'
import { versionOf } from '../../../../src/model/stamp.ts'
import { newTask } from '../../../../src/model/task.ts'
import type { Dedup, Rule } from '../../../../src/rules/rule.ts'
import type { TextTemplate } from '../../../../src/rules/template.ts'
import { anEvent, aRule, success } from '../../../support/builders.ts'
import { aCompiler } from '../../../support/template-fixture.ts'
import { dedupOf } from './windows-fixture.ts'

function template(source: string): TextTemplate {
  const compiled = aCompiler().compiler.text(source, 'text', [])
  invariant(compiled !== null, source)
  return compiled
}

const page = template('{{event.page}}')

function keysFor(rule: Partial<Rule>, body: Json) {
  const record = { topic: 'edits', partition: 3, offset: 7n, timestampMs: 1_000 }
  const task = newTask('purge', anEvent(body, record), 0)
  return keysOf(
    task,
    aRule(() => Promise.resolve(success), rule),
    0,
  )
}

describe('the keys of a task', () => {
  it('are none where its rule asks for none', () => {
    expect(keysFor({ key: page }, {})).to.deep.equal({
      kind: 'keys',
      keys: { key: null, window: null },
    })
  })

  const limits: Partial<Rule>[] = [{ order: 'key' }, { concurrencyPerKey: 2 }]
  for (const limit of limits) {
    it(`are that of the rule with ${JSON.stringify(limit)}`, () => {
      expect(keysFor({ key: page, ...limit }, { page: 'a' })).to.deep.equal({
        kind: 'keys',
        keys: { key: 'a', window: null },
      })
    })
  }

  it('have the place of the event in its window', () => {
    const dedup = dedupOf({}, { key: page, version: template('{{event.rev}}') })
    expect(keysFor({ dedup }, { page: 'a', rev: 12 })).to.deep.equal({
      kind: 'keys',
      keys: {
        key: null,
        window: {
          key: 'a',
          stamp: { version: versionOf('12'), source: 'edits/3', offset: 7n, timeMs: 1_000 },
        },
      },
    })
  })

  const dead: readonly { name: string; rule: Partial<Rule>; error: RegExp }[] = [
    { name: 'the key is missing', rule: { order: 'key', key: page }, error: /^key: .*event\.page/ },
    {
      name: 'the key of the window is missing',
      rule: { dedup: dedupOf({}, { key: page }) },
      error: /^the key of `dedup`: .*event\.page/,
    },
    {
      name: 'the version is missing',
      rule: { dedup: dedupOf(null, { version: template('{{event.rev}}') }) },
      error: /^the version of `dedup`: .*event\.rev/,
    },
    {
      name: 'the version is neither number nor time',
      rule: { dedup: dedupOf(null, { version: template('{{event.name}}') }) },
      error: /^the version of `dedup`: neither number nor RFC 3339 time: x{80}…$/,
    },
  ]
  for (const { name, rule, error } of dead) {
    it(`make a dead letter where ${name}`, () => {
      const found = keysFor(rule, { name: 'x'.repeat(200) })
      invariant(found.kind === 'dead', 'it has keys')
      expect(found.reason).to.equal('template-error')
      expect(found.error).to.match(error)
    })
  }
})

interface PolicyRow {
  readonly name: string
  readonly dedup: Dedup | null
  readonly order?: Rule['order']
  /** `keep against mayHandOver`, and for how long the newest is remembered. */
  readonly is: string | null
}

const version: TextTemplate = () => '1'
const day = 86_400_000
const rows: readonly PolicyRow[] = [
  { name: 'none', dedup: null, is: null },
  { name: 'first', dedup: dedupOf({ keep: 'first' }), is: 'first window true 10000' },
  { name: 'last', dedup: dedupOf({ keep: 'last' }), is: 'last order true 10000' },
  { name: 'both', dedup: dedupOf({}), is: 'both order true 10000' },
  { name: 'version', dedup: dedupOf(null, { version }), is: `each order true ${day}` },
  {
    name: 'first, version',
    dedup: dedupOf({ keep: 'first' }, { version }),
    is: `first order true ${day}`,
  },
  {
    name: 'first, in order',
    dedup: dedupOf({ keep: 'first' }),
    order: 'key',
    is: 'first window false 10000',
  },
  {
    name: 'version, in order',
    dedup: dedupOf(null, { version }),
    order: 'key',
    is: `each order false ${day}`,
  },
  { name: 'both, in order', dedup: dedupOf({}), order: 'key', is: 'both order true 10000' },
]

describe('the policy of a window', () => {
  for (const { name, dedup, order = 'none', is } of rows) {
    it(`with ${name}: ${is}`, () => {
      const policy = windowPolicyOf(aRule(() => Promise.resolve(success), { dedup, order }))
      const { keep, against, mayHandOver, keepMs } = policy ?? {}
      expect(policy === null ? null : `${keep} ${against} ${mayHandOver} ${keepMs}`).to.equal(is)
    })
  }
})
