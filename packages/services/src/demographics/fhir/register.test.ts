import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { isNhsNumber } from '@openspine/standards/nhs'
import type { Access } from '../access.ts'
import { outcomes } from '../outcomes.ts'
import type { Json } from '../person.ts'
import { type BirthOptions, birthBundle, newPatient } from '../register/register.test-kit.ts'
import { isOutcome, openPds, type TestPds } from '../testing.ts'

let pds: TestPds
before(async () => {
  pds = await openPds()
})
after(() => pds.close())

const headers = (id: string = randomUUID()) => ({ 'x-request-id': id, 'content-type': 'application/json' })
const post = (value: Json, more: { readonly id?: string; readonly as?: Access } = {}, path = '/Patient') =>
  pds.ask(path, {
    method: 'POST',
    payload: JSON.stringify(value),
    headers: headers(more.id),
    ...(more.as && { as: more.as }),
  })
const birth = (options: BirthOptions, query = '', more: { readonly id?: string; readonly as?: Access } = {}) =>
  post(birthBundle(options), more, `/Patient/$process-birth-details${query}`)
const named = (family: string, more: Json = {}) =>
  newPatient({ name: [{ use: 'usual', given: ['A'], family }], ...more })

describe('POST /Patient', () => {
  test('201 with the new record, as a retrieve shows it from then on', async () => {
    const answer = await post(newPatient({ id: '9990548609' }))
    assert.equal(answer.statusCode, 201)
    assert.equal(answer.headers['content-type'], 'application/fhir+json')
    assert.equal(answer.headers.etag, 'W/"1"')
    const patient = answer.json()
    assert.ok(isNhsNumber(patient.id) && patient.id !== '9990548609')
    assert.deepEqual(Object.keys(patient), [
      'resourceType',
      'id',
      'meta',
      'identifier',
      'name',
      'gender',
      'birthDate',
      'address',
    ])
    assert.equal(patient.meta.versionId, '1')
    assert.equal(patient.identifier[0].value, patient.id)
    // Blank lines are sent and not answered.
    assert.deepEqual(patient.address[0].line, ['31 Sample Street', 'Testham'])
    assert.deepEqual(patient.name[0].prefix, ['Ms'])
    const retrieved = await pds.ask(`/Patient/${patient.id}`)
    assert.deepEqual(retrieved.json(), patient)
    const found = await pds.ask('/Patient?family=ToRemove&birthdate=1984-07-01')
    assert.equal(found.json().entry[0].resource.id, patient.id)
  })

  test('a match is answered 200: one with the number, several without', async () => {
    const first = (await post(named('Once'))).json().id
    isOutcome(await post(named('Once')), outcomes.singleMatch(first))
    const elsewhere = [
      { use: 'home', period: { start: '2020-01-01' }, line: ['2', '', '', 'B'], postalCode: 'ZZ99 4DA' },
    ]
    assert.equal((await post(named('Once', { address: elsewhere }))).statusCode, 201)
    const patient = {
      name: [{ use: 'usual', given: ['A'], family: 'Twice' }],
      gender: 'female',
      birthDate: '1984-07-01',
    }
    const { address } = newPatient()
    await pds.contract.load([
      { nhsNumber: '9990549001', patient: { ...patient, address } },
      { nhsNumber: '9990549028', patient: { ...patient, address } },
    ])
    isOutcome(await post(named('Twice')), outcomes.multipleMatches)
  })

  test('a match is told even where the record would not be taken; without one, its words are those of the register', async () => {
    const incomplete = [
      { use: 'home', period: { start: '2020-01-01' }, line: ['1 Jasmine Court'], postalCode: 'DN19 7UD' },
    ]
    isOutcome(
      await post(named('Lines', { address: incomplete })),
      outcomes.invalidCreate('address lines 1 and 4 or 2 and 4 must be completed as a minimum'),
    )
    await pds.contract.load([
      {
        nhsNumber: '9990549036',
        patient: {
          name: [{ use: 'usual', given: ['A'], family: 'Lines' }],
          gender: 'female',
          birthDate: '1984-07-01',
          address: incomplete,
        },
      },
    ])
    isOutcome(await post(named('Lines', { address: incomplete })), outcomes.singleMatch('9990549036'))
  })

  test('the same X-Request-ID gets its answer again, and another caller does not', async () => {
    const id = randomUUID()
    const first = await post(named('Repeat'), { id })
    const again = await post(named('Repeat'), { id: id.toUpperCase() })
    assert.deepEqual([again.statusCode, again.body, again.headers.etag], [201, first.body, 'W/"1"'])
    const other: Access = { mode: 'user-restricted', user: { id: '999' } }
    isOutcome(await post(named('Repeat'), { id, as: other }), outcomes.singleMatch(first.json().id))
  })

  test('only healthcare workers create', async () => {
    const modes: readonly (readonly [Access, string])[] = [
      [{ mode: 'application-restricted', app: { id: 'a' } }, 'application-restricted'],
      [{ mode: 'privileged-application-restricted', app: { id: 'a' } }, 'privileged-application-restricted'],
      [
        { mode: 'patient', patient: { nhsNumber: '9990548609', level: 'P9', vectorOfTrust: 'P9.Cm' } },
        'patient-access',
      ],
    ]
    for (const [as, words] of modes) {
      isOutcome(await post({}, { as }), outcomes.methodForbidden('create', words))
      isOutcome(await birth({}, '', { as }), outcomes.methodForbidden('create', words))
    }
  })

  test('the audit has the number that was given or found', async () => {
    const id = randomUUID()
    const number = (await post(named('Audited'), { id })).json().id
    const match = randomUUID()
    await post(named('Audited'), { id: match })
    for (const trace of [id, match]) {
      const [record] = await pds.platform.audit.find({ trace, limit: 5 })
      assert.deepEqual([record?.event, record?.facts['shown']], ['pds.create', [number]])
      assert.ok(!JSON.stringify(record).includes('Audited'))
    }
  })
})

