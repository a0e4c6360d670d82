import { Argument, Command, Option } from 'commander'
import { actionKinds } from '../actions/kinds.ts'
import { revealed, type Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Problem } from '../model/problem.ts'
import { loadRules } from '../rules/load-rules.ts'
import type { RuleContext } from '../rules/rule-context.ts'
import { renderProblem } from '../schema/render-problem.ts'
import { inOrder } from '../schema/reporter.ts'
import { readListFile, readRuleFiles } from '../schema/source-files.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { findConfig } from './find-config.ts'
import { configOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { stylesFor, type Styles } from './styles.ts'

/** What `check --format json` prints (docs/operations.md). */
export interface CheckDocument {
  readonly problems: readonly Omit<Problem, 'source'>[]
  readonly files: number
  readonly rules: number
  /** Cases beside rules are not run yet: all of them are `not_run`. */
  readonly tests: { readonly passed: number; readonly failed: number; readonly not_run: number }
}

interface Options {
  readonly config?: string
  readonly format: string
  readonly online?: boolean
  readonly requireTests?: boolean
}

const pathsDefault = './rules'

/** `sluice check [path..]` */
export function checkCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('check')
    .description('everything that is wrong with the settings and the rules, all at once')
    .addArgument(
      new Argument('[path...]', 'rule files, or folders of them').default(
        [],
        `\`rules.path\` of the config, ${pathsDefault}`,
      ),
    )
    .addOption(configOption())
    .addOption(
      new Option('--format <format>', 'text or json').default('text').env('SLUICE_CHECK_FORMAT'),
    )
    .addOption(new Option('--online').hideHelp())
    .addOption(new Option('--require-tests').hideHelp())
    .addHelpText('after', '\nExit code 1 when there are errors. Warnings alone are no failure.')
    .action(async (paths: readonly string[], options: Options) => {
      exit(await check(deps, paths, options))
    })
}

async function check(
  deps: ProgramDeps,
  paths: readonly string[],
  options: Options,
): Promise<number> {
  const refused = refusal(options)
  if (refused !== null) return complain(deps, { exitCode: exitCode.usage, ...refused })
  const found = await findProblems(findConfig(options.config), paths, deps)
  const errors = found.problems.filter(({ severity }) => severity === 'error').length
  deps.stdout.write(
    options.format === 'json'
      ? `${JSON.stringify(documentOf(found), null, 2)}\n`
      : textOf(found, stylesFor(deps.stdout, deps.env)),
  )
  return errors === 0 ? exitCode.ok : exitCode.findings
}

function refusal(options: Options): { readonly message: string; readonly hint: string } | null {
  const later = (what: string) => ({
    message: `${what} is not supported yet`,
    hint: 'leave it out; `sluice check --help` shows what there is',
  })
  if (options.online === true) return later('--online')
  if (options.requireTests === true) return later('--require-tests')
  if (['text', 'json'].includes(options.format)) return null
  if (['github', 'junit'].includes(options.format)) return later(`--format ${options.format}`)
  return { message: `there is no format ${options.format}`, hint: 'formats are text and json' }
}

interface Found {
  readonly problems: readonly Problem[]
  /** Read files, the config among them. */
  readonly files: number
  readonly rules: number
  readonly tests: number
}

async function findProblems(
  configFile: string | null,
  paths: readonly string[],
  { env, breathe }: ProgramDeps,
): Promise<Found> {
  const { config, problems: ofConfig } = await loadConfig({ file: configFile, set: [], env })
  const from = paths.length > 0 ? paths : [config?.rules.path ?? pathsDefault]
  const { files, problems: ofFiles } = await readRuleFiles(from)
  const loaded = await loadRules(files, contextOf(config, breathe))
  return {
    problems: [...ofConfig, ...inOrder([...ofFiles, ...loaded.problems])],
    files: files.length + (isRead(configFile, ofConfig) ? 1 : 0),
    rules: loaded.rules,
    tests: loaded.tests.length,
  }
}

/** A file that cannot be read has no line; what a config names and cannot be read has one. */
function isRead(configFile: string | null, problems: readonly Problem[]): boolean {
  return (
    configFile !== null &&
    !problems.some(({ file, source }) => file === configFile && source === null)
  )
}

/** With a config that does not load, what rules name of it cannot be checked and is left alone. */
function contextOf(config: Config | null, breathe: ProgramDeps['breathe']): RuleContext {
  const outside = { readListFile, breathe }
  if (config === null) {
    return {
      kinds: actionKinds,
      secrets: null,
      allowHosts: [],
      retryTiersMs: [],
      lanes: null,
      ...outside,
    }
  }
  return {
    kinds: actionKinds,
    secrets: revealed(config),
    allowHosts: config.http.allowHosts,
    retryTiersMs: config.retry.tiersMs,
    lanes: config.lanes.map(({ name }) => name),
    ...outside,
  }
}

function documentOf({ problems, files, rules, tests }: Found): CheckDocument {
  return {
    problems: problems.map(({ file, line, column, severity, code, message, hint }) => ({
      file,
      line,
      column,
      severity,
      code,
      message,
      hint,
    })),
    files,
    rules,
    tests: { passed: 0, failed: 0, not_run: tests },
  }
}

function textOf(found: Found, styles: Styles): string {
  const parts = found.problems.map((problem) => `${painted(problem, styles)}\n\n`)
  return `${parts.join('')}${summaryOf(found)}\n`
}

/** The place stands out, and the severity has its colour. */
function painted(problem: Problem, styles: Styles): string {
  const { file, line, column, severity } = problem
  const text = renderProblem(problem)
  const place = `${file}:${line}:${column}:`
  const lead = `${place} ${severity}:`
  if (!text.startsWith(lead)) return text // a name that had to be made printable
  const color = severity === 'error' ? styles.red : styles.yellow
  return `${styles.bold(place)} ${color(`${severity}:`)}${text.slice(lead.length)}`
}

/** `3 errors, 1 warning in 4 files, 7 rules`. */
function summaryOf({ problems, files, rules, tests }: Found): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const found =
    problems.length === 0
      ? 'no problems'
      : [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : '']
          .filter((part) => part !== '')
          .join(', ')
  const notRun =
    tests === 0 ? '' : `; ${count(tests, 'test')} beside rules not run: that is not supported yet`
  return `${found} in ${count(files, 'file')}, ${count(rules, 'rule')}${notRun}`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
