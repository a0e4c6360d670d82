import { createHmac } from 'node:crypto'
import type { Failure } from '../model/failure.ts'
import type { Outcome } from '../model/outcome.ts'
import {
  compileStatusPolicy,
  isAlreadyAbsent,
  isOutcomeName,
  networkOutcomes,
  outcomeNamesHint,
  type PolicyOverride,
  type StatusPolicy,
  type Verdict,
} from '../model/status-policy.ts'
import type { HttpAnswer, HttpRequest } from '../ports/http-caller.ts'
import type { Action, ActionKind, CompileContext } from '../rules/action-kind.ts'
import type { Scope } from '../rules/scope.ts'
import { isCovered, isHostPattern } from '../rules/template-hosts.ts'
import { writtenOrigin } from '../rules/template-origin.ts'
import { RenderError, type TextTemplate, type UrlTemplate } from '../rules/template.ts'
import { authorizationOf } from './http-auth.ts'
import { compileBody, type Body } from './http-body.ts'
import { headersOfLineage, headerRefusal, isHostHeader } from './http-headers.ts'
import { resultOf } from './http-result.ts'
import { httpSchema, type HttpSpec } from './http-schema.ts'
import type { ReportAction } from './report-action.ts'
import { rendered } from './rendered.ts'
import { retryAfterMs } from './retry-after.ts'
import { secretOf } from './secret.ts'

/** One HTTP call. */
export const httpKind: ActionKind<HttpSpec> = {
  name: 'http',
  schema: httpSchema,
  resultKeys: ['status', 'headers', 'body'],
  compile: compileHttp,
}

/** Everything of a call that is known at load. */
interface Call {
  readonly method: string
  readonly url: UrlTemplate
  /** Values that no event changes: content type, authorization. */
  readonly fixedHeaders: readonly { readonly name: string; readonly text: string }[]
  readonly headers: readonly Header[]
  readonly body: Body
  readonly signature: Signature | null
  readonly policy: StatusPolicy
  /** `method`, or `PURGE` where `kind: purge` says that another one means the same. */
  readonly meaning: string
  readonly keepsResult: boolean
}

interface Header {
  readonly name: string
  readonly value: TextTemplate
}

interface Signature {
  readonly header: string
  readonly secret: string
}

function compileHttp(spec: HttpSpec, context: CompileContext): Action | null {
  let isSound = true
  const report: ReportAction = (at, code, message, hint) => {
    isSound = false
    context.report(at, code, message, hint)
  }
  const body = compileBody(spec, context, report)
  const method = methodOf(spec, body, report)
  const url = compileUrl(spec, context, report)
  const headers = compileHeaders(spec, context, report)
  const signature = compileSignature(spec, body, context, report)
  const meaning = spec.kind === 'purge' ? 'PURGE' : method
  const policy = compilePolicy(spec, meaning, context, report)
  const fixedHeaders: Call['fixedHeaders'][number][] = []
  if (body !== null && body.contentType !== null) {
    fixedHeaders.push({ name: 'content-type', text: body.contentType })
  }
  if (spec.auth !== undefined) {
    const authorization = authorizationOf(spec.auth, context, report)
    if (authorization !== null) fixedHeaders.push({ name: 'authorization', text: authorization })
  }
  if (!isSound || body === null || url === null || headers === null) return null
  const { keepsResult } = context
  const call: Call = {
    method,
    url,
    fixedHeaders,
    headers,
    body,
    signature,
    policy,
    meaning,
    keepsResult,
  }
  return {
    kind: 'http',
    target: `${method} ${spec.url}`,
    emitsTo: null,
    calls: writtenOrigin(spec.url),
    // The body of a purge, or of a deletion, says which things, not what became of them.
    sendsContent: body.render !== null && meaning !== 'PURGE' && method !== 'DELETE',
    render: (scope) =>
      rendered(() => {
        const request = requestOf(call, scope)
        return {
          get summary() {
            return `${method} ${url.renderMasked(scope)}`
          },
          async perform(tools, timeoutMs, signal) {
            const answer = await tools.http.call(request, timeoutMs, signal)
            return outcomeOf(call, answer, scope.nowMs)
          },
        }
      }),
  }
}

