import { z } from 'zod'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import { invariant } from '../model/invariant.ts'
import { checkShape } from '../schema/check-shape.ts'
import { describeValue } from '../schema/describe.ts'
import { didYouMean } from '../schema/did-you-mean.ts'
import { problemCodes, type ProblemCode } from '../schema/problem-code.ts'
import type { Reporter } from '../schema/reporter.ts'
import type { At } from '../schema/yaml-document.ts'
import type { Action, ActionKind } from './action-kind.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { RuleContext } from './rule-context.ts'
import type { Step } from './rule.ts'
import { versionOf } from './rule-version.ts'
import { stepKeys } from './step-schema.ts'
import { createTemplateCompiler, type TemplateCompilerOptions } from './template-compiler.ts'
import { parseTemplate } from './template-parse.ts'
import type { KeptStep } from './template-read.ts'
import type { JsonTemplate, TemplateCompiler } from './template.ts'

/** Actions of one rule. A longer chain is several rules with derived events between them. */
export const actionsMax = 32

/** Kinds that the language names and this version does not build. */
const laterKinds: readonly string[] = ['fan_out', 'purge', 'invalidate', 'link']

export interface StepContext extends RuleContext {
  readonly rule: string
  readonly retry: RetryPolicy
  readonly lists: ReadonlyMap<string, Json>
  /** Groups of the regexes on the way to these steps. */
  readonly captures: readonly string[]
  readonly reporter: Reporter
}

/** Compiles `do`: one action or a list of them; `null` after reporting what is wrong. */
export function compileSteps(source: Json, at: At, context: StepContext): readonly Step[] | null {
  const { reporter } = context
  if (!Array.isArray(source)) {
    const step = compileStep(source, at, { ...context, kept: [], before: [] })
    return step === null ? null : [step]
  }
  if (source.length === 0) {
    reporter.error(at, 'bad-value', 'a rule without an action', 'say what it does below `do`')
    return null
  }
  if (source.length > actionsMax) {
    reporter.error(at, 'too-many', `${source.length} actions, above ${actionsMax}`)
    return null
  }
  const kept: KeptStep[] = []
  const steps: Step[] = []
  const list = source as readonly Json[] // as: an array of a Json value
  list.forEach((one, i) => {
    const ofOne = { ...context, kept: [...kept], before: list.slice(0, i) }
    const step = compileStep(one, [...at, i], ofOne)
    // A step with a mistake keeps its name as well: what reads it has no mistake of its own.
    const keeps = keptOf(one, context.kinds)
    if (keeps !== null) kept.push(keeps)
    if (step !== null) steps.push(step)
  })
  return steps.length === source.length ? steps : null
}

interface OneContext extends StepContext {
  /** The steps before this one that keep what came of them. */
  readonly kept: readonly KeptStep[]
  /** The steps before this one, as written. */
  readonly before: readonly Json[]
}

function keptOf(source: Json, kinds: readonly ActionKind[]): KeptStep | null {
  if (!isJsonObject(source)) return null
  for (const [key, spec] of Object.entries(source)) {
    if (!isJsonObject(spec)) continue
    const { as: name, each } = spec
    if (typeof name !== 'string') continue
    const keys = kinds.find((kind) => kind.name === key)?.resultKeys ?? null
    return { name, kind: key, keys, isList: each !== undefined }
  }
  return null
}

function compileStep(source: Json, at: At, context: OneContext): Step | null {
  const found = kindOf(source, at, context)
  if (found === null) return null
  const { kind, spec } = found
  const kindAt = [...at, kind.name]
  const action = compileKind(kind, spec, kindAt, context)
  const { as = null, each } = isJsonObject(spec) ? spec : {}
  const isFree = as === null || !isTaken(as, kindAt, context)
  const list = each === undefined ? null : compileEach(each, kindAt, context)
  if (action === null || !isFree || (each !== undefined && list === null)) return null
  const place = placeOf(context.before, each)
  return { action, as: typeof as === 'string' ? as : null, each: list, place }
}

function placeOf(before: readonly Json[], each: Json | undefined): string | null {
  if (before.length === 0 && each === undefined) return null
  return versionOf([before, each ?? null])
}

function isTaken(name: Json, at: At, { kept, reporter }: OneContext): boolean {
  if (typeof name !== 'string' || !kept.some((step) => step.name === name)) return false
  const message = `an earlier action is called \`${name}\` already`
  reporter.error([...at, 'as'], 'bad-value', message, 'a name is used once in a `do`')
  return true
}

/** The list of `each`; `null` after reporting what is wrong. */
function compileEach(source: Json, at: At, context: OneContext): JsonTemplate | null {
  const { reporter } = context
  if (typeof source !== 'string') return null // told by the shape
  const nodes = parseTemplate(source, (message, hint) =>
    reporter.error([...at, 'each'], 'template-syntax', message, hint),
  )
  if (nodes === null) return null
  if (nodes.length !== 1 || nodes[0]?.kind !== 'tag') {
    const message = '`each` is one tag that is a list, and nothing around it'
    reporter.error([...at, 'each'], 'template-syntax', message, 'for example "{{event.items}}"')
    return null
  }
  return templatesFor({ ...context, hasItem: false }, (below, code, message, hint) =>
    reporter.error([...at, ...below], code, message, hint),
  ).json(source, ['each'])
}

