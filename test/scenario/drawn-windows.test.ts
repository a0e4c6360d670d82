import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { parseDurationMs } from '../../src/model/units.ts'
import type { DedupWindow } from '../../src/rules/rule.ts'
import { aRule, success } from '../support/builders.ts'
import { blocksOf } from '../support/document-blocks.ts'
import { House } from '../support/house.ts'

/*
 * What docs/dedup.md draws is what happens: the events of each picture are played, and what is acted
 * on, when, and what is skipped has to be what stands below them.
 */

/** Columns of a picture to a second, and that of its beginning. */
const perSecond = 5
const from = 16

interface Picture {
  readonly window: DedupWindow
  /** What stands at which millisecond, by the word at the beginning of the line. */
  readonly rows: ReadonlyMap<string, readonly Mark[]>
}

interface Mark {
  readonly atMs: number
  readonly text: string
}

function marksOf(line: string): readonly Mark[] {
  return [...line.slice(from).matchAll(/\d+/g)].map(({ 0: text, index }) => ({
    atMs: (index / perSecond) * 1_000,
    text,
  }))
}

function pictureOf(text: string, keep: DedupWindow['keep']): Picture {
  const lines = text.split('\n').filter((line) => line !== '')
  const [, name = '', length = ''] = /^(\w+): (\w+) /.exec(lines[0] ?? '') ?? []
  const saidMs = parseDurationMs(length) ?? expect.fail(`no length in ${lines[0]}`)
  const ms = name === 'window' ? saidMs : 5_000
  const waitMaxMs = name === 'max_wait' ? saidMs : 10 * ms
  const rows = lines.slice(1).map((line) => [line.slice(0, from).trim(), marksOf(line)] as const)
  return { window: { ms, keep, waitMaxMs }, rows: new Map(rows) }
}

const page = await readFile(new URL('../../docs/dedup.md', import.meta.url), 'utf8')
const pictures = page.split(/^## /m).flatMap((section) => {
  const [, keep] = /^`keep: (first|last|both)`/.exec(section) ?? []
  if (keep === undefined) return []
  return blocksOf(section)
    .filter(({ language }) => language === 'text')
    .flatMap(({ text }) => text.split('\n\n'))
    .map((text) => ({ keep, text, picture: pictureOf(text, keep as DedupWindow['keep']) })) // as: the form says which there are
})

describe('docs/dedup.md draws what happens:', () => {
  it('each `keep`, and `max_wait`', () => {
    expect(pictures.map(({ keep }) => keep)).to.deep.equal(['both', 'last', 'last', 'first'])
  })

  for (const { keep, text, picture } of pictures) {
    it(`keep: ${keep}, ${text.slice(0, from).trim()}`, async () => {
      const { window, rows } = picture
      const acted: Mark[] = []
      const rule = aRule(
        ({ event }) => {
          const { n } = event.body as { n: string } // as: the events of this test have one
          acted.push({ atMs: house.clock.monotonic(), text: n })
          return Promise.resolve(success)
        },
        { dedup: { key: () => 'page', window, version: null, onOutage: 'run' } },
      )
      const house: House = new House({ rules: [rule] })
      await house.start()
      const events = rows.get('events') ?? []
      for (const { atMs, text: n } of events) {
        await house.pass(atMs - house.clock.monotonic())
        await house.emit({ n })
      }
      await house.pass(60_000)
      expect(acted).to.deep.equal(rows.get('acted on'))
      const left = events.filter(({ text: n }) => acted.every((one) => one.text !== n))
      const drawn = (rows.get('skipped') ?? []).map(({ text: n }) => n)
      expect(drawn).to.have.members(left.map(({ text: n }) => n))
      const reason = keep === 'first' ? 'duplicate' : 'superseded'
      expect(house.ladder().skipped).to.deep.equal({ [reason]: left.length })
      await house.stop()
    })
  }
})
