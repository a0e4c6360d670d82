import { expect } from 'chai'
import { z } from 'zod'
import type { Json } from '../../../src/model/json.ts'
import { durationForm } from '../../../src/model/units.ts'
import { checkShape, laterKeys } from '../../../src/schema/check-shape.ts'
import { durationMs, sizeBytes } from '../../../src/schema/quantities.ts'
import { createReporter } from '../../../src/schema/reporter.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'

/** What checking a YAML text gives, or the sentences of its problems. */
function check<Output>(schema: z.ZodType<Output>, text: string): Output | readonly string[] {
  const { document } = parseYaml({ name: 'a.yaml', text })
  const reporter = createReporter({
    problemAt: (at, part, complaint) => {
      const problem = document?.problemAt(at, part, complaint)
      return problem ?? { ...complaint, file: '', line: 1, column: 1, source: null }
    },
  })
  const value: Json = document?.value ?? null
  const shape = checkShape(schema, value, [], reporter)
  if (shape !== null) return shape.value
  return reporter.problems.map(({ column, message }) => `${column} ${message}`)
}

describe('durations and sizes', () => {
  const cases: readonly (readonly [
    schema: z.ZodType<number>,
    text: string,
    result: number | string,
  ])[] = [
    [durationMs(), '10s', 10_000],
    [durationMs(), '1.5h', 5_400_000],
    [durationMs(), '250ms', 250],
    [durationMs(), '10', '1 found the number 10, expected a duration with a unit, such as `10s`'],
    [durationMs(), '10 s', '1 "10 s" is not a duration such as `10s`'],
    [durationMs(), '-1s', '1 "-1s" is not a duration such as `10s`'],
    [durationMs(), '0s', '1 found 0s, expected 1ms to 365d'],
    [durationMs({ max: 60_000 }), '2m', '1 found 2m, expected 1ms to 1m'],
    [sizeBytes(), '64KiB', 65_536],
    [sizeBytes(), '64KB', '1 "64KB" is not a size such as `64KiB`'],
    [sizeBytes({ min: 1_024 }), '10B', '1 found 10B, expected 1KiB to 1048576GiB'],
    [sizeBytes(), '1', '1 found the number 1, expected a size with a unit, such as `64KiB`'],
  ]
  for (const [schema, text, result] of cases) {
    it(`${text} is ${typeof result === 'number' ? result : 'refused'}`, () => {
      expect(check(schema, text)).to.deep.equal(typeof result === 'number' ? result : [result])
    })
  }

  it('stay texts in the JSON schema for editors', () => {
    const schema = z.strictObject({ drain: durationMs().prefault('30s') })
    expect(z.toJSONSchema(schema, { io: 'input' }).properties).to.deep.equal({
      drain: { type: 'string', pattern: durationForm.source, default: '30s' },
    })
  })
})

describe('a shape', () => {
  const limit = z
    .strictObject({ limit: z.int().min(1).max(9) })
    .register(laterKeys, { keys: ['per_key'] })
  const schema = z.strictObject({
    name: z.string(),
    many: z.union([z.int().min(1), limit]).optional(),
    kind: z.enum(['one', 'two']).optional(),
    list: z.array(z.string()).max(2).optional(),
    map: z
      .record(z.string().regex(/^[a-z]+$/, { error: 'lower-case letters' }), z.int())
      .optional(),
  })
  const cases: readonly (readonly [text: string, ...messages: string[]])[] = [
    ['{ nam: x }', '3 unknown key `nam`'], // and not that `name` is missing
    ['{ kind: one }', '1 `name` is missing, expected a text'],
    ['{ name: x, many: { limt: 3 } }', '20 unknown key `limt`'],
    ['{ name: x, many: { limit: 0 } }', '27 found the number 0, expected a number of at least 1'],
    ['{ name: x, many: { per_key: 1, limit: 3 } }', '20 `per_key` is not supported yet'],
    ['{ name: x, many: 0 }', '18 found the number 0, expected a number of at least 1'],
    ['{ name: x, many: yes }', '18 found the text "yes", expected a number or a map'],
    ['{ name: x, kind: tow }', '18 found the text "tow", expected `one` or `two`'],
    ['{ name: x, list: [a, b, c] }', '18 found a list of 3, expected a list of at most 2 entries'],
    ['{ name: x, list: [a, 1] }', '22 found the number 1, expected a text'],
    ['{ name: x, map: { A: 1 } }', '19 found the key `A`, expected lower-case letters'],
    ['{ name: null }', '9 found nothing, expected a text'],
    ['[1]', '1 found a list, expected a map'],
    [
      '{ name: 1, x: 2, y: 3 }',
      '12 unknown key `x`',
      '18 unknown key `y`',
      '9 found the number 1, expected a text',
    ],
  ]
  for (const [text, ...messages] of cases) {
    it(`${text} is told as ${messages.length === 1 ? 'one mistake' : 'each mistake once'}`, () => {
      expect(check(schema, text)).to.deep.equal(messages)
    })
  }
})
