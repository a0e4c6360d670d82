const stringOrInteger = /"(?:[^"\\]|\\.)*"|-?\d+(?![\d.eE])/g

/** Digits that a JavaScript number always holds. */
const digitsSafe = 15

/**
 * An integer in a JSON text that a JavaScript number cannot hold, or `null`. Whoever reads such a text
 * and writes it anew, as the admin API does with events that have keys, changes the number.
 */
export function inexactInteger(json: string): string | null {
  for (const [token] of json.matchAll(stringOrInteger)) {
    if (token.startsWith('"') || token.length <= digitsSafe) continue
    if (BigInt(token) !== BigInt(Number(token))) return token
  }
  return null
}
