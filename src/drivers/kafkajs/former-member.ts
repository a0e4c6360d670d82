import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/*
 * A member that was killed keeps its partitions until its session ends, 10 s in which nobody reads
 * them. So each member writes down its id, and the next start takes the dead out of the group.
 * Only the dead: a file names host and process, and one whose process lives is left alone, as a
 * second daemon may share our folder. A container of another name waits for the session, as before.
 */

interface Member {
  readonly group: string
  readonly memberId: string
  readonly host: string
  readonly pid: number
  /** Tells us from a dead process that had our pid, as in containers every one has 1. */
  readonly instance: string
}

const instance = randomUUID()
let lastNumber = 0

/** Keeps the id of one member for the next start. `stateDir: null` keeps nothing. */
export class MemberFile {
  readonly #folder: string | null
  readonly #group: string
  readonly #name: string
  #written = ''

  constructor(stateDir: string | null, group: string) {
    this.#folder = stateDir
    this.#group = group
    this.#name = `${prefixOf(group)}${process.pid}-${++lastNumber}.json`
  }

  /** Ids of members of this group whose processes have died; their files are gone after this. */
  async takeDead(): Promise<readonly string[]> {
    const folder = this.#folder
    if (folder === null) return []
    await mkdir(folder, { recursive: true })
    const dead: string[] = []
    for (const name of await readdir(folder)) {
      if (!name.startsWith(prefixOf(this.#group)) || !name.endsWith('.json')) continue
      const member = await read(join(folder, name))
      if (member === null || member.group !== this.#group || isAlive(member)) continue
      dead.push(member.memberId)
      await rm(join(folder, name), { force: true })
    }
    return dead
  }

  async write(memberId: string): Promise<void> {
    if (this.#folder === null || memberId === this.#written) return
    const member: Member = {
      group: this.#group,
      memberId,
      host: hostname(),
      pid: process.pid,
      instance,
    }
    const path = join(this.#folder, this.#name)
    // Whole or not at all: a reader must not find half of it.
    await writeFile(`${path}.new`, JSON.stringify(member))
    await rename(`${path}.new`, path)
    this.#written = memberId
  }

  /** To be called once the member has left the group. */
  async remove(): Promise<void> {
    if (this.#folder !== null) await rm(join(this.#folder, this.#name), { force: true })
  }
}

/** Names of groups may hold what a file's name cannot. */
function prefixOf(group: string): string {
  return `kafka-member-${createHash('sha256').update(group).digest('hex').slice(0, 16)}-`
}

async function read(path: string): Promise<Member | null> {
  try {
    const said: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof said !== 'object' || said === null) return null
    const { group, memberId, host, pid, instance: its } = said as Partial<Record<string, unknown>> // as: checked next
    if (typeof group !== 'string' || typeof memberId !== 'string') return null
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof its !== 'string') return null
    return { group, memberId, host, pid, instance: its }
  } catch {
    return null // removed meanwhile, or not ours to read: then its session simply runs out
  }
}

function isAlive({ host, pid, instance: its }: Member): boolean {
  if (host !== hostname()) return true // for all we know
  if (pid === process.pid) return its === instance
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, as someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
