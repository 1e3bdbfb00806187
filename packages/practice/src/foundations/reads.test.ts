import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TracedPerson } from '../demographics.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { exampleAnswers, exampleId, now } from '../testing/example-answers.ts'
import { matchesOf, refusalOf, resourceOf } from '../testing/stu3-outcomes.ts'
import { stu3Request } from '../testing/stu3-requests.ts'

type Options = Partial<Parameters<typeof stu3Request>[0]>

const organisationScope = 'organization/*.read'
const scopeOf = (type: string) => (type === 'Patient' ? 'patient/*.read' : organisationScope)

const readRequest = (type: string, id: string, options: Options = {}) =>
  stu3Request({
    now,
    interaction: `fhir:rest:read:${type.toLowerCase()}-1`,
    target: `/${type}/${id}`,
    scope: scopeOf(type),
    ...options,
  })

const searchRequest = (type: string, query: string, options: Options = {}) =>
  stu3Request({
    now,
    interaction: `fhir:rest:search:${type.toLowerCase()}-1`,
    target: `/${type}${query}`,
    scope: scopeOf(type),
    ...options,
  })

const nhs = (number: string) => `?identifier=https://fhir.nhs.uk/Id/nhs-number%7C${number}`
const idsOf = async (request: ReturnType<typeof stu3Request>, answers = exampleAnswers()) =>
  matchesOf(await answers(request)).map(({ id }) => id)

describe('reads of Foundations (§8.2)', () => {
  const there = [
    ['Patient', exampleId(people.everySection), '2'],
    ['Practitioner', 'gp-1', '3'],
    ['Organization', 'A20047', '3'],
    ['Organization', 'Z9X', '3'],
    ['Location', 'site-2', '3'],
    ['HealthcareService', 'service-1', '3'],
  ] as const

  for (const [type, id, version] of there)
    it(`answer ${type}/${id} with its version as ETag, in JSON and XML`, async () => {
      for (const accept of ['application/fhir+json', 'application/fhir+xml']) {
        const answered = await exampleAnswers()(readRequest(type, id, { accept }))
        assert.equal(answered.status, 200, answered.body)
        assert.equal(answered.headers['content-type'], `${accept};charset=utf-8`)
        assert.equal(answered.headers['etag'], `W/"${version}"`)
        const resource = resourceOf(answered)
        assert.deepEqual([resource.resourceType, resource.id, resource.meta?.versionId], [type, id, version])
        assert.equal(resource.meta?.profile?.length, 1)
      }
    })

  it('answer the current version by its number, and no other', async () => {
    const id = exampleId(people.everySection)
    assert.equal((await exampleAnswers()(readRequest('Patient', `${id}/_history/2`))).status, 200)
    assert.equal(
      refusalOf(await exampleAnswers()(readRequest('Patient', `${id}/_history/1`))),
      '404 PATIENT_NOT_FOUND (not-found)',
    )
    assert.equal(
      refusalOf(await exampleAnswers()(readRequest('Location', 'site-1/_history/9'))),
      '404 NO_RECORD_FOUND (not-found)',
    )
  })

  const codes = {
    Patient: 'PATIENT_NOT_FOUND',
    Practitioner: 'PRACTITIONER_NOT_FOUND',
    Organization: 'ORGANISATION_NOT_FOUND',
    Location: 'NO_RECORD_FOUND',
    HealthcareService: 'NO_RECORD_FOUND',
  }
  for (const [type, code] of Object.entries(codes))
    it(`say ${code} of a ${type} that is not there, and 400 where the id is empty`, async () => {
      for (const id of ['z.as.dd', '40-95-3', '4'.repeat(61), 'GP-1', 'a20047', '%00', '..'])
        assert.equal(refusalOf(await exampleAnswers()(readRequest(type, id))), `404 ${code} (not-found)`, id)
      assert.equal(refusalOf(await exampleAnswers()(readRequest(type, ''))), '400 BAD_REQUEST (invalid)')
    })

  it('take no operation for an id', async () => {
    const answered = await exampleAnswers()(readRequest('Patient', '$gpc.registerpatien'))
    assert.equal(refusalOf(answered), '404 NO_RECORD_FOUND (not-found)')
  })

  it('have HealthcareService from 1.2.8 on', async () => {
    const { practice } = (await exampleAnswers()(readRequest('Location', 'site-1'))).sheet.practice ?? {}
    assert.ok(practice)
    const services = practice.services.map((service) => ({ ...service, specificationVersion: '1.2.7' }))
    const answers = exampleAnswers({ services })
    assert.equal(
      refusalOf(await answers(readRequest('HealthcareService', 'service-1'))),
      '404 NO_RECORD_FOUND (not-found)',
    )
    assert.equal((await answers(readRequest('Location', 'site-1'))).status, 200)
  })

  it('are refused where Foundations is switched off', async () => {
    const { practice } = (await exampleAnswers()(readRequest('Location', 'site-1'))).sheet.practice ?? {}
    const services = practice?.services.map((service) => ({ ...service, on: [] })) ?? []
    const answers = exampleAnswers({ services })
    assert.equal(refusalOf(await answers(readRequest('Location', 'site-1'))), '403 ACCESS_DENIED (forbidden)')
    assert.equal(
      refusalOf(await answers(searchRequest('Patient', nhs(people.noData)))),
      '403 ACCESS_DENIED (forbidden)',
    )
    const documents = searchRequest('Patient', nhs(people.noData), {
      base: 'documents',
      interaction: 'documents:fhir:rest:search:patient-1',
    })
    // From 1.5 on the code has a space (§5.2).
    assert.equal(refusalOf(await answers(documents)), '403 ACCESS DENIED (forbidden)')
  })
})

