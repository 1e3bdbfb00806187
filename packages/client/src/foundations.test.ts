import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBearer } from '@openspine/standards/jwt'
import { compareDemographics, demographicsOf } from './client.ts'
import { nhsNumber, patient, practiceServer, serviceRoot } from './testing/practice.ts'
import { client, httpServer, json, ldapServer, refusal } from './testing/testing.ts'

const at = { nhsNumber, odsCode: 'A20047' }

for (const format of ['json', 'xml'] as const)
  describe(`GP Connect 1.x Foundations in ${format}`, () => {
    it('finds a patient: identifier encoded, STU3 types, a token for this endpoint', async (t) => {
      const practice = await practiceServer(t)
      const found = await client(t, practice.settings)
        .session()
        .findPatient({ ...at, format })
      assert.deepEqual([found.id, found.version, found.comparison], ['p-1', '7', undefined])
      assert.deepEqual(practice.paths(), [`GET /Patient?identifier=https://fhir.nhs.uk/Id/nhs-number%7C${nhsNumber}`])
      const [request] = practice.seen
      assert.equal(request?.headers.accept, `application/fhir+${format}`)
      assert.equal(request?.headers['ssp-interactionid'], 'urn:nhs:names:services:gpconnect:fhir:rest:search:patient-1')
      assert.equal(request?.headers['ssp-to'], '200000100001')
      const token = readBearer(String(request?.headers.authorization))
      assert.ok(token.ok)
      assert.equal(token.claims['aud'], serviceRoot)
      assert.equal(token.claims['requested_scope'], 'patient/*.read')
      assert.ok(!('requested_record' in token.claims))
    })

    it('compares the patient with the traced person, and reads the practice that only a reference names', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, practice.settings).session()
      await session.trace({ nhsNumber })
      const { comparison } = await session.findPatient({ ...at, format })
      assert.deepEqual(comparison, {
        differences: [{ field: 'birthDate', local: '1980-03-01', returned: '1980-02-29' }],
        notCompared: [],
      })
      assert.equal(practice.paths().at(-1), 'GET /Organization/o-1')
    })

    it('registers a patient', async (t) => {
      const practice = await practiceServer(t)
      const registered = await client(t, practice.settings)
        .session()
        .registerPatient({
          odsCode: 'A20047',
          format,
          patient: {
            nhsNumber,
            family: 'Testcase',
            given: ['Arlo'],
            birthDate: '1980-02-29',
            phones: { mobile: '07700900000' },
            email: 'arlo@example.com',
            addresses: [{ use: 'temp', lines: ['1 Invented Street'], postcode: 'ZZ99 3CZ' }],
          },
        })
      assert.equal(registered.id, 'p-9')
      assert.deepEqual(registered.patient['telecom'], [
        { system: 'phone', value: '07700900000', use: 'mobile' },
        { system: 'email', value: 'arlo@example.com' },
      ])
      const token = readBearer(String(practice.seen[0]?.headers.authorization))
      assert.equal(token.ok && token.claims['requested_scope'], 'patient/*.write')
    })

    it('reads what each service can do', async (t) => {
      const practice = await practiceServer(t)
      const session = client(t, practice.settings).session()
      for (const [service, name] of [
        ['foundations', 'fhir:rest:read:metadata-1'],
        ['structured', 'structured:fhir:rest:read:metadata-1'],
        ['documents', 'documents:fhir:rest:read:metadata-1'],
      ] as const) {
        const { version, operations, resources } = await session.capabilities({ odsCode: 'A20047', service, format })
        assert.deepEqual(
          [version, operations, resources],
          ['1.6.2', ['gpc.getstructuredrecord'], { Slot: ['search-type'] }],
        )
        assert.equal(practice.seen.at(-1)?.headers['ssp-interactionid'], `urn:nhs:names:services:gpconnect:${name}`)
      }
    })
  })

describe('a patient that is not as asked', () => {
  it('is not found, or is never handed on when the number is another', async (t) => {
    const practice = await practiceServer(t)
    const session = client(t, practice.settings).session()
    assert.equal((await refusal(session.findPatient({ ...at, nhsNumber: '9990000018' }))).code, 'CLIENT_NOT_FOUND')
    const directory = await ldapServer(t, {
      nhsMhs: { nhsMHSEndPoint: serviceRoot, nhsMHSPartyKey: 'k-1' },
      nhsAS: { uniqueIdentifier: '200000100001' },
    })
    const another = await httpServer(t, (_request, response) =>
      json(
        response,
        200,
        JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: [{ resource: patient }] }),
      ),
    )
    const error = await refusal(
      client(t, { directoryUrl: directory.url, proxyUrl: another.url })
        .session()
        .findPatient({ ...at, nhsNumber: '9990000018' }),
    )
    assert.equal(error.code, 'CLIENT_ANSWER')
    assert.match(error.message, /another patient/)
  })
})

describe('comparing demographics', () => {
  const r4 = {
    name: [
      { use: 'old', family: 'Before' },
      { use: 'usual', family: "O'Neill  Smith", given: ['Ann', 'Bea'] },
    ],
    gender: 'female',
    birthDate: '1990-01-02',
    generalPractitioner: [{ identifier: { value: 'A20047' } }],
    deceasedDateTime: '2026-11-01T10:00:00+00:00',
  }
  const dstu2 = {
    name: [{ use: 'usual', family: ["o'neill smith"], given: ['Ann', 'Bea'] }],
    gender: 'female',
    birthDate: '1990-01-02',
    deceasedDateTime: '2026-11-01',
  }

  it('knows all versions of FHIR, and forgives case, blanks and a time of death', () => {
    assert.deepEqual(compareDemographics(demographicsOf(r4), demographicsOf(dstu2, 'A20047')), {
      differences: [],
      notCompared: [],
    })
  })

  it('reports each field that differs or that one side lacks, and a practice that was not named', () => {
    assert.deepEqual(
      compareDemographics(
        demographicsOf(r4),
        demographicsOf({ name: [{ family: 'Oneill', given: ['Ann'] }], gender: 'other', birthDate: '1990-01-03' }),
      ),
      {
        differences: [
          { field: 'family', local: "O'Neill  Smith", returned: 'Oneill' },
          { field: 'given', local: 'Ann Bea', returned: 'Ann' },
          { field: 'gender', local: 'female', returned: 'other' },
          { field: 'birthDate', local: '1990-01-02', returned: '1990-01-03' },
          { field: 'deceased', local: '2026-11-01' },
        ],
        notCompared: ['practice'],
      },
    )
    assert.deepEqual(compareDemographics({ practice: 'A20047' }, { practice: 'B82617' }).differences, [
      { field: 'practice', local: 'A20047', returned: 'B82617' },
    ])
  })
})
