import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import { exampleAnswers, exampleId, now } from '../testing/example-answers.ts'
import { stu3Request } from '../testing/stu3-requests.ts'
import { readLimit } from './resources.ts'
import { requiredIncludes } from './search.ts'

type Json = Record<string, unknown>

const includes = requiredIncludes.map(([name, value]) => `${name}=${value}`).join('&')

function search(query = '', options: { patient?: string; interaction?: string; accept?: string } = {}) {
  const { patient = exampleId(people.everySection) } = options
  return stu3Request({
    now,
    base: 'documents',
    interaction: options.interaction ?? 'documents:fhir:rest:search:documentreference-1',
    target: `/Patient/${patient}/DocumentReference?${query === '' ? includes : query}`,
    ...(options.accept === undefined ? {} : { accept: options.accept }),
  })
}

function read(id: string, options: { interaction?: string; scope?: string } = {}) {
  return stu3Request({
    now,
    base: 'documents',
    interaction: options.interaction ?? 'documents:fhir:rest:read:binary-1',
    target: `/Binary/${id}`,
    ...(options.scope === undefined ? {} : { scope: options.scope }),
  })
}

const resourcesOf = (body: string): Json[] =>
  ((JSON.parse(body)['entry'] ?? []) as { resource: Json }[]).map(({ resource }) => resource)
const documentsIn = (body: string): Json[] =>
  resourcesOf(body).filter(({ resourceType }) => resourceType === 'DocumentReference')
const codeOf = (body: string): unknown => JSON.parse(body).issue?.[0]?.details?.coding?.[0]?.code
const ids = (body: string): unknown[] => documentsIn(body).map(({ id }) => id)

describe('documents of a patient (§11)', () => {
  it('are found with everything that they refer to, and nothing that does not fit the profile', async () => {
    const { status, body } = await exampleAnswers()(search())
    assert.equal(status, 200)
    const bundle = JSON.parse(body)
    assert.equal(bundle.type, 'searchset')
    assert.deepEqual(ids(body), ['doc-1', 'doc-2', 'doc-3'])
    assert.deepEqual(stu3.check(bundle), [])
    const resources = resourcesOf(body)
    const held = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
    for (const document of documentsIn(body))
      for (const { reference } of [document['subject'], document['custodian'], ...(document['author'] as [])] as {
        reference: string
      }[])
        assert.ok(held.has(reference), reference)
    assert.deepEqual([...held].filter((it) => !it.startsWith('DocumentReference')).sort(), [
      'Organization/A20047',
      'Organization/X26',
      'Patient/p-609',
      'Practitioner/gp-1',
      'PractitionerRole/gp-1-role',
    ])
    for (const entry of bundle.entry) assert.equal(entry.fullUrl, undefined)
  })

  it('say where their content is, or why there is none', async () => {
    const { body } = await exampleAnswers()(search())
    const attachments = documentsIn(body).map(
      ({ content }) => (content as { attachment: Json }[])[0]?.attachment as Json,
    )
    assert.match(
      String(attachments[0]?.['url']),
      /^https:\/\/[^/]*\/A20047\/STU3\/1\/gpconnect\/documents\/Binary\/doc-1$/,
    )
    assert.equal(attachments[0]?.['size'], 87)
    assert.equal(attachments[2]?.['url'], undefined)
    assert.equal(attachments[2]?.['title'], 'The scan did not come with the record from the former practice')
    for (const attachment of attachments) {
      assert.ok(attachment['contentType'])
      assert.equal(typeof attachment['size'], 'number')
      assert.equal(attachment['data'], undefined)
    }
  })

  it('come in XML as well', async () => {
    const { status, body, headers } = await exampleAnswers()(search('', { accept: 'application/fhir+xml' }))
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /^application\/fhir\+xml/)
    assert.equal(stu3.fromXml(body).resourceType, 'Bundle')
  })

  for (const [query, expected] of [
    [`${includes}&created=ge2026-01-01`, ['doc-1', 'doc-3']],
    [`${includes}&created=le2026-01-01`, ['doc-2', 'doc-3']],
    [`${includes}&created=ge2025-01-01&created=le2025-12-31`, ['doc-2', 'doc-3']],
    [`${includes}&created=ge2026-01-01T00:00:00%2B00:00`, ['doc-1', 'doc-3']],
    [`${includes}&author=https://fhir.nhs.uk/Id/ods-organization-code%7CX26`, ['doc-1']],
    [`${includes}&author=https://fhir.nhs.uk/Id/ods-organization-code|A20047`, ['doc-2', 'doc-3']],
    [`${includes}&description=ASTHMA`, ['doc-1']],
    [`${includes}&description=travel+insurance&_count=1&foo=bar`, ['doc-2']],
    [includes.replaceAll(':', '%3A'), ['doc-1', 'doc-2', 'doc-3']],
  ] as const)
    it(`are those that fit ${query.replace(includes, '…')}`, async () => {
      const { status, body } = await exampleAnswers()(search(query))
      assert.equal(status, 200)
      assert.deepEqual(ids(body), expected)
    })

  it('are an empty searchset where there are none', async () => {
    const { status, body } = await exampleAnswers()(search('', { patient: exampleId(people.noData) }))
    assert.equal(status, 200)
    assert.equal(JSON.parse(body).entry, undefined)
    assert.equal(JSON.parse(body).total, 0)
  })

  for (const [query, words] of [
    ...requiredIncludes.map(([name, value]) => [includes.replace(`${name}=${value}`, 'foo=bar'), value] as const),
    [`${includes}&created=2026-01-01`, 'created'],
    [`${includes}&created=gt2026-01-01`, 'created'],
    [`${includes}&created=ge2026`, 'created'],
    [`${includes}&created=ge2026-02-30`, 'created'],
    [`${includes}&created=ge2026-01-01&created=ge2026-01-02`, 'created'],
    [`${includes}&created=ge2026-01-02&created=le2026-01-01`, 'created'],
    [`${includes}&author=X26`, 'author'],
    [`${includes}&author=https://fhir.nhs.uk/Id/ods-site-code|X26`, 'author'],
    [`${includes}&author=https://fhir.nhs.uk/Id/ods-organization-code|`, 'author'],
    [`${includes}&description=`, 'description'],
  ] as const)
    it(`are not looked for with ${query.replace(includes, '…').slice(0, 60)}: ${words}`, async () => {
      const { status, body } = await exampleAnswers()(search(query))
      assert.equal(status, 422)
      assert.equal(codeOf(body), 'INVALID_PARAMETER')
      assert.match(JSON.parse(body).issue[0].diagnostics, new RegExp(words))
    })

  for (const [who, status, code] of [
    [people.sensitive, 404, 'PATIENT_NOT_FOUND'],
    [people.inactive, 404, 'PATIENT_NOT_FOUND'],
    [people.notVerified, 404, 'PATIENT_NOT_FOUND'],
    [people.deceasedRecently, 404, 'PATIENT_NOT_FOUND'],
    [people.dissent, 403, 'NO_PATIENT_CONSENT'],
    ['0000000000', 404, 'PATIENT_NOT_FOUND'],
  ] as const)
    it(`are refused with ${code} for ${who}`, async () => {
      const answered = await exampleAnswers()(search('', { patient: exampleId(who) }))
      assert.equal(answered.status, status)
      assert.equal(codeOf(answered.body), code)
    })

  it('are refused where the capability is switched off, with the code as 1.5 writes it', async () => {
    const services = (await servicesWithoutDocuments()) as never
    const answered = await exampleAnswers({ services })(search())
    assert.equal(answered.status, 403)
    assert.equal(codeOf(answered.body), 'ACCESS DENIED')
  })
})

