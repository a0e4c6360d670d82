import { Command, CommanderError } from 'commander'
import { checkCommand } from './check.ts'
import { complain } from './complain.ts'
import { demoCommand } from './demo.ts'
import { emitCommand } from './emit.ts'
import { exitCode } from './exit-code.ts'
import { importCommand } from './import-changeprop.ts'
import { explainCommand } from './explain.ts'
import { newCommand } from './new.ts'
import type { ProgramDeps } from './program-deps.ts'
import { rulesCommand } from './rules.ts'
import { runCommand } from './run.ts'
import { schemaCommand } from './schema.ts'
import { statusCommand } from './status.ts'
import { testCommand } from './test.ts'

/** Commands that the documents name and this version does not have. */
const laterCommands: readonly string[] = [
  ...['top', 'tap', 'pause', 'resume', 'throttle'],
  ...['suppress', 'replay', 'redrive', 'dead', 'reload'],
]

/**
 * Runs one command line, without the name of the program, and gives the exit code. What a user did
 * wrong is told on stderr; it rejects only for faults of ours.
 */
export async function runProgram(args: readonly string[], deps: ProgramDeps): Promise<number> {
  const [name = ''] = args.filter((arg) => !arg.startsWith('-'))
  if (laterCommands.includes(name)) {
    const message = `\`sluice ${name}\` is not supported yet`
    const hint = '`sluice --help` lists the commands that are'
    return complain(deps, { exitCode: exitCode.usage, message, hint })
  }
  let code: number = exitCode.ok
  const program = createProgram(deps, (given) => {
    code = given
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has told by now what is wrong, or printed the help or the version asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    throw error
  }
}

/** Every command of this version. Each hands its exit code to `exit`. */
function createProgram(deps: ProgramDeps, exit: (code: number) => void): Command {
  const program = new Command('sluice')
    .description('Turns events into HTTP calls and derived events, under rules in YAML.')
    .version(deps.version)
    .helpCommand('help [command]', 'what there is, or what one command takes')
    .addHelpText('after', '\nEvery flag can be set in the environment as well, by the name shown.')
  const commands = [
    runCommand,
    demoCommand,
    newCommand,
    checkCommand,
    testCommand,
    explainCommand,
    schemaCommand,
    emitCommand,
    rulesCommand,
    statusCommand,
    importCommand,
  ]
  for (const command of commands) program.addCommand(command(deps, exit))
  for (const command of [program, ...program.commands]) {
    const path = command === program ? 'sluice' : `sluice ${command.name()}`
    command
      .exitOverride()
      .showHelpAfterError(`  hint: \`${path} --help\` shows what there is`)
      .configureOutput({
        writeOut: (text) => deps.stdout.write(text),
        writeErr: (text) => deps.stderr.write(text),
        getOutHelpWidth: () => helpWidth(deps.stdout),
        getErrHelpWidth: () => helpWidth(deps.stderr),
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
  }
  return program.hook('preAction', (_program, command) => turnOffWhereSaid(command))
}

/** Lines longer than this are hard to read, however wide the terminal. */
const helpWidthMax = 100

function helpWidth({ isTerminal, columns }: ProgramDeps['stdout']): number {
  return isTerminal ? Math.min(columns, helpWidthMax) : 80
}

/** Commander takes a flag without a value for set when its twin is there at all, `false` or not. */
function turnOffWhereSaid(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (!option.isBoolean() || command.getOptionValueSource(name) !== 'env') continue
    const value = option.envVar === undefined ? undefined : process.env[option.envVar]
    if (['', '0', 'false', 'no', 'off'].includes(value?.toLowerCase() ?? '')) {
      command.setOptionValueWithSource(name, false, 'env')
    }
  }
}
