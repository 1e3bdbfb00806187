import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { type MemoryTree, memoryTree, nameKey, spineSchema } from '@openspine/standards/ldap'
import fc from 'fast-check'
import { orderOfEntry } from '../change.ts'
import { putChange } from '../changelog.ts'
import type { DirectoryEntry } from '../contract.ts'
import { Catalogue, type OrganisationQuery } from './catalogue.ts'
import { odsCodes } from './codes.ts'
import { inventedOrganisation } from './invented.ts'
import { isActive, organisationReader } from './organisation.ts'

const schema = spineSchema()
const reader = organisationReader(schema, odsCodes())
const clock = manualClock('2026-11-25T12:00:00Z')
const day = 86_400_000

/** A directory of organisations with a change log, as the registry keeps it. */
class Shelf {
  tree: MemoryTree = memoryTree({ schema, indexed: ['uniqueIdentifier', 'changenumber'] })
  version = 0

  change(changes: readonly (DirectoryEntry | string)[], at = clock.now()): void {
    const edit = this.tree.edit()
    for (const change of changes) {
      const dn = typeof change === 'string' ? change : change.dn
      const key = nameKey(schema, dn)?.key ?? assert.fail()
      const number = ++this.version
      if (typeof change === 'string') edit.delete(key)
      else {
        const provenance = {
          uuid: '00000000-0000-4000-8000-000000000000',
          createdAt: at,
          modifiedAt: at,
          creator: 'cn=x',
          modifier: 'cn=x',
        }
        edit.put(change.dn, change.attributes, orderOfEntry(number), provenance, key)
      }
      putChange(edit, { number, key, dn, kind: 'modify', changes: '', at, by: 'x' })
    }
    this.tree = edit.done()
  }

  catalogue(): Catalogue {
    return new Catalogue({ state: () => this, reader, schema, clock })
  }
}

const dnOf = (odsCode: string) => `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`
const indexes = [0, 1, 2, 3, 4, 5, 90, 110, 130, 180, 300, 399, 400, 450, 500, 800, 999]

/** What an index must find, found by looking at every organisation. */
function naive(shelf: Shelf, query: OrganisationQuery): string[] {
  const fold = (text: string) => text.toUpperCase()
  const compact = (text: string) => text.replace(/\s+/g, '').toUpperCase()
  const match = (held: string, { text, match: how }: { text: string; match: string }, by: (text: string) => string) =>
    how === 'exact' ? held === text : how === 'starts' ? by(held).startsWith(by(text)) : by(held).includes(by(text))
  return [...shelf.tree.entries()]
    .flatMap((entry) => (entry.key.endsWith('ou=organisations,o=nhs') ? (reader.record(entry) ?? []) : []))
    .filter(
      (record) =>
        (query.codes === undefined || query.codes.includes(record.odsCode)) &&
        (query.names ?? []).every((term) => match(record.name, term, fold)) &&
        (query.postcodes ?? []).every((term) => match(record.postcode, term, compact)) &&
        (query.towns ?? []).every((term) => match(record.town, term, fold)) &&
        (query.postcode === undefined ||
          compact(record.postcode) === compact(query.postcode) ||
          record.postcode.split(' ')[0] === query.postcode.toUpperCase()) &&
        (query.active === undefined || isActive(record, '2026-11-25') === query.active) &&
        (query.changedFrom === undefined || record.changed >= query.changedFrom) &&
        (query.changedTo === undefined || record.changed <= query.changedTo) &&
        (query.recordClass === undefined || record.kind.recordClass === query.recordClass) &&
        (query.roles ?? []).every(({ anyOf, held }) =>
          record.kind.roles.some(
            ({ id }, place) => anyOf.includes(id) && (held === 'any' || (held === 'primary') === (place === 0)),
          ),
        ),
    )
    .map(({ odsCode }) => odsCode)
}

const term = (texts: readonly string[]) =>
  fc.record({ text: fc.constantFrom(...texts), match: fc.constantFrom('starts', 'contains', 'exact') })
