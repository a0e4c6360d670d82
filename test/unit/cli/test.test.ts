import { expect } from 'chai'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sluice } from '../../support/command-line.ts'

const fixtures = 'test/fixtures/cli/tests'

describe('sluice test', () => {
  it('says of each rule that its tests hold, and which rules have none', async () => {
    const { code, stdout, stderr } = await sluice(['test', `${fixtures}/purge.yaml`])
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expect(stdout).to.equal(`\
✔ purge-page 3 test/fixtures/cli/tests/purge.yaml
without tests: no-tests
3 passed, 0 failed
`)
  })

  it('shows of a test that fails where it stands and what differs', async () => {
    const { code, stdout, stderr } = await sluice(['test', `${fixtures}/failing.yaml`])
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    expect(stdout).to.equal(await readFile(`${fixtures}/failing.txt`, 'utf8'))
  })

  it('plays windows at once, and shows when things happened where a test speaks of it', async () => {
    const { code, stdout, stderr } = await sluice(['test', `${fixtures}/windows.yaml`])
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    expect(stdout).to.equal(await readFile(`${fixtures}/windows.txt`, 'utf8'))
  })

  it('prints nothing but the document with --json', async () => {
    const { code, stdout, stderr } = await sluice(['test', `${fixtures}/failing.yaml`, '--json'])
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' })
    const document = JSON.parse(stdout) as { cases: unknown[] } // as: what the test is about
    expect({ ...document, cases: document.cases.length }).to.deep.equal({
      passed: 0,
      failed: 3,
      cases: 3,
    })
    expect(document.cases[0]).to.deep.equal({
      file: 'test/fixtures/cli/tests/failing.yaml',
      line: 8,
      rule: 'hook-edit',
      name: 'sends the title and the size',
      ok: false,
      expected: [{ http: { method: 'POST', json: { size: '12', title: 'Vienna' } } }],
      actual: [{ http: { method: 'POST', json: { size: 12, title: 'Vienna' } } }],
      notes: [],
    })
  })

  it('writes the outcome as JUnit XML as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-junit-'))
    try {
      const file = join(folder, 'report.xml')
      const { code } = await sluice(['test', fixtures, '--junit', file])
      expect(code).to.equal(1)
      const xml = await readFile(file, 'utf8')
      expect(xml).to.contain('<testsuites name="sluice test"')
      expect(xml).to.contain('<testsuite name="test/fixtures/cli/tests/failing.yaml"')
      expect(xml).to.contain('name="hook-edit: a delete is sent as well"')
      expect(xml.match(/<failure /g)).to.have.length(5)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('says that the report cannot be written', async () => {
    const { code, stderr } = await sluice([
      'test',
      fixtures,
      '--junit',
      'no/such/folder/report.xml',
    ])
    expect(code).to.equal(2)
    expect(stderr).to.contain('no/such/folder/report.xml cannot be written')
  })

  it('runs nothing where the rules do not load, and tells why', async () => {
    const { code, stdout, stderr } = await sluice(['test', 'test/fixtures/cli/bad'])
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
    expect(stderr).to.contain('unknown key `whem`').and.to.contain('no test was run')
  })
})
