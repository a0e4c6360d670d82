import { expect } from 'chai'
import { documentOf } from '../../../../src/cli/explain/explain-json.ts'
import { explanationText } from '../../../../src/cli/explain/explain-text.ts'
import { explain, type Explanation } from '../../../../src/cli/explain/explanation.ts'
import { plainStyles } from '../../../../src/cli/styles.ts'
import type { JsonObject } from '../../../../src/model/json.ts'
import { anEvent } from '../../../support/builders.ts'
import { loadText, ruleText } from '../../../support/load-text.ts'

/** A minute after the events. */
const settings = { nowMs: 60_000, hopsMax: 10 }
/** The rule with these lines, on an event of its topic. */
async function explained(lines: string, fields: JsonObject): Promise<Explanation> {
  const [rule] = (await loadText(ruleText(lines))).sound
  if (rule === undefined) throw new Error('the rule does not load')
  return explain(rule, anEvent(fields, { topic: 'edits' }), settings)
}

const long = { title: 'x'.repeat(65_537) }

describe('what explain gives as the reason of a skip', () => {
  const rows = [
    ['enabled: true', 'value-too-long', null],
    ['enabled: false', 'disabled', '`enabled` is false'],
  ] as const
  for (const [line, reason, why] of rows) {
    it(`is the one that the daemon counts where the rule is in doubt: ${line}`, async () => {
      const explanation = await explained(`${line}\nwhen: { title: { regex: "^a" } }`, long)
      expect(explanation).to.deep.include({ outcome: 'skip', reason, why })
    })
  }
})

describe('what explain says of the window of an event', () => {
  const rows: readonly {
    readonly of: string
    readonly lines: string
    readonly window: JsonObject | null
    readonly facts: string
    readonly reason?: string
  }[] = [
    {
      of: 'a rule without one: nothing',
      lines: 'key: "{{event.wiki}}:{{event.page}}"',
      window: null,
      facts: 'key: enwiki:7',
    },
    {
      of: 'a window by the key of the rule, and its version',
      lines: `key: "{{event.wiki}}:{{event.page}}"
dedup: { window: 5s, version: "{{event.rev}}" }`,
      window: { window_s: 5, keep: 'both', key: 'enwiki:7', version: '12' },
      facts: `key: enwiki:7
dedup: window 5s, keep both
dedup.key: enwiki:7
dedup.version: 12`,
    },
    {
      of: 'a window by a key of its own',
      lines: 'dedup: { window: 1500ms, keep: first, key: "{{event.rev}}" }',
      window: { window_s: 1.5, keep: 'first', key: '12', version: null },
      facts: 'dedup: window 1500ms, keep first\ndedup.key: 12',
    },
    {
      of: 'versions alone',
      lines: 'key: "{{event.page}}"\ndedup: { version: "{{event.rev}}" }',
      window: { window_s: null, keep: null, key: '7', version: '12' },
      facts: 'key: 7\ndedup.key: 7\ndedup.version: 12',
    },
    {
      of: 'a rule that the event is too old for: the same',
      lines: 'max_age: 59s\nkey: "{{event.page}}"\ndedup: { window: 5s }',
      window: { window_s: 5, keep: 'both', key: '7', version: null },
      facts: 'key: 7\ndedup: window 5s, keep both\ndedup.key: 7',
      reason: 'too-old',
    },
    {
      of: 'a rule that does not match: nothing',
      lines: 'when: { page: 8 }\nkey: "{{event.page}}"\ndedup: { window: 5s }',
      window: null,
      facts: '',
      reason: 'no-match',
    },
    {
      of: 'a version that is none: what it is',
      lines: 'key: "{{event.page}}"\ndedup: { window: 5s, version: "{{event.wiki}}" }',
      window: { window_s: 5, keep: 'both', key: '7', version: 'enwiki' },
      facts: 'key: 7\ndedup: window 5s, keep both\ndedup.key: 7\ndedup.version: enwiki',
      reason: 'template-error',
    },
    {
      of: 'a key that cannot be rendered: the rest',
      lines: 'dedup: { window: 5s, key: "{{event.title}}", version: "{{event.rev}}" }',
      window: { window_s: 5, keep: 'both', key: null, version: '12' },
      facts: 'dedup: window 5s, keep both\ndedup.version: 12',
      reason: 'template-error',
    },
  ]
  const event = { wiki: 'enwiki', page: 7, rev: 12 }
  for (const { of, lines, window, facts, reason = null } of rows) {
    it(`of ${of}`, async () => {
      const explanation = await explained(lines, event)
      expect(documentOf(explanation)).to.deep.include({ window, reason })
      const shown = explanationText(explanation, plainStyles).split('\n')
      const told = shown.filter((line) => /^(key|dedup[.a-z]*): /.test(line))
      expect(told.join('\n')).to.equal(facts)
    })
  }

  const failing = [
    {
      what: 'the key of the window',
      lines: 'dedup: { window: 5s, key: "{{event.title}}" }',
      why: 'a dead letter: the key of `dedup`: template: {{event.title}} is missing: absent, null, or nothing found',
    },
    {
      what: 'the version',
      lines: 'key: "{{event.page}}"\ndedup: { version: "{{event.wiki}}" }',
      why: 'a dead letter: the version of `dedup`: neither number nor RFC 3339 time: enwiki',
    },
    {
      what: 'the key that order goes by',
      lines: 'key: "{{event.title}}"\norder: key',
      why: 'a dead letter: key: template: {{event.title}} is missing: absent, null, or nothing found',
    },
  ]
  for (const { what, lines, why } of failing) {
    it(`and that the rule does not act where it cannot tell ${what}`, async () => {
      const explanation = await explained(lines, event)
      expect(explanation).to.include({ outcome: 'skip', reason: 'template-error', why })
    })
  }
})
