import fc from 'fast-check'

/**
 * Checks a property over rule files, and rejects with what it threw. fast-check's own report would
 * print the file, which is pages long; and making numbers smaller would only make other events, so
 * that the parts of a case are taken away elsewhere.
 */
export async function mustPass<T>(
  property: fc.IAsyncProperty<T>,
  parameters: { readonly seed: number; readonly numRuns: number },
): Promise<void> {
  const result = await fc.check(property, { ...parameters, endOnFailure: true })
  if (!result.failed) return
  const cause = result.errorInstance
  const message = cause instanceof Error ? cause.message : String(cause)
  throw new Error(`SEED=${parameters.seed}, run ${result.numRuns}: ${message}`, { cause })
}
