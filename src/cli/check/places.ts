import type { Problem } from '../../model/problem.ts'
import type { Rule } from '../../rules/rule.ts'
import { fileProblem, readSourceFile, type SourceFile } from '../../schema/source-files.ts'
import { parseYaml, type At, type Complaint } from '../../schema/yaml-document.ts'

/** Where a complaint about something outside of the files is told: at what names it. */
export interface CheckPlaces {
  /** At a key of the config, or at the last one on the way that is written. */
  ofConfig(at: At, complaint: Complaint): Problem
  /** At the name of the rule. */
  ofRule(rule: Pick<Rule, 'file' | 'line'> | undefined, complaint: Complaint): Problem
}

/** The config is read once more: what a config has become does not know its lines. */
export async function placesIn(
  configFile: string | null,
  ruleFiles: readonly SourceFile[],
): Promise<CheckPlaces> {
  const file = configFile === null ? null : (await readSourceFile(configFile)).file
  const document = file === null ? null : parseYaml(file).document
  const linesOf = new Map<string, readonly string[]>()
  const lineOf = (name: string, line: number): string | null => {
    const known = linesOf.get(name)
    const lines = known ?? ruleFiles.find((one) => one.name === name)?.text.split(/\r?\n/) ?? []
    if (known === undefined) linesOf.set(name, lines)
    return lines[line - 1] ?? null
  }
  return {
    ofConfig(at, complaint) {
      if (document !== null) return document.problemAt(at, 'key', complaint)
      const { code, message, hint, severity } = complaint
      return { ...fileProblem(configFile ?? 'the defaults', code, message, hint), severity }
    },
    ofRule(rule, { code, message, hint, severity }) {
      const { file: name = '', line = 1 } = rule ?? {}
      const text = lineOf(name, line)
      const key = /\S[^:\s]*/.exec(text ?? '')
      return {
        ...fileProblem(name, code, message, hint),
        severity,
        line,
        column: (key?.index ?? 0) + 1,
        source: text === null || key === null ? null : { text, length: key[0].length },
      }
    },
  }
}
