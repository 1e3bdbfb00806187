import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FhirCodec } from './codec.ts'
import { dstu2Tables } from './dstu2.generated.ts'
import { dstu2 } from './dstu2.ts'
import { FhirDecimal, parseJson, writeJson } from './json.ts'
import { r4Tables } from './r4.generated.ts'
import { r4 } from './r4.ts'
import { stu3Tables } from './stu3.generated.ts'
import { stu3 } from './stu3.ts'
import { type FhirTables, type Member, type TypeDefinition, TypeLibrary } from './tables.ts'
import type { Resource } from './types.ts'

type Fields = Record<string, unknown>

const texts = [
  'x',
  'a & b',
  '<tag>',
  '"quoted" \'too\'',
  ' two  spaces ',
  'line\nend\r\ttab',
  'é ñ 漢 🙂',
  ']]>',
  '&#10;',
]
const numbers: (number | FhirDecimal)[] = [
  0,
  -7,
  2147483647,
  ...['1.50', '-0.0', '0.000', '1e10', '12345678901234567890.10'].map((text) => new FhirDecimal(text)),
]
const narratives = ['<p>one</p>', '<br/>', 'a &amp; b<!-- c -->', '<table class="t"><tr><td>é</td></tr></table>']

/** Builds resources from the tables; a generator of numbers makes it repeatable from one seed. */
class Builder {
  readonly #library: TypeLibrary
  readonly #resources: readonly string[]
  #state: number

  constructor(tables: FhirTables, seed: number) {
    this.#library = new TypeLibrary(tables)
    this.#resources = this.#library.names().filter((name) => this.#library.resource(name) !== undefined)
    this.#state = seed >>> 0
  }

  /** A number below the bound (xorshift). */
  #below(bound: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    this.#state >>>= 0
    if (this.#state === 0) this.#state = 1
    return this.#state % bound
  }

  #pick<Value>(list: readonly Value[]): Value {
    const value = list[this.#below(list.length)]
    if (value === undefined) throw new Error('nothing to pick from')
    return value
  }

  resource(depth = 0, name = this.#pick(this.#resources)): Resource {
    const type = this.#library.type(name)
    return { ...this.#fields(type, depth), resourceType: name }
  }

  #fields(type: TypeDefinition, depth: number): Fields {
    const fields: Fields = {}
    const chosen = new Set<string>()
    const wanted = depth > 3 ? 1 : 2 + this.#below(4)
    for (let i = 0; i < wanted; i++) {
      const members =
        depth > 3 ? type.members.filter(({ kind }) => kind !== 'complex' && kind !== 'resource') : type.members
      const member = this.#pick(members)
      if (chosen.has(member.choice ?? member.name)) continue
      chosen.add(member.choice ?? member.name)
      this.#fill(fields, member, depth)
    }
    return fields
  }

  #fill(fields: Fields, member: Member, depth: number): void {
    const length = member.many ? 1 + this.#below(3) : 1
    const values = Array.from({ length }, () => this.#value(member, depth))
    const primitive = member.kind === 'string' || member.kind === 'number' || member.kind === 'boolean'
    if (!primitive || this.#below(4) > 0) {
      fields[member.name] = member.many ? values : values[0]
      return
    }
    const extras = values.map(() => ({
      id: `e${this.#below(99)}`,
      extension: [{ url: 'urn:x', valueString: this.#pick(texts) }],
    }))
    if (!member.many) {
      if (this.#below(2) > 0) fields[member.name] = values[0]
      fields[`_${member.name}`] = extras[0]
      return
    }
    // The first has an extension and perhaps no value, the others a value and perhaps an extension.
    const holes = values.map((value, index) => (index === 0 && this.#below(2) > 0 ? null : value))
    if (holes.some((value) => value !== null)) fields[member.name] = holes
    fields[`_${member.name}`] = extras.map((extra, index) => (index === 0 || this.#below(2) > 0 ? extra : null))
  }

  #value(member: Member, depth: number): unknown {
    if (member.kind === 'number') return this.#pick(numbers)
    if (member.kind === 'boolean') return this.#below(2) === 0
    if (member.kind === 'xhtml') return `<div xmlns="http://www.w3.org/1999/xhtml">${this.#pick(narratives)}</div>`
    if (member.kind === 'resource') return this.resource(depth + 1)
    if (member.kind === 'complex') return this.#fields(this.#library.type(member.type), depth + 1)
    return this.#pick(texts)
  }
}

const versions: readonly (readonly [FhirCodec, FhirTables])[] = [
  [dstu2, dstu2Tables],
  [stu3, stu3Tables],
  [r4, r4Tables],
]

for (const [codec, tables] of versions) {
  test(`${codec.version}: JSON → XML → JSON gives back every generated resource`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed) => {
        const resource = new Builder(tables, seed).resource()
        const json = writeJson(resource)
        const read = codec.fromJson(json)
        assert.deepEqual(read, parseJson(json))
        const xml = codec.toXml(read)
        assert.deepEqual(codec.fromXml(xml), read)
        assert.equal(codec.toXml(codec.fromXml(Buffer.from(xml))), xml)
      }),
      { numRuns: 400 },
    )
  })

  test(`${codec.version}: every resource type alone round-trips and knows its own name`, () => {
    const library = new TypeLibrary(tables)
    const names = library.names().filter((name) => library.resource(name) !== undefined)
    assert.ok(names.length > 90, `${names.length} resource types`)
    names.forEach((name, index) => {
      const resource = codec.fromJson(writeJson(new Builder(tables, 1000 + index).resource(0, name)))
      assert.deepEqual(codec.fromXml(codec.toXml(resource)), resource)
      assert.equal(codec.knows(name), true)
    })
    assert.equal(codec.knows('HumanName'), false)
    assert.equal(codec.knows('DomainResource'), false)
    assert.equal(codec.knows('toString'), false)
  })
}
