import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { Event } from '../../src/model/event.ts'
import type { Json, JsonObject } from '../../src/model/json.ts'
import { RuleSet } from '../../src/rules/rule-set.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { anEvent } from '../support/builders.ts'
import { aMatchRule, type WrittenMatch } from '../support/match-rule.ts'
import { namesFrom, selectiveRules, type Edit } from './match-rules.ts'

/*
 * What matching costs beside parsing: recorded edits with fresh ids, parsed alone and parsed and
 * matched, in turn in one process; `x of parse` is the median of the ratios of such pairs, with its
 * quartiles. Times are CPU time, since other processes share the machine. Run it with
 *
 *   npm run bench:match            (`ROUNDS`, and `ONLY=selective` for rows whose name holds that)
 */

const eventCount = 2_000
const rounds = Number(process.env['ROUNDS'] ?? 31)
const warmUp = 5
const only = process.env['ONLY'] ?? ''

const recording = '../../src/app/demo/recording/recentchange-enwiki-2023-07-29.ndjson'
const lines = readFileSync(new URL(recording, import.meta.url), 'utf8')
  .trim()
  .split('\n')
const edits = lines.map((line) => JSON.parse(line) as Edit) // as: the bench's own events
const texts = Array.from({ length: eventCount }, (_, i) => {
  // as: likewise
  const edit = JSON.parse(lines[i % lines.length] ?? '') as { id: number; meta: { id: string } }
  const meta = { ...edit.meta, id: `${i}${edit.meta.id.slice(String(i).length)}` }
  return JSON.stringify({ ...edit, id: edit.id + i, meta })
})

const { id, record, lineage } = anEvent({})
const eventOf = (text: string): Event => ({
  id,
  record,
  lineage,
  body: JSON.parse(text) as Json, // as: what parsing gives
})

/** Kept, so that no work can be left out. */
let sum = 0

/** CPU nanoseconds an event. */
function measured(work: () => void): number {
  const start = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1_000) / eventCount
}

function parse(): void {
  for (const text of texts) sum += eventOf(text).id.length
}

function parseAndMatch(set: RuleSet): void {
  for (const text of texts) sum += set.firing('default', eventOf(text)).length
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0
}

function speedOf(set: RuleSet) {
  const ratios: number[] = []
  const matches: number[] = []
  for (let round = -warmUp; round < rounds; round++) {
    const alone = measured(parse)
    const both = measured(() => parseAndMatch(set))
    const events = texts.map(eventOf)
    const match = measured(() => {
      for (const event of events) sum += set.firing('default', event).length
    })
    if (round < 0) continue
    ratios.push(alone / both)
    matches.push(match)
  }
  return {
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    matchNs: quantile(matches, 0.5),
  }
}

const collect = global.gc ?? (() => {})