const methodForm = /^[A-Z]{1,32}$/

function methodOf(spec: HttpSpec, body: Body | null, report: ReportAction): string {
  const method = spec.method ?? (body === null || body.render === null ? 'GET' : 'POST')
  if (!methodForm.test(method)) {
    const upper = method.toUpperCase()
    const hint = methodForm.test(upper) ? `write ${upper}` : 'for example POST'
    report(['method'], 'action-method', `${JSON.stringify(method)} is not a method`, hint)
  } else if (method === 'CONNECT' || method === 'TRACE') {
    report(['method'], 'action-method', `${method} is not a method that a rule can use`)
  } else if ((method === 'GET' || method === 'HEAD') && body !== null && body.render !== null) {
    // RFC 9110, 9.3.1: it has no meaning there, and some servers and proxies refuse or drop it.
    const message = `${method} carries no body`
    report(['method'], 'action-method', message, 'write POST or PUT, or leave the body out')
  }
  return method
}

function compileUrl(
  spec: HttpSpec,
  context: CompileContext,
  report: ReportAction,
): UrlTemplate | null {
  const ownHosts = spec.allow_hosts ?? []
  for (const [index, entry] of ownHosts.entries()) {
    const at = ['allow_hosts', index]
    if (!isHostPattern(entry)) {
      const message = `${JSON.stringify(entry)} is not a host`
      report(at, 'action-hosts', message, 'write a name, or *.name for all below it; no port')
    } else if (context.allowHosts.length > 0 && !isCovered(entry, context.allowHosts)) {
      const message = `\`http.allow_hosts\` of the config does not allow ${entry}`
      report(at, 'action-hosts', message, 'a rule can only narrow what the config allows')
    }
  }
  return context.templates.url(
    spec.url,
    Object.fromEntries(
      Object.entries(spec.query ?? {}).map(([name, value]) => [name, String(value)]),
    ),
    spec.allow_hosts ?? context.allowHosts,
    { url: ['url'], query: ['query'] },
  )
}

function compileHeaders(
  spec: HttpSpec,
  context: CompileContext,
  report: ReportAction,
): readonly Header[] | null {
  const headers: Header[] = []
  const seen = new Set<string>()
  if (spec.auth !== undefined) seen.add('authorization')
  if (spec.sign !== undefined) seen.add(spec.sign.header.toLowerCase())
  const entries = Object.entries(spec.headers ?? {})
  for (const [written, source] of entries) {
    const at = ['headers', written]
    const name = written.toLowerCase()
    const refusal = headerRefusal(name)
    const value = context.templates.text(String(source), 'header', at)
    if (refusal !== null) report(at, 'action-header', `\`${written}\` ${refusal}`)
    else if (seen.has(name)) report(at, 'action-header', `\`${written}\` is given twice`)
    else if (value !== null) headers.push({ name, value: name === 'host' ? hostOf(value) : value })
    seen.add(name)
  }
  return headers.length === entries.length ? headers : null
}

function hostOf(value: TextTemplate): TextTemplate {
  return (scope) => {
    const host = value(scope)
    if (isHostHeader(host)) return host
    throw new RenderError('template', 'the header host would not be the name of a host')
  }
}

function compileSignature(
  spec: HttpSpec,
  body: Body | null,
  context: CompileContext,
  report: ReportAction,
): Signature | null {
  if (spec.sign === undefined) return null
  const header = spec.sign.header.toLowerCase()
  const refusal = headerRefusal(header)
  if (refusal !== null) {
    report(['sign', 'header'], 'action-header', `\`${spec.sign.header}\` ${refusal}`)
  }
  if (body !== null && body.render === null) {
    report(['sign'], 'action-body', 'there is no body to sign')
  }
  const secret = secretOf(spec.sign.secret, context, ['sign', 'secret'], report)
  return secret === null ? null : { header, secret }
}

