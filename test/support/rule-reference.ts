import { Document, isCollection } from 'yaml'
import type { Json } from '../../src/model/json.ts'
import { operatorReference } from '../../src/rules/operator-reference.ts'
import { pipeTable } from '../../src/rules/pipes.ts'
import type { JsonSchema } from '../../src/schema/json-schema.ts'
import { markdownTable } from './documents.ts'
import { describedKeys, rulesSchema } from './json-schema.ts'

/*
 * The tables of docs/rules.md, made from the JSON Schema that editors are given, which is made from
 * what checks a rule.
 */

/** A value as a person writes it, on one line. */
function written(value: Json): string {
  const document = new Document([value], { version: '1.2', schema: 'core' })
  if (isCollection(document.contents)) document.contents.flow = true
  return document.toString({ lineWidth: 0, singleQuote: true }).trim().slice(1, -1).trim()
}

function exampleOf({ examples, enum: values, default: fallback, type }: JsonSchema): string {
  const shown = values ?? examples ?? (type === 'boolean' ? [fallback !== true] : [])
  return shown
    .slice(0, values === undefined ? 2 : values.length)
    .map((one) => `\`${written(one)}\``)
    .join(', ')
}

function rowsOf(
  schema: JsonSchema,
  leaveOut: readonly string[] = [],
): readonly (readonly string[])[] {
  const seen = new Set<string>()
  return describedKeys(schema)
    .filter(([path]) => !leaveOut.some((one) => path.startsWith(one)))
    .filter(([path]) => !seen.has(path) && seen.add(path))
    .map(([path, one]) => [`\`${path}\``, one.description ?? '', exampleOf(one)])
}

function keysTable(schema: JsonSchema, leaveOut: readonly string[] = []): string {
  return markdownTable(['key', 'meaning', 'for example'], rowsOf(schema, leaveOut))
}

function definition(name: string): JsonSchema {
  return rulesSchema.definitions?.[name] ?? {}
}

function operatorsTable(): string {
  const rows = Object.values(operatorReference).map(({ description, example }) => [
    `\`${written(example.test)}\``,
    description,
    `${shown(example.holds)}, not ${shown(example.fails)}`,
  ])
  return markdownTable(['test', 'holds when the value', 'for example'], rows)
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'absent' : `\`${JSON.stringify(value)}\``
}

function pipesTable(): string {
  const rows = pipeTable.map(({ name, arguments: args, description, example }) => [
    `\`${name}${args === '' ? '' : `: ${args}`}\``,
    description,
    `\`${JSON.stringify(example.from)}\` with \`${example.pipe}\` is \`${JSON.stringify(example.gives)}\``,
  ])
  return markdownTable(['pipe', 'what it makes', 'example'], rows)
}

/** Keys that are read and refused so far, as a sentence of the reference. */
function laterText(): string {
  const all = [
    ...describedKeys({ properties: rulesSchema.properties ?? {} }),
    ...describedKeys(definition('rule')),
  ]
  const later = all.filter(
    ([, { not, description = '' }]) =>
      not !== undefined || description.toLowerCase().includes('not supported yet'),
  )
  const names = [...new Set(later.map(([path]) => `\`${path}\``))]
  return `*Not supported yet*, and refused at load: ${names.join(', ')}.`
}

function defaultsText(): string {
  const keys = Object.entries(rulesSchema.properties?.['defaults']?.properties ?? {})
  const names = keys.filter(([, { not }]) => not === undefined).map(([name]) => `\`${name}\``)
  return `\`defaults\` may hold ${names.join(', ')}.`
}

/** What stands between the marks of docs/rules.md, by name. */
export function ruleReference(): readonly (readonly [name: string, text: string])[] {
  const { properties = {} } = definition('condition')
  const only = (isRecord: boolean): JsonSchema => ({
    properties: Object.fromEntries(
      Object.entries(properties).filter(([name]) => name.startsWith('@') === isRecord),
    ),
  })
  const { items: testCase = {} } = definition('rule').properties?.['tests'] ?? {}
  return [
    ['file', markdownTable(['key', 'meaning', 'for example'], fileRows())],
    ['rule', keysTable(definition('rule'), ['tests.', 'hold'])],
    ['defaults', defaultsText()],
    ['later', laterText()],
    ['operators', operatorsTable()],
    ['blocks', keysTable(only(false))],
    ['record', keysTable(only(true))],
    ['pipes', pipesTable()],
    ['http', keysTable(definition('do-http'))],
    ['emit', keysTable(definition('do-emit'))],
    ['tests', keysTable(testCase)],
  ]
}

function fileRows(): readonly (readonly string[])[] {
  return Object.entries(rulesSchema.properties ?? {}).map(([name, one]) => [
    `\`${name}\``,
    one.description ?? '',
    exampleOf(one),
  ])
}
