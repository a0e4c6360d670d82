import type { StoreTrouble } from '../../ports/store.ts'

/** What is wrong, and one line for people about it. */
export interface Trouble {
  readonly trouble: StoreTrouble
  readonly error: string
}

/**
 * The first words of Redis' errors. They may stand behind other words: a script's error names what
 * the server said to its command, the client's says what the last of several tries gave.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors and server.c
 */
const troubles: Readonly<Record<string, StoreTrouble>> = {
  READONLY: 'read-only',
  NOREPLICAS: 'read-only',
  OOM: 'full',
  NOAUTH: 'denied',
  WRONGPASS: 'denied',
  NOPERM: 'denied',
  CLUSTERDOWN: 'failing-over',
  MASTERDOWN: 'failing-over',
  TRYAGAIN: 'failing-over',
  LOADING: 'failing-over',
  UNBLOCKED: 'failing-over',
  BUSY: 'slow', // with somebody's script
}
const knownCode = new RegExp(`\\b(${Object.keys(troubles).join('|')})\\b`)

/** What a script is told whose user has no right to one of its commands, or to a key; no code. */
const scriptDenied = 'The user executing the script'

/** ioredis has no codes for its own errors, these two of which are about time. */
const tooSlow = /^(Command timed out|Socket timeout)/

/**
 * Errors may quote what was sent, a password with it: an older server that knows no HELLO does.
 *
 * @param passwords - none of them empty
 */
export function troubleOf(error: unknown, passwords: readonly string[]): Trouble {
  const message = error instanceof Error ? error.message : String(error)
  const isSaidByRedis = error instanceof Error && /ReplyError/.test(`${error.name} ${message}`)
  return { trouble: kindOf(message, isSaidByRedis), error: without(passwords, message) }
}

function kindOf(message: string, isSaidByRedis: boolean): StoreTrouble {
  if (tooSlow.test(message)) return 'slow'
  if (!isSaidByRedis) return 'unreachable'
  const code = knownCode.exec(message)?.[1]
  if (code !== undefined) return troubles[code] ?? 'refused'
  return message.includes(scriptDenied) ? 'denied' : 'refused'
}

/** One line, and not a long one: it is shown in `status` and in the log. */
const errorCharsMax = 300

function without(passwords: readonly string[], message: string): string {
  let clean = message
  for (const password of passwords) clean = clean.replaceAll(password, '***')
  return clean.replace(/\s+/g, ' ').slice(0, errorCharsMax)
}
