import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { taskHeaders } from '../../../src/engine/task-headers.ts'
import { skipReasons } from '../../../src/model/outcome.ts'

describe('docs/delivery.md', () => {
  const read = (): Promise<string> =>
    readFile(new URL('../../../docs/delivery.md', import.meta.url), 'utf8')

  it('lists every reason of a skip, and no other', async () => {
    const [, section = ''] = /\n## Skips\n(.*?)\n## /s.exec(await read()) ?? []
    const listed = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, reason]) => reason)
    expect(listed).to.have.members([...skipReasons])
  })

  it('lists every header that a task carries among the dead letters', async () => {
    const text = await read()
    // These two are of retries alone.
    const others = Object.values(taskHeaders).filter(
      (name) => name !== taskHeaders.due && name !== taskHeaders.counted,
    )
    expect(others.filter((name) => !text.includes(`\`${name}\``))).to.deep.equal([])
  })
})