function heapBytes(): number {
  // Twice: what the first finds to be finished is freed by the second.
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** One build in slices, as the program does it. */
async function builtOnce(rules: readonly Rule[]) {
  let from = performance.now()
  let sliceMs = 0
  let buildMs = 0
  const endSlice = () => {
    const ms = performance.now() - from
    sliceMs = Math.max(sliceMs, ms)
    buildMs += ms
  }
  const set = await RuleSet.build(rules, async () => {
    if (performance.now() - from < sliceMsMax) return
    endSlice()
    await setImmediate()
    from = performance.now()
  })
  endSlice()
  return { set, buildMs, sliceMs }
}

/** The best of three builds: the first is also that of code which has not been compiled yet. */
async function built(written: readonly WrittenMatch[]) {
  const rules = written.map((one) => aMatchRule(one))
  const before = heapBytes()
  const { set, ...first } = await builtOnce(rules)
  const bytes = (heapBytes() - before) / rules.length
  const { buildMs, sliceMs } = first
  const [second, third] = [await builtOnce(rules), await builtOnce(rules)]
  return {
    set,
    bytes,
    buildMs: Math.min(buildMs, second.buildMs, third.buildMs),
    sliceMs: Math.min(sliceMs, second.sliceMs, third.sliceMs),
  }
}

/** As the program does it: see `src/app/breathe.ts`. */
const sliceMsMax = 8

interface Shape {
  readonly name: string
  readonly rules: readonly WrittenMatch[]
}

const rows: object[] = []
let matchNsOf100 = 0

async function run({ name, rules }: Shape): Promise<void> {
  const { set, buildMs, sliceMs, bytes } = await built(rules)
  const fired = texts.reduce(
    (total, text) => total + set.firing('default', eventOf(text)).length,
    0,
  )
  const { ratio, low, high, matchNs } = speedOf(set)
  if (name === '100 selective') matchNsOf100 = matchNs
  rows.push({
    rules: name,
    'x of parse': ratio.toFixed(2),
    quartiles: `${low.toFixed(2)}-${high.toFixed(2)}`,
    'match ns': Math.round(matchNs),
    'x of 100 rules': name.endsWith('selective') ? (matchNs / matchNsOf100).toFixed(1) : '',
    'fire an event': (fired / eventCount).toFixed(2),
    'build ms': Math.round(buildMs),
    'longest slice ms': Math.round(sliceMs),
    'bytes a rule': Math.round(bytes),
    residual: set.residual.length,
  })
}

function shape(
  name: string,
  count: number,
  when: (i: number, name: () => string) => JsonObject,
): Shape {
  const names = namesFrom(count)
  const rules = Array.from({ length: count }, (_, i) => ({ name: `r${i}`, when: when(i, names) }))
  return { name: `${count.toLocaleString('en')} ${name}`, rules }
}

const shapes: readonly (() => Shape)[] = [
  ...[100, 1_000, 10_000, 100_000].map((count) => () => ({
    name: `${count.toLocaleString('en')} selective`,
    rules: selectiveRules(count, edits, 'usual'),
  })),
  ...[10_000, 100_000].map((count) => () => ({
    name: `${count.toLocaleString('en')} of a wider mix`,
    rules: selectiveRules(count, edits, 'wide'),
  })),
  () => shape('globs', 1_000, (_i, name) => ({ title: { glob: `*${name()}*(${name()})` } })),
  () =>
    shape('regexes', 1_000, (i, name) => ({
      title: { regex: `^(Draft|User):${name()} (a|b)${i}?` },
    })),
  () =>
    shape('regexes, searched for', 1_000, (_i, name) => ({
      comment: { regex: `\\b${name()}s?\\b`, search: true },
    })),
  () =>
    shape('number ranges', 10_000, (i) => ({ 'length.new': { gte: i * 100, lt: i * 100 + 100 } })),
  () =>
    shape('of one type with a range', 10_000, (i) => ({
      type: 'edit',
      'length.new': { gte: i * 100, lt: i * 100 + 100 },
    })),
  () =>
    shape('of one prefix with a user', 10_000, (_i, name) => ({
      title: { prefix: 'User' },
      user: name(),
    })),
  // From here on: where it is worst.
  () => shape('that all fire', 100, () => ({ type: 'edit' })),
  () =>
    shape('that say what it is not', 100, (_i, name) => ({
      user: { not: name() },
      title: { not: name() },
    })),
  () =>
    shape('half-open ranges', 1_000, (i) => ({
      'length.new': { gte: i * 1_000 },
      'length.old': { lt: i },
    })),
  () =>
    shape('regexes without a literal', 100, (i) => ({
      title: { regex: `^[A-Z][a-z]{${i + 3}}\\d` },
    })),
  () =>
    shape('regexes with one literal', 1_000, (i) => ({
      comment: { regex: `^/\\* .{${i % 50}}[0-9]${i}` },
    })),
  () =>
    shape('of three values each that all hold', 1_000, (i) => ({
      wiki: 'enwiki',
      type: 'edit',
      'meta.stream': 'mediawiki.recentchange',
      user: { suffix: String.fromCharCode(97 + (i % 26)) },
    })),
]

for (const make of shapes) {
  const next = make()
  if (next.name.includes(only)) await run(next)
}
console.log(
  `${process.version} on ${cpus().length} x ${cpus()[0]?.model ?? '?'}; ${sum > 0 ? rounds : 0} rounds of ${eventCount} events`,
)
console.table(rows)
