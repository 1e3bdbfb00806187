import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Store } from '@openspine/platform/store'
import { forEachStore, silentLog } from '@openspine/platform/testing'
import { knownAs, type PersonRecord } from './contract.ts'
import { type Criteria, criteriaOf, searchParameters } from './criteria.ts'
import { readPerson } from './keys.ts'
import { match } from './match.ts'
import { migrations } from './migrations.ts'
import { items, storedPerson } from './person.ts'
import { demographics, demographicsConfig, syntheticPeople, workedPeople } from './service.ts'
import { blockStatement, pageStatement, personStore, plainStatement, type Statement, soundStatements } from './store.ts'
import { trace } from './trace.ts'

function criteria(query: string): Criteria {
  const found = criteriaOf(searchParameters(query), 50)
  assert.ok(found, query)
  return found
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const line of lines) found.push(line)
  return found
}

/** The contract alone: neither audit nor trust is asked for by a load. */
function contractOn(store: Store) {
  const unused = () => Promise.reject(new Error('a load is not audited here'))
  const nothing = new Proxy({}, { get: () => unused })
  return demographics({
    platform: {
      environment: 'test',
      profile: 'sandbox',
      dataDir: '',
      clock: { now: () => 0 },
      random: { uuid: () => '', bytes: (length) => Buffer.alloc(length) },
      log: silentLog(),
      metrics: makeMetrics(),
      store,
      trust: nothing as never,
      audit: nothing as never,
      jobs: nothing as never,
      sealing: nothing as never,
    },
    config: demographicsConfig.parse({}),
  }).contract
}

