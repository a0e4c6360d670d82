import { actionKinds } from '../actions/kinds.ts'
import { revealed, type Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Problem } from '../model/problem.ts'
import { loadRules, type LoadedRules } from '../rules/load-rules.ts'
import type { RuleContext } from '../rules/rule-context.ts'
import { inOrder } from '../schema/reporter.ts'
import { readListFile, readRuleFiles, type SourceFile } from '../schema/source-files.ts'
import type { ProgramDeps } from './program-deps.ts'

/** Where rules are when neither a path nor a config says it. */
export const rulesPathDefault = './rules'

/** Stands for every secret: what a command shows or compares holds none. */
const standIn = '***'

/** What a command that works on rule files starts from. */
export interface RuleFiles {
  /** `null` when it has errors. Without a file it is all defaults. */
  readonly config: Config | null
  readonly ofConfig: readonly Problem[]
  readonly files: readonly SourceFile[]
  readonly loaded: LoadedRules
  /** Of the rule files, in order. */
  readonly ofRules: readonly Problem[]
}

/**
 * Reads the config and the rules, for commands that do not run them for real: names of secrets are
 * checked, and `***` stands for each value.
 *
 * @param paths - rule files and folders; none: `rules.path` of the config
 */
export async function loadRuleFiles(
  configFile: string | null,
  paths: readonly string[],
  { env, breathe }: Pick<ProgramDeps, 'env' | 'breathe'>,
): Promise<RuleFiles> {
  const { config, problems: ofConfig } = await loadConfig({ file: configFile, set: [], env })
  const from = paths.length > 0 ? paths : [config?.rules.path ?? rulesPathDefault]
  const { files, problems: ofFiles } = await readRuleFiles(from)
  const loaded = await loadRules(files, ruleContextOf(config, breathe))
  return { config, ofConfig, files, loaded, ofRules: inOrder([...ofFiles, ...loaded.problems]) }
}

/** With a config that does not load, what rules name of it cannot be checked and is left alone. */
export function ruleContextOf(config: Config | null, breathe: RuleContext['breathe']): RuleContext {
  const always = { kinds: actionKinds, readListFile, breathe }
  if (config === null) {
    return { ...always, secrets: null, allowHosts: [], retryTiersMs: [], lanes: null }
  }
  return {
    ...always,
    secrets: new Map([...revealed(config).keys()].map((name) => [name, standIn])),
    allowHosts: config.http.allowHosts,
    retryTiersMs: config.retry.tiersMs,
    lanes: config.lanes.map(({ name }) => name),
  }
}
