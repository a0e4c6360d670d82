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
import { createTemplateCompiler } from './template-compiler.ts'

/** Actions of one rule. A longer chain is several rules with derived events between them. */
const actionsMax = 32

/** Kinds that the language names and this version does not build. */
const laterKinds: readonly string[] = ['fan_out', 'purge', 'invalidate', 'link']

/** Keys of an action beside its kind that this version does not build. */
const laterActionKeys: readonly string[] = ['as', 'each']

export interface ActionContext extends RuleContext {
  readonly rule: string
  readonly retry: RetryPolicy
  readonly lists: ReadonlyMap<string, Json>
  readonly reporter: Reporter
}

/** Compiles `do`: one action or a list of them; `null` after reporting what is wrong. */
export function compileActions(
  source: Json,
  at: At,
  context: ActionContext,
): readonly Action[] | null {
  const { reporter } = context
  if (!Array.isArray(source)) {
    const action = compileAction(source, at, context)
    return action === null ? null : [action]
  }
  if (source.length === 0) {
    reporter.error(at, 'bad-value', 'a rule without an action', 'say what it does below `do`')
    return null
  }
  if (source.length > actionsMax) {
    reporter.error(at, 'too-many', `${source.length} actions, above ${actionsMax}`)
    return null
  }
  const compiled = (source as readonly Json[]).map((one, i) =>
    compileAction(one, [...at, i], context),
  ) // as: an array of a Json value
  const actions = compiled.filter((action) => action !== null)
  return actions.length === compiled.length ? actions : null
}

function compileAction(source: Json, at: At, context: ActionContext): Action | null {
  const found = kindOf(source, at, context)
  return found === null
    ? null
    : compileKind(found.kind, found.spec, [...at, found.kind.name], context)
}

function compileKind(
  kind: ActionKind,
  source: Json,
  at: At,
  context: ActionContext,
): Action | null {
  const { reporter, lists, secrets } = context
  const told = checkShape(kind.schema, source, at, reporter)
  // A slip in a key should not hide what else is wrong: the rest is compiled for its problems.
  const shape = told ?? shapeOfKnown(kind, source)
  if (shape === null) return null
  let isGood = told !== null
  const report = (below: At, code: string, message: string, hint?: string): void => {
    isGood = false
    reporter.error([...at, ...below], knownCode(code), message, hint)
  }
  const action = kind.compile(shape.value, {
    rule: context.rule,
    retry: context.retry,
    templates: createTemplateCompiler({
      lists,
      secrets,
      captures: [],
      steps: [],
      hasItem: false,
      report,
    }),
    keepsResult: false,
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
  { kinds, reporter }: ActionContext,
): { readonly kind: ActionKind; readonly spec: Json } | null {
  const names = kinds.map((kind) => kind.name)
  if (!isJsonObject(source)) {
    const example = names.map((name) => `\`${name}: {..}\``).join(' or ')
    reporter.error(
      at,
      'wrong-type',
      `found ${describeValue(source)}, expected an action: ${example}`,
    )
    return null
  }
  const keys = Object.keys(source)
  const known = keys.filter((key) => names.includes(key))
  const others = keys.filter((key) => !names.includes(key))
  for (const key of others) {
    const isLater = laterKinds.includes(key) || laterActionKeys.includes(key)
    if (isLater) {
      reporter.errorAtKey([...at, key], 'not-supported-yet', `\`${key}\` is not supported yet`)
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

function knownCode(code: string): ProblemCode {
  const known = problemCodes.find((one) => one === code)
  invariant(known !== undefined, `the problem code ${code} is not in the list`)
  return known
}
