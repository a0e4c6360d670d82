import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { openApiDocument } from '../../../src/admin/openapi.ts'
import { AdminProblem, adminProblemCodes } from '../../../src/admin/problem-document.ts'

describe('the page on the admin API', () => {
  const page = readFileSync(new URL('../../../docs/admin-api.md', import.meta.url), 'utf8')

  it('names every problem code with its status, and no other', () => {
    const rows = page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)
    const named = [...rows].map(([, code, status]) => `${code} ${status}`)
    const known = adminProblemCodes.map((code) => `${code} ${new AdminProblem(code, '').status}`)
    expect(named.toSorted()).to.deep.equal(known.toSorted())
  })

  it('names every route, and no other', () => {
    // as: compared below
    const { paths } = openApiDocument('') as { paths: Record<string, Record<string, unknown>> }
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const rows = page.matchAll(/^\| `((?:GET|POST|PUT|DELETE) [^`?]+)/gm)
    expect([...rows].map(([, route]) => route).toSorted()).to.deep.equal(routes.toSorted())
  })
})
