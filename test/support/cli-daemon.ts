import type { AdminToken } from '../../src/admin/access.ts'
import { startAdmin, type Admin } from '../../src/admin/start-admin.ts'
import { TestAdminSource } from './admin-source.ts'
import { RecordingMetrics } from './recording-metrics.ts'
import { silentLogger } from './silent-logger.ts'

/** The admin API of a daemon whose state a test sets, on a free port. */
export class CliDaemon {
  readonly source = new TestAdminSource()
  readonly #tokens: readonly AdminToken[]
  #admin: Admin | null = null

  constructor(tokens: readonly AdminToken[] = []) {
    this.#tokens = tokens
  }

  get url(): string {
    return this.#admin?.address ?? 'http://127.0.0.1:1'
  }

  /** `host:port`, as in `admin.listen`. */
  get listen(): string {
    return new URL(this.url).host
  }

  async start(): Promise<void> {
    this.#admin = await startAdmin({
      listen: '127.0.0.1:0',
      tokens: this.#tokens,
      trustedProxies: [],
      publicMetrics: true,
      version: '0.1.0',
      eventBytesMax: 2 ** 22,
      source: this.source,
      metrics: new RecordingMetrics(),
      logger: silentLogger,
    })
  }

  async stop(): Promise<void> {
    await this.#admin?.close()
  }
}