const someOf = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 2 })
const days = fc.constantFrom('2026-11-20', '2026-11-24', '2026-11-25')
const queries = fc.record(
  {
    codes: someOf(fc.constantFrom('Q0A', 'QAA', 'RAA', 'E00000', 'E00050', 'FAA10')),
    names: someOf(term(['hospital', 'SUR', 'oak', 'OAKFIELD SURGERY', 'pharmacy', 'xyz', 'HA'])),
    postcodes: someOf(term(['ZZ99 1', 'zz99', '9 1', 'ZZ', '1AA', 'ZZ98'])),
    postcode: fc.constantFrom('ZZ99', 'zz991aa', 'ZZ98'),
    towns: someOf(term(['ALD', 'ham', 'OAKTON', 'ton'])),
    active: fc.boolean(),
    changedFrom: days,
    changedTo: days,
    recordClass: fc.constantFrom('RC1', 'RC2'),
    roles: someOf(
      fc.record({
        anyOf: someOf(fc.constantFrom('RO76', 'RO177', 'RO182', 'RO198', 'RO99')),
        held: fc.constantFrom('any', 'primary', 'further'),
      }),
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<OrganisationQuery>

/** Changes of a day: entries by number, entries under another's content, and removals. */
const changes = fc.array(
  fc.oneof(
    fc.constantFrom(...indexes).map((index) => inventedOrganisation(1, index)),
    fc.tuple(fc.constantFrom(...indexes), fc.nat(20)).map(([index, seed]) => inventedOrganisation(seed, index)),
    fc.constantFrom(...indexes).map((index) => inventedOrganisation(1, index).dn),
  ),
  { minLength: 1, maxLength: 25 },
)

test('after any changes every search finds what looking at each organisation finds, in order of insertion', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(changes, { minLength: 1, maxLength: 3 }),
      fc.array(queries, { maxLength: 6 }),
      async (rounds, asked) => {
        const shelf = new Shelf()
        const catalogue = shelf.catalogue()
        let at = clock.now() - rounds.length * day
        for (const round of rounds) {
          shelf.change(round, at)
          at += day
          const now = await catalogue.current()
          for (const query of [{}, ...asked]) {
            const { total, page } = now.search(query, 0, 1000)
            const expected = naive(shelf, query)
            assert.deepEqual(
              page.map(({ odsCode }) => odsCode),
              expected,
            )
            assert.equal(total, expected.length)
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('follows the change log, and begins again where the log does not reach back', async () => {
  const shelf = new Shelf()
  shelf.change(indexes.map((index) => inventedOrganisation(1, index)))
  const catalogue = shelf.catalogue()
  assert.equal((await catalogue.current()).size, indexes.length)
  const [one, other] = [inventedOrganisation(1, 400), inventedOrganisation(1, 450)]
  const code = one.attributes['nhsIDCode']?.[0] ?? ''
  shelf.change([one.dn])
  assert.equal((await catalogue.current()).get(code), undefined)
  shelf.change([one])
  const back = (await catalogue.current()).get(code.toLowerCase())
  assert.ok(back !== undefined)
  assert.equal(catalogue.at(back.position), back)
  assert.equal(catalogue.search({}, 0, 100).page.at(-1), back, 'what came back stands at the end')

  // As if other processes had written more than the log keeps.
  const edit = shelf.tree.edit()
  edit.delete(nameKey(schema, other.dn)?.key ?? '')
  shelf.tree = edit.done()
  shelf.version += 1000
  assert.equal((await catalogue.current()).size, indexes.length - 1)
})

test('an organisation is related to its commissioner and its parent, and found from there', async () => {
  const shelf = new Shelf()
  shelf.change(indexes.map((index) => inventedOrganisation(1, index)))
  const now = await shelf.catalogue().current()
  const practice = now.get(inventedOrganisation(1, 400).attributes['nhsIDCode']?.[0] ?? '')
  assert.ok(practice !== undefined)
  const [relation] = practice.related
  assert.equal(relation?.id, 'RE4')
  assert.ok(now.relatedTo(relation?.target ?? '').includes(practice))
  assert.deepEqual(now.relatedTo('NOBODY'), [])
})

test('being open is a matter of the day', async () => {
  const shelf = new Shelf()
  const { attributes } = inventedOrganisation(1, 400)
  shelf.change([{ dn: dnOf('E00000'), attributes: { ...attributes, nhsOrgCloseDate: ['20261126'] } }])
  const own = manualClock('2026-11-25T23:59:00Z')
  const catalogue = new Catalogue({ state: () => shelf, reader, schema, clock: own })
  const open = async () => (await catalogue.current()).search({ active: true }, 0, 10).total
  assert.equal(await open(), 1)
  own.set('2026-11-26T00:00:00Z')
  assert.equal(await open(), 0)
})
