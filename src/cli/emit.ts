import { createReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { isJsonObject } from '../model/json.ts'
import { PortError } from '../ports/port-error.ts'
import { renderProblems } from '../schema/render-problem.ts'
import { adminUrlDefault, askAdmin, type AdminAddress } from './admin-client.ts'
import { complain, type Complaint } from './complain.ts'
import { busSink, complaintOfBus, daemonSink, type EmitSink } from './emit-sink.ts'
import {
  compileKey,
  readEventLines,
  type EventLine,
  type KeyReader,
  type LineFault,
} from './event-lines.ts'
import { exitCode } from './exit-code.ts'
import { findConfig } from './find-config.ts'
import { adminOption, configOption, tokenOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'

/** A batch is full with this many events, or bytes: one request, one wait for the bus. */
const batchEventsMax = 1_000
const batchBytesMax = 2 ** 20

interface Options {
  readonly config?: string
  readonly admin?: string
  readonly token?: string
  readonly key?: string
}

/** `sluice emit TOPIC [FILE..]` */
export function emitCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('emit')
    .description('put events on the bus: one JSON document a line, from files or from stdin')
    .argument('<topic>', 'an existing topic')
    .argument('[file...]', 'files of one JSON document a line; `-`, or none: stdin')
    .addOption(
      new Option(
        '--key <path>',
        'dotted path to the text or number that is the key of the record',
      ).env('SLUICE_EMIT_KEY'),
    )
    .addOption(configOption())
    .addOption(adminOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      '\nGoes through the running daemon when there is one, else straight to the bus of the config.' +
        '\nStops at the first line that is no event and says where; all before it has been emitted.',
    )
    .action(async (topic: string, files: readonly string[], options: Options) => {
      exit(await emit(deps, topic, files, options))
    })
}

async function emit(
  deps: ProgramDeps,
  topic: string,
  files: readonly string[],
  options: Options,
): Promise<number> {
  const keyOf = options.key === undefined ? null : compileKey(options.key)
  if (keyOf !== null && 'message' in keyOf) {
    const hint = 'write it as in rules: `meta.id`, and `\\.` for a dot in a name'
    return complain(deps, { exitCode: exitCode.usage, message: keyOf.message, hint })
  }
  const unreadable = await firstUnreadable(files)
  if (unreadable !== null) {
    const { file, why, hint } = unreadable
    const message = `${file} cannot be read: ${why}; nothing was emitted`
    return complain(deps, { exitCode: exitCode.usage, message, hint })
  }
  const sink = await openSink(deps, topic, options)
  if (typeof sink === 'number') return sink
  try {
    return await emitAll(deps, topic, files.length === 0 ? ['-'] : files, keyOf, sink)
  } finally {
    await sink.close()
  }
}

/** Before anything is emitted: a mistyped second file should not leave half of the work done. */
async function firstUnreadable(
  files: readonly string[],
): Promise<{ readonly file: string; readonly why: string; readonly hint: string } | null> {
  for (const file of files) {
    if (file === '-') continue
    try {
      await access(file, constants.R_OK)
      if (!(await stat(file)).isDirectory()) continue
      return { file, why: 'it is a folder', hint: 'name the files in it' }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      return code === 'ENOENT'
        ? { file, why: 'there is no such file', hint: 'check the name of the file' }
        : { file, why: String(error), hint: 'check its name, and who may read it' }
    }
  }
  return null
}

/** The daemon that is named; else the one at the usual place; else the bus. An exit code: neither. */
async function openSink(
  deps: ProgramDeps,
  topic: string,
  options: Options,
): Promise<EmitSink | number> {
  const token = options.token ?? null
  if (options.admin !== undefined) {
    return daemonSink(topic, { url: options.admin, token }, deps.clock)
  }
  const configFile = findConfig(options.config)
  const { config, problems } = await loadConfig({ file: configFile, set: [], env: deps.env })
  if (config === null) {
    deps.stderr.write(`${renderProblems(problems)}\n\n`)
    return complain(deps, {
      exitCode: exitCode.usage,
      message: 'the config does not load; nothing was emitted',
      hint: 'mend it, or name the daemon to go through with --admin',
    })
  }
  const address = { url: adminUrlOf(config), token }
  if (await isDaemonAt(address, deps)) return daemonSink(topic, address, deps.clock)
  try {
    return busSink(topic, await deps.openBus(config), config)
  } catch (error) {
    if (!(error instanceof PortError)) throw error
    return complain(deps, await complaintOfBus(error, topic, null))
  }
}

/** A daemon that listens on every address is asked at the one of this machine. */
function adminUrlOf({ admin }: Config): string {
  const { host, port } = admin.listen
  if (port === 0) return adminUrlDefault
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

async function isDaemonAt(address: AdminAddress, { clock }: ProgramDeps): Promise<boolean> {
  const answer = await askAdmin(address, { method: 'GET', path: 'health/live' }, clock)
  return answer.kind === 'answer' && isJsonObject(answer.value) && 'failing' in answer.value
}

/** Emits every line in order, or stops where one cannot be, with nothing in doubt that is not said. */
async function emitAll(
  deps: ProgramDeps,
  topic: string,
  files: readonly string[],
  keyOf: KeyReader | null,
  sink: EmitSink,
): Promise<number> {
  const emission = new Emission(sink)
  for (const file of files) {
    const name = file === '-' ? 'stdin' : file
    if (file === '-' && deps.stdin.isTerminal) {
      deps.stderr.write('reading events from the terminal, one JSON document a line; Ctrl-D ends\n')
    }
    const input = file === '-' ? deps.stdin.read() : createReadStream(file)
    for await (const line of readEventLines(input, keyOf)) {
      const stop = await emission.take(name, line)
      if (stop !== null) return complain(deps, stop)
    }
    // A batch does not span files, so that a line number says which line is meant.
    const stop = await emission.flush(name)
    if (stop !== null) return complain(deps, stop)
  }
  const { count } = emission
  deps.stdout.write(`${events(count)} emitted to ${topic} ${sink.way}\n`)
  return exitCode.ok
}

/** Lines on their way: those of a batch that is not full yet, and how many are durable. */
class Emission {
  readonly #sink: EmitSink
  #batch: EventLine[] = []
  #batchBytes = 0
  #count = 0

  constructor(sink: EmitSink) {
    this.#sink = sink
  }

  /** Events that are on the bus for certain. */
  get count(): number {
    return this.#count
  }

  /** `null` when reading may go on. */
  async take(file: string, line: EventLine | LineFault): Promise<Complaint | null> {
    if ('message' in line) return this.#stopAt(file, line)
    const fault = this.#sink.faultOf(line)
    if (fault !== null) return this.#stopAt(file, fault)
    this.#batch.push(line)
    this.#batchBytes += line.bytes.length
    const isFull = this.#batch.length >= batchEventsMax || this.#batchBytes >= batchBytesMax
    return isFull ? this.flush(file) : null
  }

  /** Emits what has been taken; `null` once that is durable. */
  async flush(file: string): Promise<Complaint | null> {
    const batch = this.#batch
    const [first] = batch
    const last = batch.at(-1)
    if (first === undefined || last === undefined) return null
    this.#batch = []
    this.#batchBytes = 0
    const failure = await this.#sink.emit(batch)
    if (failure === null) {
      this.#count += batch.length
      return null
    }
    const { fault } = failure
    if (fault !== undefined) {
      const hint = `nothing from line ${first.line} on was emitted: mend it and emit the rest`
      const place = `${file}:${fault.line}:${fault.column}`
      const message = `${place}: ${fault.message}; ${this.#before()}`
      return { exitCode: exitCode.findings, message, hint }
    }
    const lines = first === last ? `line ${first.line}` : `lines ${first.line} to ${last.line}`
    const doubt =
      failure.emitted === 'none'
        ? `none of ${lines} of ${file} was`
        : `whether ${lines} of ${file} were is not known`
    return {
      ...failure,
      message: `${failure.message}; ${this.#before()}, and ${doubt}`,
    }
  }

  /** What came before goes out first, so that the rest begins at the line that is named. */
  async #stopAt(file: string, { line, column, message, cutShort }: LineFault): Promise<Complaint> {
    const failure = await this.flush(file)
    if (failure !== null) return failure
    return {
      exitCode: exitCode.findings,
      message: `${file}:${line}:${column}: ${message}; ${this.#before()}`,
      hint:
        // A file of events a line has been cut off; one whose first line is cut has other lines.
        cutShort !== undefined && this.#count === 0
          ? oneLineHint(cutShort)
          : `nothing from line ${line} on was emitted: mend it and emit the rest`,
    }
  }

  #before(): string {
    return this.#count === 1
      ? '1 event was emitted before'
      : `${this.#count} events were emitted before`
  }
}

function oneLineHint(first: '{' | '['): string {
  return first === '{'
    ? 'an event stands on one line: `jq -c .` puts each of them on one'
    : "an event stands on one line, without a list around them: `jq -c '.[]'` makes that of a list"
}

function events(count: number): string {
  return count === 1 ? '1 event' : `${count} events`
}
