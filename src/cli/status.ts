import { Command } from 'commander'
import { isJsonObject, type Json } from '../model/json.ts'
import type { RuleDocument, StatusDocument } from '../model/status.ts'
import { adminUrlDefault, askAdmin, complaintOf, type AdminAnswer } from './admin-client.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { adminOption, jsonOption, tokenOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { ruleText, statusText, type TableOptions } from './status-table.ts'
import { stylesFor } from './styles.ts'

interface Options {
  readonly admin?: string
  readonly token?: string
  readonly json?: boolean
}

/** `sluice status [RULE]` */
export function statusCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('status')
    .description('what a running daemon does, and what became of the events of each rule')
    .argument('[rule]', 'one rule, with all that is known of it')
    .addOption(jsonOption('the JSON document instead of a table'))
    .addOption(adminOption())
    .addOption(tokenOption())
    .action(async (rule: string | undefined, options: Options) => {
      exit(await showStatus(deps, rule ?? null, options))
    })
}

async function showStatus(
  deps: ProgramDeps,
  rule: string | null,
  { admin = adminUrlDefault, token = null, json = false }: OptionsIn,
): Promise<number> {
  const { clock, stdout } = deps
  const address = { url: admin, token }
  const path = rule === null ? 'api/v1/status' : `api/v1/rules/${encodeURIComponent(rule)}`
  const answer = expecting(
    rule === null ? 'rules' : 'ladder',
    await askAdmin(address, { method: 'GET', path }, clock),
  )
  if (answer.kind !== 'answer') return complain(deps, complaintOf(answer, address))
  if (json) stdout.write(`${JSON.stringify(answer.value, null, 2)}\n`)
  else stdout.write(textOf(answer.value, rule, tableOptions(deps)))
  return exitCode.ok
}

type OptionsIn = Omit<Options, 'token'> & { readonly token?: string | null }

function textOf(value: Json, rule: string | null, options: TableOptions): string {
  // as: the daemon's documents are stable (docs/operations.md); that it is one was seen by a key
  return rule === null
    ? statusText(value as unknown as StatusDocument, options)
    : ruleText(value as unknown as RuleDocument, options)
}

/** Holds an answer without the key that the document has for one of somebody else. */
export function expecting(key: string, answer: AdminAnswer): AdminAnswer {
  if (answer.kind !== 'answer') return answer
  if (isJsonObject(answer.value) && Object.hasOwn(answer.value, key)) return answer
  return { kind: 'foreign', why: `its answer has no \`${key}\`` }
}

/** How tables are shown where the command writes. */
export function tableOptions({ stdout, env, clock }: ProgramDeps): TableOptions {
  return {
    styles: stylesFor(stdout, env),
    widthMax: stdout.isTerminal ? stdout.columns : null,
    nowMs: clock.now(),
  }
}
