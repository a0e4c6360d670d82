import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../../src/model/json.ts'
import { isJsonObject } from '../../../src/model/json.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'
import { generatedPart } from '../../support/documents.ts'
import { settings, settingsTable } from '../../support/config-reference.ts'

const root = new URL('../../../', import.meta.url)

/** Paths of all settings that a config holds, those below the names of a map by their names. */
function pathsIn(value: Json, prefix: readonly string[] = []): readonly string[] {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return [prefix.join('.')]
  return Object.entries(value).flatMap(([key, below]) => pathsIn(below, [...prefix, key]))
}

describe('config.example.yaml', () => {
  const name = new URL('config.example.yaml', root)

  it('loads, and is the defaults', async () => {
    const example = await loadConfig({ file: fileURLToPath(name), set: [], env: {} })
    const defaults = await loadConfig({ file: null, set: [], env: {} })
    expect(example.problems).to.deep.equal([])
    const secrets = (config: typeof example.config) => [...(config?.secrets.keys() ?? [])]
    expect(secrets(example.config)).to.deep.equal(secrets(defaults.config))
    expect({ ...example.config, secrets: null }).to.deep.equal({
      ...defaults.config,
      secrets: null,
    })
  })

  it('shows every setting, each with a comment before it', async () => {
    const text = await readFile(name, 'utf8')
    const shown = new Set(pathsIn(parseYaml({ name: 'example', text }).document?.value ?? null))
    const wanted = settings()
      .map(({ path }) => path)
      .filter((path) => !path.includes('<name>') && !['lanes', 'secrets'].includes(path))
    expect(wanted.filter((path) => !shown.has(path))).to.deep.equal([])
    const lane = settings().flatMap(({ path }) => path.split('lanes.<name>.').slice(1))
    expect(lane.filter((key) => !shown.has(`lanes.default.${key}`))).to.deep.equal([])
    for (const path of wanted) {
      const key = path.split('.').at(-1) ?? ''
      expect(text).to.match(new RegExp(`#[^\\n]*\\n(?: *#[^\\n]*\\n)* *${key}:`), path)
    }
  })
})

describe('every setting with a default', () => {
  // A map has no text that a variable could hold; its parts are settings of their own.
  const given = settings().filter(({ fallback }) => fallback !== null && !fallback.startsWith('{'))
  const placed = given.map(({ path, fallback }) => ({
    path: path.replace('<name>', 'default'),
    fallback: fallback ?? '',
  }))

  it('can be said with --set, and so in SLUICE_SET', async () => {
    expect(placed.length).to.be.greaterThan(30)
    for (const { path, fallback } of placed) {
      const { problems } = await loadConfig({ file: null, set: [`${path}=${fallback}`], env: {} })
      expect(problems, path).to.deep.equal([])
    }
  })

  it('can come from a variable, where it is a single value', async () => {
    // A variable holds texts, of which none is a list or null.
    const single = placed.filter(({ fallback }) => !/^(\[|null$)/.test(fallback))
    expect(single.length).to.be.greaterThan(20)
    for (const { path, fallback } of single) {
      const env = { VALUE: fallback.replace(/^"(.*)"$/, '$1') }
      const { problems } = await loadConfig({ file: null, set: [`${path}=\${VALUE}`], env })
      expect(problems, path).to.deep.equal([])
    }
  })
})

describe('docs/configuration.md', () => {
  it('lists the settings that the schema has', async () => {
    const table = settingsTable()
    expect(await generatedPart('docs/configuration.md', 'settings', table)).to.equal(table)
  })
})
