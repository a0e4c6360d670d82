import { Command } from 'commander'
import { isJsonObject, type Json } from '../model/json.ts'
import type { RuleDocument } from '../model/status.ts'
import {
  adminUrlDefault,
  askAdmin,
  complaintOf,
  type AdminAddress,
  type AdminAnswer,
} from './admin-client.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { adminOption, jsonOption, tokenOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { expecting, tableOptions } from './status.ts'
import { stateText, type TableOptions } from './status-table.ts'
import { renderTable } from './table.ts'

/** Rules of one page, the most that the API gives. */
const pageSize = 1_000

/** Pages that are asked for: as many as hold all the rules that a daemon loads, and some. */
const pagesMax = 100

interface Options {
  readonly admin?: string
  readonly token?: string
  readonly json?: boolean
}

/** `sluice rules` */
export function rulesCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('rules')
    .description('the rules that a running daemon has loaded')
    .addOption(jsonOption('one JSON document per rule and line, as when piped'))
    .addOption(adminOption())
    .addOption(tokenOption())
    .action(async (options: Options) => {
      exit(await listRules(deps, options))
    })
}

async function listRules(deps: ProgramDeps, options: Options): Promise<number> {
  const { stdout } = deps
  const address = { url: options.admin ?? adminUrlDefault, token: options.token ?? null }
  const fetched = await fetchRules(address, deps)
  if (!('rules' in fetched)) return complain(deps, complaintOf(fetched, address))
  const { rules } = fetched
  if (options.json === true || !stdout.isTerminal) {
    stdout.write(rules.map((rule) => `${JSON.stringify(rule)}\n`).join(''))
  } else {
    stdout.write(rules.length === 0 ? 'no rules are loaded\n' : table(rules, tableOptions(deps)))
  }
  return exitCode.ok
}

async function fetchRules(
  address: AdminAddress,
  { clock }: ProgramDeps,
): Promise<{ readonly rules: readonly RuleDocument[] } | Exclude<AdminAnswer, { kind: 'answer' }>> {
  const rules: RuleDocument[] = []
  let cursor = ''
  for (let page = 0; page < pagesMax; page++) {
    const path = `api/v1/rules?limit=${pageSize}${cursor}`
    const answer = expecting('items', await askAdmin(address, { method: 'GET', path }, clock))
    if (answer.kind !== 'answer') return answer
    const { items, next } = pageOf(answer.value)
    rules.push(...items)
    if (next === null) return { rules }
    cursor = `&cursor=${encodeURIComponent(next)}`
  }
  return { kind: 'foreign', why: `its list of rules does not end within ${pagesMax} pages` }
}

function pageOf(value: Json): { items: readonly RuleDocument[]; next: string | null } {
  const { items, next_cursor: next } = isJsonObject(value) ? value : {}
  return {
    items: Array.isArray(items) ? (items as RuleDocument[]) : [], // as: the daemon's documents are stable
    next: typeof next === 'string' ? next : null,
  }
}

function table(rules: readonly RuleDocument[], { styles, widthMax }: TableOptions): string {
  return renderTable<RuleDocument>(
    [
      { title: 'RULE', align: 'left', text: ({ name }) => name },
      {
        title: 'STATE',
        align: 'left',
        text: stateText,
        style: (rule) => (stateText(rule) === 'live' ? (text) => text : styles.yellow),
      },
      { title: 'MATCHED', align: 'right', text: ({ ladder }) => String(ladder.matched) },
      { title: 'DONE', align: 'right', text: ({ ladder }) => String(ladder.done) },
      { title: 'FILE', align: 'left', text: ({ file }) => file },
      { title: 'TOPICS', align: 'left', text: ({ topics }) => topics.join(', ') },
    ],
    rules,
    { titleStyle: styles.bold, widthMax },
  )
}
