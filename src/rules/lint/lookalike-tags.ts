import type { Json, JsonObject } from '../../model/json.ts'
import { isJsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import type { Places } from '../../schema/reporter.ts'
import type { At } from '../../schema/yaml-document.ts'

/** Of a rule, all that it says, and where. */
interface Said {
  readonly said: JsonObject
  readonly at: At
  readonly places: Places
  /** It is made by `for_each`, which fills in every text of it. */
  readonly hasEach: boolean
}

/** Any tag as templates have it: what stands in one is no text. */
const tagForm = /\{\{[^]*?\}\}/g

const lookalikeOf = (roots: string): RegExp =>
  new RegExp(`[$#%]?\\{\\s*((?:${roots})(?:\\.[^\\s.{}|]+)+(?:\\s*\\|[^{}]*)?)\\s*\\}`)

/** Only names that templates read: whoever is sent the text may have braces of their own. */
const ofTemplates = lookalikeOf('event|match|item|steps|rule|each|@headers')
const ofEach = lookalikeOf('each')

/** Keys of a rule whose texts are templates. */
const ofTasks: readonly string[] = ['do', 'key', 'dedup', 'sample']

/** Texts that look like a tag of another language's templates, `{event.id}` or `${event.id}`. */
export function lookalikeTags(rule: Said): readonly Problem[] {
  const { said, at, hasEach } = rule
  return Object.entries(said).flatMap(([key, value]) => {
    const below = [...at, key]
    if (ofTasks.includes(key)) return textsIn(value, below, ofTemplates, rule)
    if (key === 'cases' && Array.isArray(value)) {
      return value.flatMap((one: Json, i) => ofCase(one, [...below, i], rule))
    }
    return hasEach && key !== 'tests' ? textsIn(value, below, ofEach, rule) : []
  })
}

function ofCase(one: Json, at: At, rule: Said): readonly Problem[] {
  if (!isJsonObject(one)) return []
  return Object.entries(one).flatMap(([key, value]) => {
    if (key !== 'do' && !rule.hasEach) return []
    return textsIn(value, [...at, key], key === 'do' ? ofTemplates : ofEach, rule)
  })
}

function textsIn(value: Json, at: At, form: RegExp, rule: Said): readonly Problem[] {
  if (typeof value === 'string') return ofText(value, at, form, rule)
  if (Array.isArray(value)) {
    return value.flatMap((one: Json, i) => textsIn(one, [...at, i], form, rule))
  }
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([key, one]) => textsIn(one, [...at, key], form, rule))
}

/** The first of a text: who mends it sees the others. */
function ofText(text: string, at: At, form: RegExp, { places }: Said): readonly Problem[] {
  const [written, path = ''] = form.exec(text.replace(tagForm, '')) ?? []
  if (written === undefined) return []
  const message = `\`${written}\` looks like a tag and is none: it stands for itself`
  const hint = `write \`{{${path.trim()}}}\``
  const complaint = { severity: 'warning', code: 'looks-like-a-tag', message, hint } as const
  return [places.problemAt(at, 'value', complaint)]
}
