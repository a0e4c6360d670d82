/** Whether a service can be started here, and if not, what is missing and what would help. */
export type Availability =
  { readonly ok: true } | { readonly ok: false; readonly missing: string; readonly remedy: string }

export type ServiceName = 'kafka' | 'redis'

/**
 * Whether tests may count on this service. The runner says in `SLUICE_TEST_WITHOUT` what is not to
 * be had here, as names with commas between, and tells its reader; without a runner all is there,
 * and a test that finds it missing fails.
 */
export function isServiceHere(name: ServiceName): boolean {
  return !(process.env['SLUICE_TEST_WITHOUT'] ?? '').split(',').includes(name)
}
