import { actionKinds } from '../actions/kinds.ts'
import type { RunOptions } from '../cli/program-deps.ts'
import type { Config } from '../config/config.ts'
import { revealed } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { systemClock } from '../drivers/system-clock.ts'
import type { Problem } from '../model/problem.ts'
import { loadRules } from '../rules/load-rules.ts'
import type { RuleSet } from '../rules/rule-set.ts'
import { readListFile, readRuleFiles } from '../schema/source-files.ts'
import { breather } from './breathe.ts'

/** What a daemon is made of: settings and rules, checked together. */
export interface House {
  readonly config: Config
  readonly ruleSet: RuleSet
}

export interface Loaded {
  /** `null` when there is an error anywhere in it. */
  readonly house: House | null
  /** Warnings included. */
  readonly problems: readonly Problem[]
}

/** Reads the config and the rules that it names: all or nothing, with everything that is wrong. */
export async function load({ configFile, set }: RunOptions): Promise<Loaded> {
  const loaded = await loadConfig({ file: configFile, set, env: process.env })
  const { config } = loaded
  if (config === null) return { house: null, problems: loaded.problems }
  const source = await readRuleFiles([config.rules.path])
  const { ruleSet, problems } = await loadRules(source.files, {
    kinds: actionKinds,
    secrets: revealed(config),
    allowHosts: config.http.allowHosts,
    retryTiersMs: config.retry.tiersMs,
    lanes: config.lanes.map(({ name }) => name),
    readListFile,
    breathe: breather(systemClock),
  })
  const all = [...loaded.problems, ...source.problems, ...problems]
  const isGood = ruleSet !== null && all.every(({ severity }) => severity === 'warning')
  return { house: isGood ? { config, ruleSet } : null, problems: all }
}