function compilePolicy(
  spec: HttpSpec,
  method: string,
  context: CompileContext,
  report: ReportAction,
): StatusPolicy {
  const own: PolicyOverride = {
    success: outcomesOf(spec, 'success_on', report),
    dead: outcomesOf(spec, 'drop_on', report),
    retry: outcomesOf(spec, 'retry_on', report),
  }
  const { on, neverOn, successOn } = context.retry
  return compileStatusPolicy(method, [own, { success: successOn, dead: neverOn, retry: on }])
}

function outcomesOf(
  spec: HttpSpec,
  key: 'success_on' | 'drop_on' | 'retry_on',
  report: ReportAction,
): readonly string[] {
  const names = (spec[key] ?? []).map(String)
  for (const [index, name] of names.entries()) {
    const isNetwork = networkOutcomes.some((known) => known === name)
    if (!isOutcomeName(name)) {
      const message = `${JSON.stringify(name)} is not an outcome`
      report([key, index], 'action-outcome', message, outcomeNamesHint)
    } else if (key === 'success_on' && isNetwork) {
      const message = `\`${name}\` cannot be a success: nobody knows whether the target acted`
      report([key, index], 'action-outcome', message, 'success is a status: 404, 4xx')
    }
  }
  return names
}

function requestOf(call: Call, scope: Scope): HttpRequest {
  const url = call.url.render(scope)
  const headers = headersOfLineage(scope.lineage)
  for (const { name, text } of call.fixedHeaders) headers[name] = text
  for (const { name, value } of call.headers) headers[name] = value(scope)
  const body = call.body.render === null ? null : call.body.render(scope)
  if (call.signature !== null && body !== null) {
    headers[call.signature.header] = signatureOf(body, call.signature.secret)
  }
  return { method: call.method, url, headers, body }
}

/** `sha256=` and the hex HMAC-SHA-256 of the bytes of the body, as GitHub and others sign theirs. */
function signatureOf(body: Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

function outcomeOf(call: Call, answer: HttpAnswer, nowMs: number): Outcome {
  if (answer.kind === 'aborted') return { kind: 'aborted' }
  if (answer.kind === 'response') return outcomeOfResponse(call, answer, nowMs)
  return outcomeOfFailure(call.policy, answer.failure)
}

function outcomeOfResponse(
  { meaning, policy, keepsResult }: Call,
  response: Extract<HttpAnswer, { kind: 'response' }>,
  nowMs: number,
): Outcome {
  const { status } = response
  const verdict = policy.ofStatus(status)
  if (verdict === 'success') {
    const detail = isAlreadyAbsent(meaning, status) ? 'already_absent' : 'ok'
    if (!keepsResult) return { kind: 'success', detail, result: null }
    const kept = resultOf(response)
    if ('failure' in kept) return { kind: 'dead', failure: kept.failure }
    return { kind: 'success', detail, result: kept.result }
  }
  // Headers are parsed when they are asked for: of a success that is not kept nobody asks.
  const waitMs = retryAfterMs(response.headers, nowMs)
  const failure: Failure = { kind: 'status', status, retryAfterMs: waitMs }
  return { kind: verdict, failure }
}

function outcomeOfFailure(policy: StatusPolicy, failure: Failure): Outcome {
  const verdict = verdictOfFailure(policy, failure)
  // A rule's `retry.success_on` may name an outcome without a status: then it is taken for done,
  // and there is nothing that a later step could read of it.
  if (verdict === 'success') return { kind: 'success', detail: 'ok', result: null }
  return { kind: verdict, failure }
}

function verdictOfFailure(policy: StatusPolicy, failure: Failure): Verdict {
  switch (failure.kind) {
    case 'timeout':
    case 'refused':
    case 'reset':
    case 'dns':
    case 'tls':
      return policy.ofNetwork(failure.kind)
    case 'status':
      return policy.ofStatus(failure.status)
    case 'guard':
    case 'template':
    case 'too-large':
    case 'undecodable':
      return 'dead' // the rule is to blame: another attempt would fail alike
  }
}
