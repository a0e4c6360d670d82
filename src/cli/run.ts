import { Command } from 'commander'
import { findConfig } from './find-config.ts'
import { configOption, setOption } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'

/** `sluice run` */
export function runCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('run')
    .description('run the daemon until SIGTERM or SIGINT, which drain it; a second one ends it')
    .addOption(configOption())
    .addOption(setOption())
    .action(async (options: { config?: string; set?: readonly string[] }) => {
      const configFile = findConfig(options.config)
      exit(await deps.runDaemon({ configFile, set: options.set ?? [] }))
    })
}