describe('POST /Patient/$process-birth-details', () => {
  test('201 with the child, the id of the notification, and the mother among the related people', async () => {
    const answer = await birth({})
    assert.equal(answer.statusCode, 201, answer.body)
    assert.match(String(answer.headers['notification-id']), /^[0-9a-f-]{36}$/)
    assert.equal(answer.headers.etag, 'W/"1"')
    const baby = answer.json()
    assert.equal(baby.multipleBirthInteger, 1)
    assert.deepEqual(baby.extension, [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
        valueAddress: { city: 'Testham', district: 'Mockshire', country: '1' },
      },
    ])
    assert.deepEqual((await pds.ask(`/Patient/${baby.id}`)).json(), baby)
    const [mother] = (await pds.ask(`/Patient/${baby.id}/RelatedPerson`)).json().entry
    assert.equal(mother.resource.patient.identifier.value, '9990548617')
    assert.equal(mother.resource.relationship[0].coding[0].code, 'GESTM')
    isOutcome(await birth({}), outcomes.singleMatch(baby.id))
    isOutcome(await birth({}, '?ignore_potential_matches=true'), outcomes.singleMatch(baby.id))
    isOutcome(await birth({ mother: '9990548633' }), outcomes.singleMatch(baby.id))
    const other = await birth({ mother: '9990548633' }, '?ignore_potential_matches=true')
    assert.equal(other.statusCode, 201)
    isOutcome(await birth({ mother: '9990548811' }), outcomes.multipleMatches)
    isOutcome(
      await birth({}, '?ignore_potential_matches=maybe'),
      outcomes.invalidField('maybe', 'ignore_potential_matches'),
    )
  })

  test('a repeat has the same notification, and the ethnic category is for apps that may see it', async () => {
    const id = randomUUID()
    const as: Access = {
      mode: 'user-restricted',
      user: { id: '1' },
      app: { id: 'a', attributes: { ethnicCategory: true } },
    }
    const options: BirthOptions = { mother: '9990548706', baby: { name: [{ use: 'usual', family: 'Ethnic' }] } }
    const first = await birth(options, '', { id, as })
    const again = await birth(options, '', { id, as })
    assert.equal(first.statusCode, 201, first.body)
    assert.deepEqual([again.body, again.headers['notification-id']], [first.body, first.headers['notification-id']])
    const url = 'https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory'
    const shown = first.json().extension.at(-1)
    assert.deepEqual([shown.url, shown.extension[0].url], [url, url])
    const ordinary = await pds.ask(`/Patient/${first.json().id}`)
    assert.ok(!ordinary.body.includes('EthnicCategory'))
  })
})

test('so many in a second, before the token is looked at', async () => {
  const strict = await openPds({ config: { createsPerSecond: 2 } })
  const create = () => strict.ask('/Patient', { method: 'POST', payload: '{}', headers: headers() })
  const birth = () => strict.ask('/Patient/$process-birth-details', { method: 'POST', as: new Error('not asked') })
  isOutcome(await create(), outcomes.missingField('name'))
  isOutcome(await create(), outcomes.missingField('name'))
  isOutcome(await create(), outcomes.tooManyCreates)
  isOutcome(await birth(), outcomes.tooManyCreates)
  assert.equal((await strict.ask('/Patient/9990548609')).statusCode, 200)
  strict.clock.advance(500)
  isOutcome(await create(), outcomes.missingField('name'))
  isOutcome(await create(), outcomes.tooManyCreates)
  await strict.close()
})

test('where nothing is kept, a new record is answered and not there', async () => {
  const stateless = await openPds({ config: { updates: 'computed' } })
  const create = () =>
    stateless.ask('/Patient', { method: 'POST', payload: JSON.stringify(newPatient()), headers: headers() })
  const first = await create()
  assert.equal(first.statusCode, 201)
  assert.equal((await create()).statusCode, 201)
  isOutcome(await stateless.ask(`/Patient/${first.json().id}`), outcomes.notFound)
  await stateless.close()
})
