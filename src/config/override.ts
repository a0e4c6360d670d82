import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { At, Complaint, YamlDocument } from '../schema/yaml-document.ts'
import { parseYaml } from '../schema/yaml-document.ts'

/** What problems name in place of a file. */
const placeName = '--set'

/** One `--set path=value` that could be read. */
export interface Override {
  readonly at: At
  readonly value: Json
  /** A complaint about the value, or about what is below it. */
  readonly problemAt: (below: At, part: 'key' | 'value', complaint: Complaint) => Problem
}

/** Reads `path=value`: a dotted path (`\.` is a dot in a name) and a YAML value. */
export function parseOverride(text: string): {
  readonly override: Override | null
  readonly problems: readonly Problem[]
} {
  const equals = text.indexOf('=')
  const path = equals === -1 ? text : text.slice(0, equals)
  const at = path.split(/(?<!\\)\./).map((step) => step.replaceAll('\\.', '.'))
  const source = equals === -1 ? '' : text.slice(equals + 1)
  if (source.trim() === '' || at.includes('')) {
    return { override: null, problems: [badOverride(text, 'this is not `path=value`')] }
  }
  // Blanks stand in for the path, so that columns of the value are columns of the whole text.
  const padded = ' '.repeat(equals + 1) + source
  const { document, problems } = parseYaml({ name: placeName, text: padded })
  if (document === null) return { override: null, problems: problems.map(inText(text)) }
  return {
    override: { at, value: document.value, problemAt: placesIn(document, text) },
    problems: problems.map(inText(text)),
  }
}

function placesIn(document: YamlDocument, text: string): Override['problemAt'] {
  return (below, part, complaint) => {
    const problem = document.problemAt(below, part, complaint)
    return inText(text)(problem)
  }
}

function inText(text: string): (problem: Problem) => Problem {
  return (problem) => ({
    ...problem,
    source: { text, length: problem.source?.length ?? 1 },
  })
}

/** The value of `root` with the override in place, or why it cannot be put there. */
export function applyOverride(
  root: Json,
  { at, value, problemAt }: Override,
): { readonly root: Json } | { readonly problem: Problem } {
  const [step, ...below] = at
  if (step === undefined) return { root: value }
  if (root !== null && !isJsonObject(root)) {
    const message = `\`${String(step)}\` cannot be set: what is above it is not a map`
    return {
      problem: problemAt([], 'value', {
        severity: 'error',
        code: 'bad-override',
        message,
        hint: null,
      }),
    }
  }
  const inside = root !== null && Object.hasOwn(root, step) ? (root[step] ?? null) : null
  const result = applyOverride(inside, { at: below, value, problemAt })
  return 'problem' in result ? result : { root: { ...root, [step]: result.root } }
}

function badOverride(text: string, message: string): Problem {
  return {
    file: placeName,
    line: 1,
    column: 1,
    severity: 'error',
    code: 'bad-override',
    message,
    hint: 'for example `--set limits.memory=1GiB`',
    source: { text, length: text.length },
  }
}
