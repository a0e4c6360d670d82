import { randomBytes } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Some hundred pages: what a transaction that removes records writes at most, and then some. */
const reserveBytes = 2 * 2 ** 20

/**
 * A file beside the log that only takes up room. LMDB writes pages anew also to remove records, so
 * on a disk that is full retention could not make room; then this file makes way for it.
 */
export class Reserve {
  readonly #file: string

  constructor(folder: string) {
    this.#file = join(folder, 'reserve')
  }

  /** Makes the file if it is not there. Where there is no room for it, there is none; never rejects. */
  async keep(): Promise<void> {
    try {
      if ((await sizeOf(this.#file)) >= reserveBytes) return
      // Random, because some file systems store zeros in next to no room.
      await writeFile(this.#file, randomBytes(reserveBytes))
    } catch {
      await this.release().catch(() => undefined) // in a folder that cannot be written to
    }
  }

  async release(): Promise<void> {
    await rm(this.#file, { force: true })
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch {
    return 0
  }
}
