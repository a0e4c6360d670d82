import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { Failure } from '../model/failure.ts'
import type { Bus } from '../ports/bus.ts'
import type { Clock } from '../ports/clock.ts'
import type { StoreState } from '../ports/store.ts'

/** Where a command writes. */
export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Width of the terminal; of no meaning where there is none. */
  readonly columns: number
}

/** Where `emit` reads when no file is named. */
interface Input {
  readonly isTerminal: boolean
  read(): AsyncIterable<Uint8Array>
}

export interface RunOptions {
  /** `null`: no file, which is all defaults. */
  readonly configFile: string | null
  /** `path=value` each, over the file; a later one wins. */
  readonly set: readonly string[]
}

export interface DemoOptions {
  /** Ends when all events are settled; else it stays up until a signal. */
  readonly once: boolean
  /** Nothing but the document of docs/operations.md on stdout. */
  readonly json: boolean
  /** Port of the admin API; `null`: the default one, or any that is free. */
  readonly port: number | null
  /** Recorded edits played per second. */
  readonly rate: number
}

/** A look at what a config names. Makes nothing, and sends nothing. */
export interface Reach {
  /**
   * The topics on the bus; `null`: an embedded log that the first start will make. Rejects with a
   * `PortError`; how long it takes is the bus' own affair.
   */
  listTopics(): Promise<readonly string[] | null>
  /**
   * How the store stands, once it was asked something that changes nothing; `ok` for an embedded one
   * whose folder may be written. Rejects with a `PortError` when it may not.
   */
  askStore(): Promise<StoreState>
  /** Whether `https://host:8443` takes connections: `null`, or what a call would fail with. */
  probe(origin: string, timeoutMs: number): Promise<Failure | null>
}

/**
 * What the commands need of the world. Drivers come from the app, which is the only one to pick them.
 * Twins of flags in the environment are read by commander from the process' own environment.
 */
export interface ProgramDeps {
  readonly version: string
  readonly env: Environment
  readonly clock: Clock
  /** Lets all else of the process go first once a slice of time is used up. */
  readonly breathe: () => Promise<void>
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  /** Runs until a signal; gives the exit code and has told by then what went wrong. */
  runDaemon(options: RunOptions): Promise<number>
  runDemo(options: DemoOptions): Promise<number>
  /** Rejects with a `PortError`. */
  openBus(config: Config): Promise<Bus>
  /** For `check --online`. */
  reachOf(config: Config): Reach
}
