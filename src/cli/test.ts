import { Argument, Command, Option } from 'commander'
import { writeFile } from 'node:fs/promises'
import { counted, type CheckReport } from './check/check-report.ts'
import { junitOf } from './check/junit-format.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { findConfig } from './find-config.ts'
import { configOption, jsonOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { loadRuleFiles, rulesPathDefault, type RuleFiles } from './rule-files.ts'
import { diffText } from './rule-tests/diff-text.ts'
import {
  runRuleTests,
  testsReportOf,
  trialSettingsOf,
  type CaseResult,
} from './rule-tests/run-rule-tests.ts'
import { stylesFor, type Styles } from './styles.ts'
import { renderProblems } from '../schema/render-problem.ts'
import type { Json } from '../model/json.ts'

interface Options {
  readonly config?: string
  readonly junit?: string
  readonly json?: boolean
}

/** What `test --json` prints (docs/operations.md). */
interface TestDocument {
  readonly passed: number
  readonly failed: number
  readonly cases: readonly {
    readonly file: string
    readonly line: number
    readonly rule: string
    readonly name: string
    readonly ok: boolean
    readonly expected: Json
    readonly actual: Json
    readonly notes: readonly string[]
  }[]
}

/** `sluice test [path..]` */
export function testCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('test')
    .description('runs the tests beside the rules, on a clock of their own and without a network')
    .addArgument(
      new Argument('[path...]', 'rule files, or folders of them').default(
        [],
        `\`rules.path\` of the config, ${rulesPathDefault}`,
      ),
    )
    .addOption(configOption())
    .addOption(
      new Option('--junit <file>', 'writes the outcome there as well, as JUnit XML').env(
        'SLUICE_TEST_JUNIT',
      ),
    )
    .addOption(jsonOption('one JSON document and nothing else on stdout'))
    .addHelpText('after', '\nExit code 1 when a test fails, or the rules do not load.')
    .action(async (paths: readonly string[], options: Options) => {
      exit(await test(deps, paths, options))
    })
}

async function test(
  deps: ProgramDeps,
  paths: readonly string[],
  options: Options,
): Promise<number> {
  const { stdout, stderr, env, breathe } = deps
  const read = await loadRuleFiles(findConfig(options.config), paths, deps)
  const errors = [...read.ofConfig, ...read.ofRules].filter(({ severity }) => severity === 'error')
  if (read.config === null || errors.length > 0) {
    stderr.write(`${renderProblems(errors)}\n\n`)
    const message = `the rules do not load: ${counted(errors.length, 'error')}, no test was run`
    const hint = 'mend what is told above; `sluice check` tells warnings too'
    return complain(deps, { exitCode: exitCode.findings, message, hint })
  }
  const { sound, tests } = read.loaded
  const results = await runRuleTests(sound, tests, trialSettingsOf(read.config), breathe)
  if (options.junit !== undefined) {
    const refused = await writeJunit(options.junit, read, results)
    if (refused !== null) {
      const hint = 'the folder of the file must be there, and be writable'
      return complain(deps, { exitCode: exitCode.usage, message: refused, hint })
    }
  }
  stdout.write(
    options.json === true
      ? `${JSON.stringify(documentOf(results), null, 2)}\n`
      : textOf(results, read, stylesFor(stdout, env)),
  )
  return results.every(({ ok }) => ok) ? exitCode.ok : exitCode.findings
}

/** `null`: it is written. */
async function writeJunit(
  file: string,
  read: RuleFiles,
  results: readonly CaseResult[],
): Promise<string | null> {
  try {
    await writeFile(file, junitOf('test', reportOf(read, results)))
    return null
  } catch (error) {
    return `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`
  }
}

function reportOf({ files, loaded }: RuleFiles, results: readonly CaseResult[]): CheckReport {
  return {
    problems: [],
    files: files.map(({ name }) => name),
    rules: loaded.rules,
    untested: 0,
    tests: testsReportOf(results),
  }
}

function documentOf(results: readonly CaseResult[]): TestDocument {
  const passed = results.filter(({ ok }) => ok).length
  return {
    passed,
    failed: results.length - passed,
    cases: results.map(({ test: { file, line, rule, name }, ok, expected, actual, notes }) => ({
      file,
      line,
      rule,
      name,
      ok,
      expected,
      actual,
      notes,
    })),
  }
}

/** One line per rule whose cases all hold; a case that does not, with its difference. */
function textOf(results: readonly CaseResult[], { loaded }: RuleFiles, styles: Styles): string {
  const rules = byRule(results)
  const lines = [...rules].flatMap(([rule, ofRule]) => ruleText(rule, ofRule, styles))
  const failed = results.filter(({ ok }) => !ok).length
  const without = loaded.sound.filter(({ name }) => !rules.has(name)).map(({ name }) => name)
  if (without.length > 0) lines.push(styles.yellow(`without tests: ${namesText(without)}`))
  const summary = `${results.length - failed} passed, ${failed} failed`
  return `${[...lines, failed === 0 ? summary : styles.red(summary)].join('\n')}\n`
}

function byRule(results: readonly CaseResult[]): ReadonlyMap<string, readonly CaseResult[]> {
  const rules = new Map<string, CaseResult[]>()
  for (const result of results) {
    const ofRule = rules.get(result.test.rule)
    if (ofRule === undefined) rules.set(result.test.rule, [result])
    else ofRule.push(result)
  }
  return rules
}

function ruleText(rule: string, results: readonly CaseResult[], styles: Styles): readonly string[] {
  const { green, red, bold, dim } = styles
  const failed = results.filter(({ ok }) => !ok)
  const [first] = results
  const place = dim(first?.test.file ?? '')
  if (failed.length === 0) return [`${green('✔')} ${rule} ${dim(`${results.length}`)} ${place}`]
  return [
    `${red('✘')} ${rule} ${place}`,
    ...failed.flatMap((result) => [
      '',
      `  ${bold(`${result.test.file}:${result.test.line}`)}  ${result.test.name}`,
      diffText(result, styles).replace(/^/gm, '    '),
    ]),
    '',
  ]
}

/** Names on a line; the others by their number. */
const namesMax = 10

function namesText(names: readonly string[]): string {
  const left = names.length - namesMax
  return names.slice(0, namesMax).join(', ') + (left > 0 ? ` and ${left} more` : '')
}
