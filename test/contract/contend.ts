import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../src/ports/store.ts'
import { stampAt } from './store-contract.ts'

/** Has the key `turns` times; how often somebody else had it meanwhile, by a file that only one makes. */
export async function contendFor(
  store: Store,
  folder: string,
  name: string,
  turns: number,
): Promise<number> {
  const mine = join(folder, 'held')
  let clashes = 0
  for (let turn = 0, tries = 0; turn < turns; tries++) {
    const key = { rule: 'r', key: 'contended', token: `${name}/${tries}` }
    const lease = { ...key, task: name, leaseMs: 600_000, stamp: stampAt(1) }
    const { kind } = await store.claim({ ...lease, against: 'lease' })
    if (kind !== 'new') continue
    turn++
    try {
      closeSync(openSync(mine, 'wx'))
      await Promise.resolve()
      rmSync(mine)
    } catch {
      clashes++
    }
    await store.release({ ...key, keepMs: 0 })
  }
  return clashes
}
