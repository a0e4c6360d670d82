import { once } from 'node:events'
import { createServer } from 'node:net'

/** Between a port's being found free and its being used lies a start: nobody else may get it then. */
const given = new Set<number>()

/** Ports of loopback that were free a moment ago; this process is given none of them again. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = await freePort()
    if (given.has(port)) continue
    given.add(port)
    ports.push(port)
  }
  return ports
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('listening on no port')
  return address.port
}
