import { Argument, Command } from 'commander'
import { actionKinds } from '../actions/kinds.ts'
import { configJsonSchema } from '../config/config-json-schema.ts'
import { ruleFileJsonSchema } from '../rules/rule-json-schema.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { complain } from './complain.ts'
import { exitCode } from './exit-code.ts'
import type { ProgramDeps } from './program-deps.ts'

/** The JSON Schema of rule files, as it is printed and kept beside rules. */
export function rulesSchemaText(): string {
  return textOf(ruleFileJsonSchema(actionKinds))
}

const texts: Readonly<Record<string, () => string>> = {
  rules: rulesSchemaText,
  config: () => textOf(configJsonSchema()),
}

/** `sluice schema [rules|config]` */
export function schemaCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('schema')
    .description('prints the JSON Schema of rule files or of the config, for editors')
    .addArgument(new Argument('[of]', 'what it describes: rules or config').default('rules'))
    .addHelpText(
      'after',
      '\nAn editor with a YAML language server reads it where the first line of a file says\n' +
        '  # yaml-language-server: $schema=<path from that file>',
    )
    .action((of: string) => {
      exit(printSchema(deps, of))
    })
}

function printSchema(deps: ProgramDeps, of: string): number {
  const text = Object.hasOwn(texts, of) ? texts[of] : undefined
  if (text === undefined) {
    const names = Object.keys(texts)
    const message = `there is no schema of ${of}`
    const hint = didYouMean(of, names) ?? `schemas are ${names.join(', ')}`
    return complain(deps, { exitCode: exitCode.usage, message, hint })
  }
  deps.stdout.write(text())
  return exitCode.ok
}

function textOf(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}
