import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import type { JsonSchema } from '../../../src/schema/json-schema.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'
import { sluice } from '../../support/command-line.ts'
import { describedKeys, rulesSchema, validatorOf } from '../../support/json-schema.ts'

async function printed(...args: readonly string[]): Promise<JsonSchema> {
  const { code, stdout, stderr } = await sluice(['schema', ...args])
  expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
  expect(stdout.endsWith('}\n')).to.equal(true)
  return JSON.parse(stdout) as JsonSchema // as: what the command prints, looked at below
}

describe('sluice schema', () => {
  it('prints the schema of rule files, whether or not that is said', async () => {
    expect(await printed()).to.deep.equal(rulesSchema)
    expect(await printed('rules')).to.deep.equal(rulesSchema)
  })

  it('refuses what it has no schema of, and names what it has', async () => {
    const { code, stdout, stderr } = await sluice(['schema', 'events'])
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    expect(stderr).to.equal(
      'error: there is no schema of events\n  hint: schemas are rules, config\n',
    )
  })

  it('names the schema that was probably meant', async () => {
    const { code, stderr } = await sluice(['schema', 'confg'])
    expect(code).to.equal(2)
    expect(stderr).to.equal('error: there is no schema of confg\n  hint: did you mean `config`?\n')
  })
})

describe('sluice schema config', () => {
  async function faultsOf(text: string): Promise<readonly string[]> {
    const validate = validatorOf(await printed('config'))
    validate(parseYaml({ name: 'config.yaml', text }).document?.value)
    return (validate.errors ?? []).map(({ instancePath }) => instancePath)
  }

  it('takes the example, which is all defaults', async () => {
    expect(await faultsOf(await readFile('config.example.yaml', 'utf8'))).to.deep.equal([])
  })

  it('takes the environment in place of any value', async () => {
    const text = [
      'bus: { kind: "${BUS}", kafka: { brokers: ["${HOST}:9092"], tls: "${TLS:-true}" } }',
      'limits: { memory: "${MEMORY:-1GiB}", max_hops: "${HOPS}" }',
      'lanes: { default: { window: "${WINDOW}" } }',
    ]
    expect(await faultsOf(text.join('\n'))).to.deep.equal([])
  })

  const wrong: readonly (readonly [text: string, place: string])[] = [
    ['buss: { kind: kafka }', ''],
    ['bus: { kind: rabbit }', '/bus/kind'],
    ['limits: { memory: 512 }', '/limits/memory'],
    ['limits: { memory: 512MB }', '/limits/memory'],
    ['retry: { tiers: [10, 1m] }', '/retry/tiers/0'],
    ['admin: { tokens: [{ name: a }] }', '/admin/tokens/0'],
    ['secrets: { a: { env: 1 } }', '/secrets/a/env'],
  ]
  for (const [text, place] of wrong) {
    it(`refuses ${text}`, async () => {
      expect(await faultsOf(text)).to.include(place)
    })
  }

  it('says of every setting what it means', async () => {
    const bare = describedKeys(await printed('config')).filter(
      ([, { description }]) => description === undefined,
    )
    expect(bare.map(([path]) => path)).to.deep.equal([])
  })
})
