import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { emitSchema } from '../../../src/actions/emit.ts'
import { httpSchema } from '../../../src/actions/http-schema.ts'
import { pipeTable } from '../../../src/rules/pipes.ts'
import { defaultsSchema, ruleSchema } from '../../../src/rules/rule-schema.ts'
import { laterKeys } from '../../../src/schema/check-shape.ts'
import { generatedPart, markdownTable } from '../../support/documents.ts'
import { loadText } from '../../support/load-text.ts'

function keysTable(schema: z.ZodObject): string {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input' })
  const rows = Object.entries(properties).map(([name, node]) => {
    const { description } = node as { description?: string } // as: zod makes no boolean schemas here
    return [`\`${name}\``, description ?? '']
  })
  return markdownTable(['key', 'meaning'], rows)
}

const pipesTable = markdownTable(
  ['pipe', 'what it makes', 'example'],
  pipeTable.map(({ name, arguments: args, description, example }) => [
    `\`${name}${args === '' ? '' : `: ${args}`}\``,
    description,
    `\`${JSON.stringify(example.from)}\` with \`${example.pipe}\` is \`${JSON.stringify(example.gives)}\``,
  ]),
)

describe('docs/rules.md', () => {
  const parts = [
    ['rule', keysTable(ruleSchema)],
    ['http', keysTable(httpSchema)],
    ['emit', keysTable(emitSchema)],
    ['pipes', pipesTable],
  ] as const
  for (const [name, table] of parts) {
    it(`lists what there is for ${name}`, async () => {
      expect(await generatedPart('docs/rules.md', name, table)).to.equal(table)
    })
  }

  it('names what is not built yet, and what defaults may hold', async () => {
    const text = await readFile(new URL('../../../docs/rules.md', import.meta.url), 'utf8')
    const later = [ruleSchema, emitSchema, httpSchema].flatMap(
      (schema) => laterKeys.get(schema)?.keys ?? [],
    )
    const keys = [...later.filter((key) => key !== 'kind'), ...Object.keys(defaultsSchema.shape)]
    expect(keys.filter((key) => !text.includes(`\`${key}\``))).to.deep.equal([])
  })

  it('shows a rule file that loads', async () => {
    const text = await readFile(new URL('../../../docs/rules.md', import.meta.url), 'utf8')
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(text) ?? []
    const { ruleSet, problems } = await loadText(example)
    expect(problems).to.deep.equal([])
    expect(ruleSet?.rules.map(({ name }) => name)).to.deep.equal(['purge-page'])
  })
})
