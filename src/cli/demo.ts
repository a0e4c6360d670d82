import { Command, Option } from 'commander'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { jsonOption, wholeNumber } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'

/** Edits a second that one can follow by eye; the recording then takes about a quarter of a minute. */
const rateDefault = 8
const rateMax = 10_000

/** `sluice demo` */
export function demoCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('demo')
    .description(
      'play recorded edits of Wikipedia through the rules that ship with it, on this machine only',
    )
    .addOption(
      new Option('--once', 'end when every edit is settled, instead of staying up').env(
        'SLUICE_DEMO_ONCE',
      ),
    )
    .addOption(jsonOption('print one JSON document at the end and nothing else; needs --once'))
    .addOption(
      new Option('--rate <n>', 'edits per second')
        .argParser(wholeNumber(1, rateMax))
        .default(rateDefault)
        .env('SLUICE_DEMO_RATE'),
    )
    .addOption(
      new Option('--port <n>', 'port of the admin API (default: 8090, or one that is free)')
        .argParser(wholeNumber(1, 65_535))
        .env('SLUICE_DEMO_PORT'),
    )
    .action(async (options: { once?: boolean; json?: boolean; rate: number; port?: number }) => {
      const { once = false, json = false, rate, port = null } = options
      if (json && !once) {
        const complaint = {
          exitCode: exitCode.usage,
          message: '--json tells how the demo ended, and without --once it does not end',
          hint: 'add --once, or ask the running demo with `sluice status --json`',
        }
        exit(complain(deps, complaint))
        return
      }
      exit(await deps.runDemo({ once, json, rate, port }))
    })
}
