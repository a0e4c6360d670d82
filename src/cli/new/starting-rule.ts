import type { Json, JsonObject } from '../../model/json.ts'
import { joinPath, joinSteps } from '../../rules/field-path.ts'
import { writeYaml, type YamlComment } from '../../schema/write-yaml.ts'
import { pickFields, type Field } from './pick-fields.ts'

export interface StartingRule {
  readonly name: string
  readonly topic: string
  /** An event that it is to act on; `null`: none is known, and one is made up. */
  readonly event: JsonObject | null
  /** Where the JSON Schema lies, from the folder of the file. */
  readonly schemaPath: string
}

const madeUp: JsonObject = { id: 7, type: 'created' }

/**
 * A rule file to start from, as text: one rule that loads, with a test that acts and one that does
 * not. `null`: the event has no field that a condition could ask for. What no tag could name goes to
 * the receiver as the whole event.
 */
export function startingRuleText({ name, topic, event, schemaPath }: StartingRule): string | null {
  const { asked, isOfPresence, sent } = pickFields(event ?? madeUp)
  const [first] = asked
  if (first === undefined) return null
  const url = `http://127.0.0.1:8099/${name}`
  const read = [...new Set([...asked, ...sent])]
  const matching = eventOf(read)
  const other = eventOf(
    isOfPresence
      ? read.filter((field) => field !== first)
      : read.map((field) =>
          field === first ? { ...field, value: anotherThan(field.value) } : field,
        ),
  )
  const names = namesOf(sent)
  const json = (valueOf: (field: Field) => Json, whole: Json): JsonObject =>
    sent.length === 0
      ? { event: whole }
      : Object.fromEntries(sent.map((field, i) => [names[i] ?? '', valueOf(field)]))
  const rule: JsonObject = {
    description: 'Say here what it is for',
    topics: [topic],
    when: Object.fromEntries(
      asked.map(({ steps, value }) => [joinPath(steps), isOfPresence ? { exists: true } : value]),
    ),
    do: {
      http: {
        method: 'POST',
        url,
        json: json(({ steps }) => `{{event.${joinSteps(steps)}}}`, '{{event}}'),
      },
    },
    retry: { attempts: 5 },
    tests: [
      {
        name: 'such an event is sent',
        event: matching,
        expect: { http: { method: 'POST', url, json: json(({ value }) => value, matching) } },
      },
      { name: 'another one is not', event: other, expect: { skip: 'no-match' } },
    ],
  }
  return writeYaml(
    { rules: { [name]: rule } },
    {
      header: [
        `yaml-language-server: $schema=${schemaPath}`,
        'The language: docs/rules.md. After a change: sluice check, sluice test.',
      ],
      comments: commentsOf(name, isOfPresence),
    },
  )
}

function commentsOf(name: string, isOfPresence: boolean): readonly YamlComment[] {
  const before = (key: string, ...lines: readonly string[]): YamlComment => ({
    at: ['rules', name, key],
    place: 'before',
    lines,
  })
  return [
    before('topics', 'Where the events are. A glob such as `users.*` takes in topics to come.'),
    before(
      'when',
      'What an event must look like: paths to tests, all of which must hold. A value is typed, 1 is',
      'not "1"; [a, b] is one of two; { prefix: a }, { gte: 1 }, { not: a } are tests of other kinds.',
      ...(isOfPresence ? ['Nothing in the event says of which kind it is: ask for more.'] : []),
    ),
    before(
      'do',
      'What is done then. A tag is filled in from the event and keeps its type; one whose field is',
      'absent fails the task, and is never sent as nothing. To call a private address such as this',
      'one, the config has to allow it: http.allow_cidrs.',
    ),
    before(
      'retry',
      'What fails for a while (5xx, 429, no answer) is tried again: attempts in all, 10 s after the',
      'first, then four times as long each time, up to an hour. Other answers are dead letters at once.',
    ),
    before(
      'tests',
      'Run by `sluice test`, without a network. Of the event only what the rule reads.',
    ),
  ]
}

function eventOf(fields: readonly Field[]): JsonObject {
  const event: Record<string, Json> = {}
  for (const { steps, value } of fields) {
    let place = event
    for (const step of steps.slice(0, -1)) {
      // as: made here or by an earlier field, and no field is both a value and a map
      const below = (Object.hasOwn(place, step) ? place[step] : {}) as Record<string, Json>
      place[step] = below
      place = below
    }
    place[steps.at(-1) ?? ''] = value
  }
  return event
}

function anotherThan(value: Field['value']): Field['value'] {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return value + 1
  return value === 'another' ? 'one-more' : 'another'
}

/** The last of their names, or all of them where two fields share it. */
function namesOf(fields: readonly Field[]): readonly string[] {
  const last = fields.map(({ steps }) => steps.at(-1) ?? '')
  return fields.map(({ steps }, i) => {
    const own = last[i] ?? ''
    return last.filter((name) => name === own).length === 1 ? own : steps.join('_')
  })
}
