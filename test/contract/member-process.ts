import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Bus, ConsumeOptions } from '../../src/ports/bus.ts'

/*
 * A member of a group in a process of its own, because only a process can be killed with -9. The
 * child half (`runMember`) joins a group, commits each record that it is given, and tells its
 * parent through IPC; the parent half (`spawnMember`) starts it, waits for signals and kills it.
 */

type MemberNews =
  | { readonly kind: 'assigned'; readonly partitions: readonly string[] }
  | { readonly kind: 'record'; readonly text: string }
  | { readonly kind: 'committed'; readonly partition: string; readonly offset: string }

export interface MemberProcess {
  readonly news: readonly MemberNews[]
  /** Resolves once the news satisfy `claim`; rejects when the process ends before, or in time. */
  until(claim: (news: readonly MemberNews[]) => boolean, deadlineMs: number): Promise<void>
  /** For a process that is to stand still for a while: SIGSTOP, SIGCONT. */
  signal(name: NodeJS.Signals): void
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

/** Runs in the child: joins with the options of argv[2], commits every record after it came. */
export async function runMember(open: () => Promise<Bus>): Promise<void> {
  const bus = await open()
  const options = JSON.parse(process.argv[2] ?? '') as ConsumeOptions // as: written by `spawnMember`
  const tell = (news: MemberNews) => void process.send?.(news)
  let committing = Promise.resolve()
  const consumer = await bus.consume(options, {
    onAssigned: (assigned) =>
      tell({
        kind: 'assigned',
        partitions: assigned.map(({ topic, partition }) => `${topic}/${partition}`),
      }),
    onRecords: (partition, epoch, records, offset) => {
      for (const { value } of records) tell({ kind: 'record', text: value?.toString() ?? '' })
      const entry = { ...partition, epoch, offset, metadata: 'by the child' }
      const name = `${partition.topic}/${partition.partition}`
      committing = committing.then(() =>
        consumer.commit([entry]).then(
          () => tell({ kind: 'committed', partition: name, offset: String(offset) }),
          () => undefined, // the parent waits for commits that succeed, so a refusal shows there
        ),
      )
    },
    onRevoked: () => committing,
    onState: () => undefined,
  })
}

/** Starts `script`, which calls `runMember`, with `args` behind the options. */
export function spawnMember(
  script: URL,
  options: ConsumeOptions,
  args: readonly string[],
): MemberProcess {
  const child: ChildProcess = fork(fileURLToPath(script), [JSON.stringify(options), ...args], {
    execArgv: ['--import', 'tsx'],
  })
  const news: MemberNews[] = []
  const waiting = new Set<() => void>()
  child.on('message', (message) => {
    news.push(message as MemberNews) // as: sent by `runMember`
    for (const look of [...waiting]) look()
  })
  return {
    news,
    until: (claim, deadlineMs) =>
      new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          child.off('exit', onExit)
          waiting.delete(look)
        }
        const look = () => {
          if (!claim(news)) return
          finish()
          resolve()
        }
        const onExit = () => {
          finish()
          reject(new Error('the member process ended'))
        }
        const timer = setTimeout(() => {
          finish()
          reject(new Error(`waited ${deadlineMs} ms for a member process in vain`))
        }, deadlineMs)
        child.on('exit', onExit)
        waiting.add(look)
        look()
      }),
    signal: (name) => void child.kill(name),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
