import { request as httpRequest } from 'node:http'
import { createHmac } from 'node:crypto'
import { expect } from 'chai'
import type { DemoRequest, DemoTarget } from '../../../../src/app/demo/target.ts'
import { openDemoTarget } from '../../../../src/app/demo/target.ts'

interface Given {
  readonly host: string
  readonly path?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

describe('the target of the demo', () => {
  let target: DemoTarget
  let told: DemoRequest[] = []
  beforeEach(async () => {
    told = []
    target = await openDemoTarget(
      () => 'key',
      (request) => told.push(request),
    )
  })
  afterEach(() => target.close())

  /** What a host answers: status and body. */
  function answer({ host, path = '/', body = '', headers = {} }: Given): Promise<string> {
    const [address = '', port = ''] = target.address.split(':')
    return new Promise((resolve, reject) => {
      const call = httpRequest(
        { host: address, port, path, method: 'POST', headers: { host, ...headers } },
        (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString()))
          response.on('end', () => resolve(`${response.statusCode ?? 0} ${text}`.trim()))
        },
      )
      call.on('error', reject)
      call.end(body)
    })
  }

  const signature = `sha256=${createHmac('sha256', 'key').update('body').digest('hex')}`
  const cases: readonly (Given & { name: string; gives: string; remark: string })[] = [
    {
      name: 'takes a call that is signed with the key',
      host: 'hooks.internal',
      body: 'body',
      headers: { 'x-sluice-signature': signature },
      gives: '204',
      remark: 'the signature is right',
    },
    {
      name: 'refuses one whose body is another',
      host: 'hooks.internal',
      body: 'Body',
      headers: { 'x-sluice-signature': signature },
      gives: '401',
      remark: 'the signature is wrong',
    },
    {
      name: 'scores an edit by its revision',
      host: 'score.internal',
      body: '{"revision":1167689309}',
      gives: '200 {"damaging":0.09}',
      remark: 'damaging: 0.09',
    },
    {
      name: 'scores nothing where a changed rule sends no revision',
      host: 'score.internal',
      body: '[]',
      gives: '400',
      remark: 'there is no revision',
    },
    {
      name: 'and nothing where it sends no JSON',
      host: 'score.internal',
      body: 'rev=1',
      gives: '400',
      remark: 'there is no revision',
    },
    {
      name: 'takes an entry of the queue',
      host: 'queue.internal',
      body: '{"title":"Vienna"}',
      gives: '200',
      remark: 'somebody should look at Vienna',
    },
    {
      name: 'refuses an entry without a title',
      host: 'queue.internal',
      gives: '400',
      remark: 'there is no title',
    },
    {
      name: 'takes an article with an encoding of its own',
      host: 'search.internal',
      path: '/articles/enwiki/%FF',
      gives: '200',
      remark: '',
    },
    { name: 'takes everything else', host: 'cdn.internal', gives: '200', remark: '' },
  ]
  for (const { name, gives, remark, ...given } of cases) {
    it(`${name}: ${gives}`, async () => {
      expect(await answer(given)).to.equal(gives)
      const [one] = told
      expect(one).to.include({ remark, url: given.host + (given.path ?? '/') })
    })
  }

  it('is away once for some articles, and always for one', async () => {
    const statuses: string[] = []
    for (const title of ['Etsy', 'Etsy', 'Cuckoo%20wrasse', 'Cuckoo%20wrasse', 'Cuckoo%20wrasse']) {
      statuses.push(await answer({ host: 'search.internal', path: `/articles/enwiki/${title}` }))
    }
    expect(statuses).to.deep.equal(['503', '200', '503', '503', '503'])
  })
})
