import { z } from 'zod'
import { stepKeys } from '../rules/step-schema.ts'
import { entriesMax, table } from './schema-pieces.ts'

/** More than this in one list of outcomes says the same twice. */
const outcomesMax = 100

const outcomes = z
  .array(
    z.union([z.string(), z.number()], { error: 'an outcome such as `5xx`, `429` or `timeout`' }),
  )
  .max(outcomesMax)

/** `do.http`, as it is written. What can only be seen from several keys together: http.ts. */
export const httpSchema = z
  .strictObject({
    method: z
      .string()
      .optional()
      .describe('In capitals. Without it `POST` with a body, else `GET`.')
      .meta({ examples: ['PURGE', 'POST', 'PUT', 'DELETE'] }),
    kind: z
      .literal('purge')
      .optional()
      .describe(
        '`purge`: the call takes something away, whatever its method, so 404, 410 and 412 are a ' +
          'success. The method `PURGE` says so by itself.',
      ),
    url: z
      .string()
      .describe(
        'Template of an absolute URL. Scheme, host, port, number of path segments and names of the ' +
          'query are those written here, whatever the event holds.',
      )
      .meta({ examples: ['http://cdn.internal/wiki/{{event.page.page_title}}'] }),
    query: table
      .optional()
      .describe(
        'Further query values, appended to those of `url`. Names are literal, values templates.',
      )
      .meta({ examples: [{ rev: '{{event.revision.rev_id}}' }] }),
    headers: table
      .optional()
      .describe(
        'Names are literal, values templates. `host` may be given; framing headers and `sluice-*` may not.',
      )
      .meta({ examples: [{ host: '{{event.meta.domain}}' }] }),
    json: z
      .json()
      .optional()
      .describe(
        'Body: a JSON tree whose strings are templates. A string that is one tag keeps its type.',
      )
      .meta({ examples: [{ page: '{{event.page.page_id}}', by: 'sluice' }, '{{event}}'] }),
    form: table
      .optional()
      .describe('Body: application/x-www-form-urlencoded. Names are literal, values templates.')
      .meta({ examples: [{ title: '{{event.title}}' }] }),
    text: z
      .string()
      .optional()
      .describe('Body: a template of text, `text/plain` unless headers say so.')
      .meta({ examples: ['{{event.title}} was edited'] }),
    body: z
      .literal('event', {
        error: '`event`; a JSON tree stands below `json:` instead, and a template below `text:`',
      })
      .optional()
      .describe('Body: `event`, the bytes of the event as they came, `application/json`.'),
    auth: z
      .strictObject({
        bearer: z
          .string()
          .optional()
          .describe('Name of the secret that is the token.')
          .meta({ examples: ['search-token'] }),
        basic: z
          .strictObject({
            user: z
              .string()
              .describe('The user, literally.')
              .meta({ examples: ['sluice'] }),
            password: z
              .string()
              .describe('Name of the secret that is the password.')
              .meta({ examples: ['search-password'] }),
          })
          .optional()
          .describe('A user and a password.'),
      })
      .optional()
      .describe('`authorization`: `{ bearer: secret }` or `{ basic: { user, password: secret } }`.')
      .meta({ examples: [{ bearer: 'search-token' }] }),
    sign: z
      .strictObject({
        secret: z
          .string()
          .describe('Name of the secret to sign with.')
          .meta({ examples: ['demo-signing-key'] }),
        header: z.string().default('x-sluice-signature').describe('Header that carries it.'),
      })
      .optional()
      .describe('Adds `sha256=` and the hex HMAC-SHA-256 of the body bytes under a secret.')
      .meta({ examples: [{ secret: 'demo-signing-key' }] }),
    allow_hosts: z
      .array(z.string())
      .max(entriesMax)
      .optional()
      .describe(
        'Hosts that a templated host may be: names, or `*.name`. Without it `http.allow_hosts` of the ' +
          'config; where that lists any, this can only narrow it.',
      )
      .meta({ examples: [['*.wikipedia.org']] }),
    success_on: outcomes
      .optional()
      .describe('Statuses (`404`, `4xx`) that count as success.')
      .meta({ examples: [[404, 410]] }),
    retry_on: outcomes
      .optional()
      .describe(
        'Outcomes (`404`, `5xx`, `timeout`, `refused`, `dns`, `tls`, `reset`) to try again on.',
      )
      .meta({ examples: [[404, 'timeout']] }),
    drop_on: outcomes
      .optional()
      .describe('Outcomes that go to the dead letters at once.')
      .meta({ examples: [['4xx']] }),
    redirect: z
      .literal('never')
      .optional()
      .describe('Redirects are never followed; `never` is the only value.'),
    ...stepKeys,
  })
  .describe('Makes one HTTP call.')
  .meta({ examples: [{ method: 'PURGE', url: 'http://cdn.internal/wiki/{{event.title}}' }] })

export type HttpSpec = z.infer<typeof httpSchema>
