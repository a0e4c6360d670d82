import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface TempFolderOptions {
  /** The process stands in it during each test: for what is shown with paths from there. */
  readonly isHome?: boolean
}

/**
 * A new folder for each test of the suite around it, removed afterwards. Gives its path, which is
 * known within a test only.
 *
 * @param name - what the folder is called after, to be recognised when one is left over
 */
export function tempFolder(name: string, { isHome = false }: TempFolderOptions = {}): () => string {
  const home = process.cwd()
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), `sluice-${name}-`))
    if (isHome) process.chdir(folder)
  })
  afterEach(async () => {
    if (isHome) process.chdir(home)
    await rm(folder, { recursive: true, force: true })
  })
  return () => folder
}
