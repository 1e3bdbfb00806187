/**
 * What searches cost among 100,000 organisations: `node --expose-gc packages/services/src/directory/ods/catalogue.bench.ts`.
 * Each search is made once against a catalogue that remembers nothing of it; CPU time, so that others on the machine do not count.
 */
import { systemClock } from '@openspine/platform/clock'
import { memoryTree, nameKey, spineSchema } from '@openspine/standards/ldap'
import { orderOfEntry } from '../change.ts'
import { putChange } from '../changelog.ts'
import { Catalogue, type CatalogueState, type OrganisationQuery } from './catalogue.ts'
import { odsCodes } from './codes.ts'
import { inventedOrganisation } from './invented.ts'
import { organisationReader } from './organisation.ts'

const count = 100_000
const schema = spineSchema()
let state: CatalogueState & { readonly tree: ReturnType<typeof memoryTree> } = {
  tree: memoryTree({ schema, indexed: ['uniqueIdentifier', 'changenumber'] }),
  version: 0,
}

function put(from: number, to: number, seed: number): void {
  const edit = state.tree.edit()
  let { version } = state
  for (let index = from; index < to; index++) {
    const { dn, attributes } = inventedOrganisation(seed, index)
    const key = nameKey(schema, dn)?.key ?? ''
    const number = ++version
    const at = systemClock.now() - (index % 700) * 86_400_000
    edit.put(
      dn,
      attributes,
      orderOfEntry(number),
      { uuid: 'x', createdAt: at, modifiedAt: at, creator: 'cn=x', modifier: 'cn=x' },
      key,
    )
    putChange(edit, { number, key, dn, kind: 'add', changes: '', at, by: 'x' })
  }
  state = { tree: edit.done(), version }
}

async function cpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const say = (what: string, value: string) => process.stdout.write(`${what.padEnd(58)} ${value}\n`)
const ms = (value: number) => `${value.toFixed(2)} ms CPU`
const heap = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

put(0, count, 1)
const before = heap()
const catalogue = new Catalogue({
  state: () => state,
  reader: organisationReader(schema, odsCodes()),
  schema,
  clock: systemClock,
})
say(`first use, ${count} organisations`, ms(await cpuMs(() => catalogue.current())))
say('memory of catalogue and indexes', `${(heap() - before).toFixed(0)} MiB`)

const searches: Readonly<Record<string, OrganisationQuery>> = {
  'ODS code': { codes: ['E00017'] },
  'full postcode': { postcode: 'ZZ99 1AA' },
  'postcode contains': { postcodes: [{ text: '1AA', match: 'contains' }] },
  'rare name (contains, three words)': { names: [{ text: 'OAKBRIDGE SURGERY', match: 'contains' }] },
  'common name (contains): 40 % match': { names: [{ text: 'SURGERY', match: 'contains' }] },
  'name begins': { names: [{ text: 'NHS ', match: 'starts' }] },
  'town begins': { towns: [{ text: 'OAKHAM', match: 'starts' }] },
  'rare role': { roles: [{ anyOf: ['RO98'], held: 'any' }] },
  'common role, active': { roles: [{ anyOf: ['RO76'], held: 'any' }], active: true },
  'changed in the last days': { changedFrom: new Date(systemClock.now() - 3 * 86_400_000).toISOString().slice(0, 10) },
  'changed in the last 185 days': {
    changedFrom: new Date(systemClock.now() - 185 * 86_400_000).toISOString().slice(0, 10),
  },
  'all that are active (no index serves)': { active: true },
}
for (const round of ['cold', 'warm']) {
  if (round === 'cold')
    for (const query of Object.values(searches)) catalogue.search({ ...query, recordClass: 'RC2' }, 0, 20)
  for (const [name, query] of Object.entries(searches)) {
    let total = 0
    const times = 20
    const spent = await cpuMs(() => {
      // Another order of members is another search: none is remembered.
      for (let time = 0; time < times; time++) {
        total = catalogue.search(round === 'warm' ? query : { ...query, ...differing(time) }, 0, 20).total
      }
    })
    say(`${name}, ${round} (${total} found)`, ms(spent / times))
  }
}
put(0, 1, 2)
say('one change', ms(await cpuMs(() => catalogue.current())))
put(0, 10_000, 3)
say('ten thousand changes', ms(await cpuMs(() => catalogue.current())))

/** A condition that holds for all, different each time. */
function differing(time: number): OrganisationQuery {
  return { changedTo: `99${String(time).padStart(2, '0')}` }
}