function templatesFor(
  { lists, secrets, captures, kept, hasItem }: OneContext & { readonly hasItem: boolean },
  report: TemplateCompilerOptions['report'],
): TemplateCompiler {
  const names = { captures, steps: kept, hasItem, isKey: false }
  return createTemplateCompiler({ ...names, lists, secrets, report })
}

function compileKind(kind: ActionKind, source: Json, at: At, context: OneContext): Action | null {
  const { reporter, secrets } = context
  const told = checkShape(kind.schema, source, at, reporter)
  // A slip in a key should not hide what else is wrong: the rest is compiled for its problems.
  const shape = told ?? shapeOfKnown(kind, source)
  if (shape === null) return null
  let isGood = told !== null
  const report = (below: At, code: string, message: string, hint?: string): void => {
    isGood = false
    reporter.error([...at, ...below], knownCode(code), message, hint)
  }
  const { as, each } = isJsonObject(source) ? source : {}
  const action = kind.compile(shape.value, {
    rule: context.rule,
    retry: context.retry,
    templates: templatesFor({ ...context, hasItem: each !== undefined }, report),
    keepsResult: as !== undefined,
    secrets,
    allowHosts: context.allowHosts,
    report,
  })
  return isGood ? action : null
}

/** The shape of an action without the keys that its kind does not know, if there is one. */
function shapeOfKnown({ schema }: ActionKind, source: Json): { readonly value: unknown } | null {
  if (!(schema instanceof z.ZodObject) || !isJsonObject(source)) return null
  const known = Object.entries(source).filter(([key]) => Object.hasOwn(schema.shape, key))
  const { success, data } = schema.safeParse(Object.fromEntries(known))
  return success ? { value: data } : null
}

/** An action is a map of one key, which is its kind. */
function kindOf(
  source: Json,
  at: At,
  { kinds, reporter }: StepContext,
): { readonly kind: ActionKind; readonly spec: Json } | null {
  const names = kinds.map((kind) => kind.name)
  if (!isJsonObject(source)) {
    const example = names.map((name) => `\`${name}: {..}\``).join(' or ')
    const message = `found ${describeValue(source)}, expected an action: ${example}`
    const isUrl = typeof source === 'string' && /^https?:/i.test(source)
    reporter.error(at, 'wrong-type', message, isUrl ? 'a call is `http: { url: ".." }`' : null)
    return null
  }
  const keys = Object.keys(source)
  const known = keys.filter((key) => names.includes(key))
  const others = keys.filter((key) => !names.includes(key))
  const bare = known.length === 0 ? kindWithKeys(others, kinds) : null
  if (bare !== null) {
    const [first = ''] = others
    const message = `\`${first}\` stands where its action should`
    const hint = `write it below the action: \`${bare}: { ${first}: .. }\``
    reporter.errorAtKey([...at, first], 'unknown-action', message, hint)
    return null
  }
  for (const key of others) {
    if (laterKinds.includes(key)) {
      reporter.errorAtKey([...at, key], 'not-supported-yet', `\`${key}\` is not supported yet`)
      continue
    }
    if (Object.hasOwn(stepKeys, key)) {
      const kind = known[0] ?? names[0] ?? ''
      const hint = `write it inside the action: \`${kind}: { ${key}: .. }\``
      reporter.errorAtKey([...at, key], 'bad-value', `\`${key}\` beside the action`, hint)
      continue
    }
    const hint = didYouMean(key, [...names, ...laterKinds]) ?? `actions are ${names.join(', ')}`
    reporter.errorAtKey([...at, key], 'unknown-action', `there is no action \`${key}\``, hint)
  }
  if (others.length > 0) return null
  const kind = kinds.find(({ name }) => name === known[0])
  if (kind === undefined) {
    const message = 'an action without a kind'
    reporter.error(at, 'missing-key', message, `actions are ${names.join(', ')}`)
    return null
  }
  if (known.length > 1) {
    const message = `one action cannot be ${known.map((name) => `\`${name}\``).join(' and ')} at once`
    const hint = 'write a list, `- ` before each action; it runs in order'
    reporter.errorAtKey([...at, known[1] ?? kind.name], 'bad-value', message, hint)
    return null
  }
  return { kind, spec: source[kind.name] ?? null }
}

/** The kind whose keys these are, for who left the kind itself out. */
function kindWithKeys(keys: readonly string[], kinds: readonly ActionKind[]): string | null {
  const kind = kinds.find(
    ({ schema }) =>
      schema instanceof z.ZodObject && keys.every((key) => Object.hasOwn(schema.shape, key)),
  )
  return keys.length === 0 ? null : (kind?.name ?? null)
}

function knownCode(code: string): ProblemCode {
  const known = problemCodes.find((one) => one === code)
  invariant(known !== undefined, `the problem code ${code} is not in the list`)
  return known
}
