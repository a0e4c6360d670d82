import { rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { environmentError } from '../../../../src/drivers/embedded/environment.ts'
import { openIn, temporaryFolder } from '../../../contract/embedded-fixture.ts'

describe('A failure of the embedded log', () => {
  it('of input or output is told even where its folder has gone with the disk', () => {
    const error = Object.assign(new Error('Input/output error'), { code: 5 })
    const told = environmentError(error, join(tmpdir(), 'sluice-embedded-that-is-gone'))
    expect(told.code).to.equal('unreachable')
  })
})

describe('The folder of the embedded log', () => {
  it('is for nobody but its owner when it is made', async () => {
    const path = join(temporaryFolder(), 'made')
    const bus = await openIn(path)
    await bus.close()
    expect(statSync(path).mode & 0o777).to.equal(0o700)
    rmSync(path, { recursive: true, force: true })
  })
})
