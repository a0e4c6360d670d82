import { createHash, timingSafeEqual } from 'node:crypto'
import type { BlockList } from 'node:net'
import { isInside, isLoopback } from './listen-address.ts'
import { AdminProblem } from './problem-document.ts'

/** What a token may do; each role may do what those before it may. */
export type Role = 'viewer' | 'operator' | 'admin'

export interface AdminToken {
  /** Who it stands for, in the audit log. */
  readonly name: string
  readonly role: Role
  /** Whether it may see event bodies. */
  readonly payload: boolean
  readonly value: string
}

/** What a request says about where it comes from. */
export interface Caller {
  readonly method: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The address at the other end of the connection, proxies not looked through. */
  readonly peer: string
}

const roleRank: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 }

/**
 * Who may do what. Three ways to run: with tokens, each request brings one; without, on loopback,
 * whoever is on this machine may do everything, but not a web page in its browser; without, behind
 * a proxy, whatever the proxy lets through, and nobody else.
 */
export class Access {
  readonly #tokens: readonly { readonly token: AdminToken; readonly digest: Buffer }[]
  readonly #proxies: BlockList | null

  /** `proxies`: where requests come from when there are no tokens; `null`: this machine. */
  constructor(tokens: readonly AdminToken[], proxies: BlockList | null) {
    this.#tokens = tokens.map((token) => ({ token, digest: digestOf(token.value) }))
    this.#proxies = proxies
  }

  /** Throws an `AdminProblem` unless the caller may act as `role`. */
  demand(role: Role, caller: Caller): void {
    if (this.#tokens.length > 0) return this.#demandToken(role, caller)
    if (this.#proxies === null) return demandOwnSite(caller)
    if (isInside(this.#proxies, caller.peer)) return demandNoForeignPage(caller)
    throw new AdminProblem('forbidden', `${caller.peer} is not one of admin.trusted_proxies`)
  }

  /** Whether the caller may see details that a stranger may not. */
  allows(role: Role, caller: Caller): boolean {
    try {
      this.demand(role, caller)
      return true
    } catch (error) {
      if (error instanceof AdminProblem) return false
      throw error
    }
  }

  #demandToken(role: Role, caller: Caller): void {
    const given = bearerOf(caller.headers['authorization'])
    if (given === null) {
      throw new AdminProblem('unauthorized', 'send a token as `Authorization: Bearer ...`')
    }
    const token = this.#tokenOf(given)
    if (token === null)
      throw new AdminProblem('unauthorized', 'the token is not one of admin.tokens')
    if (roleRank[token.role] < roleRank[role]) {
      const detail = `this needs the role ${role}; the token ${token.name} has ${token.role}`
      throw new AdminProblem('forbidden', detail)
    }
  }

  /** Looks at all tokens in the same time, so that answers do not tell how much of one is right. */
  #tokenOf(given: string): AdminToken | null {
    const digest = digestOf(given)
    let found: AdminToken | null = null
    for (const { token, digest: known } of this.#tokens) {
      if (timingSafeEqual(digest, known)) found = token
    }
    return found
  }
}

/** Of one length, whatever the token's: what timingSafeEqual needs. */
function digestOf(value: string): Buffer {
  return createHash('sha256').update(value, 'utf8').digest()
}

function bearerOf(header: string | readonly string[] | undefined): string | null {
  return typeof header === 'string' ? (/^Bearer +(\S+)$/i.exec(header)?.[1] ?? null) : null
}

/**
 * Refuses what a browser sends here on behalf of a page from elsewhere. Such a page can also give its
 * own name our address (DNS rebinding) and is then of our origin; the Host header still has its name.
 */
function demandOwnSite(caller: Caller): void {
  const host = textOf(caller.headers['host'])
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ''
  if (!isLoopback(name.replace(/^\[|\]$/g, ''))) {
    throw new AdminProblem('cross-site', `this listens on loopback, and is not called ${host}`)
  }
  demandNoForeignPage(caller)
}

/** Programs send neither header; pages of our own send both with our name. */
function demandNoForeignPage({ method, headers }: Caller): void {
  if (method === 'GET' || method === 'HEAD') return
  const site = textOf(headers['sec-fetch-site'])
  const origin = textOf(headers['origin'])
  const isOwn = origin === '' || hostOf(origin) === textOf(headers['host']).toLowerCase()
  if (isOwn && (site === '' || site === 'same-origin' || site === 'none')) return
  throw new AdminProblem('cross-site', `a page of ${origin === '' ? site : origin} may not do this`)
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : ''
}
