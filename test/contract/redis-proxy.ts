import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Stands between a client and a server, and can be as unpleasant as a network. */
export interface Proxy {
  readonly port: number
  /** What the server says is passed on so much later from now on. */
  delay(ms: number): void
  /** Passes on what the client sends next, and breaks the connection instead of the answer. */
  resetNext(): void
  /** From now on new connections are taken and nothing is passed on. Those that are there end. */
  swallow(isSwallowing: boolean): void
  close(): Promise<void>
}

export async function startProxy(to: { host: string; port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let isReset = false
  let isSwallowing = false
  const server = createServer((client) => {
    const behind = isSwallowing ? null : connect(to)
    for (const socket of [client, behind]) {
      if (socket === null) continue
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        behind?.destroy()
      })
    }
    client.on('data', (chunk) => {
      behind?.write(chunk)
      if (!isReset) return
      isReset = false
      client.resetAndDestroy()
    })
    behind?.on('data', (chunk) => void passOn(client, chunk))
  })
  async function passOn(client: Socket, chunk: Buffer): Promise<void> {
    if (delayMs > 0) await sleep(delayMs)
    if (!client.destroyed) client.write(chunk)
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  return {
    port: address.port,
    delay: (ms) => void (delayMs = ms),
    resetNext: () => void (isReset = true),
    swallow(isSo) {
      isSwallowing = isSo
      if (isSo) for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