forEachStore((open, engine) => {
  let store: Store
  before(async () => {
    store = await open()
    await store.migrate('demographics', migrations)
  })
  after(() => store.close())
  beforeEach(async () => {
    for (const table of ['person', 'name_key', 'address_key', 'telecom_key'])
      await store.pool.query(`delete from demographics.${table}`)
  })

  test('whom a number stands for is told with all that were merged into it, by way of others too', async () => {
    const contract = contractOn(store)
    await contract.load(workedPeople())
    const [first, second, last] = ['9990548854', '9990548862', '9990548870'] as const
    for (const number of [first, second, last]) {
      const known = await knownAs(contract, number)
      assert.deepEqual(known?.numbers, [last, second, first])
      assert.equal(known.person.nhsNumber, last)
    }
    assert.deepEqual(await contract.mergedInto(second), [first])
    assert.deepEqual((await knownAs(contract, '9990548609'))?.numbers, ['9990548609'])
    for (const unknown of ['9990548889', '9111231130', 'x']) assert.equal(await knownAs(contract, unknown), undefined)
  })

  test('people are kept as they were loaded, once, and a load that was cut off goes on', async () => {
    const contract = contractOn(store)
    const people = [...workedPeople(), ...syntheticPeople({ seed: 1, from: 0, count: 300 })]
    assert.equal(await contract.load(people.slice(0, 100)), 100)
    // As after a crash between keys and people: keys without their person.
    const [next] = people.slice(100)
    assert.ok(next)
    await personStore(store).insert([storedPerson(next)])
    await store.pool.query('delete from demographics.person where nhs = $1', [next.nhsNumber])
    assert.equal(await contract.load([...people, ...people]), people.length - 100)
    assert.equal(await contract.load(people), 0)
    assert.equal(await contract.count(), people.length)
    const changed: PersonRecord = { ...next, patient: {} }
    assert.equal(await contract.load([changed]), 0)
    for (const person of [...workedPeople(), next]) {
      const found = await contract.find(person.nhsNumber)
      assert.ok(found)
      assert.deepEqual(storedPerson(found), storedPerson(person))
    }
    assert.equal(await contract.find('9990549001'), undefined)
    assert.equal(await contract.find('not a number'), undefined)
  })

  test('what is exported and imported elsewhere is exported there as the same text, and merged numbers are still merged', async () => {
    const contract = contractOn(store)
    const people = [...workedPeople(), ...syntheticPeople({ seed: 1, from: 0, count: 1200 })]
    await contract.load(people)
    const lines = await all(contract.export())
    assert.equal(lines.length, people.length)
    for (const table of ['person', 'name_key', 'address_key', 'telecom_key'])
      await store.pool.query(`delete from demographics.${table}`)
    const report = await contract.import(lines)
    assert.deepEqual(report, { read: people.length, written: people.length, rejected: 0, rejections: [] })
    assert.deepEqual(await all(contract.export()), lines)
    assert.equal((await contract.import(lines)).written, 0)
    assert.equal((await contract.find('9990548854'))?.status, 'superseded')
    const traced = await trace(personStore(store), criteria('family=Bloggson&birthdate=1974-10-12&_history=true'), 1000)
    assert.ok('found' in traced && traced.found[0]?.person.nhsNumber === '9990548811')
  })

  test('two loads of the same people at once leave each person once, with one set of keys', async () => {
    const people = [...syntheticPeople({ seed: 1, from: 0, count: 1500 })]
    const [one, other] = [contractOn(store), contractOn(store)]
    await Promise.all([one.load(people), other.load(people)])
    assert.equal(await one.count(), people.length)
    const keys = people.reduce(
      (sum, { patient, history }) => sum + items(patient['name']).length + items(history?.['name']).length,
      0,
    )
    const { rows } = await store.pool.query<{ count: number | string }>('select count(*) from demographics.name_key')
    assert.equal(Number(rows[0]?.count), keys)
  })

  test('reads that come together share statements, and each caller gets their own person', async () => {
    const people = [...syntheticPeople({ seed: 1, from: 0, count: 200 })].map(storedPerson)
    let statements = 0
    let broken = false
    const counted: Store = {
      ...store,
      pool: new Proxy(store.pool, {
        get(pool, key) {
          const value: unknown = Reflect.get(pool, key)
          if (key !== 'query' || typeof value !== 'function') return value
          return (...parts: unknown[]) => {
            statements++
            if (broken) return Promise.reject(new Error('the connection broke'))
            return value.apply(pool, parts)
          }
        },
      }),
    }
    const persons = personStore(counted)
    await persons.insert(people)
    statements = 0
    const found = await Promise.all([...people, ...people].map(({ nhsNumber }) => persons.find(nhsNumber)))
    assert.deepEqual(found, [...people, ...people])
    assert.ok(statements < 10, `${statements} statements`)
    const numbers = people.map(({ nhsNumber }) => Number(nhsNumber))
    const absent = 9_990_548_609
    assert.deepEqual(await persons.findAll([absent, ...numbers.toReversed(), absent]), people.toReversed())
    assert.deepEqual(await persons.findAll([]), [])
    const many = await Promise.all(
      Array.from({ length: 20 }, () => persons.findAll(Array.from({ length: 250 }, (_, i) => i))),
    )
    assert.deepEqual(many.flat(), [])
    broken = true
    await assert.rejects(Promise.all([persons.find('9990000018'), persons.find('9990000026')]), /broke/)
    broken = false
    assert.deepEqual(await persons.find(people[0]?.nhsNumber ?? ''), people[0])
  })

  describe('a search reads from the store what the matcher would choose from everyone', () => {
    test('plain', async () => {
      const records = [...workedPeople(), ...syntheticPeople({ seed: 5, from: 0, count: 300 })]
      const persons = personStore(store)
      await persons.insert(records.map(storedPerson))
      const everyone = records
        .filter(({ status = 'current' }) => status === 'current')
        .map((record) => readPerson(storedPerson(record)).subject)
      let hits = 0
      for (const query of queriesAbout(records)) {
        const wanted = { ...criteria(query), max: 1000 }
        const traced = await trace(persons, wanted, 10_000)
        assert.ok('found' in traced)
        const expected = everyone.filter((subject) => match(wanted, subject)).map(({ nhsNumber }) => nhsNumber)
        assert.deepEqual(traced.found.map(({ person }) => person.nhsNumber).sort(), expected.sort(), query)
        hits += expected.length
      }
      assert.ok(hits > 200, `${hits} hits`)
    })

    test('fuzzy, on a day and over a range', async () => {
      const records = [...workedPeople(), ...syntheticPeople({ seed: 6, from: 0, count: 400 })]
      const persons = personStore(store)
      await persons.insert(records.map(storedPerson))
      for (const record of records.slice(0, 200)) {
        const [name] = items(record.patient['name'])
        const [given] = (name?.['given'] ?? []) as readonly string[]
        const born = String(record.patient['birthDate'])
        if (record.status !== undefined || record.sensitivity === 'V' || born.length < 10) continue
        for (const birthdate of [born, `ge${born}&birthdate=le${Number(born.slice(0, 4)) + 1}-12-31`])
          for (const [family, first] of [
            [name?.['family'], given],
            [given, name?.['family']],
          ]) {
            const parts = new URLSearchParams({ family: String(family), given: String(first) })
            const query = `${parts}&birthdate=${birthdate}&_fuzzy-match=true`
            const traced = await trace(persons, criteria(query), 10_000)
            assert.ok('found' in traced)
            assert.ok(
              traced.found.some(({ person }) => person.nhsNumber === record.nhsNumber),
              query,
            )
          }
      }
    })

    test('more names than people do not hide that there are too many, or that there are not', async () => {
      const persons = personStore(store)
      const names = Array.from({ length: 30 }, (_, index) => ({
        use: 'temp',
        family: 'Manifold',
        given: [`G${index}`],
      }))
      const person = (nhsNumber: string): PersonRecord => ({
        nhsNumber,
        patient: { name: [{ use: 'usual', family: 'Manifold' }, ...names], birthDate: '2000-01-01' },
      })
      const query = { ...criteria('family=Manifold&birthdate=2000-01-01'), max: 2 }
      await persons.insert([person('9990548609'), person('9990548617')].map(storedPerson))
      const two = await trace(persons, query, 100)
      assert.deepEqual('found' in two && two.found.length, 2)
      await persons.insert([storedPerson(person('9990548625'))])
      assert.deepEqual(await trace(persons, query, 100), { tooMany: true })
    })

    test('a block beyond its bound is too many', async () => {
      const persons = personStore(store)
      const born = { birthDate: '2000-01-01' }
      const people = [...syntheticPeople({ seed: 1, from: 0, count: 30 })].map((record) =>
        storedPerson({ ...record, sensitivity: 'U', patient: { ...record.patient, ...born } }),
      )
      await persons.insert(people)
      const query = criteria('family=Zyzzyva&given=Q&birthdate=2000-01-01&_fuzzy-match=true')
      assert.deepEqual(await trace(persons, query, 10), { tooMany: true })
      assert.deepEqual(await trace(persons, query, 1000), { found: [] })
    })
  })

  if (engine === 'postgresql')
    test('every search that is offered reads an index', async () => {
      await contractOn(store).load(syntheticPeople({ seed: 1, from: 0, count: 20_000 }))
      await store.pool.query('analyze')
      const day = 'family=Smith&birthdate=1980-02-29'
      const range = 'family=Smith&birthdate=ge1980-01-01&birthdate=le1984-12-31'
      const more = [
        '',
        '&given=Anne',
        '&given=Anne&given=Jane',
        '&given=An*',
        '&gender=female',
        '&address-postalcode=ZZ993CZ',
        '&address-postalcode=ZZ99*',
        '&general-practitioner=A20047',
        '&phone=07700900001',
        '&email=a@example.com',
        '&death-date=2019-01-01',
        '&_history=true',
      ]
      const statements: (readonly [string, Statement])[] = [
        ...[day, range, day.replace('Smith', 'Sm*'), range.replace('Smith', 'Sm*')].flatMap((start) =>
          more.map((rest) => [start + rest, plainStatement(criteria(start + rest), 204, false)] as const),
        ),
        ['block', blockStatement(19_800_229, 10_000)],
        ['page', pageStatement(9_990_000_000, 1000)],
        ...soundStatements(criteria(`${range}&given=Anne&address-postalcode=ZZ993CZ&_fuzzy-match=true`), 1000).map(
          (statement) => ['sound', statement] as const,
        ),
        [
          'find',
          { text: 'select document from demographics.person where nhs = any($1::bigint[])', values: [[9990548609]] },
        ],
      ]
      for (const [name, { text, values }] of statements) {
        const { rows } = await store.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`, [...values])
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        assert.match(plan, /Index/, name)
        assert.doesNotMatch(plan, /Seq Scan/, `${name}\n${plan}`)
      }
    })
})

/** Queries as people ask them, about some of the people: right, wildcarded, ranged, with places and history. */
function* queriesAbout(records: readonly PersonRecord[]): Generator<string> {
  for (const [index, { patient, history }] of records.entries()) {
    if (index % 4 !== 0 && index > 40) continue
    const [name] = items(patient['name'])
    const [home] = items(patient['address'])
    const [formerName] = items(history?.['name'])
    const [formerHome] = items(history?.['address'])
    const born = String(patient['birthDate'])
    if (born.length < 10) continue
    const given = (name?.['given'] ?? []) as readonly string[]
    const ask = (parts: readonly (readonly [string, unknown])[]) =>
      new URLSearchParams(
        parts.filter(([, value]) => value !== undefined).map(([key, value]): [string, string] => [key, String(value)]),
      ).toString()
    const basic = [
      ['family', name?.['family']],
      ['birthdate', born],
    ] as const
    const year = [
      ['birthdate', `ge${born.slice(0, 4)}-01-01`],
      ['birthdate', `le${born.slice(0, 4)}-12-31`],
    ] as const
    yield ask(basic)
    yield ask([...basic, ...given.map((one) => ['given', one] as const)])
    yield ask([...basic, ['given', given.at(-1)], ['given', given[0]]])
    yield ask([...basic, ['gender', patient['gender']], ['address-postalcode', home?.['postalCode']]])
    const wide = String(name?.['family']).slice(0, 2)
    if (/^[A-Za-z]{2}$/.test(wide)) yield ask([['family', `${wide}*`], ...year, ['gender', patient['gender']]])
    yield ask([['family', name?.['family']], ...year, ['given', `${String(given[0]).slice(0, 3)}*`]])
    if (formerName)
      yield ask([
        ['family', formerName['family']],
        ['birthdate', born],
        ['_history', 'true'],
      ])
    if (formerHome)
      for (const flag of ['true', 'false'])
        yield ask([
          ...basic,
          ['address-postalcode', `${String(formerHome['postalCode']).slice(0, 6)}*`],
          ['_history', flag],
        ])
    const [practice] = items(patient['generalPractitioner'])
    if (practice) yield ask([...basic, ['general-practitioner', (practice['identifier'] as { value?: string }).value]])
    for (const telecom of items(patient['telecom']))
      yield ask([...basic, [String(telecom['system']), telecom['value']]])
    if (patient['deceasedDateTime'] !== undefined)
      yield ask([...basic, ['death-date', String(patient['deceasedDateTime']).slice(0, 10)]])
  }
}
