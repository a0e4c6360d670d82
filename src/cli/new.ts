import { Argument, Command, Option } from 'commander'
import { existsSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { loadRules } from '../rules/load-rules.ts'
import { ruleNameForm } from '../rules/rule-schema.ts'
import { describeValue } from '../schema/describe.ts'
import { renderProblems } from '../schema/render-problem.ts'
import { complain, type Complaint } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { readEvent } from './explain/read-event.ts'
import { findConfig } from './find-config.ts'
import { startingRuleText } from './new/starting-rule.ts'
import { configOption, wholeNumber } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { loadRuleFiles, ruleContextOf, type RuleFiles } from './rule-files.ts'
import { rulesSchemaText } from './schema.ts'

interface Options {
  readonly topic: string
  readonly out?: string
  readonly event?: string
  readonly line?: number
  readonly config?: string
}

/** Lines of a file that `--line` may name. */
const lineMax = 1_000_000_000

/** `sluice new <rule> --topic <topic>` */
export function newCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('new')
    .description('writes a rule to start from, with two tests that pass')
    .addArgument(new Argument('<rule>', 'its name: lower-case letters, digits and `-`'))
    .addOption(
      new Option('--topic <topic>', 'where its events are, or a glob')
        .env('SLUICE_NEW_TOPIC')
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--event <file>', 'a real event, to start from what it holds; - is stdin').env(
        'SLUICE_NEW_EVENT',
      ),
    )
    .addOption(
      new Option('--line <n>', 'of a file that holds an event a line, which one')
        .argParser(wholeNumber(1, lineMax))
        .env('SLUICE_NEW_LINE'),
    )
    .addOption(
      new Option('--out <file>', 'where it is written; without it <rule>.yaml among the rules').env(
        'SLUICE_NEW_OUT',
      ),
    )
    .addOption(configOption())
    .addHelpText(
      'after',
      '\nA file that is there is never overwritten. The JSON Schema for editors is kept in .sluice,\n' +
        'beside the rules.',
    )
    .action(async (name: string, options: Options) => {
      exit(await writeNew(name, options, deps))
    })
}

async function writeNew(name: string, options: Options, deps: ProgramDeps): Promise<number> {
  if (!ruleNameForm.test(name)) {
    const hint = 'lower-case letters, digits and `-`, at most 63, not `-` first'
    return complain(deps, misuse(`${JSON.stringify(name)} cannot be the name of a rule`, hint))
  }
  const event = await eventOf(options, deps)
  if (event !== null && 'exitCode' in event) return complain(deps, event)
  const read = await loadRuleFiles(findConfig(options.config), [], deps)
  if (read.config === null) {
    deps.stderr.write(`${renderProblems(read.ofConfig)}\n\n`)
    return complain(deps, misuse('the config does not load', 'mend what is told above'))
  }
  const places = await placesOf(name, options, read.config.rules.path)
  if ('exitCode' in places) return complain(deps, places)
  const { file, schemaFile } = places
  const text = startingRuleText({
    name,
    topic: options.topic,
    event: event?.body ?? null,
    schemaPath: relative(dirname(file), schemaFile).replaceAll('\\', '/'),
  })
  if (text === null) {
    const hint = 'name another event, or leave --event out'
    return complain(deps, misuse('the event has no field that a condition could ask for', hint))
  }
  const problems = await problemsOf({ file, text }, read, deps)
  if (problems.length > 0) {
    const [first] = problems
    return complain(deps, misuse(first?.message ?? '', first?.hint ?? 'choose another name'))
  }
  const failed =
    (await write(schemaFile, rulesSchemaText(), 'w')) ?? (await write(file, text, 'wx'))
  if (failed !== null) return complain(deps, misuse(failed, 'name another file with --out'))
  deps.stdout.write(
    `${file}: the rule ${name}, with 2 tests that pass\n` +
      `${schemaFile}: what a rule may say, for editors\n\n` +
      `next: sluice test ${file}\n`,
  )
  return exitCode.ok
}

function misuse(message: string, hint: string): Complaint {
  return { exitCode: exitCode.usage, message, hint }
}

async function eventOf(
  { event, line }: Options,
  { stdin }: ProgramDeps,
): Promise<{ readonly body: JsonObject } | Complaint | null> {
  if (event === undefined) {
    return line === undefined ? null : misuse('--line without --event', 'say of which file')
  }
  const read = await readEvent(event, line ?? null, stdin)
  if (read.kind === 'fault') return misuse(read.message, read.hint)
  if (isJsonObject(read.body)) return { body: read.body }
  const message = `the event is ${describeValue(read.body)}, expected a map of fields`
  return misuse(message, 'a condition asks for fields of the event')
}

interface Places {
  readonly file: string
  readonly schemaFile: string
}

async function placesOf(
  name: string,
  { out }: Options,
  rulesPath: string,
): Promise<Places | Complaint> {
  const isFile = await isPlainFile(rulesPath)
  if (out === undefined && isFile) {
    const hint = 'name a file with --out'
    return misuse(`the rules are one file, ${rulesPath}, and no folder`, hint)
  }
  const file = out ?? join(rulesPath, `${name}.yaml`)
  if (!/\.ya?ml$/.test(file)) return misuse(`${file} would not be read as rules`, 'end it in .yaml')
  if (existsSync(file)) return misuse(`${file} is there already`, 'name another one with --out')
  const isAmongRules = !isFile && !relative(rulesPath, file).startsWith('..')
  const folder = isAmongRules ? rulesPath : dirname(file)
  return { file, schemaFile: join(folder, '.sluice', 'rules.schema.json') }
}

async function isPlainFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false // it is made with the rule
  }
}

/** What is wrong with the file among those that are there: its topic, or a name that is taken. */
async function problemsOf(
  { file, text }: { readonly file: string; readonly text: string },
  { config, files }: RuleFiles,
  deps: ProgramDeps,
): Promise<readonly Problem[]> {
  const context = ruleContextOf(config, deps.breathe)
  const { problems } = await loadRules([...files, { name: file, text }], context)
  return problems.filter((one) => one.file === file && one.severity === 'error')
}

/** `null`: it is written, or holds that text already. */
async function write(file: string, text: string, flag: 'w' | 'wx'): Promise<string | null> {
  try {
    if (flag === 'w' && existsSync(file) && (await readFile(file, 'utf8')) === text) return null
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { flag })
    return null
  } catch (error) {
    return `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`
  }
}
