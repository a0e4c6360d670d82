import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { DemoDocument } from '../../src/model/status.ts'
import { ladderRest } from '../../src/engine/ladder.ts'
import { program, sluice } from '../support/sluice.ts'

describe('sluice demo', function () {
  this.timeout(120_000)

  it('prints one JSON document in which every edit came to an outcome', async () => {
    const { code, stdout, stderr } = await sluice(['demo', '--once', '--json', '--rate', '200'])
    expect(code, stderr).to.equal(0)
    const document = JSON.parse(stdout) as DemoDocument // as: what is being tested
    expect(Object.keys(document)).to.deep.equal([
      'events',
      'requests',
      'derived',
      'rules',
      'elapsed_s',
    ])
    expect(document.events).to.equal(100)
    expect(document.derived).to.equal(48)
    for (const { name, ladder } of document.rules) {
      const pending = { ...ladder.pending, inFlight: ladder.pending.in_flight }
      expect(ladderRest({ ...ladder, pending }), name).to.equal(0)
      expect(Object.values(ladder.pending), name).to.deep.equal([0, 0, 0, 0])
    }
    const flaky = document.rules.find(({ name }) => name === 'index-article')
    expect(flaky?.ladder).to.deep.include({ retried: 5, dead: { status: 1 } })
    // Every request is a task that was carried out or an attempt that failed.
    const attempts = document.rules
      .filter(({ name }) => name !== 'request-rerender')
      .map(({ ladder }) => ladder.done + ladder.retried + (ladder.dead['status'] ?? 0))
    expect(document.requests).to.equal(attempts.reduce((sum, count) => sum + count, 0))
  })

  it('shows a person each request, then the table, and nothing on stderr', async () => {
    const { code, stdout, stderr } = await sluice(['demo', '--once', '--rate', '500'])
    expect(code).to.equal(0)
    expect(stderr).to.equal('')
    expect(stdout).to.match(/PURGE {2}200 {2}en\.wikipedia\.org\/wiki\/EFL_Championship/)
    expect(stdout).to.match(/PUT {4}503 {2}search\.internal\/\S+Cuckoo%20wrasse/)
    expect(stdout).to.match(/POST {3}200 {2}queue\.internal\/urgent {3}somebody should look at \S/)
    expect(stdout).to.include('the signature is right').and.not.include('the signature is wrong')
    expect(stdout).to.match(/^index-article +live +79 +78 +0 +5 +1 +0 /m)
  })

  it('ends with what README shows, but for the times', async () => {
    const readme = await readFile('README.md', 'utf8')
    const [, shown] = /^```text\n(100 events became .*?)^```$/ms.exec(readme) ?? []
    const { stdout } = await sluice(['demo', '--once', '--rate', '500'])
    const timeless = (text = '') =>
      text.replaceAll(/\S+Z$|[\d.]+ ?s\b|\bnow$|\d+s ago$/gm, '(time)')
    expect(timeless(stdout.slice(stdout.indexOf('100 events became')))).to.equal(timeless(shown))
  })

  it('ends when its reader does, as with `| head`', async () => {
    const script = '"$0" "$1" demo --rate 20 | head -8'
    const ended = await new Promise<{ error: Error | null; stdout: string }>((resolve) => {
      const args = ['-c', script, process.execPath, program]
      execFile('sh', args, { timeout: 60_000 }, (error, stdout) => resolve({ error, stdout }))
    })
    expect(ended.error).to.equal(null)
    expect(ended.stdout.trimEnd().split('\n')).to.have.length(8)
  })

  it('runs twice at the same time', async () => {
    const both = await Promise.all(
      [1, 2].map(() => sluice(['demo', '--once', '--json', '--rate', '500'])),
    )
    expect(both.map(({ code, stderr }) => `${code}${stderr}`)).to.deep.equal(['0', '0'])
  })
})
