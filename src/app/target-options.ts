import type { Config } from '../config/config.ts'
import type { TargetOptions } from '../drivers/undici/targets.ts'

/** What the config says of where calls may go: the same for calls and for probes. */
export function targetOptionsOf(http: Config['http']): TargetOptions {
  return {
    egress: http.egress,
    allowCidrs: http.allowCidrs,
    denyCidrs: http.denyCidrs,
    ca: http.ca,
    connectTo: http.connectTo,
  }
}
