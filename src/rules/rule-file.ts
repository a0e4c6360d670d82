import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { checkShape } from '../schema/check-shape.ts'
import { describeValue } from '../schema/describe.ts'
import { createReporter } from '../schema/reporter.ts'
import type { SourceFile } from '../schema/source-files.ts'
import { parseYaml, type At, type YamlDocument } from '../schema/yaml-document.ts'
import { prepareMembers } from './parse-members.ts'
import type { RuleContext } from './rule-context.ts'
import { readLists, type ListFiles } from './rule-lists.ts'
import { defaultsSchema, ruleFileSchema } from './rule-schema.ts'

/** A rule file as it is written: nothing is expanded, inherited or compiled. */
export interface RuleFile {
  readonly document: YamlDocument
  /** The keys that rules of this file take over where they say nothing. */
  readonly defaults: JsonObject
  /** `null` stands for one that is wrong, which has been told. */
  readonly lists: ReadonlyMap<string, Json>
  /** By name, equal for equal lists. */
  readonly listDigests: ReadonlyMap<string, string>
  readonly rules: readonly WrittenRule[]
}

/** A rule as it is written; with `for_each` it becomes several. */
export interface WrittenRule {
  readonly file: RuleFile
  readonly name: string
  readonly at: At
  readonly source: Json
}

const frame =
  'a rule file is `rules:`, and below it each rule by its name: ' +
  '`rules: { purge: { topics: [..], when: {..}, do: {..} } }`'

/** Reads a file and tells what is wrong with it as a whole; `null`: there is nothing to go on with. */
export async function readRuleFile(
  source: SourceFile,
  context: RuleContext,
  listFiles: ListFiles,
): Promise<{ readonly file: RuleFile | null; readonly problems: readonly Problem[] }> {
  const { document, problems } = parseYaml(source)
  if (document === null) return { file: null, problems }
  const reporter = createReporter(document)
  const root = document.value
  if (isJsonObject(root)) checkShape(ruleFileSchema, root, [], reporter)
  else reporter.error([], 'wrong-type', `found ${describeValue(root)}, expected a map`, frame)
  // A file with a mistake at its root is read on as far as it goes, so that all is told at once.
  const part = (name: string): Json | undefined => (isJsonObject(root) ? root[name] : undefined)
  const defaults = part('defaults')
  if (defaults !== undefined) checkShape(defaultsSchema, defaults, ['defaults'], reporter)
  const lists = await readLists(part('lists'), {
    reporter,
    file: source,
    rules: context,
    listFiles,
  })
  // Whoever writes `ci` in another way than by its name waits a second for a list of a million.
  const folds = /\bci\b/.test(source.text)
  for (const { value } of lists.values()) {
    // as: isArray forgets what the members are
    if (Array.isArray(value)) {
      await prepareMembers(value as readonly Json[], folds, context.breathe)
    }
  }
  const rules: WrittenRule[] = []
  const file: RuleFile = {
    document,
    defaults: knownDefaults(defaults),
    lists: new Map([...lists].map(([name, { value }]) => [name, value])),
    listDigests: new Map([...lists].map(([name, { digest }]) => [name, digest])),
    rules,
  }
  const written = part('rules')
  for (const [name, rule] of Object.entries(isJsonObject(written) ? written : {})) {
    rules.push({ file, name, at: ['rules', name], source: rule })
  }
  return { file, problems: [...problems, ...reporter.problems] }
}

/** What `defaults` cannot hold has been told there, and would be told again in every rule. */
function knownDefaults(source: Json | undefined): JsonObject {
  const entries = Object.entries(isJsonObject(source) ? source : {})
  return Object.fromEntries(entries.filter(([key]) => Object.hasOwn(defaultsSchema.shape, key)))
}
