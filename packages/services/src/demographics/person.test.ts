import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysOf, readPerson } from './keys.ts'
import { extensionUrl, items, type Json, personRecord, storedPerson } from './person.ts'
import { workedPeople } from './worked-people.ts'

const worked = (nhsNumber: string) => {
  const record = workedPeople().find((person) => person.nhsNumber === nhsNumber)
  assert.ok(record)
  return record
}
const documentOf = (patient: Json, nhsNumber = '9990548609') =>
  JSON.parse(storedPerson({ nhsNumber, patient }).document) as Json

test('members stand in one order, and version, sensitivity and number are told', () => {
  const document = JSON.parse(storedPerson(worked('9990548609')).document) as Json
  assert.deepEqual(Object.keys(document), [
    'resourceType',
    'id',
    'meta',
    'identifier',
    'name',
    'gender',
    'birthDate',
    'multipleBirthInteger',
    'address',
    'telecom',
    'contact',
    'generalPractitioner',
  ])
  assert.equal(document['id'], '9990548609')
  assert.deepEqual(document['meta'], {
    versionId: '2',
    security: [
      { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'U', display: 'unrestricted' },
    ],
  })
  assert.equal(items(document['identifier'])[0]?.['value'], '9990548609')
})

test('snippets without an id are given one, the same at every load; others keep theirs', () => {
  const patient = { name: [{ family: 'A' }, { id: '8A01', family: 'B' }], address: [{ line: ['x'] }] }
  const first = documentOf(patient)
  assert.deepEqual(documentOf(patient), first)
  const ids = [...items(first['name']), ...items(first['address'])].map(({ id }) => String(id))
  assert.equal(ids[1], '8A01')
  for (const id of ids) assert.match(id, /^[0-9A-Z]+$/)
  assert.equal(new Set(ids).size, ids.length)
})

test('empty lists are left out, death gets its time, extensions their order and present URL', () => {
  const document = documentOf({
    name: [],
    extension: [
      { url: extensionUrl.birthPlace },
      { url: 'https://fhir.nhs.uk/R4/StructureDefinition/Extension-UKCore-NHSCommunication' },
      { url: extensionUrl.nominatedPharmacy },
    ],
    deceasedDateTime: '2019-11-02',
  })
  assert.ok(!('name' in document))
  assert.equal(document['deceasedDateTime'], '2019-11-02T00:00:00+00:00')
  assert.deepEqual(
    items(document['extension']).map(({ url }) => url),
    [extensionUrl.nominatedPharmacy, extensionUrl.communication, extensionUrl.birthPlace],
  )
})

test('what is no person is refused with the reason', () => {
  for (const wrong of [
    { nhsNumber: '123', patient: {} },
    { nhsNumber: '9990548609', version: 0, patient: {} },
    { nhsNumber: '9990548609', status: 'superseded' as const, patient: {} },
    { nhsNumber: '9990548609', supersededBy: '9990548617', patient: {} },
    { nhsNumber: '9990548609', patient: [] as unknown as Json },
  ])
    assert.throws(() => storedPerson(wrong), { code: 'DEMOGRAPHICS_PERSON_INVALID' })
})

test('the record comes back as it was loaded', () => {
  for (const record of workedPeople()) {
    const again = personRecord(storedPerson(record))
    assert.equal(again.nhsNumber, record.nhsNumber)
    assert.equal(again.status, record.status ?? 'current')
    assert.deepEqual(again.history, record.history)
    assert.deepEqual(again.hidden, record.hidden)
    assert.deepEqual(storedPerson(again), storedPerson(record))
  }
})

test('keys: none for who cannot be found, none of a place for the restricted, none of hidden snippets', () => {
  const keys = (nhsNumber: string) => keysOf(storedPerson(worked(nhsNumber)))
  for (const gone of ['9990548846', '9990548854', '9990548889', '9990548676']) assert.equal(keys(gone), undefined)
  const restricted = keys('9990548838')
  assert.ok(restricted)
  assert.deepEqual([restricted.addresses, restricted.telecoms, restricted.gp], [[], [], null])
  const past = JSON.stringify(keys('9990548811'))
  assert.ok(past.includes('BLOGGSON') && !past.includes('CONCEALED') && !past.includes('ZZ990HH'))
})

test('a given name without a letter leaves no gap', () => {
  const { subject } = readPerson(
    storedPerson({
      nhsNumber: '9990548609',
      patient: { name: [{ use: 'usual', family: 'X', given: ['-', 'Ann'] }], birthDate: '2000-01-01' },
    }),
  )
  assert.deepEqual(subject.names[0]?.foldedGiven, ['ANN'])
  assert.deepEqual(subject.names[0]?.given, ['Ann'])
})
