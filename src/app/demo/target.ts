import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isJsonObject, type Json } from '../../model/json.ts'

/** One request that the demo's target has answered. */
export interface DemoRequest {
  readonly method: string
  /** Host and path, as they came. */
  readonly url: string
  readonly status: number
  /** What the target has to say about it; empty when there is nothing to it. */
  readonly remark: string
}

export interface DemoTarget {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Ends open connections as well. */
  close(): Promise<void>
}

/** The search index takes this article, as it is written in a URL, at no time: its retries run out. */
const neverTaken = 'Cuckoo%20wrasse'

/** The search index is away when it first hears of these, and there the second time. */
const takenLater: ReadonlySet<string> = new Set(['Bad%20Brains', 'Moby%20Lines', 'Etsy'])

/** More than a request of the shipped rules has; what is above it is not read. */
const bodyBytesMax = 256 * 1_024

/**
 * Stands in for every service that the shipped rules call, told apart by path and Host: a CDN, a
 * desk that checks signatures, a render farm, a service that scores edits, a queue, and a search
 * index that is unwell now and then.
 */
export async function openDemoTarget(
  signingKey: () => string,
  onRequest: (request: DemoRequest) => void,
): Promise<DemoTarget> {
  const seen = new Set<string>()
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { status, remark, json } = answerTo(request, body, signingKey(), seen)
      if (json === undefined) response.writeHead(status).end()
      else response.writeHead(status, jsonHeaders).end(JSON.stringify(json))
      const { method = '', headers, url = '' } = request
      onRequest({ method, url: `${headers.host ?? ''}${url}`, status, remark })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // as: it listens on a TCP port
  return {
    address: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const jsonHeaders = { 'content-type': 'application/json' }

interface Answer extends Pick<DemoRequest, 'status' | 'remark'> {
  readonly json?: Json
}

function answerTo(
  { headers, url = '' }: IncomingMessage,
  body: Buffer,
  signingKey: string,
  seen: Set<string>,
): Answer {
  const { host = '' } = headers
  switch (host) {
    case 'hooks.internal': {
      const signature = `sha256=${createHmac('sha256', signingKey).update(body).digest('hex')}`
      const isRight = headers['x-sluice-signature'] === signature
      return isRight
        ? { status: 204, remark: 'the signature is right' }
        : { status: 401, remark: 'the signature is wrong' }
    }
    case 'search.internal': {
      const title = url.split('/').at(-1) ?? ''
      const isFirst = !seen.has(title)
      seen.add(title)
      if (title === neverTaken)
        return { status: 503, remark: 'the index is never well for this one' }
      if (!takenLater.has(title)) return { status: 200, remark: '' }
      return isFirst
        ? { status: 503, remark: 'the index is away: this one comes back' }
        : { status: 200, remark: 'the index is there again' }
    }
    case 'score.internal': {
      const revision = fieldOf(body, 'revision')
      if (typeof revision !== 'number') return { status: 400, remark: 'there is no revision' }
      // The same at every run: the last two digits of the revision, as a share of 1.
      const damaging = (revision % 100) / 100
      return { status: 200, remark: `damaging: ${damaging}`, json: { damaging } }
    }
    case 'queue.internal': {
      const title = fieldOf(body, 'title')
      if (typeof title !== 'string') return { status: 400, remark: 'there is no title' }
      return { status: 200, remark: `somebody should look at ${title}` }
    }
    default:
      return { status: 200, remark: '' }
  }
}

/** Of a body that is an object; the rules are there to be changed, so that it may be anything. */
function fieldOf(body: Buffer, name: string): Json | undefined {
  try {
    const value = JSON.parse(body.toString()) as Json // as: what JSON.parse gives
    return isJsonObject(value) ? value[name] : undefined
  } catch {
    return undefined // not JSON
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      // as: a stream without encoding
      bytes += chunk.length
      if (bytes <= bodyBytesMax) chunks.push(chunk)
    }
  } catch {
    // The caller went away in the middle: nobody reads the answer either.
  }
  return Buffer.concat(chunks)
}
