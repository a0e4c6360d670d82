import type { Problem } from '../model/problem.ts'
import { createReporter, inOrder, type Reporter } from '../schema/reporter.ts'
import type { SourceFile } from '../schema/source-files.ts'
import { checkAbstractRule, compileRule, type CompiledRule } from './compile-rule.ts'
import { expandRule, type Entry, type RuleSource } from './expand.ts'
import { Family } from './inherit.ts'
import { warnAbout } from './lint.ts'
import { lookalikeTags } from './lint/lookalike-tags.ts'
import { unusedLists } from './lint/unused-lists.ts'
import { runInSlices } from './match-index/in-slices.ts'
import type { RuleContext } from './rule-context.ts'
import { readRuleFile, type RuleFile, type WrittenRule } from './rule-file.ts'
import type { ListFiles } from './rule-lists.ts'
import { closingReporter, placesOfWhole, placesOfWritten } from './rule-places.ts'
import { RuleSet } from './rule-set.ts'
import type { RuleTest } from './rule-test-schema.ts'
import type { Rule } from './rule.ts'
import { TellOnce } from './tell-once.ts'
import { Claims } from './topic-selector.ts'

/** Rules of one load: above it neither memory nor a reload stays within what a daemon should need. */
const rulesMax = 200_000

export interface LoadedRules {
  /** `null` when there is an error: one bad rule rejects the whole set. */
  readonly ruleSet: RuleSet | null
  /** Those without an error of their own, also where others leave no set: for `check`. */
  readonly sound: readonly Rule[]
  /** Of all files, in order; warnings included. */
  readonly problems: readonly Problem[]
  /** Rules found, those with errors included, abstract ones not. */
  readonly rules: number
  /** Cases beside the rules that are free of errors. Who runs them is not the loader. */
  readonly tests: readonly RuleTest[]
}

/**
 * Loads rule files: reads them, expands `for_each`, looks up what rules inherit, compiles, and tells
 * everything that is wrong in one go. Between rules it lets the process go on.
 */
export async function loadRules(
  files: readonly SourceFile[],
  context: RuleContext,
): Promise<LoadedRules> {
  const load = new Load(context)
  const read = await load.read(files)
  const written = read.flatMap(({ rules }) => rules)
  const sources = await load.expand(written)
  const flawless = sources.filter(({ flaws }) => flaws.length === 0)
  const compiled = await load.compile(sources, new Family(flawless, written))
  const loaded = compiled.map((one) => one.loaded)
  const problems = await load.problems(read, compiled)
  const isGood = problems.every(({ severity }) => severity === 'warning')
  const sound = loaded.map(({ rule }) => rule)
  return {
    ruleSet: isGood ? await RuleSet.build(sound, context.breathe) : null,
    sound,
    problems,
    rules: load.count,
    tests: compiled.flatMap(({ tests }) => tests),
  }
}

/** One load: its stages, in the order of their methods, and what they found wrong so far. */
class Load {
  /** Rules so far that are not abstract. */
  count = 0
  readonly #context: RuleContext
  readonly #told = new TellOnce()
  readonly #problems: Problem[] = []
  /** How many entries the `for_each` of a rule has. */
  readonly #entries = new Map<WrittenRule, number>()

  constructor(context: RuleContext) {
    this.#context = context
  }

