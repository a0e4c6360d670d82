import { compileFire } from '../../src/rules/compile-fire.ts'
import type { Condition } from '../../src/rules/condition.ts'
import { parseMatch } from '../../src/rules/parse-match.ts'
import type { Rule } from '../../src/rules/rule.ts'
import { createReporter } from '../../src/schema/reporter.ts'
import type { Json, JsonObject } from '../../src/model/json.ts'
import type { Problem } from '../../src/model/problem.ts'
import { anAction, aRule, success } from './builders.ts'

/** What a rule asks for, as it is written in a file; `topics` are names. */
export interface WrittenMatch {
  readonly name: string
  readonly topics?: readonly string[]
  readonly lane?: string
  readonly when?: JsonObject
  readonly unless?: readonly JsonObject[]
  /** The match of each case. */
  readonly cases?: readonly JsonObject[]
}

const lists: ReadonlyMap<string, Json> = new Map()

/** A rule whose match is parsed and compiled as the loader does it; what it does is nothing. */
export function aMatchRule(
  { name, topics = ['edits'], lane = 'default', cases, ...match }: WrittenMatch,
  more: Partial<Rule> = {},
  listsOfFile = lists,
): Rule {
  const parse = (source: object): Condition => {
    const problems: Problem[] = []
    const reporter = createReporter({
      problemAt: (_at, _part, complaint) => {
        const problem = { file: 'rules/a.yaml', line: 1, column: 1, source: null, ...complaint }
        problems.push(problem)
        return problem
      },
    })
    // as: a map of Json values, as its type says
    const parsed = parseMatch(source as JsonObject, [], { lists: listsOfFile, reporter })
    if (parsed === null) throw new Error(`${name}: ${JSON.stringify(problems)}`)
    return parsed
  }
  const condition = parse(match)
  const ways = (cases ?? []).map((one) => parse({ when: one }))
  const step = { action: nothing, as: null, each: null, place: null }
  return aRule(() => Promise.resolve(success), {
    name,
    lane,
    topics: {
      text: topics.join(),
      names: topics,
      globs: [],
      matches: (topic) => topics.includes(topic),
    },
    condition,
    ways: (cases === undefined ? [null] : ways).map((way) => ({
      condition: way,
      sample: null,
      steps: [step],
      captures: () => ({}),
    })),
    fire: compileFire(condition, cases === undefined ? [null] : ways),
    ...more,
  })
}

const nothing = anAction(() => Promise.resolve(success))
