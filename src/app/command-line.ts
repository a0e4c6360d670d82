import type { Output, ProgramDeps } from '../cli/program-deps.ts'
import { runProgram } from '../cli/program.ts'
import { statusText } from '../cli/status-table.ts'
import { stylesFor } from '../cli/styles.ts'
import { systemClock } from '../drivers/system-clock.ts'
import { breather } from './breathe.ts'
import { runDemo } from './demo/demo.ts'
import { createLogger } from './logging.ts'
import { openBus } from './open-bus.ts'
import { reachOf } from './reach.ts'
import { runDaemon } from './run.ts'
import { version } from './version.ts'

/** Runs one command line on this process' terminal and gives the exit code. */
export function commandLine(args: readonly string[]): Promise<number> {
  const stdout = outputOf(process.stdout)
  const deps: ProgramDeps = {
    version,
    env: process.env,
    clock: systemClock,
    breathe: breather(systemClock),
    stdin: {
      isTerminal: process.stdin.isTTY,
      read: () => process.stdin,
    },
    stdout,
    stderr: outputOf(process.stderr),
    runDaemon,
    runDemo: (options) => runDemo(options, (status) => statusText(status, tableOptions(stdout))),
    reachOf,
    openBus: (config) => openBus(config, createLogger({ ...config.log, level: 'error' }, false)),
  }
  return runProgram(args, deps)
}

function tableOptions(stdout: Output) {
  const widthMax = stdout.isTerminal ? stdout.columns : null
  return { styles: stylesFor(stdout, process.env), widthMax, nowMs: systemClock.now() }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  let isRead = true
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    // A reader that went away (`| head`) is no fault of ours. What runs until a signal has nobody
    // left to run for; all else ends by itself.
    if (isRead) process.emit('SIGTERM')
    isRead = false
  })
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    columns: stream.columns,
  }
}
