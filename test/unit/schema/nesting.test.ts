import { expect } from 'chai'
import { tooDeepAt } from '../../../src/schema/nesting.ts'
import { parseYaml } from '../../../src/schema/yaml-document.ts'

describe('nesting', () => {
  const stairs = (steps: number): string =>
    Array.from({ length: steps }, (_, i) => `${' '.repeat(i)}a:\n`).join('')

  const deep: readonly (readonly [name: string, text: string, at: number])[] = [
    ['lists in lists', '['.repeat(1_000_000), 64],
    ['maps in maps', '{a: '.repeat(200_000), 256],
    ['lists in lists on one line', '- '.repeat(400_000), 128],
    ['keys in keys on one line', '? '.repeat(400_000), 128],
    ['stairs of maps', stairs(1_000), 33_924],
  ]
  for (const [name, text, at] of deep) {
    it(`of ${name} is refused before the parser sees it`, () => {
      expect(tooDeepAt(text)).to.equal(at)
      expect(parseYaml({ name: 'a', text }).problems.map(({ code }) => code)).to.deep.equal([
        'yaml-too-deep',
      ])
    })
  }

  const shallow: readonly (readonly [name: string, text: string])[] = [
    ['64 levels', `a: ${'['.repeat(64)}${']'.repeat(64)}`],
    ['many entries', '- a\n'.repeat(5_000)],
    ['many lists beside each other', `a: [${'[], '.repeat(5_000)}]`],
    ['brackets in a text', `a: "${'['.repeat(100)}"`],
    ['brackets in a plain text', `a: b${'['.repeat(100)}`],
    ['brackets in a block of text', `a: |\n  ${'[ - '.repeat(100)}\n`],
    ['brackets in a comment', `# ${'['.repeat(100)}\na: 1`],
  ]
  for (const [name, text] of shallow) {
    it(`is not seen in ${name}`, () => {
      expect(tooDeepAt(text)).to.equal(null)
    })
  }

  it('of what passes never exhausts the stack', () => {
    for (const text of [`${stairs(256)}${' '.repeat(256)}b: 1`, `${stairs(256)}c: 1`]) {
      expect(tooDeepAt(text)).to.equal(null)
      const { problems } = parseYaml({ name: 'a', text })
      expect(problems.map(({ code, line }) => `${line} ${code}`)).to.deep.equal([
        '66 yaml-too-deep',
      ])
    }
  })
})
