import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What does not end at a SIGTERM in this time, on two busy cores, is killed. */
const stopMsMax = 30_000

/** The end of a log that an error quotes: enough for a stack trace of Java. */
const quotedCharsMax = 4_000

/**
 * A server of a test, which can be ended, started again and frozen, and which ends with the process
 * that started it, whatever that one dies of.
 */
export class GuardedProcess {
  readonly #command: readonly string[]
  readonly #folder: string
  readonly #log: string
  #child: ChildProcess | null = null

  /** What it keeps is in `folder`, which is removed with it. */
  constructor(command: readonly string[], folder: string) {
    this.#command = command
    this.#folder = folder
    this.#log = join(folder, 'output.log')
  }

  /** Whether it has never run, or has been ended, or has ended by itself. */
  get hasEnded(): boolean {
    const child = this.#child
    return child === null || child.exitCode !== null || child.signalCode !== null
  }

  /** Starts it; whether it does what it is for is the caller's question. */
  start(): void {
    if (!this.hasEnded) throw new Error(`${this.#command[0]} is running`)
    const output = openSync(this.#log, 'a')
    // The shell becomes the server, so its pid is the server's. Beside it waits a reader of a pipe
    // that we hold open: when we die without a word, of whatever, the pipe ends, the server is
    // killed and its data removed. The pipe also ends when the server has died by itself: then there
    // is nobody to kill, and its data stays for a start.
    const script =
      'exec 3<&0; (read -r word <&3 || { kill -9 $$ 2>&- && sleep 1 && rm -rf "$DATA"; }) & ' +
      'exec "$@" </dev/null 3<&-'
    const child = spawn('sh', ['-c', script, 'sh', ...this.#command], {
      stdio: ['pipe', output, output],
      env: { ...process.env, DATA: this.#folder },
    })
    closeSync(output)
    child.stdin?.on('error', () => undefined) // the reader is gone: nothing left to guard
    this.#child = child
  }

  /** Resolves when it is gone; at once if it is gone already. A second call may be harsher. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null || this.hasEnded) return
    const gone = once(child, 'exit')
    // Node closes the pipe itself when the server is gone, which must not look like our own death.
    const { stdin } = child
    if (stdin !== null && !stdin.writableEnded) {
      await new Promise<void>((resolve) => stdin.end('ended\n', () => resolve()))
    }
    child.kill(signal)
    child.kill('SIGCONT') // a frozen process cannot obey
    const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    await gone
    clearTimeout(late)
  }

  /** Freezes it: connections stay, nothing answers. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  continue(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    await this.end('SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** The last that it wrote, over all its starts. */
  async lastWords(): Promise<string> {
    return (await readFile(this.#log, 'utf8')).slice(-quotedCharsMax)
  }
}
