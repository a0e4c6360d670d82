import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** A line of the daemon's log, as pino writes it. */
export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

/** A real daemon in a process of its own, as `npm run build` made it. */
export class DaemonProcess {
  readonly lines: LogLine[] = []
  readonly #child: ChildProcess
  readonly #exited: Promise<number | null>
  #wake: () => void = () => {}

  constructor(args: readonly string[], { cwd }: { cwd?: string } = {}) {
    this.#child = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd,
    })
    this.#exited = once(this.#child, 'exit').then(([code]) => code as number | null) // as: node's types say any
    void this.#exited.then(() => this.#wake())
    if (this.#child.stderr === null) throw new Error('stderr is a pipe')
    createInterface(this.#child.stderr).on('line', (text) => {
      this.lines.push(parse(text))
      this.#wake()
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the daemon did not start')
    return this.#child.pid
  }

  /** Waits for a log line with this sentence; fails when the process ends first. */
  async said(sentence: string): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find(({ msg }) => msg === sentence)
      if (line !== undefined) return line
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`the daemon ended before "${sentence}":\n${this.transcript()}`)
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Where its admin API listens. */
  async adminUrl(): Promise<string> {
    return String((await this.said('ready'))['admin'])
  }

  transcript(): string {
    return this.lines.map((line) => JSON.stringify(line)).join('\n')
  }

  /** `kill -9`: resolves when the kernel has taken it away. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.#exited
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  exitCode(): Promise<number | null> {
    return this.#exited
  }
}

function parse(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine // as: pino's own lines; anything else throws
  } catch {
    return { level: 0, msg: text }
  }
}
