import type { RunResult } from './run-faults.ts'

/** What a run was like, as tables. */
export function report(result: RunResult): string {
  return [
    kindsTable(result),
    '',
    rulesTable(result),
    '',
    ...worst(result),
    ...(result.breaches.length === 0
      ? ['everything was as promised']
      : [`${result.breaches.length} breaches:`, ...result.breaches.map((one) => `  ${one}`)]),
  ].join('\n')
}

function kindsTable({ inflicted, healedMsMax }: RunResult): string {
  const kinds = [...new Set(inflicted.map(({ fault }) => fault.kind))].sort()
  const rows = kinds.map((kind) => {
    const all = inflicted.filter(({ fault }) => fault.kind === kind)
    const healed = healedMsMax.get(kind)
    return [
      kind,
      String(all.filter(({ happened }) => happened).length),
      String(all.filter(({ happened }) => !happened).length),
      healed === undefined ? '-' : (healed / 1_000).toFixed(1),
    ]
  })
  return table(['fault', 'times', 'not possible', 'healed after at most, s'], rows)
}

function rulesTable({ verdict, skips }: RunResult): string {
  const rows = verdict.rules.map((rule) => [
    rule.rule,
    String(rule.matched),
    String(rule.done),
    String(rule.covered),
    String(rule.dead),
    String(rule.repeats),
    String(rule.missing),
    String(skips.get(rule.rule) ?? 0),
    (rule.delayMsMax / 1_000).toFixed(1),
  ])
  const head = ['matched', 'done', 'skipped', 'dead', 'repeats', 'missing', 'skips counted']
  return table(['rule', ...head, 'longest delay, s'], rows)
}

function worst(result: RunResult): readonly string[] {
  const { verdict, events, refused, calls, lives, drainedMs } = result
  const [most] = [...verdict.repeatsByDisturbance].sort((a, b) => b[1] - a[1])
  const delays = verdict.rules.map(({ delayMsMax }) => delayMsMax)
  return [
    `events ${events} (${refused} refused by the bus), calls ${calls}, daemons started ${lives}`,
    `longest delay ${(Math.max(0, ...delays) / 1_000).toFixed(1)} s, ` +
      `most repeats behind one fault ${most === undefined ? 0 : `${most[1]} (${most[0].kind})`}, ` +
      `drained in ${(drainedMs / 1_000).toFixed(1)} s`,
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
  return [line(head), ...rows.map(line)].join('\n')
}
