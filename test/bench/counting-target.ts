import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/*
 * The target of a bench, in a process of its own: answers each POST with 200 and counts. `GET /`
 * gives { count, firstMs, lastMs } since the last `DELETE /`. Prints its port.
 */
let count = 0
let firstMs = 0
let lastMs = 0

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ count, firstMs, lastMs }))
    return
  }
  if (request.method === 'DELETE') {
    count = 0
    response.end()
    return
  }
  request.resume()
  request.on('end', () => {
    lastMs = performance.now()
    if (count === 0) firstMs = lastMs
    count += 1
    response.end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port) // as: it listens on a TCP port
})
process.stdin.resume().on('end', () => process.exit(0))
