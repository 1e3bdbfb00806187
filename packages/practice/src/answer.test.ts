import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AnyResource } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { type SectionCode, sectionCodes, sections } from './record/sections.ts'
import { workedExamplePatients as people } from './sandbox/worked-example.ts'
import { exampleAnswers, now } from './testing/example-answers.ts'
import { tablesIn, titlesIn } from './testing/reading.ts'
import { careRecordParameters, careRecordRequest, metadataRequest, type TestRequest } from './testing/requests.ts'

type Json = Record<string, unknown>

interface ReadBundle {
  readonly raw: AnyResource
  readonly entries: readonly { readonly fullUrl?: string; readonly resource: Json }[]
  of(type: string): Json
}

async function ask(change: (request: TestRequest) => void = () => undefined, nhsNumber?: string): Promise<ReadBundle> {
  const request = careRecordRequest({ now, section: 'ENC', ...(nhsNumber === undefined ? {} : { nhsNumber }) })
  change(request)
  const answered = await exampleAnswers()(request)
  assert.equal(answered.status, 200, answered.body)
  const raw = dstu2.read(answered.headers['content-type']?.includes('xml') ? 'xml' : 'json', answered.body)
  const entries = raw['entry'] as ReadBundle['entries']
  return {
    raw,
    entries,
    of(type) {
      const [found, ...others] = entries.filter(({ resource }) => resource['resourceType'] === type)
      assert.ok(found, `no ${type}`)
      assert.equal(others.length, 0, `several ${type}`)
      return found.resource
    },
  }
}

function divOf(bundle: ReadBundle): string {
  const [section] = bundle.of('Composition')['section'] as { text: { div: string } }[]
  return section?.text.div ?? ''
}

