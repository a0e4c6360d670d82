import type { CompileContext } from '../rules/action-kind.ts'
import { isHeaderText } from './http-headers.ts'
import type { HttpSpec } from './http-schema.ts'
import type { ReportAction } from './report-action.ts'
import { secretOf } from './secret.ts'

/** The `authorization` header of `auth`, or `null` after reporting. */
export function authorizationOf(
  auth: NonNullable<HttpSpec['auth']>,
  context: CompileContext,
  report: ReportAction,
): string | null {
  const { bearer, basic } = auth
  if (bearer !== undefined && basic === undefined) {
    const token = secretOf(bearer, context, ['auth', 'bearer'], report)
    if (token === null) return null
    if (token !== '' && isHeaderText(token)) return `Bearer ${token}`
    const message = `the secret \`${bearer}\` is empty or holds what a header cannot carry`
    report(['auth', 'bearer'], 'action-auth', message, 'is there a line end at its end?')
    return null
  }
  if (basic !== undefined && bearer === undefined) {
    const password = secretOf(basic.password, context, ['auth', 'basic', 'password'], report)
    // Source: RFC 7617, 2: a colon ends the user.
    const isUser = !/[:\p{Cc}]/u.test(basic.user)
    if (!isUser) {
      report(
        ['auth', 'basic', 'user'],
        'action-auth',
        'a user holds no colon and no control characters',
      )
    }
    if (password === null || !isUser) return null
    return `Basic ${Buffer.from(`${basic.user}:${password}`).toString('base64')}`
  }
  report(['auth'], 'action-auth', '`auth` takes one of `bearer` and `basic`')
  return null
}
