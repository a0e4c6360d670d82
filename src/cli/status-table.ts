import type { RuleDocument, StatusDocument } from '../model/status.ts'
import { printable } from '../model/printable.ts'
import type { Styles } from './styles.ts'
import { renderTable, type Column } from './table.ts'
import { agoText, lengthText } from './times.ts'

export interface TableOptions {
  readonly styles: Styles
  /** `null`: no terminal, so that nothing is cut and times are RFC 3339. */
  readonly widthMax: number | null
  readonly nowMs: number
}

/** The state of every rule, a line each. */
export function statusTable(rules: readonly RuleDocument[], options: TableOptions): string {
  const { styles, nowMs, widthMax } = options
  const count = (title: string, of: (rule: RuleDocument) => number): Column<RuleDocument> => ({
    title,
    align: 'right',
    text: (rule) => String(of(rule)),
  })
  const columns: readonly Column<RuleDocument>[] = [
    { title: 'RULE', align: 'left', text: ({ name }) => name },
    {
      title: 'STATE',
      align: 'left',
      text: stateText,
      style: (rule) => (stateText(rule) === 'live' ? plain : styles.yellow),
    },
    count('MATCHED', ({ ladder }) => ladder.matched),
    count('DONE', ({ ladder }) => ladder.done),
    count('SKIPPED', ({ ladder }) => sumOf(ladder.skipped)),
    count('RETRIED', ({ ladder }) => ladder.retried),
    {
      ...count('DEAD', ({ ladder }) => sumOf(ladder.dead)),
      style: ({ ladder }) => (sumOf(ladder.dead) > 0 ? styles.red : plain),
    },
    count('PENDING', ({ ladder }) => sumOf(ladder.pending)),
    {
      title: 'LAST MATCH',
      align: 'left',
      text: ({ last_match_at: at }) => timeText(at, nowMs, widthMax !== null),
    },
  ]
  return renderTable(columns, rules, { titleStyle: styles.bold, widthMax })
}

/** The daemon in two lines, a third for a store that is degraded, then its rules. */
export function statusText(status: StatusDocument, options: TableOptions): string {
  const { version, ready, uptime_s: uptime, bus, store, rules } = status
  const readiness = ready ? 'ready' : options.styles.yellow('not ready')
  const lag = bus.lag_events === 0 ? 'no lag' : `${events(bus.lag_events)} behind`
  const age = bus.lag_events === 0 ? '' : `, the oldest since ${lengthText(bus.lag_s)}`
  const lines = [
    `sluice ${printable(version)}, ${readiness}, up ${lengthText(uptime)} (counts are since then)`,
    `bus ${bus.kind}: ${lag}${age}`,
    ...(store.degraded ? [storeText(store, options)] : []),
  ]
  const table = rules.length === 0 ? 'no rules are loaded\n' : statusTable(rules, options)
  return `${lines.join('\n')}\n\n${table}`
}

function storeText(
  { kind, trouble }: StatusDocument['store'],
  { styles, nowMs, widthMax }: TableOptions,
): string {
  const lead = `store ${kind}: ${styles.yellow('degraded')}`
  if (trouble === null) return lead
  const { reason, error, since } = trouble
  const isRelative = widthMax !== null
  const seconds = Math.max(0, nowMs - Date.parse(since)) / 1_000 // clocks may differ
  const time = isRelative ? `for ${lengthText(seconds)}` : `since ${since}`
  return `${lead} ${time} (${printable(`${reason}: ${error}`)})`
}

/** One rule with all that is known of it. */
export function ruleText(rule: RuleDocument, { styles, nowMs, widthMax }: TableOptions): string {
  const { ladder, paused } = rule
  const when = (at: string | null) => timeText(at, nowMs, widthMax !== null)
  const facts: [string, string][] = [
    ['state', stateText(rule)],
    ['file', rule.file],
    ['topics', rule.topics.join(', ')],
    ['counted', 'since the daemon started'],
    ['matched', String(ladder.matched)],
    ['done', String(ladder.done)],
    ['skipped', withReasons(ladder.skipped)],
    ['retried', String(ladder.retried)],
    ['held', String(ladder.held)],
    ['dead', withReasons(ladder.dead)],
    ['pending', withReasons(ladder.pending)],
    ['last match', when(rule.last_match_at)],
  ]
  if (paused !== null) {
    const until = paused.until === null ? 'until someone resumes it' : `until ${paused.until}`
    facts.push(['paused', `by ${paused.by}, ${when(paused.at)}, ${until}: ${paused.reason}`])
  }
  const width = Math.max(...facts.map(([name]) => name.length)) + 2
  const lines = facts.map(([name, fact]) => `${name.padEnd(width)}${printable(fact)}\n`)
  return `${styles.bold(printable(rule.name))}\n${lines.join('')}`
}

/** A rule in shadow mode is live and does nothing, which must not be taken for a rule that works. */
export function stateText({ state, mode }: Pick<RuleDocument, 'state' | 'mode'>): string {
  return mode === 'shadow' ? `${state}, shadow` : state
}

const plain = (text: string): string => text

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** `3 (status 2, timeout 1)`: what makes up a sum, without what is zero. */
function withReasons(counts: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
  return reasons.length === 0 ? '0' : `${sumOf(counts)} (${reasons.join(', ')})`
}

function timeText(at: string | null, nowMs: number, isRelative: boolean): string {
  if (at === null) return 'never'
  return isRelative ? agoText(Date.parse(at), nowMs) : at
}

function events(count: number): string {
  return count === 1 ? '1 event' : `${count} events`
}
