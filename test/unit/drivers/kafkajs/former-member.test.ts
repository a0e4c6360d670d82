import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { MemberFile } from '../../../../src/drivers/kafkajs/former-member.ts'

describe('The file of a member', () => {
  let folder: string
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sluice-member-'))))
  afterEach(() => rm(folder, { recursive: true }))

  /** Writes as a member, then changes what the file says of its writer. */
  async function writtenBy(change: object, group = 'group'): Promise<void> {
    await new MemberFile(folder, group).write('its-id')
    const [name = ''] = await readdir(folder)
    const said = JSON.parse(await readFile(join(folder, name), 'utf8')) as object // as: JSON of ours
    await writeFile(join(folder, name), JSON.stringify({ ...said, ...change }))
  }

  const deadPid = spawnSync(process.execPath, ['-e', '']).pid

  const rows = [
    { name: 'by a process that has died', change: { pid: deadPid }, want: ['its-id'] },
    { name: 'under our pid before our time', change: { instance: 'other' }, want: ['its-id'] },
    { name: 'by ourselves', change: {}, want: [] },
    { name: 'by a process that lives', change: { pid: process.ppid }, want: [] },
    { name: 'on another host', change: { host: `not-${hostname()}`, pid: deadPid }, want: [] },
    { name: 'without sense', change: { pid: 'x' }, want: [] },
    { name: 'for a group of the same hash', change: { group: 'x', pid: deadPid }, want: [] },
  ]
  for (const { name, change, want } of rows) {
    it(`written ${name} names ${want.length === 0 ? 'nobody' : 'a dead member'}`, async () => {
      await writtenBy(change)
      expect(await new MemberFile(folder, 'group').takeDead()).to.deep.equal(want)
      expect(await readdir(folder)).to.have.length(want.length === 0 ? 1 : 0)
    })
  }

  it('of another group is left alone', async () => {
    await writtenBy({ pid: deadPid }, 'other')
    expect(await new MemberFile(folder, 'group').takeDead()).to.deep.equal([])
  })

  it('keeps the newest id, one file a member, and goes with it', async () => {
    const file = new MemberFile(folder, 'a group/with: any name')
    await file.write('first')
    await file.write('second')
    await new MemberFile(folder, 'a group/with: any name').write('beside')
    expect(await readdir(folder)).to.have.length(2)
    await file.remove()
    expect(await readdir(folder)).to.have.length(1)
  })

  it('is no file without a folder', async () => {
    const file = new MemberFile(null, 'group')
    await file.write('id')
    expect(await file.takeDead()).to.deep.equal([])
    await file.remove()
  })
})
