import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { environmentError } from '../../../../src/drivers/embedded/environment.ts'

describe('A failure of the embedded log', () => {
  it('of input or output is told even where its folder has gone with the disk', () => {
    const error = Object.assign(new Error('Input/output error'), { code: 5 })
    const told = environmentError(error, join(tmpdir(), 'sluice-embedded-that-is-gone'))
    expect(told.code).to.equal('unreachable')
  })
})
