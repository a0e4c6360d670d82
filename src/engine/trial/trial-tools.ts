import type { NewRecord } from '../../model/record.ts'
import type { Clock } from '../../ports/clock.ts'
import type { HttpAnswer, HttpCaller, HttpRequest } from '../../ports/http-caller.ts'
import type { ActionTools } from '../../rules/action-kind.ts'
import type { ResponseError, TestResponse } from '../../rules/rule-test-schema.ts'

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
 * taken down, and answers take the time that they are said to.
 *
 * @param tell - told each effect, in order
 */
export function trialTools(
  responses: readonly TestResponse[],
  clock: Pick<Clock, 'sleep'>,
  tell: (effect: Effect) => void,
): ActionTools {
  let calls = 0
  let records = 0n
  const http: HttpCaller = {
    async call(request, timeoutMs) {
      tell({ kind: 'http', request })
      const response = responses[calls++] ?? answerOfRest
      const isInTime = response.delayMs < timeoutMs
      const tookMs = isInTime && !isTimeout(response) ? response.delayMs : timeoutMs
      if (tookMs > 0) await clock.sleep(tookMs)
      return isInTime ? answerOf(response, timeoutMs) : timedOut(timeoutMs)
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

function isTimeout(response: TestResponse): boolean {
  return response.kind === 'error' && response.error === 'timeout'
}

function answerOf(response: TestResponse, timeoutMs: number): HttpAnswer {
  if (response.kind === 'error') return failedBy(response.error, timeoutMs)
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

function failedBy(error: ResponseError, timeoutMs: number): HttpAnswer {
  if (error === 'timeout') return timedOut(timeoutMs)
  return { kind: 'failed', failure: { kind: error, message: 'as the case has it' } }
}

function timedOut(afterMs: number): HttpAnswer {
  return { kind: 'failed', failure: { kind: 'timeout', afterMs } }
}
