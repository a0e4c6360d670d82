import { actionKinds } from '../../actions/kinds.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { loadRules } from '../../rules/load-rules.ts'
import { readListFile, type SourceFile } from '../../schema/source-files.ts'
import { writeYaml, type YamlComment } from '../../schema/write-yaml.ts'
import type { ConvertedModule, ConvertedRule } from './convert-changeprop.ts'
import type { Finding, Findings } from './findings.ts'

export interface RuleFile {
  readonly text: string
  /** Names of the rules in it that load. */
  readonly rules: readonly string[]
}

export interface WriteOptions {
  /** The config, as the user named it. */
  readonly source: string
  /** Lets all else of the process go first. */
  readonly breathe: () => Promise<void>
}

/** Columns that a comment may take. */
const widthMax = 96

/**
 * One rule file. Each rule is loaded as it stands here; one that does not load is written commented
 * out, and what is wrong with it becomes findings, so that the file as a whole always loads.
 */
export async function writeRuleFile(
  module: ConvertedModule,
  findings: Findings,
  { source, breathe }: WriteOptions,
): Promise<RuleFile> {
  const rules: Record<string, Json> = {}
  const comments: YamlComment[] = []
  const atEnd: string[] = []
  for (const converted of module.rules) {
    const { name, rule } = converted
    const isSound = rule !== null && (await loads(converted, module, findings, breathe))
    const head = `from ${source}:${converted.line}${calledBefore(converted)}`
    const notes = findings.ofRule(name).flatMap(noteLines)
    if (rule === null || !isSound) {
      const body =
        rule === null
          ? []
          : writeYaml({ [name]: rule })
              .trimEnd()
              .split('\n')
      const what = rule === null ? `${name}: nothing was written` : `${name}: does not load`
      atEnd.push('', ...wrapped(`${what}, ${head}`), ...notes, ...body)
      continue
    }
    rules[name] = rule
    comments.push({ at: ['rules', name], place: 'before', lines: [...wrapped(head), ...notes] })
  }
  if (atEnd.length > 0) {
    comments.push({ at: ['rules'], place: 'end', lines: atEnd.slice(1) })
  }
  const header = [
    `Made from ${source} by \`sluice import changeprop\`. docs/import-changeprop.md says what differs.`,
  ]
  return {
    text: writeYaml({ defaults: module.defaults, rules }, { header, comments }),
    rules: Object.keys(rules),
  }
}

function calledBefore({ name, from }: ConvertedRule): string {
  return name === from ? '' : `, where it is called ${from}`
}

function noteLines({ what, why, instead }: Finding): readonly string[] {
  return wrapped(`not carried over: ${what}: ${why}; ${instead}`)
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length + 1 > widthMax) {
      lines.push(lines.length === 0 ? word : `  ${word}`)
    } else {
      lines[lines.length - 1] = `${last} ${word}`
    }
  }
  return lines
}

/** Whether one rule loads by itself; errors become findings. */
async function loads(
  { name, rule, line }: ConvertedRule,
  { defaults }: ConvertedModule,
  findings: Findings,
  breathe: WriteOptions['breathe'],
): Promise<boolean> {
  const text = writeYaml({ defaults, rules: { [name]: rule as JsonObject } }) // as: asked for rules that are there
  const problems = await problemsOf([{ name: 'rules.yaml', text }], breathe)
  const errors = problems.filter(({ severity }) => severity === 'error')
  for (const { message, hint, code } of errors) {
    findings.of(name)(
      line,
      'the whole rule',
      `it does not load: ${message} [${code}]`,
      `it was written commented out${hint === null ? '' : `; ${hint}`}`,
    )
  }
  return errors.length === 0
}

/** What `sluice check` says about files without a config. */
export async function problemsOf(
  files: readonly SourceFile[],
  breathe: WriteOptions['breathe'],
): Promise<readonly Problem[]> {
  const loaded = await loadRules(files, {
    kinds: actionKinds,
    secrets: null,
    allowHosts: [],
    retryTiersMs: [],
    lanes: null,
    readListFile,
    breathe,
  })
  return loaded.problems
}
