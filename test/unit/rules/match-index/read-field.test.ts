import { expect } from 'chai'
import { placeOf, readField } from '../../../../src/rules/match-index/read-field.ts'

describe('reading a field by name', () => {
  const names = Array.from({ length: 40 }, (_, i) => `field ${i}`)
  const object = Object.fromEntries(names.map((name, i) => [name, i]))

  it('finds each of more names than there are places', () => {
    expect(names.map((name) => readField(object, name, placeOf(name)))).to.deep.equal(
      names.map((_name, i) => i),
    )
  })

  it('finds nothing where there is nothing', () => {
    for (const name of names) expect(readField({}, name, placeOf(name))).to.equal(undefined)
  })

  it('finds the value of the name, not of the one whose place it is', () => {
    for (const name of names) expect(readField(object, name, 0)).to.equal(object[name])
  })

  it('gives a name the same place each time', () => {
    const places = names.map(placeOf)
    expect(names.map(placeOf)).to.deep.equal(places)
  })
})
