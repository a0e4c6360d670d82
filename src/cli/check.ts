import { Argument, Command, Option } from 'commander'
import { revealed, type Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { actionKinds } from '../actions/kinds.ts'
import type { Problem } from '../model/problem.ts'
import { loadRules } from '../rules/load-rules.ts'
import type { RuleContext } from '../rules/rule-context.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { inOrder } from '../schema/reporter.ts'
import { readListFile, readRuleFiles } from '../schema/source-files.ts'
import type { CheckReport } from './check/check-report.ts'
import { githubOf } from './check/github-format.ts'
import { jsonOf } from './check/json-format.ts'
import { junitOf } from './check/junit-format.ts'
import { isUnreached, lookOnline } from './check/online.ts'
import { placesIn } from './check/places.ts'
import { untestedProblems } from './check/require-tests.ts'
import { textOf } from './check/text-format.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { findConfig } from './find-config.ts'
import { configOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
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
  junit: junitOf,
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
      new Option('--format <format>', 'text, json, github (annotations) or junit (XML)')
        .default('text')
        .env('SLUICE_CHECK_FORMAT'),
    )
    .addOption(
      new Option(
        '--online',
        'look as well whether the bus, the topics and the targets are there; sends nothing',
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
      '\nExit code 1 when there are errors, 3 when all of them are that something of --online\n' +
        'cannot be reached. Warnings alone are no failure.',
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
  const { env, clock, breathe } = deps
  const { config, problems: ofConfig } = await loadConfig({ file: configFile, set: [], env })
  const from = paths.length > 0 ? paths : [config?.rules.path ?? pathsDefault]
  const { files, problems: ofFiles } = await readRuleFiles(from)
  const loaded = await loadRules(files, contextOf(config, breathe))
  const { sound: rules, tests } = loaded
  const places = await placesIn(configFile, files)
  const ofTests = requireTests ? untestedProblems(rules, tests, places) : []
  const ofNetwork =
    online && config !== null
      ? await lookOnline({ config, rules, clock, reach: deps.reachOf(config), places })
      : []
  const readConfig = configFile !== null && isRead(configFile, ofConfig) ? [configFile] : []
  return {
    problems: [...ofConfig, ...inOrder([...ofFiles, ...loaded.problems, ...ofTests]), ...ofNetwork],
    files: [...readConfig, ...files.map(({ name }) => name)],
    rules: loaded.rules,
    untested: rules.length - new Set(tests.map(({ rule }) => rule)).size,
    tests: { passed: 0, failed: 0, notRun: tests.length, cases: [] },
  }
}

/** A file that cannot be read has no line; what a config names and cannot be read has one. */
function isRead(configFile: string, problems: readonly Problem[]): boolean {
  return !problems.some(({ file, source }) => file === configFile && source === null)
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
