import { createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from '../../model/json.ts'

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

/** The search index takes this article at no time: its retries run out. */
const neverTaken = 'Cuckoo wrasse'

/** The search index is away when it first hears of these, and there the second time. */
const takenLater: ReadonlySet<string> = new Set(['Bad Brains', 'Moby Lines', 'Etsy'])

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
      const title = decodeURIComponent(url.split('/').at(-1) ?? '')
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
      const damaging = scoreOf(body)
      return { status: 200, remark: `damaging: ${damaging}`, json: { damaging } }
    }
    default:
      return { status: 200, remark: '' }
  }
}

/** The same at every run: two digits of the revision's number, as a share of 1. */
function scoreOf(body: Buffer): number {
  const { revision } = JSON.parse(body.toString()) as { readonly revision: number } // as: see rules/score.yaml
  return (revision % 100) / 100
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
