import { isUtf8 } from 'node:buffer'
import type { Failure } from '../model/failure.ts'
import type { Json } from '../model/json.ts'
import type { HttpAnswer } from '../ports/http-caller.ts'

type Response = Extract<HttpAnswer, { kind: 'response' }>

/** `application/json`, `application/problem+json; charset=utf-8` ... Source: RFC 6839, 3.1. */
const jsonType = /^\s*[\w.+-]+\/(?:json|[\w.+-]+\+json)\s*(?:;|$)/i

/** A session is nothing that later steps need, and would stand in the headers of every retry. */
const leftOut = new Set(['set-cookie', 'set-cookie2'])

/**
 * What later steps read of an answer: `{ status, headers, body }`, the body parsed where it says
 * that it is JSON, else as text; an empty one that says so is null. Or why it cannot be kept: to go
 * on with half of an answer would be to act on something that the target did not say.
 */
export function resultOf({
  status,
  headers,
  body,
  isCut,
}: Response): { readonly result: Json } | { readonly failure: Failure } {
  if (isCut) {
    const message = `the answer has more than the ${body.length} bytes that http.max_response keeps`
    return { failure: { kind: 'too-large', message } }
  }
  // Buffer.toString would put U+FFFD for what is not UTF-8, and a later step would act on that.
  if (!isUtf8(body)) return undecodable('the answer is not UTF-8')
  const text = body.toString('utf8')
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !leftOut.has(name)))
  if (!jsonType.test(headers['content-type'] ?? '')) {
    return { result: { status, headers: kept, body: text } }
  }
  try {
    // as: what JSON.parse gives
    const parsed = text.trim() === '' ? null : (JSON.parse(text) as Json)
    return { result: { status, headers: kept, body: parsed } }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undecodable(`the answer says that it is JSON and is not: ${error.message}`)
  }
}

function undecodable(message: string): { readonly failure: Failure } {
  return { failure: { kind: 'undecodable', message } }
}
