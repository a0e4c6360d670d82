import { expect } from 'chai'
import fc from 'fast-check'
import { compileGlob } from '../../../src/rules/topic-selector.ts'
import { anEvent } from '../../support/builders.ts'
import { loadText, placesOf } from '../../support/load-text.ts'

describe('a glob', () => {
  const cases: readonly (readonly [
    pattern: string,
    fits: readonly string[],
    others: readonly string[],
  ])[] = [
    ['a.b', ['a.b'], ['a.bc', 'xa.b', 'axb', '']],
    ['*', ['', 'a', 'a.b.c'], []],
    ['a.*', ['a.', 'a.b', 'a.b.c'], ['a', 'b.a.']],
    ['*.v1', ['.v1', 'a.v1'], ['a.v1.x', 'v1']],
    ['a.*.v1', ['a.b.v1', 'a..v1', 'a.b.v1.v1'], ['a.v1', 'a.b.v2']],
    ['a*a', ['aa', 'aba'], ['a', 'ab']],
    ['*ab*ab*', ['abab', 'xabyabz'], ['aab', 'ab']],
  ]
  for (const [pattern, fits, others] of cases) {
    it(`${pattern} fits ${fits.join(' ')}${others.length > 0 ? ` and not ${others.join(' ')}` : ''}`, () => {
      const glob = compileGlob(pattern)
      expect(fits.filter((text) => !glob(text))).to.deep.equal([])
      expect(others.filter((text) => glob(text))).to.deep.equal([])
    })
  }

  it('agrees with a regex of `.*`', () => {
    const letters = fc.constantFrom('a', 'b', '.', '*')
    const pattern = fc.array(letters, { maxLength: 6 }).map((all) => all.join(''))
    const text = fc
      .array(fc.constantFrom('a', 'b', '.'), { maxLength: 8 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
        expect(compileGlob(pattern)(text)).to.equal(regex.test(text))
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('unclaimed topics', () => {
  /** Of each rule, by name and `topics`, those of `existing` that it reads. */
  async function readBy(
    rules: Readonly<Record<string, string>>,
    existing: readonly string[],
  ): Promise<Readonly<Record<string, readonly string[]>>> {
    const lines = Object.entries(rules).map(
      ([name, said]) => `  ${name}: { ${said}, when: { a: 1 }, do: { emit: { topic: out } } }`,
    )
    const { ruleSet, problems } = await loadText(`rules:\n${lines.join('\n')}\n`)
    expect(problems.filter(({ severity }) => severity === 'error')).to.deep.equal([])
    const read = (ruleSet?.rules ?? []).map(({ name, topics }) => [
      name,
      existing.filter((topic) => topics.matches(topic)),
    ])
    return Object.fromEntries(read) as Readonly<Record<string, readonly string[]>> // as: pairs of those
  }

  const rest = 'topics: { include: ["job.*"], unclaimed: true }'

  it('are those that no other rule names, whatever stands first', async () => {
    const existing = ['job.a', 'job.b', 'job.c', 'other']
    const named = { one: 'topics: [job.a]', two: 'topics: { include: [job.b] }' }
    expect((await readBy({ rest, ...named }, existing))['rest']).to.deep.equal(['job.c'])
    expect((await readBy({ ...named, rest }, existing))['rest']).to.deep.equal(['job.c'])
  })

  const rows: readonly (readonly [about: string, rule: string, claims: boolean])[] = [
    ['a rule that is not enabled', 'topics: [job.a], enabled: false', true],
    ['a rule of another lane', 'topics: [job.a], lane: slow', true],
    ['a rule in shadow mode', 'topics: [job.a], mode: shadow', true],
    ['a rule that for_each makes', 'for_each: [{ t: job.a }], topics: ["{{each.t}}"]', true],
    ['a rule with a glob', 'topics: ["job.a*"]', false],
    ['a rule that leaves it out again', 'topics: { include: [job.a, b], exclude: [job.a] }', false],
    ['an abstract rule', 'abstract: true, topics: [job.a]', false],
  ]
  for (const [about, rule, claims] of rows) {
    it(`are ${claims ? '' : 'not '}left out for ${about}`, async () => {
      const read = await readBy({ rest, other: rule }, ['job.a', 'job.b'])
      expect(read['rest']).to.deep.equal(claims ? ['job.b'] : ['job.a', 'job.b'])
    })
  }

  it('are not left out for the names that the rule writes out itself', async () => {
    const own = 'topics: { include: ["job.*", job.a], unclaimed: true }'
    const read = await readBy({ own, other: 'topics: [job.a, job.b]' }, ['job.a', 'job.b', 'job.c'])
    expect(read['own']).to.deep.equal(['job.a', 'job.c'])
  })

  it('are left out of each of two rules for what the other names', async () => {
    const a = 'topics: { include: ["job.*", job.a], unclaimed: true }'
    const b = 'topics: { include: ["job.*", job.b], unclaimed: true }'
    const read = await readBy({ a, b }, ['job.a', 'job.b', 'job.c'])
    expect(read).to.deep.equal({ a: ['job.a', 'job.c'], b: ['job.b', 'job.c'] })
  })

  it('are found by the rule set as well', async () => {
    const text =
      `rules: { rest: { ${rest}, when: { a: 1 }, do: { emit: { topic: x } } }, ` +
      'same: { topics: { include: ["job.*"] }, when: { a: 1 }, do: { emit: { topic: y } } }, ' +
      'one: { topics: [job.a], when: { a: 1 }, do: { emit: { topic: z } } } }'
    const { ruleSet } = await loadText(text)
    const on = (topic: string): readonly string[] =>
      (ruleSet?.firing('default', anEvent({ a: 1 }, { topic })) ?? []).map(({ rule }) => rule.name)
    expect(on('job.a')).to.deep.equal(['same', 'one'])
    expect(on('job.b')).to.deep.equal(['rest', 'same'])
  })

  it('cannot be asked for without a glob, nor with anything but true or false', async () => {
    const places = async (topics: string): Promise<readonly string[]> => {
      const text = `rules: { a: { topics: ${topics}, when: { a: 1 }, do: { emit: { topic: x } } } }`
      return placesOf((await loadText(text)).problems)
    }
    expect(await places('{ include: [a], unclaimed: true }')).to.deep.equal(['1:39 bad-value'])
    expect(await places('{ include: ["a*"], unclaimed: yes }')).to.deep.equal(['1:53 wrong-type'])
    expect(await places('{ include: [a], unclaimed: false }')).to.deep.equal([])
  })
})
