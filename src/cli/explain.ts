import { Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../config/config.ts'
import { decode } from '../engine/decode.ts'
import { eventOf } from '../engine/task-headers.ts'
import type { Event } from '../model/event.ts'
import type { BusRecord } from '../model/record.ts'
import type { Rule } from '../rules/rule.ts'
import { exampleTopic } from '../rules/topic-selector.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { renderProblems } from '../schema/render-problem.ts'
import { counted } from './check/check-report.ts'
import { complain, type Complaint } from './complain.ts'
import { exitCode } from './exit-code.ts'
import { documentOf } from './explain/explain-json.ts'
import { explanationText } from './explain/explain-text.ts'
import { explain, type Explanation } from './explain/explanation.ts'
import { readEvent } from './explain/read-event.ts'
import { readFromBus } from './explain/read-from-bus.ts'
import { findConfig } from './find-config.ts'
import { configOption, jsonOption, wholeNumber } from './options.ts'
import type { ProgramDeps } from './program-deps.ts'
import { loadRuleFiles } from './rule-files.ts'
import { stylesFor } from './styles.ts'

interface Options {
  readonly config?: string
  readonly rules?: readonly string[]
  readonly topic?: string
  readonly offset?: { readonly partition: number; readonly offset: bigint }
  readonly key?: string
  readonly header?: readonly (readonly [name: string, value: string])[]
  readonly line?: number
  readonly json?: boolean
}

/** `sluice explain RULE EVENT.json`, and `sluice explain RULE --topic T --offset P:N` */
export function explainCommand(deps: ProgramDeps, exit: (code: number) => void): Command {
  return new Command('explain')
    .description('why a rule does or does not act on an event, and what it would send')
    .argument('<rule>', 'name of a rule')
    .argument('[event]', 'a file with the event as JSON; `-`: stdin')
    .addOption(
      new Option('--line <n>', 'the event on that line of a file of one event a line')
        .argParser(wholeNumber(1, 1_000_000_000))
        .env('SLUICE_EXPLAIN_LINE'),
    )
    .addOption(
      new Option(
        '--topic <topic>',
        'where the event comes from; default: the first of the rule',
      ).env('SLUICE_EXPLAIN_TOPIC'),
    )
    .addOption(
      new Option(
        '--offset <partition:offset>',
        'in place of a file: the record of the bus of the config that stands there in --topic',
      )
        .argParser(placeOf)
        .env('SLUICE_EXPLAIN_OFFSET'),
    )
    .addOption(
      new Option('--key <key>', 'key of the record of an event from a file').env(
        'SLUICE_EXPLAIN_KEY',
      ),
    )
    .addOption(
      new Option(
        '--header <name=value>',
        'a header of that record; may be given several times; the environment holds one a line',
      )
        .argParser(headersOf)
        .env('SLUICE_EXPLAIN_HEADER'),
    )
    .addOption(
      new Option(
        '--rules <path...>',
        'rule files, or folders of them; default: `rules.path` of the config',
      ).env('SLUICE_EXPLAIN_RULES'),
    )
    .addOption(configOption())
    .addOption(jsonOption('one JSON document and nothing else on stdout'))
    .addHelpText(
      'after',
      '\nSends nothing. Secrets are shown as ***, and signatures are made with that.\n' +
        'Exit code 0 when the rule acts and all of its requests can be rendered, else 1.',
    )
    .action(async (rule: string, file: string | undefined, options: Options) => {
      exit(await run(deps, rule, file ?? null, options))
    })
}

function placeOf(text: string): { readonly partition: number; readonly offset: bigint } {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,18})$/.exec(text) ?? []
  if (partition === undefined || offset === undefined) {
    throw new InvalidArgumentError('a partition and an offset are expected, such as 0:1234')
  }
  return { partition: Number(partition), offset: BigInt(offset) }
}

function headersOf(text: string, before: readonly HeaderText[] = []): readonly HeaderText[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return [...before, ...lines.map(headerOf)]
}

type HeaderText = readonly [name: string, value: string]

function headerOf(text: string): HeaderText {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('a name and a value are expected, such as by=me')
  return [text.slice(0, at), text.slice(at + 1)]
}

