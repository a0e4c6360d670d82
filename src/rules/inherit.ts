import type { Json, JsonObject } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { RuleSource } from './expand.ts'
import type { RuleFile, WrittenRule } from './rule-file.ts'

/** A rule with all that it says, its own or not. */
export interface WholeRule {
  readonly source: RuleSource
  readonly said: JsonObject
  /** Where a key of it was written. */
  readonly originOf: (key: string) => Origin
}

/** The rule that a key was written in, or the `defaults` of a file. */
export type Origin =
  | { readonly kind: 'rule'; readonly rule: RuleSource; readonly file: RuleFile }
  | { readonly kind: 'defaults'; readonly file: RuleFile }

/** What speaks of the rule that it stands in, and of no other. */
const ownKeys: readonly string[] = ['description', 'tests', 'abstract', 'extends']

/** Two ways to say the same thing: who writes one does not inherit the other. */
const alternatives: Readonly<Record<string, string>> = { do: 'cases', cases: 'do' }

/** Rules between one and the last that it goes back to; more cannot be followed by a reader. */
const chainMax = 16

/** What `extends` may name. */
export class Family {
  readonly #byName = new Map<string, RuleSource>()
  readonly #written = new Map<string, WrittenRule>()
  readonly #inCircle = new Set<RuleSource>()

  /** @param rules - what came of `written`; those that could not be expanded are missing in it */
  constructor(rules: readonly RuleSource[], written: readonly WrittenRule[]) {
    for (const rule of rules) {
      if (!this.#byName.has(rule.name)) this.#byName.set(rule.name, rule)
    }
    for (const rule of written) {
      if (!this.#written.has(rule.name)) this.#written.set(rule.name, rule)
    }
  }

  /**
   * A rule with what it extends and with the defaults of its file: its own key first, then the
   * nearest base that has it, then the defaults. `null` after reporting why it cannot be made; what
   * is wrong with a base is told there.
   */
  inherit(source: RuleSource, reporter: Reporter): WholeRule | null {
    const chain = this.#chainOf(source, reporter)
    if (chain === null) return null
    const said: Record<string, Json> = {}
    const origins = new Map<string, Origin>()
    const take = (entries: readonly (readonly [string, Json])[], origin: Origin): void => {
      for (const [key, value] of entries) {
        said[key] = value
        origins.set(key, origin)
      }
    }
    const { file } = source.written
    for (const rule of chain) {
      const isFree = rule === source ? () => true : (key: string) => isInherited(key, said)
      const entries = Object.entries(rule.value).filter(([key]) => isFree(key))
      take(entries, { kind: 'rule', rule, file: rule.written.file })
    }
    const entries = Object.entries(file.defaults).filter(([key]) => isInherited(key, said))
    take(entries, { kind: 'defaults', file })
    const own: Origin = { kind: 'rule', rule: source, file }
    return { source, said, originOf: (key) => origins.get(key) ?? own }
  }

  /** The rule, what it extends, what that extends, and so on. */
  #chainOf(source: RuleSource, reporter: Reporter): readonly RuleSource[] | null {
    const chain = [source]
    for (let rule = source; ;) {
      const name = rule.value['extends']
      if (typeof name !== 'string') return chain // where it is something else, its shape is told
      const base = this.#find(name, rule === source ? [source, reporter] : null)
      if (base === null) return null
      const from = chain.indexOf(base)
      if (from !== -1) {
        this.#reportCircle(source, chain.slice(from), reporter)
        return null
      }
      if (chain.length > chainMax) {
        const message = `\`extends\` leads over more than ${chainMax} rules`
        reporter.error([...source.written.at, 'extends'], 'too-many', message)
        return null
      }
      chain.push(base)
      rule = base
    }
  }

  /** @param told - the rule that names it and where to tell; `null`: that has been told elsewhere */
  #find(name: string, told: readonly [RuleSource, Reporter] | null): RuleSource | null {
    const found = this.#byName.get(name)
    if (found?.entry === null) return found
    const written = found?.written ?? this.#written.get(name)
    if (told === null) return null
    const [{ written: by }, reporter] = told
    const at = [...by.at, 'extends']
    if (written === undefined) {
      const names = [...this.#byName.keys()]
      const message = `there is no rule \`${name}\` to extend`
      reporter.error(at, 'unknown-rule', message, didYouMean(name, names))
    } else if (found !== undefined || isMadeByForEach(written)) {
      const message = `\`${name}\` is made by \`for_each\`, and such a rule cannot be extended`
      const hint = 'put what they share into a rule with `abstract: true` that both extend'
      reporter.error(at, 'bad-value', message, hint)
    }
    return null // without a report where the base has a mistake of its own, told there
  }

  /** Once for each circle, at the first of its rules that is looked at. */
  #reportCircle(source: RuleSource, circle: readonly RuleSource[], reporter: Reporter): void {
    if (!circle.includes(source) || circle.some((rule) => this.#inCircle.has(rule))) return
    for (const rule of circle) this.#inCircle.add(rule)
    const way = [...circle, source].map(({ name }) => `\`${name}\``).join(' extends ')
    const at = [...source.written.at, 'extends']
    reporter.error(at, 'bad-value', `a rule extends itself: ${way}`)
  }
}

function isInherited(key: string, said: JsonObject): boolean {
  if (Object.hasOwn(said, key) || ownKeys.includes(key)) return false
  const other = alternatives[key]
  return other === undefined || !Object.hasOwn(said, other)
}

/** Beside `abstract` it is a mistake of that rule, told there. */
function isMadeByForEach({ source }: WrittenRule): boolean {
  return isJsonObject(source) && source['for_each'] !== undefined && source['abstract'] !== true
}
