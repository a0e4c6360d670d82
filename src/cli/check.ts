import { Argument, Command, Option } from 'commander'
import type { Problem } from '../model/problem.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { inOrder } from '../schema/reporter.ts'
import type { CheckReport, TestsReport } from './check/check-report.ts'
import { githubOf } from './check/github-format.ts'
import { jsonOf } from './check/json-format.ts'
import { junitOf } from './check/junit-format.ts'
import { isUnreached, lookOnline } from './check/online.ts'
import { placesIn, type CheckPlaces } from './check/places.ts'
import { exampleProblems, untestedProblems } from './check/require-tests.ts'
import { rulesOfOneMachine } from './check/store-reach.ts'
import { textOf } from './check/text-format.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { findConfig } from './find-config.ts'
import { configOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { loadRuleFiles, rulesPathDefault, type RuleFiles } from './rule-files.ts'
import { runRuleTests, testsReportOf, trialSettingsOf } from './rule-tests/run-rule-tests.ts'
import { stylesFor, type Styles } from './styles.ts'

interface Options {
  readonly config?: string
  readonly format: string
  readonly online?: boolean
  readonly requireTests?: boolean
}

const formats: Readonly<Record<string, (report: CheckReport, styles: Styles) => string>> = {
  text: textOf,
  json: jsonOf,
  github: githubOf,
  junit: (report) => junitOf('check', report),
}

/** `sluice check [path..]` */
export function checkCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('check')
    .description(
      'everything that is wrong with the settings, the rules and their tests, all at once',
    )
    .addArgument(
      new Argument('[path...]', 'rule files, or folders of them').default(
        [],
        `\`rules.path\` of the config, ${rulesPathDefault}`,
      ),
    )
    .addOption(configOption())
    .addOption(
      new Option('--format <format>', 'text, json, github (annotations) or junit (XML)')
        .default('text')
        .env('SLUICE_CHECK_FORMAT'),
    )
    .addOption(
      new Option(
        '--online',
        'look as well whether the bus, the topics, the store and the targets are there; sends nothing',
      ).env('SLUICE_CHECK_ONLINE'),
    )
    .addOption(
      new Option(
        '--require-tests',
        'a rule without a test that fires and one that does not is an error',
      ).env('SLUICE_CHECK_REQUIRE_TESTS'),
    )
    .addHelpText(
      'after',
      '\nExit code 1 when there are errors or tests that fail, 3 when the only errors\n' +
        'are what --online cannot reach. Warnings alone are no failure.',
    )
    .action(async (paths: readonly string[], options: Options) => {
      exit(await check(deps, paths, options))
    })
}

async function check(
  deps: ProgramDeps,
  paths: readonly string[],
  options: Options,
): Promise<number> {
  const write = Object.hasOwn(formats, options.format) ? formats[options.format] : undefined
  if (write === undefined) {
    const names = Object.keys(formats)
    const message = `there is no format ${options.format}`
    const hint = didYouMean(options.format, names) ?? `formats are ${names.join(', ')}`
    return complain(deps, { exitCode: exitCode.usage, message, hint })
  }
  const report = await reportOn(findConfig(options.config), paths, options, deps)
  deps.stdout.write(write(report, stylesFor(deps.stdout, deps.env)))
  return exitCodeOf(report)
}

/** What is wrong in a file comes first: it is mended here, whatever else is away. */
function exitCodeOf({ problems, tests }: CheckReport): number {
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (tests.failed > 0) return exitCode.findings
  if (errors.length === 0) return exitCode.ok
  return errors.every(isUnreached) ? exitCode.unreachable : exitCode.findings
}

async function reportOn(
  configFile: string | null,
  paths: readonly string[],
  { online = false, requireTests = false }: Options,
  deps: ProgramDeps,
): Promise<CheckReport> {
  const read = await loadRuleFiles(configFile, paths, deps)
  const { config, ofConfig, ofRules, files, loaded } = read
  const { sound: rules, tests } = loaded
  const places = await placesIn(configFile, files)
  const judge = requireTests ? untestedProblems : exampleProblems // the former tells the latter, too
  const ofTests = judge(rules, tests, places)
  const ofStore = config === null ? [] : storeProblems(rulesOfOneMachine(config, rules), places)
  const ofNetwork =
    online && config !== null
      ? await lookOnline({ config, rules, clock: deps.clock, reach: deps.reachOf(config), places })
      : []
  const readConfig = configFile !== null && isRead(configFile, ofConfig) ? [configFile] : []
  return {
    problems: [...ofConfig, ...ofStore, ...inOrder([...ofRules, ...ofTests]), ...ofNetwork],
    files: [...readConfig, ...files.map(({ name }) => name)],
    rules: loaded.rules,
    untested: rules.length - new Set(tests.map(({ rule }) => rule)).size,
    tests: await runTests(read, deps),
  }
}

function storeProblems(ofOneMachine: readonly string[], places: CheckPlaces): readonly Problem[] {
  const [first, ...others] = ofOneMachine
  if (first === undefined) return []
  const also = ['', ' and another rule'][others.length] ?? ` and ${others.length} other rules`
  return [
    places.ofConfig(['store', 'kind'], {
      severity: 'warning',
      code: 'store-of-one-machine',
      message:
        `windows and order by key are of one machine only: daemons elsewhere do not see the ` +
        `embedded store, and \`${first}\`${also} may act again there`,
      hint: 'right where all daemons share one machine; else `store.kind: redis`',
    }),
  ]
}

/** Tests of rules that do not load would fail for reasons told already. */
async function runTests(
  { config, loaded: { ruleSet, sound, tests } }: RuleFiles,
  { breathe }: ProgramDeps,
): Promise<TestsReport> {
  if (config === null || ruleSet === null) {
    return { passed: 0, failed: 0, notRun: tests.length, cases: [] }
  }
  return testsReportOf(await runRuleTests(sound, tests, trialSettingsOf(config), breathe))
}

/** A file that cannot be read has no line; what a config names and cannot be read has one. */
function isRead(configFile: string, problems: readonly Problem[]): boolean {
  return !problems.some(({ file, source }) => file === configFile && source === null)
}