describe('searches of Foundations (§4.3, §8.2)', () => {
  it('find by the one system of each resource', async () => {
    assert.deepEqual(await idsOf(searchRequest('Patient', nhs(people.everySection))), [exampleId(people.everySection)])
    const user = (value: string) => `?identifier=https%3A%2F%2Ffhir.nhs.uk%2FId%2Fsds-user-id|${value}`
    assert.deepEqual(await idsOf(searchRequest('Practitioner', user('555000000102'))), ['gp-2'])
    assert.deepEqual(await idsOf(searchRequest('Practitioner', user('555000000109'))), [])
    const ods = (value: string) => `?identifier=https://fhir.nhs.uk/Id/ods-organization-code%7C${value}`
    assert.deepEqual(await idsOf(searchRequest('Organization', ods('A20047'))), ['A20047'])
    assert.deepEqual(await idsOf(searchRequest('Organization', ods('Z9X'))), ['Z9X'])
    assert.deepEqual(await idsOf(searchRequest('Organization', ods('Q99'))), [])
    const dos = (value: string) => `?identifier=https://fhir.nhs.uk/Id/uec-dos-service-id|${value}`
    assert.deepEqual(await idsOf(searchRequest('HealthcareService', dos('2000099902'))), ['service-2'])
    assert.deepEqual(await idsOf(searchRequest('HealthcareService', dos('zzzzzz'))), [])
    assert.deepEqual(await idsOf(searchRequest('HealthcareService', '')), ['service-1', 'service-2'])
  })

  it('answer in XML too, with _format before or after the identifier, and pass over what they do not know', async () => {
    const identifier = nhs(people.everySection).slice(1)
    for (const query of [
      `?_format=application/fhir+xml&${identifier}`,
      `?${identifier}&_format=application%2Ffhir%2Bxml&_count=1&foo=bar&_sort=family`,
    ]) {
      const answered = await exampleAnswers()(searchRequest('Patient', query))
      assert.equal(answered.headers['content-type'], 'application/fhir+xml;charset=utf-8')
      assert.equal(matchesOf(answered).length, 1)
    }
  })

  it('find patients on the documents base under its own interaction', async () => {
    const options = { base: 'documents', interaction: 'documents:fhir:rest:search:patient-1' } as const
    assert.deepEqual(await idsOf(searchRequest('Patient', nhs(people.noData), options)), [exampleId(people.noData)])
    const other = searchRequest('Patient', nhs(people.noData), { base: 'documents' })
    assert.equal(refusalOf(await exampleAnswers()(other)), '400 BAD_REQUEST (invalid)')
  })

  const system = { Patient: 'nhs-number', Practitioner: 'sds-user-id', Organization: 'ods-organization-code' } as const
  for (const [type, name] of Object.entries(system)) {
    const right = `identifier=https://fhir.nhs.uk/Id/${name}%7C${type === 'Patient' ? people.noData : 'A20047'}`
    const rows: readonly [string, string, string, string][] = [
      ['', 'identifier given', '400 BAD_REQUEST (invalid)', 'none'],
      [`?${right.replace('identifier', 'Identifier')}`, 'identifier given', '400 BAD_REQUEST (invalid)', 'wrong case'],
      [`?${right}&${right}`, 'identifier given', '400 BAD_REQUEST (invalid)', 'given twice'],
      ['?identifier=9990100055', 'identifier form', '422 INVALID_PARAMETER (invalid)', 'no bar'],
      ['?identifier=', 'identifier form', '422 INVALID_PARAMETER (invalid)', 'empty'],
      ['?identifier=%7C9990100055', 'identifier form', '422 INVALID_PARAMETER (invalid)', 'no system'],
      [`?${right.slice(0, right.indexOf('%7C'))}|`, 'identifier form', '422 INVALID_PARAMETER (invalid)', 'no value'],
      [`?${right}%7C1`, 'identifier form', '422 INVALID_PARAMETER (invalid)', 'two bars'],
      ['?identifier=urn:x%7C1', 'identifier system', '400 INVALID_IDENTIFIER_SYSTEM (value)', 'unknown system'],
      [
        '?identifier=https://fhir.nhs.uk/Id/ods-site-code%7CA20047',
        'identifier system',
        '400 INVALID_IDENTIFIER_SYSTEM (value)',
        'system of something else',
      ],
    ]
    for (const [query, check, refusal, what] of rows)
      it(`refuse a search for ${type}: ${what}`, async () => {
        const answered = await exampleAnswers()(searchRequest(type, query))
        assert.equal(answered.failed?.check, check)
        assert.equal(refusalOf(answered), refusal)
      })
  }

  for (const number of ['9990100056', '999010005', '99901000551', 'abcdefghij', '999 010 0055'])
    it(`refuse the NHS number ${number}`, async () => {
      const answered = await exampleAnswers()(searchRequest('Patient', nhs(encodeURIComponent(number))))
      assert.equal(answered.failed?.check, 'identifier is an NHS number')
      assert.equal(refusalOf(answered), '400 INVALID_NHS_NUMBER (value)')
    })
})

