import type { Environment } from '../../src/config/environment.ts'
import type { DemoOptions, ProgramDeps, RunOptions } from '../../src/cli/program-deps.ts'
import { runProgram } from '../../src/cli/program.ts'
import { PortError } from '../../src/ports/port-error.ts'
import type { Bus } from '../../src/ports/bus.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { FakeClock } from './fake-clock.ts'

export interface CommandLineOptions {
  readonly env?: Environment
  readonly clock?: Clock
  /** Columns of the terminal that stdout is; left out: stdout is a pipe. */
  readonly terminal?: number
  /** What stdin holds, in the chunks in which it comes; left out: stdin is a terminal. */
  readonly stdin?: readonly (string | Uint8Array)[]
  /** Left out: opening one fails. */
  readonly bus?: Bus
  /** Left out: there is no topic yet, and nothing answers. */
  readonly reachOf?: ProgramDeps['reachOf']
}

export interface CommandLineResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly ran: readonly RunOptions[]
  readonly demos: readonly DemoOptions[]
}

/** Runs a command line as `main` would, with everything outside in the hands of the test. */
export async function sluice(
  args: readonly string[],
  options: CommandLineOptions = {},
): Promise<CommandLineResult> {
  const written = { stdout: '', stderr: '' }
  const ran: RunOptions[] = []
  const demos: DemoOptions[] = []
  const output = (name: 'stdout' | 'stderr', columns: number | undefined) => ({
    write: (text: string) => void (written[name] += text),
    isTerminal: columns !== undefined,
    columns: columns ?? 80,
  })
  const deps: ProgramDeps = {
    version: '1.2.3',
    env: options.env ?? {},
    clock: options.clock ?? new FakeClock(),
    breathe: () => Promise.resolve(),
    stdin: { isTerminal: options.stdin === undefined, read: () => chunks(options.stdin ?? []) },
    stdout: output('stdout', options.terminal),
    stderr: output('stderr', undefined),
    runDaemon: (given) => {
      ran.push(given)
      return Promise.resolve(0)
    },
    runDemo: (given) => {
      demos.push(given)
      return Promise.resolve(0)
    },
    reachOf:
      options.reachOf ??
      (() => ({
        listTopics: () => Promise.resolve(null),
        askStore: () => Promise.resolve({ kind: 'ok' }),
        probe: () => Promise.resolve({ kind: 'refused', message: 'nobody listens' }),
      })),
    openBus: () =>
      options.bus === undefined
        ? Promise.reject(new PortError('bus', 'unreachable', 'nothing listens at localhost:9092'))
        : Promise.resolve(options.bus),
  }
  const code = await runProgram(args, deps)
  return { code, ...written, ran, demos }
}

async function* chunks(given: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of given) {
    await Promise.resolve()
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  }
}

/** Runs `work` with names set in the process' environment, where commander looks for twins. */
export async function withEnvironment<T>(
  names: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = new Map(Object.keys(names).map((name) => [name, process.env[name]]))
  Object.assign(process.env, names)
  try {
    return await work()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
