import { rulesOfOneMachine } from '../cli/check/store-reach.ts'
import { exitCode } from '../cli/exit-code.ts'
import type { RunOptions } from '../cli/program-deps.ts'
import type { Config } from '../config/config.ts'
import type { Problem } from '../model/problem.ts'
import { PortError } from '../ports/port-error.ts'
import { renderProblems } from '../schema/render-problem.ts'
import type { Daemon } from './daemon.ts'
import { startDaemon } from './daemon.ts'
import { StartError, StoppedWhileStarting } from './lifecycle.ts'
import { load } from './load.ts'
import { createLogger } from './logging.ts'
import { stopSignal } from './stop-signal.ts'
import { version } from './version.ts'

/** `sluice run`: the daemon, from config to exit code. */
export async function runDaemon(options: RunOptions): Promise<number> {
  const stopping = stopSignal() // before anything starts, so that no signal finds us without
  const { house, problems } = await load(options)
  if (problems.length > 0) process.stderr.write(`${renderProblems(problems)}\n`)
  if (house === null) {
    process.stderr.write(
      `\n${errorsIn(problems)}: nothing was started. \`sluice check\` tells whether all is mended.\n`,
    )
    return exitCode.usage
  }
  const { config, ruleSet } = house
  const logger = createLogger(config.log, process.stderr.isTTY)
  logger.info(
    {
      version,
      bus: config.bus.kind,
      store: config.store.kind,
      rules: ruleSet.rules.length,
      pid: process.pid,
    },
    'starting',
  )
  const ofOneMachine = rulesOfOneMachine(config, ruleSet.rules)
  if (ofOneMachine.length > 0) {
    logger.warn(
      { rules: ofOneMachine.slice(0, rulesNamedMax), count: ofOneMachine.length },
      'windows are of this machine only: daemons elsewhere do not see the embedded store',
    )
  }
  let daemon: Daemon
  try {
    daemon = await startDaemon(config, ruleSet, logger, stopping)
  } catch (error) {
    if (error instanceof StoppedWhileStarting) {
      logger.info({ signal: await stopping }, 'stopped while starting')
      return exitCode.ok
    }
    if (!(error instanceof StartError)) throw error
    logger.error({ part: error.part, err: error.cause }, 'could not start')
    process.stderr.write(`${error.message}\n${hintFor(error.cause, config)}`)
    return exitCode.unreachable
  }
  logger.info({ admin: daemon.adminUrl }, 'ready')
  logger.info({ signal: await stopping, drain_ms: config.shutdown.drainMs }, 'stopping')
  const result = await daemon.stop()
  logger.info({ result }, 'stopped')
  return result === 'clean' ? exitCode.ok : exitCode.findings
}

/** Of a warning about many rules, so many are named. */
const rulesNamedMax = 10

function hintFor(cause: unknown, { bus }: Config): string {
  const isBusAway =
    cause instanceof PortError && cause.port === 'bus' && cause.code === 'unreachable'
  if (!isBusAway) return ''
  return `  hint: does one of bus.kafka.brokers answer (${bus.kafka.brokers.join(', ')})?\n`
}

function errorsIn(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  return errors === 1 ? '1 error' : `${errors} errors`
}
