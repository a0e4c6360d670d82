import { mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { Problem } from '../model/problem.ts'
import { isHostPattern } from '../rules/template-hosts.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { renderProblem, renderProblems } from '../schema/render-problem.ts'
import { readSourceFile } from '../schema/source-files.ts'
import { complain, type Complaint } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { convertChangeprop } from './import/convert-changeprop.ts'
import type { Finding } from './import/findings.ts'
import { problemsOf, writeRuleFile } from './import/write-rules.ts'
import { jsonOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { stylesFor } from './styles.ts'
import { renderTable } from './table.ts'

/** What `import changeprop --json` prints (docs/import-changeprop.md). */
export interface ImportDocument {
  readonly rules: readonly {
    readonly name: string
    /** The name that it had. */
    readonly from: string
    readonly line: number
    /** The file that it is in; `null`: it was not written, or commented out. */
    readonly file: string | null
  }[]
  readonly files: readonly {
    readonly name: string
    readonly rules: number
    /** What is in it, where it was not written. */
    readonly text?: string
  }[]
  readonly not_carried: readonly Finding[]
  /** What `sluice check` says of the files. */
  readonly problems: readonly Omit<Problem, 'source'>[]
}

interface Options {
  readonly out?: string
  readonly force?: boolean
  readonly json?: boolean
  readonly allowHosts?: readonly string[]
}

/** `sluice import changeprop FILE` */
export function importCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return (
    new Command('import')
      .description('rules of another program as rule files, and what could not be carried over')
      .usage('[options] changeprop <file>')
      .addArgument(new Argument('<from>', 'whose rules they are: changeprop'))
      // Asked for by us: a misspelt program has to be told first, and with the right one.
      .addArgument(new Argument('[file]', 'its config'))
      .addOption(
        new Option(
          '--out <folder>',
          'where the rule files go; without it they are printed, and the list goes to stderr',
        ).env('SLUICE_IMPORT_OUT'),
      )
      .addOption(new Option('--force', 'overwrite files that are there').env('SLUICE_IMPORT_FORCE'))
      .addOption(
        new Option(
          '--allow-hosts <hosts>',
          'hosts that URLs may go to where the host comes from data: `*.example.org,cdn.internal`',
        )
          .argParser(hosts)
          .env('SLUICE_IMPORT_ALLOW_HOSTS'),
      )
      .addOption(jsonOption('one JSON document: rules, files, not_carried, problems'))
      .addHelpText('after', '\nExit code 1 when something could not be carried over.')
      .action(async (from: string, file: string | undefined, options: Options) => {
        const misuse = misuseOf(from, file)
        exit(
          misuse === null
            ? await importChangeprop(deps, file ?? '', options)
            : complain(deps, { exitCode: exitCode.usage, ...misuse }),
        )
      })
  )
}

function misuseOf(
  from: string,
  file: string | undefined,
): Pick<Complaint, 'message' | 'hint'> | null {
  if (from !== 'changeprop') {
    const hint = didYouMean(from, ['changeprop']) ?? 'rules are taken from changeprop'
    return { message: `there is no import from ${from}`, hint }
  }
  const hint = 'name the config: `sluice import changeprop FILE`'
  return file === undefined ? { message: 'there is no file to import', hint } : null
}

function hosts(text: string, before: readonly string[] = []): readonly string[] {
  const given = text.split(',').map((host) => host.trim())
  const bad = given.find((host) => !isHostPattern(host))
  if (bad === undefined) return [...before, ...given]
  throw new InvalidArgumentError(`"${bad}" is no host; write a name, or *.name for all below it`)
}

interface NewFile {
  readonly name: string
  readonly text: string
  readonly rules: readonly string[]
}

async function importChangeprop(
  deps: ProgramDeps,
  name: string,
  options: Options,
): Promise<number> {
  const { file, problem } = await readSourceFile(name)
  if (file === null) return refuse(deps, problem)
  const conversion = convertChangeprop(file, options.allowHosts ?? [])
  if (conversion.problem !== null) return refuse(deps, conversion.problem)
  if (conversion.modules.length === 0) {
    return complain(deps, {
      exitCode: exitCode.usage,
      message: `there are no rules of change-propagation in ${name}`,
      hint: 'rules stand below `templates` of `sys/kafka.js`, or alone in a file: name, topic, exec',
    })
  }
  const files: NewFile[] = []
  for (const [index, module] of conversion.modules.entries()) {
    const told = { source: name, breathe: deps.breathe }
    const written = await writeRuleFile(module, conversion.findings, told)
    files.push({ ...written, name: join(options.out ?? '', fileName(name, index)) })
  }
  const problems = await problemsOf(files, deps.breathe)
  const refused = options.out === undefined ? null : await writeFiles(options.out, files, options)
  if (refused !== null) return complain(deps, refused)
  const findings = conversion.findings.all.toSorted((a, b) => a.line - b.line)
  const fileOf = new Map(files.flatMap((one) => one.rules.map((rule) => [rule, one.name] as const)))
  const document: ImportDocument = {
    rules: conversion.modules.flatMap(({ rules }) =>
      rules.map(({ name: rule, from, line }) => ({
        name: rule,
        from,
        line,
        file: fileOf.get(rule) ?? null,
      })),
    ),
    files: files.map(({ name: path, rules, text }) => ({
      name: path,
      rules: rules.length,
      ...(options.out === undefined ? { text } : {}),
    })),
    not_carried: findings,
    problems: problems.map(({ source: _source, ...problem }) => problem),
  }
  print(deps, document, { files, problems, options })
  const isClean = findings.length === 0 && problems.every(({ severity }) => severity === 'warning')
  return isClean ? exitCode.ok : exitCode.findings
}

function refuse(deps: ProgramDeps, problem: Problem | null): number {
  if (problem !== null) deps.stderr.write(`${renderProblem(problem)}\n`)
  return exitCode.usage
}

function fileName(config: string, index: number): string {
  const plain = basename(config).replace(/\.ya?ml(?:\.\w+)?$/, '')
  const safe = plain.replace(/[^\w-]+/g, '-').replace(/^-+|-+$/g, '') || 'changeprop'
  return `${safe}${index === 0 ? '' : `-${index + 1}`}.yaml`
}

/** Writes all of them or none; `null` when they are written. */
async function writeFiles(
  folder: string,
  files: readonly NewFile[],
  { force }: Options,
): Promise<Complaint | null> {
  if (force !== true) {
    for (const { name } of files) {
      if (!(await exists(name))) continue
      const hint = 'name another folder, or add --force to overwrite it'
      return { exitCode: exitCode.usage, message: `${name} is there already`, hint }
    }
  }
  try {
    await mkdir(folder, { recursive: true })
    // `wx` where nothing may be overwritten: a file may have come since we looked.
    for (const { name, text } of files)
      await writeFile(name, text, { flag: force === true ? 'w' : 'wx' })
    return null
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const hint = 'is the folder there, and may it be written to?'
    return {
      exitCode: exitCode.unreachable,
      message: `the rules cannot be written: ${reason}`,
      hint,
    }
  }
}

async function exists(name: string): Promise<boolean> {
  try {
    await stat(name)
    return true
  } catch {
    return false // what else may be wrong with it is told when it is written
  }
}

interface Printed {
  readonly files: readonly NewFile[]
  readonly problems: readonly Problem[]
  readonly options: Options
}

function print(deps: ProgramDeps, document: ImportDocument, printed: Printed): void {
  const { stdout, stderr, env } = deps
  if (printed.options.json === true) {
    stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    return
  }
  const isPrinted = printed.options.out === undefined
  if (isPrinted) stdout.write(printed.files.map(({ text }) => text).join(betweenFiles))
  const report = isPrinted ? stderr : stdout
  const styles = stylesFor(report, env)
  if (document.not_carried.length > 0) {
    const columns = [
      { title: 'LINE', align: 'left', text: (one: Finding) => `${one.file}:${one.line}` },
      { title: 'RULE', align: 'left', text: (one: Finding) => one.rule ?? '-' },
      { title: 'NOT CARRIED OVER', align: 'left', text: (one: Finding) => one.what },
      {
        title: 'WHY, AND WHAT INSTEAD',
        align: 'left',
        text: (one: Finding) => `${one.why}; ${one.instead}`,
      },
    ] as const
    const { not_carried: rows } = document
    report.write(`${renderTable(columns, rows, { titleStyle: styles.bold, widthMax: null })}\n`)
  }
  const problems = isPrinted ? onStdout(printed) : printed.problems
  if (problems.length > 0) report.write(`${renderProblems(problems)}\n\n`)
  report.write(`${summaryOf(document, isPrinted)}\n`)
}

/** Several files on stdout, each a document of its own. */
const betweenFiles = '---\n'

/** Problems by the line of what was printed: the files have no names that could be opened. */
function onStdout({ files, problems }: Printed): readonly Problem[] {
  const linesBefore = new Map<string, number>()
  let lines = 0
  for (const { name, text } of files) {
    linesBefore.set(name, lines)
    lines += `${text}${betweenFiles}`.split('\n').length - 1
  }
  const moved = problems.map((problem) => ({
    ...problem,
    file: 'stdout',
    line: problem.line + (linesBefore.get(problem.file) ?? 0),
  }))
  return moved.sort((a, b) => a.line - b.line)
}

/** `9 of 10 rules in rules/changeprop.yaml; 4 things were not carried over`. */
function summaryOf(
  { rules, files, not_carried: lost }: ImportDocument,
  isPrinted: boolean,
): string {
  const written = files.reduce((sum, file) => sum + file.rules, 0)
  const where = isPrinted ? 'above' : `in ${files.map(({ name }) => name).join(', ')}`
  const told =
    lost.length === 0
      ? 'all was carried over'
      : `${lost.length === 1 ? '1 thing was' : `${lost.length} things were`} not carried over`
  return `${written} of ${rules.length} rules ${where}; ${told}`
}
