import type { z } from 'zod'
import type { Outcome } from '../model/outcome.ts'
import type { Bus } from '../ports/bus.ts'
import type { HttpCaller } from '../ports/http-caller.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Scope } from './scope.ts'
import type { NotRendered, TemplateCompiler } from './template.ts'

/**
 * One kind of action: what may stand under `do:`, and how it is carried out. A kind is one file in
 * `actions/`; `rules/` and `engine/` know this interface only. Three moments, kept apart: `compile`
 * once at load, `render` once per attempt, `perform` on what was rendered.
 */
export interface ActionKind<Spec = unknown> {
  /** The key under `do:`. */
  readonly name: string
  /** The action as it is written; descriptions and defaults included, it is also the reference. */
  readonly schema: z.ZodType<Spec>
  /**
   * The keys of what a success keeps for later steps: `{{steps.x.<key>}}` with another one is a
   * mistake, told at load. Without it any path below `steps.x` is taken.
   */
  readonly resultKeys?: readonly string[]
  /** Reports what the schema cannot say through `context.report`; `null` when it reported an error. */
  compile(spec: Spec, context: CompileContext): Action | null
}

export interface CompileContext {
  readonly rule: string
  readonly retry: RetryPolicy
  readonly templates: TemplateCompiler
  /** Secret values by name, or `null` where no config is known (names are then not checked). */
  readonly secrets: ReadonlyMap<string, string> | null
  /** Hosts a templated host may turn out to be: exact names, or `*.name`. */
  readonly allowHosts: readonly string[]
  /**
   * The step has a name behind `as`: a success carries what later steps read of it. Where it is
   * false the result of an outcome is null, and the answer need not be looked at.
   */
  readonly keepsResult: boolean
  /** `at` is the path below the action: `['headers', 'host']`. */
  report(at: readonly (string | number)[], code: string, message: string, hint?: string): void
}

/** A compiled action of one rule. */
export interface Action {
  readonly kind: string
  /** What it calls or where it emits, as written, for people: `PURGE http://cdn/{{event.title}}`. */
  readonly target: string
  /** The topic that it emits to, or `null`: for `check`'s loops and for making topics at start. */
  readonly emitsTo: string | null
  /** The origin that it calls (`https://host:8443`), or `null`: none, or its host comes from data. */
  readonly calls: string | null
  /**
   * Whether it sends what has changed. `false`: a purge, or a call without a body; who is called looks
   * for itself how things stand by then, so that the last change of a thing must not be left out.
   */
  readonly sendsContent: boolean
  /** Pure. Never throws: what cannot be rendered is a failure of kind `template`, `guard` or `too-large`. */
  render(scope: Scope): Rendered
}

/** `no-result`: it reads what the earlier step of that name gives, and no step was carried out. */
export type Rendered = { readonly kind: 'ready'; readonly request: RenderedRequest } | NotRendered

export interface RenderedRequest {
  /** Method and URL, or `emit topic`; secrets masked; for dead letters and `explain`. */
  readonly summary: string
  /** Carries it out and says how it ended; never rejects. `timeoutMs` bounds all of it. */
  perform(tools: ActionTools, timeoutMs: number, signal: AbortSignal): Promise<Outcome>
}

export interface ActionTools {
  readonly http: HttpCaller
  readonly bus: Pick<Bus, 'produce'>
  /** Waits out a bus that is away; rejects when the signal aborts. */
  readonly pauseBeforeProducingAgain: (tries: number, signal: AbortSignal) => Promise<void>
}
