import { expect } from 'chai'
import type { NewRecord } from '../../src/model/record.ts'
import type { HttpAnswer, HttpRequest } from '../../src/ports/http-caller.ts'
import type {
  Action,
  ActionKind,
  ActionTools,
  CompileContext,
  RenderedRequest,
} from '../../src/rules/action-kind.ts'
import type { Scope } from '../../src/rules/scope.ts'
import { createTemplateCompiler } from '../../src/rules/template-compiler.ts'
import { retryPolicy } from './builders.ts'
import {
  exampleLists,
  exampleNames,
  exampleSecrets,
  type ReportedProblem,
} from './template-fixture.ts'

/** Checks a spec with the kind's schema and compiles it, as the loader of rules does. */
export function compileAction<Spec>(
  kind: ActionKind<Spec>,
  spec: unknown,
  context: Partial<Pick<CompileContext, 'secrets' | 'allowHosts' | 'retry' | 'keepsResult'>> = {},
): { readonly action: Action | null; readonly problems: readonly ReportedProblem[] } {
  const problems: ReportedProblem[] = []
  const report = (at: ReportedProblem['at'], code: string, message: string, hint?: string): void =>
    void problems.push({ at, code, message, hint })
  const secrets = context.secrets === undefined ? exampleSecrets : context.secrets
  const action = kind.compile(kind.schema.parse(spec), {
    rule: 'purge-page',
    retry: retryPolicy,
    allowHosts: [],
    keepsResult: false,
    ...context,
    secrets,
    templates: createTemplateCompiler({
      ...exampleNames,
      lists: exampleLists,
      secrets,
      report,
    }),
    report,
  })
  return { action, problems }
}

/** The request of an action that compiles and renders. */
export function requestOf(action: Action | null, scope: Scope): RenderedRequest {
  const made = action?.render(scope)
  if (made?.kind !== 'ready') return expect.fail(`not rendered: ${JSON.stringify(made)}`)
  return made.request
}

export interface FakeTools extends ActionTools {
  readonly calls: { readonly request: HttpRequest; readonly timeoutMs: number }[]
  readonly produced: NewRecord[]
  readonly pauses: number[]
}

/** Answers every call with `answer`; takes a record where the next of `produceErrors` is null. */
export function fakeTools(
  answer: HttpAnswer = {
    kind: 'response',
    status: 200,
    headers: {},
    body: Buffer.alloc(0),
    isCut: false,
  },
  produceErrors: (Error | null)[] = [],
  onPause: () => Promise<void> = () => Promise.resolve(),
): FakeTools {
  const tools: FakeTools = {
    calls: [],
    produced: [],
    pauses: [],
    http: {
      call(request, timeoutMs) {
        tools.calls.push({ request, timeoutMs })
        return Promise.resolve(answer)
      },
      connections: () => [],
      close: () => Promise.resolve(),
    },
    bus: {
      produce(records) {
        const error = produceErrors.shift() ?? null
        if (error !== null) return Promise.reject(error)
        tools.produced.push(...records)
        return Promise.resolve(records.map(({ topic }) => ({ topic, partition: 0, offset: 0n })))
      },
    },
    async pauseBeforeProducingAgain(tries) {
      tools.pauses.push(tries)
      await onPause()
    },
  }
  return tools
}