/** Every `reference` in a value. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'reference' && typeof inner === 'string' ? [inner] : references(inner),
  )
}

describe('care record bundle', () => {
  it('is a searchset with one Composition first, whose codes are the published ones', async () => {
    const bundle = await ask()
    assert.equal(bundle.raw.resourceType, 'Bundle')
    assert.equal(bundle.raw['type'], 'searchset')
    assert.ok(bundle.raw.id)
    assert.equal(bundle.entries[0]?.resource['resourceType'], 'Composition')
    assert.equal(bundle.entries[0]?.fullUrl, undefined)
    const { section, id, subject, author, custodian, ...composition } = bundle.of('Composition')
    assert.ok(id && section && subject && author && custodian)
    assert.deepEqual(composition, {
      resourceType: 'Composition',
      meta: { profile: ['http://fhir.nhs.net/StructureDefinition/gpconnect-carerecord-composition-1'] },
      date: '2026-11-20T10:00:00+00:00',
      type: {
        coding: [{ system: 'http://snomed.info/sct', code: '425173008', display: 'record extract (record artifact)' }],
        text: 'record extract (record artifact)',
      },
      class: {
        coding: [
          {
            system: 'http://snomed.info/sct',
            code: '700232004',
            display: 'general medical service (qualifier value)',
          },
        ],
        text: 'general medical service (qualifier value)',
      },
      title: 'Patient Care Record',
      status: 'final',
    })
  })

  it('resolves every reference inside itself, under the fullUrl that is the reference', async () => {
    for (const nhsNumber of [people.everySection, people.noData, people.deceasedRecently]) {
      const bundle = await ask(undefined, nhsNumber)
      const held = new Set(bundle.entries.map(({ fullUrl }) => fullUrl))
      const used = references(bundle.raw)
      assert.ok(used.length >= 5)
      for (const reference of used) assert.ok(held.has(reference), reference)
      for (const { fullUrl, resource } of bundle.entries.slice(1))
        assert.equal(fullUrl, `${resource['resourceType']}/${resource['id']}`)
    }
  })

  it('has the resources with their profiles, versions and identifiers', async () => {
    const bundle = await ask()
    const base = 'http://fhir.nhs.net/StructureDefinition/gpconnect-'
    for (const [type, profile, version] of [
      ['Patient', 'patient-1', '2'],
      ['Organization', 'organization-1', '3'],
      ['Practitioner', 'practitioner-1', '3'],
      ['Device', 'device-1', '3'],
    ] as const)
      assert.deepEqual(bundle.of(type)['meta'], { versionId: version, profile: [base + profile] })
    const patient = bundle.of('Patient')
    assert.deepEqual(patient['identifier'], [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548609' }])
    assert.deepEqual(patient['name'], [
      { use: 'official', text: 'Mr Arlo Ben Testcase', family: ['Testcase'], given: ['Arlo', 'Ben'], prefix: ['Mr'] },
    ])
    assert.equal(patient['gender'], 'male')
    assert.equal(patient['birthDate'], '1980-02-29')
    assert.deepEqual(patient['careProvider'], [{ reference: 'Practitioner/gp-1' }])
    assert.deepEqual(patient['managingOrganization'], { reference: 'Organization/A20047' })
    assert.deepEqual(bundle.of('Organization')['identifier'], [
      { system: 'http://fhir.nhs.net/Id/ods-organization-code', value: 'A20047' },
    ])
    const practitioner = bundle.of('Practitioner')
    assert.deepEqual(practitioner['identifier'], [{ system: 'http://fhir.nhs.net/sds-user-id', value: '555000000101' }])
    assert.deepEqual((practitioner['name'] as Json)['family'], ['Mockingham'])
    const device = bundle.of('Device')
    assert.deepEqual((device['type'] as { coding: Json[] }).coding[0], {
      system: 'http://snomed.info/sct',
      code: '462240000',
      display: 'Patient health record information system (physical object)',
    })
    assert.ok(device['model'] && device['version'] && device['identifier'])
  })

  it('has nothing that DSTU2 does not know, and nothing missing, in every section', async () => {
    for (const section of sectionCodes) {
      const bundle = await ask((request) => {
        request.body = JSON.stringify(careRecordParameters(people.everySection, section))
      })
      assert.deepEqual(dstu2.check(bundle.raw), [])
      const [only, ...others] = bundle.of('Composition')['section'] as Json[]
      assert.equal(others.length, 0)
      assert.equal(only?.['title'], sections[section].title)
      assert.deepEqual(only?.['code'], {
        coding: [
          {
            system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1',
            code: section,
            display: sections[section].title,
          },
        ],
        text: sections[section].title,
      })
      assert.equal((only?.['text'] as Json | undefined)?.['status'], 'generated')
      assert.deepEqual(titlesIn(divOf(bundle), 'h1'), [sections[section].title])
    }
  })

  it('is the same in XML, and takes XML, whichever way round', async () => {
    const json = await ask()
    for (const [contentType, accept] of [
      ['application/xml+fhir', 'application/xml+fhir'],
      ['application/xml+fhir', 'application/json+fhir'],
      ['application/json+fhir', 'application/xml+fhir'],
    ] as const) {
      const other = await ask((request) => {
        request.headers['Content-Type'] = contentType
        request.headers['Accept'] = accept
        if (contentType.includes('xml')) request.body = dstu2.toXml(JSON.parse(request.body))
      })
      assert.deepEqual(other.raw, json.raw)
    }
  })

  it('answers in the type of the request where nothing else is said', async () => {
    const request = careRecordRequest({ now })
    Object.assign(request.headers, { 'Content-Type': 'application/xml+fhir', Accept: undefined })
    request.body = dstu2.toXml(JSON.parse(request.body))
    const answered = await exampleAnswers()(request)
    assert.equal(answered.headers['content-type'], 'application/xml+fhir;charset=utf-8')
  })

  it('returns who died within the access period, with the date', async () => {
    const bundle = await ask(undefined, people.deceasedRecently)
    assert.equal(bundle.of('Patient')['deceasedDateTime'], '2026-11-10')
  })

  it('has a care provider even where no usual GP is known', async () => {
    const example = exampleAnswers({
      patients: [{ nhsNumber: people.noData, name: { family: 'Blankpage' }, gender: 'male', birthDate: '2004-10-19' }],
    })
    const answered = await example(careRecordRequest({ now, nhsNumber: people.noData }))
    const patient = (JSON.parse(answered.body) as { entry: { resource: Json }[] }).entry[1]?.resource
    assert.deepEqual(patient?.['careProvider'], [{ reference: 'Organization/A20047' }])
  })

  it('expands partial dates of the period to whole days', async () => {
    const banner = async (period: { start?: string; end?: string }, section: SectionCode = 'ENC') => {
      const bundle = await ask((request) => {
        request.body = JSON.stringify(careRecordParameters(people.everySection, section, period))
      })
      return /<div class="date-banner"><p>(.*?)<\/p>/.exec(divOf(bundle))?.[1]
    }
    assert.equal(await banner({ start: '2014-02', end: '2016-02' }), "For the period '01-Feb-2014' to '29-Feb-2016'")
    assert.equal(await banner({ end: '2016' }), "Data items until '31-Dec-2016'")
    assert.equal(await banner({ start: '2014' }), "Data items from '01-Jan-2014'")
    assert.equal(await banner({ start: '2014-02-03T10:00:00+00:00' }), "Data items from '03-Feb-2014'")
  })

  it('shows exactly two current allergies in the worked example', async () => {
    const bundle = await ask((request) => {
      request.body = JSON.stringify(careRecordParameters(people.everySection, 'ALL'))
    })
    assert.equal(tablesIn(divOf(bundle)).find(({ id }) => id === 'all-tab-curr')?.rows.length, 2)
  })
})

describe('metadata', () => {
  it('is a Conformance in both formats', async () => {
    const answers = exampleAnswers()
    const request = metadataRequest({ now })
    const answered = await answers(request)
    assert.equal(answered.status, 200)
    const statement = dstu2.fromJson(answered.body)
    assert.equal(statement.resourceType, 'Conformance')
    assert.equal(statement['version'], '0.7.4')
    assert.equal(statement['name'], 'GP Connect')
    assert.equal(statement['kind'], 'capability')
    assert.equal(statement['fhirVersion'], '1.0.2')
    assert.equal(statement['acceptUnknown'], 'both')
    assert.deepEqual(statement['format'], ['application/xml+fhir', 'application/json+fhir'])
    assert.deepEqual(
      (statement['profile'] as { reference: string }[]).map(({ reference }) => reference.split('gpconnect-')[1]),
      [
        'patient-1',
        'operationoutcome-1',
        'practitioner-1',
        'organization-1',
        'searchset-bundle-1',
        'carerecord-composition-1',
      ],
    )
    const [rest] = statement['rest'] as Json[]
    assert.equal(rest?.['mode'], 'server')
    assert.deepEqual(rest?.['operation'], [
      { name: 'gpc.getcarerecord', definition: { reference: 'OperationDefinition/gpc.getcarerecord' } },
    ])
    request.headers['Accept'] = 'application/xml+fhir'
    assert.deepEqual(dstu2.fromXml((await answers(request)).body), statement)
  })

  it('has the version that the practice is set to, and no operation that is switched off', async () => {
    const answered = await exampleAnswers({ specificationVersion: '0.7.3', accessRecordHtml: false })(
      metadataRequest({ now }),
    )
    const statement = JSON.parse(answered.body)
    assert.equal(statement.version, '0.7.3')
    assert.deepEqual(statement.rest[0].operation, undefined)
  })
})