describe('which patients are found (§8.2)', () => {
  const foundBoth = async (nhsNumber: string, answers = exampleAnswers()) => {
    const found = await idsOf(searchRequest('Patient', nhs(nhsNumber)), answers)
    const { status } = await answers(readRequest('Patient', exampleId(nhsNumber)))
    assert.equal(status, found.length === 1 ? 200 : 404)
    return found.length === 1
  }

  it('those who dissent from sharing are, those who are inactive, sensitive or dead are not', async () => {
    for (const who of [people.everySection, people.dissent, people.organisationDissent, people.inTransit])
      assert.equal(await foundBoth(who), true, who)
    for (const who of [people.inactive, people.sensitive, people.deceasedRecently, people.deceasedLongAgo])
      assert.equal(await foundBoth(who), false, who)
    assert.equal(await foundBoth('9990100144'), false)
  })

  const lena: TracedPerson = {
    family: 'Unproven',
    given: ['Lena'],
    birthDate: '2001-02-03',
    deceased: false,
    sensitive: false,
    status: 'current',
  }
  const traced = (changes: Partial<TracedPerson> | undefined) =>
    exampleAnswers({}, { demographics: async () => changes && { ...lena, ...changes } })

  it('a number that was never verified is traced first', async () => {
    assert.equal(await foundBoth(people.notVerified), false, 'nobody to ask')
    assert.equal(await foundBoth(people.notVerified, traced(undefined)), false)
    for (const changes of [
      { birthDate: '2002-03-03' },
      { birthDate: '2001-02-04', family: 'Other' },
      { birthDate: '2001-02-04', given: ['Mona'] },
      { deceased: true },
      { sensitive: true },
      { status: 'superseded' as const },
      { status: 'invalidated' as const },
    ])
      assert.equal(await foundBoth(people.notVerified, traced(changes)), false, JSON.stringify(changes))
    for (const changes of [
      {},
      { birthDate: '2001-02-04' },
      { birthDate: '2001-12-03', family: 'UNP' },
      { family: 'Else', given: [] },
    ])
      assert.equal(await foundBoth(people.notVerified, traced(changes)), true, JSON.stringify(changes))
  })

  it('once traced, the record says so and is not traced again', async () => {
    let asked = 0
    const answers = exampleAnswers(
      {},
      {
        async demographics() {
          asked += 1
          return lena
        },
      },
    )
    for (let i = 0; i < 2; i++) {
      const [patient] = matchesOf(await answers(searchRequest('Patient', nhs(people.notVerified))))
      assert.match(JSON.stringify(patient?.['identifier']), /"code":"01","display":"Number present and verified"/)
      assert.equal(patient?.meta?.versionId, '3')
    }
    assert.equal(asked, 1)
  })

  it('of many searches that verify one number at once, each finds the patient', async () => {
    const answers = traced({})
    const all = await Promise.all(
      Array.from({ length: 8 }, () => idsOf(searchRequest('Patient', nhs(people.notVerified)), answers)),
    )
    assert.deepEqual(new Set(all.flat()), new Set([exampleId(people.notVerified)]))
    assert.equal(all.flat().length, 8)
  })
})
