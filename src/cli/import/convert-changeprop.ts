import type { JsonObject } from '../../model/json.ts'
import { formatDuration } from '../../model/units.ts'
import type { Problem } from '../../model/problem.ts'
import { parseLenientYaml } from '../../schema/lenient-yaml.ts'
import { dedupWindowMsMax } from '../../rules/limits-schema.ts'
import type { SourceFile } from '../../schema/source-files.ts'
import { defaultsOf } from './convert-retry.ts'
import { convertRule } from './convert-rule.ts'
import { findModules, type FoundModules, type RuleModule } from './find-modules.ts'
import { Findings } from './findings.ts'
import { textOf } from './sourced.ts'

/** A rule of theirs, and what became of it. */
export interface ConvertedRule {
  readonly name: string
  /** The name that it had. */
  readonly from: string
  readonly line: number
  /** `null`: nothing is written for it; the findings say why. */
  readonly rule: JsonObject | null
}

/** What becomes one rule file. */
export interface ConvertedModule {
  readonly defaults: JsonObject
  readonly rules: readonly ConvertedRule[]
}

export interface Conversion {
  readonly modules: readonly ConvertedModule[]
  readonly findings: Findings
  /** Why the file cannot be read at all. */
  readonly problem: Problem | null
}

/** Rules of one config: each may be as long as a file, and all of them are converted at one go. */
const rulesMax = 10_000

/** Ours takes 63 characters; the rest is for a number. */
const nameLengthMax = 57

/** Converts a config of change-propagation. Pure; `allowHosts` is what the user says of templated hosts. */
export function convertChangeprop(file: SourceFile, allowHosts: readonly string[]): Conversion {
  const { roots, repeated, problem } = parseLenientYaml(file)
  const findings = new Findings(file.name)
  if (problem !== null) return { modules: [], findings, problem }
  const note = findings.of(null)
  for (const { key, line } of repeated) {
    note(
      line,
      `\`${key}\``,
      'it stands twice in one map, and the last one counts',
      'the last one was converted; give this one a name of its own if both are meant',
    )
  }
  const found = findModules(roots)
  const taken = new Set<string>()
  let count = 0
  const modules = found.modules.map((module) => {
    const rules = [...module.rules].flatMap(([from, { line, value }]) => {
      if (++count > rulesMax) {
        if (count === rulesMax + 1) noteTooMany(line, findings)
        return []
      }
      const name = freeName(from, taken)
      const rule = convertRule(
        { spec: value, line, options: module.options, allowHosts, ...prefixesOf(module) },
        findings.of(name),
      )
      return [{ name, from, line, rule }]
    })
    noteModule(module, findings)
    return { defaults: { ...defaultsOf(module.options, note), ...dedupOf(found) }, rules }
  })
  noteDedup(found, findings)
  return { modules, findings, problem: null }
}

function noteTooMany(line: number, findings: Findings): void {
  findings.of(null)(
    line,
    'this rule and all behind it',
    `more than ${rulesMax} rules in one config`,
    'split the config, and import its parts one after the other',
  )
}

/** `summary_rerender` is `summary-rerender`, `cdnPurge` is `cdn-purge`; a second one gets a number. */
function freeName(from: string, taken: Set<string>): string {
  const plain =
    from
      .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, nameLengthMax)
      .replace(/^-+|-+$/g, '') || 'rule'
  let free = plain
  for (let n = 2; taken.has(free); n++) free = `${plain}-${n}`
  taken.add(free)
  return free
}

function prefixesOf({ options }: RuleModule): { consumePrefix: string; producePrefix: string } {
  const prefix = (key: string): string => {
    const centre = textOf(options, 'dc_name') || textOf(options, key)
    return centre === null || centre === '' ? '' : `${centre}.`
  }
  return { consumePrefix: prefix('consume_dc'), producePrefix: prefix('produce_dc') }
}

/** An event by its id is remembered a twenty-fourth of the window, a root event all of it. */
function dedupOf({ dedup }: FoundModules): JsonObject {
  if (dedup === null) return {}
  const windowMs = Math.max(1, Math.ceil(dedup.windowSeconds / 24)) * 1_000
  const window = formatDuration(Math.min(windowMs, dedupWindowMsMax))
  return { dedup: { key: '{{event.meta.id}}', window, keep: 'first' } }
}

const carriedOptions = new Set([
  ...['templates', 'rules', 'concurrency', 'dc_name', 'consume_dc', 'produce_dc'],
])

function noteModule({ options }: RuleModule, findings: Findings): void {
  if (options === null) return
  const lost = [...options.entries].filter(([key, { value }]) => {
    // Values that templates look up, such as `hosts`, have been filled in.
    return !carriedOptions.has(key) && !(key === 'hosts' && value.kind === 'map')
  })
  const [first] = lost
  if (first === undefined) return
  findings.of(null)(
    first[1].line,
    `\`${lost.map(([key]) => key).join('`, `')}\``,
    'options of the module that are no rules',
    'brokers, consumers and logging are set in the config of Sluice (docs/configuration.md)',
  )
}

function noteDedup({ dedup, modules }: FoundModules, findings: Findings): void {
  if (dedup === null || modules.length === 0) return
  findings.of(null)(
    dedup.line,
    '`sys/deduplicator.js`',
    'change-propagation skips events by id, by `sha1` and by root event; `dedup` goes by one key',
    'it was written by id, into `defaults`; for what is made again of an old root see `dedup.version`',
  )
}
