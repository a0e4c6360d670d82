import { actionKinds } from '../../src/actions/kinds.ts'
import { loadRules, type LoadedRules } from '../../src/rules/load-rules.ts'
import type { RuleContext } from '../../src/rules/rule-context.ts'
import type { Problem } from '../../src/model/problem.ts'

const context: RuleContext = {
  kinds: actionKinds,
  secrets: new Map([['signing-key', 'not very secret']]),
  allowHosts: [],
  retryTiersMs: [10_000, 60_000, 600_000, 3_600_000],
  lanes: ['default', 'slow'],
  readListFile: () =>
    Promise.resolve({ kind: 'fault', code: 'file-unreadable', message: 'there is no such file' }),
  breathe: () => Promise.resolve(),
}

/** Loads texts as `rules/a.yaml`, `rules/b.yaml` ... with the real actions. */
export function loadText(
  texts: string | readonly string[],
  changes: Partial<RuleContext> = {},
): Promise<LoadedRules> {
  const files = [texts].flat().map((text, i) => ({
    name: `rules/${String.fromCharCode(97 + i)}.yaml`,
    text,
  }))
  return loadRules(files, { ...context, ...changes })
}

/** A file of one rule, `purge`, that lacks nothing; `lines` come after its topics. */
export function ruleText(lines: string, action = 'emit: { topic: out }'): string {
  const body = lines === '' ? '' : `${lines.replace(/^/gm, '    ')}\n`
  return `rules:\n  purge:\n    topics: [edits]\n${body}    do: { ${action} }\n`
}

/** `line:column code` of each, for tables. */
export function placesOf(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ line, column, code }) => `${line}:${column} ${code}`)
}