async function run(
  deps: ProgramDeps,
  name: string,
  file: string | null,
  options: Options,
): Promise<number> {
  const misuse = misuseOf(file, options)
  if (misuse !== null) return complain(deps, misuse)
  const read = await loadRuleFiles(findConfig(options.config), options.rules ?? [], deps)
  const errors = [...read.ofConfig, ...read.ofRules].filter(({ severity }) => severity === 'error')
  const { config } = read
  if (config === null || errors.length > 0) {
    deps.stderr.write(`${renderProblems(errors)}\n\n`)
    const message = `the rules do not load: ${counted(errors.length, 'error')}`
    const hint = 'mend what is told above; `sluice check` tells warnings too'
    return complain(deps, { exitCode: exitCode.usage, message, hint })
  }
  const { sound } = read.loaded
  const rule = sound.find((one) => one.name === name)
  if (rule === undefined) return complain(deps, noRule(name, sound))
  const event = await eventFrom(file, rule, config, options, deps)
  if ('exitCode' in event) return complain(deps, event)
  const settings = { nowMs: deps.clock.now(), hopsMax: config.limits.hopsMax }
  const explanation = await explain(rule, event, settings)
  deps.stdout.write(
    options.json === true
      ? `${JSON.stringify(documentOf(explanation), null, 2)}\n`
      : explanationText(explanation, stylesFor(deps.stdout, deps.env)),
  )
  return isClean(explanation) ? exitCode.ok : exitCode.findings
}

function isClean({ outcome, previews }: Explanation): boolean {
  return outcome === 'run' && previews.every(({ kind }) => kind !== 'failed')
}

function misuseOf(
  file: string | null,
  { offset, topic, line, key, header }: Options,
): Complaint | null {
  const misuse = (message: string, hint: string): Complaint => ({
    exitCode: exitCode.usage,
    message,
    hint,
  })
  if (offset === undefined) {
    return file === null
      ? misuse('there is no event to explain', 'name a file, or --topic and --offset')
      : null
  }
  if (file !== null) {
    return misuse('a file and --offset at once', 'the event comes from one of the two')
  }
  if (topic === undefined) return misuse('--offset without --topic', 'say of which topic')
  if (line !== undefined || key !== undefined || header !== undefined) {
    const hint = 'leave out --line, --key and --header: the record has its own'
    return misuse('--offset names a record of the bus', hint)
  }
  return null
}

/** Names on a line. */
const namesMax = 10

function noRule(name: string, rules: readonly Rule[]): Complaint {
  const names = rules.map((rule) => rule.name)
  const left = names.length > namesMax ? ` and ${names.length - namesMax} more` : ''
  const hint =
    didYouMean(name, names) ??
    (names.length === 0
      ? 'there is none'
      : `rules are ${names.slice(0, namesMax).join(', ')}${left}`)
  return { exitCode: exitCode.usage, message: `there is no rule ${name}`, hint }
}

async function eventFrom(
  file: string | null,
  rule: Rule,
  config: Config,
  options: Options,
  deps: ProgramDeps,
): Promise<Event | Complaint> {
  const { topic, offset } = options
  if (offset !== undefined) return eventFromBus({ topic: topic ?? '', ...offset }, config, deps)
  const read = await readEvent(file ?? '-', options.line ?? null, deps.stdin)
  if (read.kind === 'fault') {
    return { exitCode: exitCode.usage, message: read.message, hint: read.hint }
  }
  const record: BusRecord = {
    topic: topic ?? exampleTopic(rule.topics),
    partition: 0,
    offset: 0n,
    key: options.key === undefined ? null : Buffer.from(options.key),
    value: read.bytes,
    headers: (options.header ?? []).map(([name, value]) => [name, Buffer.from(value)]),
    timestampMs: deps.clock.now(),
  }
  return eventOf(record, read.body)
}

async function eventFromBus(
  place: Parameters<typeof readFromBus>[0],
  config: Config,
  deps: ProgramDeps,
): Promise<Event | Complaint> {
  const record = await readFromBus(place, config, deps)
  if ('exitCode' in record) return record
  const decoded = decode(record, Infinity)
  if (decoded.kind === 'decoded') return eventOf(record, decoded.body)
  const message = `the record is no event: ${decoded.error}`
  const hint = 'a daemon dead-letters it without asking any rule'
  return { exitCode: exitCode.findings, message, hint }
}
