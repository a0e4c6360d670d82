import type { Problem } from '../model/problem.ts'
import type { Entry } from './expand.ts'
import type { WrittenRule } from './rule-file.ts'

/*
 * One mistake is told once. It can be met several times: in every rule that `for_each` makes, in
 * every rule that extends the one it stands in, in every rule of a file for its defaults.
 */

interface Met {
  readonly written: WrittenRule
  readonly entry: Entry
  /** Counts the problems of one entry with one code at one place. */
  readonly turn: number
}

export class TellOnce {
  readonly #met = new Map<Problem, Met>()
  readonly #turns = new Map<Entry, Map<string, number>>()

  /** Remembers which entry of `for_each` a problem was met in. */
  note(problem: Problem, written: WrittenRule, entry: Entry | null): Problem {
    if (entry === null) return problem
    const turns = this.#turns.get(entry) ?? new Map<string, number>()
    this.#turns.set(entry, turns)
    const place = placeOf(problem)
    const turn = turns.get(place) ?? 0
    turns.set(place, turn + 1)
    this.#met.set(problem, { written, entry, turn })
    return problem
  }

  /**
   * Each mistake once, in the order in which it was met first. Where it depends on the entry of
   * `for_each`, it says for which.
   *
   * @param entriesOf - how many entries the `for_each` of a rule has
   */
  tell(
    problems: readonly Problem[],
    entriesOf: (written: WrittenRule) => number,
  ): readonly Problem[] {
    const groups = new Map<string, Problem[]>()
    const ofNoEntry = new Set(problems.filter((one) => !this.#met.has(one)).map(wordsOf))
    for (const problem of problems) {
      const met = this.#met.get(problem)
      // That of a base is told there, and need not be told for the entries that extend it.
      if (met !== undefined && ofNoEntry.has(wordsOf(problem))) continue
      // Where it was not met in an entry, only what is the same in every word is the same mistake.
      const what = met === undefined ? problem.message : `entry ${met.turn}`
      const key = JSON.stringify([placeOf(problem), what])
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [problem])
      else group.push(problem)
    }
    return [...groups.values()].flatMap((group) => this.#tellGroup(group, entriesOf))
  }

  #tellGroup(
    group: readonly Problem[],
    entriesOf: (written: WrittenRule) => number,
  ): readonly Problem[] {
    const [first] = group
    if (first === undefined) return []
    const met = this.#met.get(first)
    if (met === undefined) return [first]
    const isSame = group.every(({ message }) => message === first.message)
    if (isSame && group.length >= entriesOf(met.written)) return [first]
    const others = group.length - 1
    const more = others === 0 ? '' : others === 1 ? ' and one more' : ` and ${others} more`
    return [{ ...first, message: `${first.message} (for ${met.entry.label}${more})` }]
  }
}

function wordsOf(problem: Problem): string {
  return `${placeOf(problem)} ${problem.message}`
}

function placeOf({ file, line, column, code }: Problem): string {
  return `${file}:${line}:${column} ${code}`
}
