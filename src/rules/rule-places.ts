import { invariant } from '../model/invariant.ts'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import { createReporter, type Reporter } from '../schema/reporter.ts'
import type { At, Complaint } from '../schema/yaml-document.ts'
import { fillName } from './each-tags.ts'
import type { Entry } from './expand.ts'
import type { Origin } from './inherit.ts'
import type { WrittenRule } from './rule-file.ts'
import type { TellOnce } from './tell-once.ts'

/** Where the parts of a rule are written: what it inherits, at the base; what is filled in, as it was. */
export interface RulePlaces {
  problemAt(at: At, part: 'key' | 'value', complaint: Complaint): Problem
  /** 1-based, in the file of the part. */
  lineOf(at: At): number
}

/** Of a rule on its own: all of it stands where the rule does. */
export function placesOfWritten(
  written: WrittenRule,
  entry: Entry | null,
  told: TellOnce,
): RulePlaces {
  const { document } = written.file
  return {
    problemAt: (at, part, complaint) =>
      told.note(document.problemAt(at, part, complaint), written, entry),
    lineOf: (at) => document.lineOf(at),
  }
}

/** Of a rule with what it inherits. Paths begin with those of the rule itself. */
export function placesOfWhole(
  rule: { readonly written: WrittenRule; readonly entry: Entry | null },
  originOf: (key: string) => Origin,
  told: TellOnce,
): RulePlaces {
  const { written, entry } = rule
  const find = (at: At): { readonly origin: Origin | null; readonly at: At } => {
    const key = at[written.at.length]
    if (key === undefined) return { origin: null, at }
    const origin = originOf(String(key))
    return { origin, at: placeIn(origin, at.slice(written.at.length)) }
  }
  const documentOf = (origin: Origin | null) => (origin?.file ?? written.file).document
  return {
    problemAt(at, part, complaint) {
      const found = find(at)
      const problem = documentOf(found.origin).problemAt(found.at, part, complaint)
      return told.note(problem, written, entry)
    },
    lineOf(at) {
      const found = find(at)
      return documentOf(found.origin).lineOf(found.at)
    },
  }
}

/**
 * A reporter that lets go of the places when it is closed. What is compiled keeps the reporter that
 * it was compiled with; without this every rule of a running set would keep its text as well.
 */
export function closingReporter(places: RulePlaces): {
  readonly reporter: Reporter
  readonly close: () => void
} {
  let open: RulePlaces | null = places
  const reporter = createReporter({
    problemAt(at, part, complaint) {
      invariant(open !== null, 'a rule is reported on once it is compiled')
      return open.problemAt(at, part, complaint)
    },
  })
  return { reporter, close: () => void (open = null) }
}

function placeIn(origin: Origin, below: At): At {
  if (origin.kind === 'defaults') return ['defaults', ...below]
  const { written, entry } = origin.rule
  if (entry === null) return [...written.at, ...below]
  return [...written.at, ...asWritten(written.source, below, entry)]
}

/** The path before anything was filled in; it ends where a text became more than a text. */
function asWritten(source: Json, below: At, { each }: Entry): At {
  const path: (string | number)[] = []
  let value: Json | undefined = source
  for (const step of below) {
    if (Array.isArray(value)) {
      path.push(step)
      value = (value as readonly Json[])[Number(step)] // as: isArray forgets what the members are
    } else if (isJsonObject(value)) {
      const map: { readonly [key: string]: Json } = value
      const key =
        Object.keys(map).find((one) => one === step || fillName(one, each, nothing) === step) ??
        String(step)
      path.push(key)
      value = map[key]
    } else if (value !== undefined) {
      return path
    } else {
      path.push(step)
    }
  }
  return path
}

const nothing = (): void => undefined
