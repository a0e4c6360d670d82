/** Every code of the admin API; docs/admin-api.md says what to do about each. */
export const adminProblemCodes = [
  'bad-request',
  'bad-event',
  'unauthorized',
  'forbidden',
  'cross-site',
  'not-found',
  'unknown-rule',
  'unknown-topic',
  'too-large',
  'unsupported-media-type',
  'bus-unreachable',
  'bus-refused',
  'internal',
] as const

export type AdminProblemCode = (typeof adminProblemCodes)[number]

/** What is wrong at one place of what was sent. */
export interface ProblemAt {
  /** `line 3`, `events[2].key`. */
  readonly at: string
  readonly message: string
}

/** RFC 9457, with our code and, for a body with several faults, one entry each. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: AdminProblemCode
  readonly errors?: readonly ProblemAt[]
}

export const problemMediaType = 'application/problem+json'

const titles: Readonly<Record<AdminProblemCode, string>> = {
  'bad-request': 'The request is not one',
  'bad-event': 'Some events are not acceptable; none was emitted',
  unauthorized: 'A token is needed',
  forbidden: 'The token does not allow this',
  'cross-site': 'Requests from other sites are refused',
  'not-found': 'There is nothing here',
  'unknown-rule': 'There is no such rule',
  'unknown-topic': 'There is no such topic',
  'too-large': 'The request is too large',
  'unsupported-media-type': 'The body is of another kind',
  'bus-unreachable': 'The bus does not answer',
  'bus-refused': 'The bus refused the events',
  internal: 'Sluice made a mistake',
}

const statuses: Readonly<Record<AdminProblemCode, number>> = {
  'bad-request': 400,
  'bad-event': 400,
  unauthorized: 401,
  forbidden: 403,
  'cross-site': 403,
  'not-found': 404,
  'unknown-rule': 404,
  'unknown-topic': 404,
  'too-large': 413,
  'unsupported-media-type': 415,
  'bus-unreachable': 503,
  'bus-refused': 502,
  internal: 500,
}

/** Thrown by routes and answered as its document. */
export class AdminProblem extends Error {
  override readonly name = 'AdminProblem'
  readonly code: AdminProblemCode
  readonly errors: readonly ProblemAt[]

  constructor(
    code: AdminProblemCode,
    detail: string,
    options: ErrorOptions & { readonly errors?: readonly ProblemAt[] } = {},
  ) {
    super(detail, options)
    this.code = code
    this.errors = options.errors ?? []
  }

  get status(): number {
    return statuses[this.code]
  }

  toDocument(): ProblemDocument {
    return {
      type: `urn:sluice:problem:${this.code}`,
      title: titles[this.code],
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(this.errors.length > 0 ? { errors: this.errors } : {}),
    }
  }
}
