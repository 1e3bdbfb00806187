/** §7.7 and §7.8: the bundle around a section, and the Conformance statement. */
import assert from 'node:assert/strict'
import { workedExamplePatients as people } from '@openspine/practice'
import type { AnyResource } from '@openspine/standards/fhir'
import type { Answered } from '../ask.ts'
import { careRecord, metadataOf0x, who } from '../requests.ts'
import { type Area, firstOf, ofType, type Scenario } from '../scenario.ts'

interface Entry {
  readonly fullUrl?: string
  readonly resource: AnyResource
}
const entriesOf = ({ resource }: Answered) => resource['entry'] as readonly Entry[]
const referenceIn = (value: unknown): string => String((value as { reference?: string } | undefined)?.reference)
const firstIn = <Item>(value: unknown): Item => (value as readonly Item[])[0] as Item

/** What a reference leads to, by the fullUrl that it names. */
function resolved(answered: Answered, reference: string): AnyResource {
  const entry = entriesOf(answered).find(({ fullUrl }) => fullUrl === reference)
  assert.ok(entry, `${reference} leads nowhere`)
  return entry.resource
}

function isWholeBundle(answered: Answered): void {
  const { resource } = answered
  assert.deepEqual([resource.resourceType, resource['type']], ['Bundle', 'searchset'])
  assert.equal(ofType(answered, 'Composition').length, 1)
  const [first, ...others] = entriesOf(answered)
  const composition = first?.resource ?? { resourceType: '' }
  assert.equal(composition.resourceType, 'Composition')
  assert.deepEqual([composition['title'], composition['status']], ['Patient Care Record', 'final'])
  const snomed = (code: string, display: string) => ({
    coding: [{ system: 'http://snomed.info/sct', code, display }],
    text: display,
  })
  assert.deepEqual(composition['type'], snomed('425173008', 'record extract (record artifact)'))
  assert.deepEqual(composition['class'], snomed('700232004', 'general medical service (qualifier value)'))
  assert.equal(resolved(answered, referenceIn(composition['subject'])).resourceType, 'Patient')
  assert.equal(resolved(answered, referenceIn(firstIn(composition['author']))).resourceType, 'Device')
  assert.equal(resolved(answered, referenceIn(composition['custodian'])).resourceType, 'Organization')
  for (const { fullUrl, resource: one } of others) {
    assert.equal(fullUrl, `${one.resourceType}/${one.id}`)
    assert.ok(one.meta?.versionId)
    assert.deepEqual(one.meta.profile, [
      `http://fhir.nhs.net/StructureDefinition/gpconnect-${one.resourceType.toLowerCase()}-1`,
    ])
  }
}

function isWholePatient(answered: Answered, number: string): void {
  const patient = firstOf(answered, 'Patient')
  assert.deepEqual(patient['identifier'], [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: number }])
  const name = firstIn<{ family: unknown; given: unknown }>(patient['name'])
  assert.ok(Array.isArray(name.family) && Array.isArray(name.given))
  resolved(answered, referenceIn(firstIn(patient['careProvider'])))
  assert.equal(resolved(answered, referenceIn(patient['managingOrganization'])).resourceType, 'Organization')
}

const bundles: readonly Scenario[] = (
  [
    ['SUM', who],
    ['ENC', who],
    ['MED', people.inTransit],
    ['ALL', people.deceasedRecently],
  ] as const
).map(([section, patient]) => ({
  ...careRecord(section, patient),
  shows: [
    '7.7-bundle',
    '7.7-composition',
    '7.7-references',
    '7.7-patient',
    '7.7-practitioner',
    '7.7-device',
    '7.7-profiles',
    '4.1-full-url',
  ],
  name: `the bundle of ${section} of ${patient}`,
  status: 200,
  holds(answered) {
    isWholeBundle(answered)
    isWholePatient(answered, patient)
    for (const practitioner of ofType(answered, 'Practitioner')) {
      const { family } = practitioner['name'] as { family?: readonly string[] }
      assert.ok((family ?? []).length <= 1)
      const ids = (practitioner['identifier'] ?? []) as { system: string }[]
      assert.deepEqual(
        ids.map(({ system }) => system),
        ['http://fhir.nhs.net/sds-user-id'],
      )
    }
    const device = firstOf(answered, 'Device')
    assert.deepEqual((device['type'] as { coding: unknown }).coding, [
      {
        system: 'http://snomed.info/sct',
        code: '462240000',
        display: 'Patient health record information system (physical object)',
      },
    ])
    assert.ok(device['model'] && device['version'] && firstIn<{ value?: string }>(device['identifier']).value)
  },
}))

export const htmlBundle: Area = {
  scenarios: [
    ...bundles,
    {
      ...metadataOf0x,
      shows: ['7.8-statement', '7.8-formats', '7.8-operation'],
      name: 'the conformance statement of 0.x',
      status: 200,
      holds({ resource }) {
        assert.equal(resource.resourceType, 'Conformance')
        assert.deepEqual(
          ['version', 'name', 'kind', 'fhirVersion', 'acceptUnknown'].map((name) => resource[name]),
          ['0.7.4', 'GP Connect', 'capability', '1.0.2', 'both'],
        )
        const software = resource['software'] as Record<string, unknown>
        assert.ok(software['name'] && software['version'] && software['releaseDate'])
        assert.ok(resource['publisher'] && resource['date'])
        assert.deepEqual(resource['format'], ['application/xml+fhir', 'application/json+fhir'])
        assert.deepEqual(
          resource['profile'],
          [
            'patient',
            'operationoutcome',
            'practitioner',
            'organization',
            'searchset-bundle',
            'carerecord-composition',
          ].map((name) => ({ reference: `http://fhir.nhs.net/StructureDefinition/gpconnect-${name}-1` })),
        )
        const [rest] = resource['rest'] as { mode: string; operation: unknown }[]
        assert.equal(rest?.mode, 'server')
        assert.deepEqual(rest?.operation, [
          { name: 'gpc.getcarerecord', definition: { reference: 'OperationDefinition/gpc.getcarerecord' } },
        ])
      },
    },
  ],
  stories: [],
}
