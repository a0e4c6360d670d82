import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import type { StatusDocument } from '../../src/model/status.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { blocksOf, place } from '../support/document-blocks.ts'
import { sluice } from '../support/sluice.ts'
import { tempFolder } from '../support/temp-folder.ts'

/** README's listener, on a port that is free. Gives its lines, the first of which is the port. */
function listen(command: string): {
  readonly child: ChildProcess
  readonly lines: AsyncIterator<string>
} {
  const [, script = ''] = /^node -e '(.*)'$/m.exec(command) ?? []
  const anywhere = script.replace(
    'listen(8099)',
    'listen(0, function () { console.log(this.address().port) })',
  )
  const child = spawn(process.execPath, ['-e', anywhere], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() }
}

/** The document, once it says that so many tasks are done. */
async function statusWith(done: number, admin: string): Promise<StatusDocument> {
  for (;;) {
    const answer = await fetch(`${admin}/api/v1/status`)
    const status = (await answer.json()) as StatusDocument // as: operations.md, 5
    if (status.rules.every(({ ladder }) => ladder.done === done)) return status
  }
}

const timeless = (table: string): string => table.replaceAll(/up \d+s|\S+Z$|\bnow$/gm, '(time)')

describe('the first rule of README', function () {
  this.timeout(60_000)
  let daemon: DaemonProcess | null = null
  let listener: ChildProcess | null = null

  afterEach(async () => {
    await daemon?.kill()
    listener?.kill()
  })
  const folder = tempFolder('readme') // behind the daemon, which ends before its folder goes

  it('is run by a daemon with the outputs that are shown', async () => {
    const readme = await readFile('README.md', 'utf8')
    const [, rest = ''] = readme.split('## Write your first rule\n')
    const blocks = blocksOf(rest)
    const shownWith = (words: string): string => {
      const block = blocks.find(({ text }) => text.includes(words))
      if (block === undefined) throw new Error(`README.md shows no block with ${words}`)
      return block.text
    }

    const { child, lines } = listen(shownWith('node -e'))
    listener = child
    const port = String((await lines.next()).value)
    for (const { path, text } of blocks) {
      if (path === 'events.ndjson') await place(folder(), { path, text })
      if (path === 'rules/welcome-user.yaml')
        await place(folder(), { path, text: text.replace(':8099/', `:${port}/`) })
    }

    const [, set = ''] = /^\$ sluice run --set '(.*)'$/m.exec(shownWith('$ sluice run')) ?? []
    // The two that README has no need of: another port for the API, and no race with the first event.
    const settings = [set, 'admin.listen=127.0.0.1:0', 'lanes.default.start_at=earliest']
    const args = settings.flatMap((one) => ['--set', one])
    daemon = new DaemonProcess(['run', ...args], { cwd: folder() })
    const admin = await daemon.adminUrl()
    const emitted = await sluice(['emit', 'users', 'events.ndjson', '--admin', admin], {
      cwd: folder(),
    })
    const calls = [String((await lines.next()).value), String((await lines.next()).value)]
    await statusWith(2, admin)
    const status = await sluice(['status', '--admin', admin])

    const real = [
      '$ sluice emit users events.ndjson\n',
      emitted.stdout.replace(admin, 'http://127.0.0.1:8090'),
      '$ sluice status\n',
      status.stdout,
    ]
    expect(timeless(real.join(''))).to.equal(timeless(shownWith('$ sluice emit')))
    // Two partitions: which of the two comes first is not promised.
    expect(calls).to.have.members(shownWith('POST /mails {').trimEnd().split('\n'))
    expect(await daemon.stop()).to.equal(0)
  })
})
