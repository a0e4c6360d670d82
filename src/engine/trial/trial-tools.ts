import type { NewRecord } from '../../model/record.ts'
import type { HttpAnswer, HttpCaller, HttpRequest } from '../../ports/http-caller.ts'
import type { ActionTools } from '../../rules/action-kind.ts'
import type { ResponseError, TestResponse } from '../../rules/rule-test-schema.ts'
import type { TrialClock } from './trial-clock.ts'

/** What a target does that no response was written for: it takes the call. */
const answerOfRest: TestResponse = {
  kind: 'answer',
  status: 200,
  headers: {},
  body: '',
  delayMs: 0,
}

/** An effect of a trial, which goes nowhere. */
export type Effect =
  | { readonly kind: 'http'; readonly request: HttpRequest }
  | { readonly kind: 'emit'; readonly record: NewRecord }

/**
 * The tools of an attempt without a network: calls are answered from a list, derived events are
 * taken down, and time passes as the answers say.
 *
 * @param tell - told each effect, in order
 */
export function trialTools(
  responses: readonly TestResponse[],
  clock: TrialClock,
  tell: (effect: Effect) => void,
): ActionTools {
  let calls = 0
  let records = 0n
  const http: HttpCaller = {
    call(request, timeoutMs) {
      tell({ kind: 'http', request })
      const answer = answerOf(responses[calls++] ?? answerOfRest, timeoutMs, clock)
      return Promise.resolve(answer)
    },
    connections: () => [],
    close: () => Promise.resolve(),
  }
  return {
    http,
    bus: {
      produce(produced) {
        for (const record of produced) tell({ kind: 'emit', record })
        return Promise.resolve(
          produced.map(({ topic }) => ({ topic, partition: 0, offset: records++ })),
        )
      },
    },
    pauseBeforeProducingAgain: () => Promise.resolve(), // never asked for: this bus is never away
  }
}

function answerOf(response: TestResponse, timeoutMs: number, clock: TrialClock): HttpAnswer {
  if (response.delayMs >= timeoutMs) {
    clock.pass(timeoutMs)
    return { kind: 'failed', failure: { kind: 'timeout', afterMs: timeoutMs } }
  }
  clock.pass(response.delayMs)
  if (response.kind === 'error') return failedBy(response.error, timeoutMs, clock)
  const { status, headers, body } = response
  const lowered = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return {
    kind: 'response',
    status,
    headers: Object.fromEntries(lowered) as Record<string, string>, // as: pairs of texts
    body: Buffer.from(body),
    isCut: false,
  }
}

function failedBy(error: ResponseError, timeoutMs: number, clock: TrialClock): HttpAnswer {
  if (error !== 'timeout') {
    return { kind: 'failed', failure: { kind: error, message: 'as the case has it' } }
  }
  clock.pass(timeoutMs)
  return { kind: 'failed', failure: { kind: 'timeout', afterMs: timeoutMs } }
}