  async read(files: readonly SourceFile[]): Promise<readonly RuleFile[]> {
    const listFiles: ListFiles = new Map()
    const read: RuleFile[] = []
    for (const source of files) {
      await this.#context.breathe()
      const { file, problems } = await readRuleFile(source, this.#context, listFiles)
      this.#add(problems)
      if (file !== null) read.push(file)
    }
    return read
  }

  /** Rules with names of their own; of two with one name the first. */
  async expand(written: readonly WrittenRule[]): Promise<readonly RuleSource[]> {
    const byName = new Map<string, RuleSource>()
    for (const one of written) {
      await this.#context.breathe()
      const before = this.count
      const made = await this.#expandOne(one)
      this.count += made.filter(({ value }) => value['abstract'] !== true).length
      for (const rule of made) {
        const first = byName.get(rule.name)
        if (first === undefined) byName.set(rule.name, rule)
        else this.#reportTwin(rule, first)
      }
      if (this.count > rulesMax && before <= rulesMax) {
        const message = `more than ${rulesMax} rules`
        this.#reporterOf(one, null, (reporter) => reporter.errorAtKey(one.at, 'too-many', message))
      }
      if (this.count > rulesMax) break
    }
    return [...byName.values()]
  }

  async compile(sources: readonly RuleSource[], family: Family): Promise<readonly CompiledRule[]> {
    const claims = new Claims()
    const compiled: CompiledRule[] = []
    for (const source of sources) {
      await this.#context.breathe()
      const one = this.#compileOne(source, family, claims)
      if (one !== null) compiled.push(one)
    }
    return compiled
  }

  /** All that is wrong, each mistake once, and what is legal and probably not meant. */
  async problems(
    files: readonly RuleFile[],
    compiled: readonly CompiledRule[],
  ): Promise<readonly Problem[]> {
    const rules = compiled.map(({ loaded }) => loaded)
    const tests = compiled.flatMap((one) => one.tests)
    const warnings = await warnAbout(rules, tests, this.#context)
    // A rule that is wrong may be the one that was to read a list.
    const isSound = this.#problems.every(({ severity }) => severity === 'warning')
    const lists = isSound ? files.flatMap(unusedLists) : []
    const all = [...this.#problems, ...warnings, ...lists]
    return inOrder(this.#told.tell(all, (written) => this.#entries.get(written) ?? 1))
  }

  async #expandOne(written: WrittenRule): Promise<readonly RuleSource[]> {
    const reporters: Reporter[] = []
    let entries = 0
    const work = expandRule(written, (entry) => {
      if (entry !== null) entries++
      const reporter = createReporter(placesOfWritten(written, entry, this.#told))
      reporters.push(reporter)
      return reporter
    })
    const made = await runInSlices(work, this.#context.breathe)
    this.#entries.set(written, entries)
    for (const { problems } of reporters) this.#add(problems)
    return made
  }

  #compileOne(source: RuleSource, family: Family, claims: Claims): CompiledRule | null {
    const { written, entry, flaws } = source
    const isFlawed = flaws.length > 0
    const own = createReporter(placesOfWritten(written, entry, this.#told))
    const whole = family.inherit(source, own)
    this.#add(beside(flaws, own.problems))
    if (whole === null) return null
    const places = placesOfWhole(source, whole.originOf, this.#told)
    const { reporter, close } = closingReporter(places)
    // What a flawed rule reads is not known, and nothing may depend on it.
    const context = {
      ...this.#context,
      places,
      reporter,
      claims: isFlawed ? new Claims() : claims,
    }
    let compiled: CompiledRule | null = null
    if (whole.said['abstract'] === true) checkAbstractRule(whole, context)
    else compiled = compileRule(whole, context)
    this.#add(beside(flaws, reporter.problems))
    if (compiled !== null && !isFlawed) {
      const { said } = whole
      const hasEach = entry !== null
      this.#add(lookalikeTags({ said, at: written.at, places, hasEach }))
    }
    close()
    return isFlawed ? null : compiled
  }

  /** One by one: as arguments of a call, those of a file full of mistakes would not fit on the stack. */
  #add(problems: readonly Problem[]): void {
    for (const problem of problems) this.#problems.push(problem)
  }

  #reportTwin(rule: RuleSource, first: RuleSource): void {
    const { written, entry } = rule
    const { document } = first.written.file
    const place = `${document.file.name}:${document.lineOf(first.written.at)}`
    const message = `there is a rule \`${rule.name}\` already, in ${place}`
    const hint = 'names are unique over all files'
    this.#reporterOf(written, entry, (reporter) =>
      reporter.errorAtKey(written.at, 'duplicate-rule', message, hint),
    )
  }

  #reporterOf<T>(written: WrittenRule, entry: Entry | null, use: (reporter: Reporter) => T): T {
    const reporter = createReporter(placesOfWritten(written, entry, this.#told))
    const result = use(reporter)
    this.#add(reporter.problems)
    return result
  }
}

/** Those at other places: where a tag is wrong, what was put in its stead may be wrong as well. */
function beside(flaws: readonly Problem[], problems: readonly Problem[]): readonly Problem[] {
  if (flaws.length === 0) return problems
  const places = new Set(flaws.map(placeOf))
  return problems.filter((one) => !places.has(placeOf(one)))
}

function placeOf({ file, line, column }: Problem): string {
  return `${file}:${line}:${column}`
}
