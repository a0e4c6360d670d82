import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Json } from '../model/json.ts'
import { isJsonObject } from '../model/json.ts'
import type { Clock } from '../ports/clock.ts'
import type { Complaint } from './complain.ts'
import { exitCode } from './exit-code.ts'

/*
 * The way from a command to a running daemon. Small on purpose, on node:http: a command makes a few
 * calls and ends, so there is nothing to pool, and undici has its home in the drivers.
 */

/** Where a daemon listens unless its config says otherwise. */
export const adminUrlDefault = 'http://127.0.0.1:8090'

/** How long an answer may take. What a daemon tells of itself comes from its memory. */
const answerMsMax = 10_000

/** The largest answer that is read: far above the status of 10,000 rules. */
const answerBytesMax = 64 * 2 ** 20

export interface AdminAddress {
  /** With a path where a proxy puts the API below one. */
  readonly url: string
  /** `null`: none is sent. */
  readonly token: string | null
}

export interface AdminRequest {
  readonly method: 'GET' | 'POST'
  /** Below the address, without a slash at its start: `api/v1/status`. */
  readonly path: string
  readonly body?: { readonly mediaType: string; readonly bytes: Buffer }
  /** Left out: `answerMsMax`. */
  readonly withinMs?: number
}

export interface BodyFault {
  readonly at: string
  readonly message: string
}

export type AdminAnswer =
  | { readonly kind: 'answer'; readonly value: Json }
  /** The daemon says no, in a problem document. */
  | {
      readonly kind: 'problem'
      readonly code: string
      readonly detail: string
      /** What is wrong in the body that was sent, first things first: `line 7`, `events[2].key`. */
      readonly faults: readonly BodyFault[]
    }
  /** Nobody answers. `mayHaveArrived`: the request may have been carried out all the same. */
  | { readonly kind: 'unreachable'; readonly why: string; readonly mayHaveArrived: boolean }
  /** Somebody answers who is no Sluice. */
  | { readonly kind: 'foreign'; readonly why: string }

/** Asks once. Never rejects: what goes wrong is an answer as well. */
export async function askAdmin(
  address: AdminAddress,
  asked: AdminRequest,
  clock: Clock,
): Promise<AdminAnswer> {
  const url = new URL(asked.path, address.url.endsWith('/') ? address.url : `${address.url}/`)
  const exchange = await exchangeWith(url, address.token, asked, clock)
  if ('why' in exchange) return { kind: 'unreachable', ...exchange }
  const { status, text } = exchange
  const value = parse(text)
  if (status >= 200 && status < 300 && value !== undefined) return { kind: 'answer', value }
  if (isJsonObject(value)) {
    const { code, detail } = value
    if (typeof code === 'string' && typeof detail === 'string') {
      return { kind: 'problem', code, detail, faults: faultsIn(value['errors']) }
    }
    // Health says no with its document.
    if (status === 503 && typeof value['ok'] === 'boolean') return { kind: 'answer', value }
  }
  return { kind: 'foreign', why: `it answered ${status} without a document of Sluice` }
}

function faultsIn(errors: Json | undefined): readonly BodyFault[] {
  if (!Array.isArray(errors)) return []
  return errors.flatMap((one: Json) => {
    if (!isJsonObject(one)) return []
    const { at, message } = one
    return typeof at === 'string' && typeof message === 'string' ? [{ at, message }] : []
  })
}

interface Exchange {
  readonly status: number
  readonly text: string
}

function exchangeWith(
  url: URL,
  token: string | null,
  { method, body, withinMs = answerMsMax }: AdminRequest,
  clock: Clock,
): Promise<Exchange | { readonly why: string; readonly mayHaveArrived: boolean }> {
  return new Promise((resolve) => {
    let isConnected = false
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': body.mediaType, 'content-length': body.bytes.length }),
      },
    })
    const fail = (error: unknown) => {
      cancelDeadline()
      resolve({ why: whyOf(error), mayHaveArrived: isConnected })
    }
    const cancelDeadline = clock.schedule(withinMs, () => {
      request.destroy(new Error(`no answer within ${withinMs / 1_000} s`))
    })
    request.once('socket', (socket) => {
      socket.once('connect', () => {
        isConnected = true
      })
    })
    request.once('error', fail)
    request.once('response', (response) => {
      readAll(response).then((text) => {
        cancelDeadline()
        resolve({ status: response.statusCode ?? 0, text })
      }, fail)
    })
    request.end(body?.bytes)
  })
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const part = chunk as Buffer // as: a response without an encoding gives buffers
    bytes += part.length
    if (bytes > answerBytesMax) throw new Error(`the answer is above ${answerBytesMax} bytes`)
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json // as: what JSON.parse gives
  } catch {
    return undefined // told by the caller as an answer that is none
  }
}

/** Node gives a host with several addresses one error around theirs. */
function whyOf(error: unknown): string {
  if (error instanceof AggregateError) return whyOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? error.code : null
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ENOTFOUND':
      return 'there is no such host'
    case 'ECONNRESET':
      return 'connection reset'
    default:
      return error.message
  }
}

const hints: Readonly<Record<string, string>> = {
  unauthorized: 'give a token with --token, or better in SLUICE_TOKEN',
  forbidden: 'use a token with a higher role',
  'cross-site': 'name the daemon as it calls itself: by its address, or as localhost',
  'unknown-rule': '`sluice rules` lists the rules that are loaded',
  'unknown-topic':
    'topics of rules are made when the daemon starts; check the name, or make the topic',
  'bus-refused': 'mend what it names, then try again',
  'bus-unreachable': 'the daemon goes on by itself once its bus is back; try again then',
}

/** An answer that is not what was asked for, as people read it. */
export function complaintOf(
  answer: Exclude<AdminAnswer, { kind: 'answer' }>,
  { url }: AdminAddress,
): Complaint {
  switch (answer.kind) {
    case 'problem':
      return {
        exitCode: answer.code === 'bus-unreachable' ? exitCode.unreachable : exitCode.findings,
        message: `the daemon at ${url} says: ${answer.detail} [${answer.code}]`,
        hint: hints[answer.code] ?? 'its log says more',
      }
    case 'unreachable':
      return {
        exitCode: exitCode.unreachable,
        message: `no daemon answers at ${url} (${answer.why})`,
        hint: 'start one with `sluice run`, or name the one that you mean with --admin',
      }
    case 'foreign':
      return {
        exitCode: exitCode.unreachable,
        message: `what answers at ${url} is not Sluice: ${answer.why}`,
        hint: 'name the daemon with --admin',
      }
  }
}