async function servicesWithoutDocuments() {
  return [
    {
      base: 'documents',
      asid: '200000100013',
      serviceRoot: '/A20047/STU3/1/gpconnect/documents',
      specificationVersion: '1.6.2',
      on: [],
    },
  ]
}

describe('the content of a document (§11)', () => {
  it('is a Binary with its version', async () => {
    const { status, body, headers } = await exampleAnswers()(read('doc-1'))
    assert.equal(status, 200)
    const binary = JSON.parse(body)
    assert.deepEqual(stu3.check(binary), [])
    assert.equal(binary.contentType, 'text/plain')
    assert.match(Buffer.from(binary.content, 'base64').toString(), /^Dear Dr Mockingham/)
    assert.equal(headers['etag'], `W/"${binary.meta.versionId}"`)
  })

  for (const [what, id] of [
    ['an unknown document', 'doc-9'],
    ['a placeholder', 'doc-3'],
  ] as const)
    it(`is not there for ${what}`, async () => {
      const { status, body } = await exampleAnswers()(read(id))
      assert.equal(status, 404)
      assert.equal(codeOf(body), 'NO_RECORD_FOUND')
    })

  it('is handed over up to 5 MB, and by a migration beyond', async () => {
    const [practice] = (await import('../sandbox/worked-example.ts')).workedExample({
      asid: '200000100001',
      today: '2026-11-20',
    }).practices
    const [patient] = practice?.patients ?? []
    const large = (size: number, confidential = false) => ({
      patients: [
        {
          ...patient,
          // They name documents that are replaced here.
          encounters: [],
          problems: [],
          documents: [
            {
              id: 'large',
              type: { text: 'Scan' },
              indexed: '2026-01-01T10:00:00+00:00',
              contentType: 'image/tiff',
              content: Buffer.alloc(size, 1).toString('base64'),
              confidential,
            },
          ],
        },
      ] as never,
    })
    const migrate = { interaction: 'documents:fhir:rest:migrate:binary-1' }
    assert.equal((await exampleAnswers(large(readLimit))(read('large'))).status, 200)
    const refused = await exampleAnswers(large(readLimit + 1))(read('large'))
    assert.equal(refused.status, 404)
    assert.equal(codeOf(refused.body), 'NO_RECORD_FOUND')
    assert.equal((await exampleAnswers(large(readLimit + 1))(read('large', migrate))).status, 200)
    // What is confidential is not told from what is not there; a migration needs leave for it.
    assert.equal((await exampleAnswers(large(10, true))(read('large'))).status, 404)
    const normal = await exampleAnswers(large(10, true))(read('large', migrate))
    assert.equal(normal.status, 403)
    assert.equal(codeOf(normal.body), 'NOT_AUTHORISED')
    const scope = 'patient/*.read conf/R'
    assert.equal((await exampleAnswers(large(10, true))(read('large', { ...migrate, scope }))).status, 200)
  })

  it('is refused when the interaction is that of another request', async () => {
    const { status, body } = await exampleAnswers()(
      read('doc-1', { interaction: 'documents:fhir:rest:search:documentreference-1' }),
    )
    assert.equal(status, 400)
    assert.equal(codeOf(body), 'BAD_REQUEST')
  })
})
