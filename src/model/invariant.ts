/** A claim of our own code did not hold. Nobody handles it: it is logged and ends the process. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Ends the process' trust in itself when `claim` is false. Never for input from outside. */
export function invariant(claim: boolean, message: string): asserts claim {
  if (!claim) throw new InvariantError(message)
}
