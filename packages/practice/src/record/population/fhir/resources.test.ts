/** How resources reach the readers: bundles of every type, lists, and references of each kind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { first, readInto } from '../../../testing/populations.ts'
import type { PopulationSource } from '../population.ts'

type Json = Record<string, unknown>

const file = (content: Json | string, name = 'bundle.json'): PopulationSource => ({
  name,
  text: () => [typeof content === 'string' ? content : JSON.stringify(content)],
})
const read = (...files: readonly PopulationSource[]) => readInto(files)
const patient: Json = {
  resourceType: 'Patient',
  id: 'p1',
  identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' }],
  name: [{ family: 'Testcase' }],
  birthDate: '1980-02-29',
}

test('a transaction with conditional references, and a list of resources', async () => {
  const system = 'https://fhir.nhs.uk/Id/sds-user-id'
  const doctor = {
    resourceType: 'Practitioner',
    id: 'd',
    identifier: [{ system, value: 'S1' }],
    name: [{ family: 'A' }],
  }
  const allergy = {
    resourceType: 'AllergyIntolerance',
    patient: { reference: 'urn:uuid:6a1' },
    recorder: { reference: `Practitioner?identifier=${system}|S1` },
    code: { text: 'Pollen' },
  }
  const transaction = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: 'urn:uuid:6a1',
        resource: { ...patient, id: undefined },
        request: { method: 'POST', url: 'Patient' },
      },
      { resource: allergy, request: { method: 'POST', url: 'AllergyIntolerance' } },
      { request: { method: 'DELETE', url: 'Patient/old' } },
    ],
  }
  const { patients, faults, unmapped, leftOut } = await read(
    file(transaction as Json),
    file(JSON.stringify([doctor]), 'staff.json'),
  )
  assert.deepEqual(faults, [])
  assert.equal(first(patients).allergies[0]?.recordedBy, 'd')
  assert.deepEqual(unmapped, { 'Bundle.entry (request alone)': 1 })
  assert.equal(leftOut[0]?.path, 'Bundle.entry[2]')
})

test('a row whose practitioner no source has is used without', async () => {
  const allergy = {
    resourceType: 'AllergyIntolerance',
    patient: { reference: 'Patient/p1' },
    code: { text: 'Pollen' },
  }
  const gp = { ...patient, generalPractitioner: [{ reference: 'Practitioner/gone' }] }
  const { patients, faults, leftOut } = await read(
    file({
      resourceType: 'Bundle',
      entry: [gp, { ...allergy, recorder: { reference: 'Practitioner/gone' } }].map((resource) => ({ resource })),
    }),
  )
  assert.deepEqual(faults, [])
  assert.deepEqual([first(patients).usualGp, first(patients).allergies.length], [undefined, 1])
  assert.deepEqual(
    leftOut.map(({ kind, path }) => [kind, path]),
    [
      ['Patient (link to Practitioner)', 'Bundle.entry[0].resource'],
      ['AllergyIntolerance (link to Practitioner)', 'Bundle.entry[1].resource'],
    ],
  )
})
