import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import { type Asked, bases, type Headers, numbers, query, roleId, sent, startAdjustments } from '../testing.ts'
import { flagResourceChecks } from './resources.ts'

let service: Awaited<ReturnType<typeof startAdjustments>>
before(async () => {
  service = await startAdjustments()
})
after(() => service.close())
beforeEach(async () => {
  await service.platform.store.pool.query(
    'truncate adjustments.item, adjustments.item_version, adjustments.patient, adjustments.request',
  )
})

const fhir = { 'content-type': 'application/fhir+json' }
const england = 'https://fhir.nhs.uk/England/CodeSystem/England-'
const nraf = 'national-reasonable-adjustment-flag'
const fgm = 'female-genital-mutilation-flag'
const cpis = 'child-protection-information-system-flag'
const coded = (system: string, code: string) => ({ coding: [{ system, code }] })
const patientFlag = (code: string) => coded(`${england}FlagCategoryPatient`, code)
const one = numbers.one

const top = (code = nraf, nhsNumber: string = one, notes?: string) => ({
  resourceType: 'Flag',
  ...(notes === undefined
    ? {}
    : {
        extension: [
          {
            url: 'https://fhir.nhs.uk/England/StructureDefinition/Extension-FlagNotes',
            valueAnnotation: { text: notes },
          },
        ],
      }),
  status: 'active',
  code: patientFlag(code),
  subject: { reference: `Patient/${nhsNumber}` },
})
const adjustment = (more: object = {}) => ({
  resourceType: 'Flag',
  status: 'active',
  category: [patientFlag(nraf), coded(`${england}FlagCategoryRA`, 'communication-support')],
  code: coded('https://snomed.info/sct', '1082681000000103'),
  subject: { reference: `Patient/${one}` },
  ...more,
})
const condition = (more: object = {}) => ({
  resourceType: 'Condition',
  clinicalStatus: coded('http://terminology.hl7.org/CodeSystem/condition-clinical', 'active'),
  category: [patientFlag(nraf), coded(`${england}ConditionCategoryRA`, 'issue')],
  code: coded(`${england}ConditionCodeRA`, 'learning'),
  subject: { reference: `Patient/${one}` },
  ...more,
})
const transaction = (...resources: readonly { readonly resourceType: string }[]) => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: resources.map((resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } })),
})

const ask = (asked: Asked) =>
  service.ask({ ...asked, headers: { 'x-request-id': randomUUID(), 'nhsd-session-urid': roleId, ...asked.headers } })
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
const json = (answer: { text: string }): any => JSON.parse(answer.text)
const post = (path: string, body: unknown, headers: Headers = {}) =>
  ask({ method: 'POST', url: `${bases.flags}${path}`, headers: { ...fhir, ...headers }, body })
const read = async (search: string) => json(await ask({ url: `${bases.flags}/Flag?${search}` }))
const remove = (path: string, reason?: string) =>
  ask({ method: 'DELETE', url: `${bases.flags}${path}`, headers: { 'x-removal': reason } })
const problem = (answer: { status: number; text: string }) => [
  answer.status,
  json(answer).issue?.[0].details.coding[0].code,
  json(answer).issue?.[0].diagnostics,
]

test('a record is added as a whole, in whatever order, and read with its details', async () => {
  const snomed = condition({ code: coded('http://snomed.info/sct', '73618009') })
  const answer = await post('', transaction(condition(), top(nraf, one, 'Ring, do not write'), adjustment(), snomed))
  assert.equal(answer.status, 200, answer.text)
  const response = json(answer)
  assert.equal(response.type, 'transaction-response')
  assert.deepEqual(
    response.entry.map(({ response: { status, location } }: { response: { status: string; location: string } }) => [
      status,
      location.split('/')[0],
    ]),
    [
      ['201 Created', 'Condition'],
      ['201 Created', 'Flag'],
      ['201 Created', 'Flag'],
      ['201 Created', 'Condition'],
    ],
  )
  const tops = await read(`patient=${one}`)
  assert.deepEqual([tops.total, tops.entry[0].resource.code.coding[0].code], [1, nraf])
  assert.deepEqual(
    tops.entry[0].resource.extension.map(
      ({ valueAnnotation }: { valueAnnotation: { text: string } }) => valueAnnotation.text,
    ),
    ['Ring, do not write'],
  )
  for (const code of [nraf, 'NRAF', `${england}FlagCategoryPatient|${nraf}`]) {
    const bundle = await read(`patient=${one}&code=${encodeURIComponent(code)}`)
    assert.deepEqual(r4.check(bundle), [])
    const [flag, ...supporting] = bundle.entry.map(({ resource }: { resource: object }) => resource)
    assert.equal(bundle.total, 4)
    const details = flag.extension.flatMap(
      ({ valueReference }: { valueReference?: { reference: string } }) => valueReference?.reference ?? [],
    )
    assert.deepEqual(
      details,
      supporting.map(({ resourceType, id }: { resourceType: string; id: string }) => `${resourceType}/${id}`),
    )
  }
  const [, flag] = (await read(`patient=${one}&code=${nraf}`)).entry
  const { agent, recorded } = flag.resource.contained[0]
  assert.deepEqual([agent[0].who.display, recorded], ['Fairweather Imogen', '2026-11-26T12:00:00+00:00'])
})

test('both dialects show the same records', async () => {
  await post('', transaction(top(), adjustment(), condition()))
  const stu3 = async (path: string, of: 'category' | 'code' = 'category') =>
    json(await ask({ url: `${bases.gateway}${path}?${query(one, of)}` })).entry?.[0].resource
  const consent = await stu3('/Consent')
  assert.deepEqual([consent.status, consent.purpose[0].code], ['active', 'RACONSENT'])
  const flag = await stu3('/Flag')
  assert.equal(flag.code.coding[0].code, '1082681000000103')
  assert.equal(flag.extension[0].valueCodeableConcept.coding[0].code, '001')
  assert.deepEqual((await stu3('/List', 'code')).contained[0].code.coding[0].code, '5')
  const change = (body: object, id: string) =>
    ask({ method: 'PUT', url: `${bases.gateway}/Flag/${id}`, headers: { ...fhir, 'if-match': 'W/"1"' }, body })
  const category = sent.flag(one).extension
  const notes = {
    url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-AdjustmentNotes-1',
    valueString: 'Face them',
  }
  assert.equal((await change(sent.flag(one, { extension: [...category, notes] }), flag.id)).status, 200)
  const [, shown] = (await read(`patient=${one}&code=${nraf}`)).entry
  assert.deepEqual([shown.resource.id, shown.resource.meta.versionId], [flag.id, '2'])
  assert.equal(shown.resource.extension[0].valueAnnotation.text, 'Face them')
  assert.equal(shown.resource.category[1].coding[0].code, 'communication-support')
})

test('a flag that is there is merged into; supporting resources need it', async () => {
  for (const [path, body] of [
    ['/Flag', adjustment()],
    ['/Condition', condition()],
    ['', transaction(top(fgm), condition())],
  ] as const)
    assert.deepEqual(problem(await post(path, body)), [
      404,
      'RESOURCE_NOT_FOUND',
      'No PatientFlag found for given patient and code',
    ])
  assert.equal((await read(`patient=${one}`)).total, 0, 'all or nothing')
  const made = await post('/Flag', top(nraf, one, 'First'))
  assert.deepEqual([made.status, made.headers['etag']], [201, 'W/"1"'])
  assert.match(String(made.headers['location']), new RegExp(`/Flag/${json(made).id}$`))
  const merged = await post('/Flag', top(nraf, one, 'Second'))
  assert.deepEqual([merged.status, json(merged).id, merged.headers['etag']], [201, json(made).id, 'W/"2"'])
  assert.equal(json(merged).extension[0].valueAnnotation.text, 'First\nSecond')
  const same = await post('/Flag', top())
  assert.deepEqual([same.status, same.headers['etag']], [201, 'W/"2"'], 'nothing new, no new version')
  for (const [path, body] of [
    ['/Flag', adjustment()],
    ['/Condition', condition()],
  ] as const)
    assert.equal((await post(path, body)).status, 201)
  assert.equal((await read(`patient=${one}&code=${nraf}`)).total, 3)
})

test('the same request again adds nothing', async () => {
  const id = { 'x-request-id': randomUUID() }
  const [first, again] = [
    await post('', transaction(top(), adjustment()), id),
    await post('', transaction(top(), adjustment()), id),
  ]
  const made = (answer: { text: string }) => json(answer).entry
  assert.deepEqual([again.status, made(again)], [200, made(first)])
  assert.equal((await read(`patient=${one}&code=${nraf}`)).total, 2)
})

test('removal: one thing, one kind with all that supports it, or everything', async () => {
  await post('', transaction(top(), top(fgm), adjustment(), condition()))
  const ids = (await read(`patient=${one}&code=${nraf}`)).entry.map(
    ({ resource }: { resource: { resourceType: string; id: string } }) => `/${resource.resourceType}/${resource.id}`,
  )
  assert.equal((await remove(ids[1])).status, 200)
  assert.deepEqual(problem(await remove(ids[1])), [404, 'RESOURCE_NOT_FOUND', 'No such resource is active'])
  assert.equal((await remove(ids[2])).status, 200)
  assert.equal((await read(`patient=${one}&code=${nraf}`)).total, 1)
  const search = `/Flag?patient=${one}`
  assert.deepEqual(problem(await remove(search)), [400, 'MISSING_VALUE', "Missing value in header 'x-removal'"])
  assert.equal((await remove(`${search}&code=${fgm}`, 'Error')).status, 200)
  await post('', transaction(adjustment(), top(fgm)))
  const all = await remove(search, 'DoesntApply')
  assert.deepEqual([all.status, json(all).issue[0].details.text], [200, 'OK'])
  assert.equal((await read(`patient=${one}`)).total, 0)
  assert.equal(json(await ask({ url: `${bases.gateway}/Flag?${query(one)}` })).total, 0)
  assert.equal((await remove(search, 'again')).status, 404)
  assert.equal((await remove(`${search}&code=other`, 'x')).status, 404)
  for (const path of ['/Flag/x', `/Condition/${one}.${randomUUID()}`])
    assert.equal((await remove(path, 'x')).status, 404)
})

test('child protection is read only; female genital mutilation is a flag and nothing more', async () => {
  const { contract } = service
  const flag = { nhsNumber: one, code: cpis, notes: 'Ring the team', team: 'Testham children’s team' } as const
  assert.equal(await contract.raise(flag, { odsCode: 'X26' }), true)
  assert.equal(await contract.raise(flag, { odsCode: 'X26' }), false)
  const bundle = await read(`patient=${one}&code=${cpis}`)
  assert.deepEqual(
    bundle.entry.map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType),
    ['Flag', 'CareTeam'],
  )
  assert.deepEqual([bundle.entry[1].resource.name, r4.check(bundle)], ['Testham children’s team', []])
  const readOnly = [403, 'FORBIDDEN_UPDATE', 'Forbidden update with error - this flag is read only']
  assert.deepEqual(problem(await post('/Flag', top(cpis))), readOnly)
  assert.deepEqual(problem(await remove(`/Flag?patient=${one}&code=${cpis}`, 'x')), readOnly)
  assert.deepEqual(problem(await remove(`/Flag/${bundle.entry[0].resource.id}`, 'x')), readOnly)
  await post('/Flag', top(fgm))
  assert.equal((await remove(`/Flag?patient=${one}`, 'x')).status, 200)
  assert.deepEqual(
    (await contract.flags(one)).map(({ code }) => code),
    [cpis],
    'it stays when everything is removed',
  )
  await post('/Flag', top(fgm))
  const supporting = adjustment({
    category: [patientFlag(fgm), coded(`${england}FlagCategoryRA`, 'communication-support')],
  })
  assert.equal(problem(await post('/Flag', supporting))[1], 'FORBIDDEN_UPDATE')
  assert.equal(await contract.lower({ nhsNumber: one, code: cpis, reason: 'Plan ended' }, { odsCode: 'X26' }), true)
  assert.equal((await read(`patient=${one}`)).total, 1)
  await assert.rejects(contract.raise({ nhsNumber: '1', code: cpis }, { odsCode: 'X26' }), {
    code: 'ADJUSTMENTS_FLAG_INVALID',
  })
})

test('every check of a resource fails with its outcome, at its place', async () => {
  const refused: Readonly<Record<string, readonly (readonly [object, string])[]>> = {
    'Resource type': [
      [{ resourceType: 'Patient' }, "Invalid value - 'Patient' in field 'entry/0/resource/resourceType'"],
    ],
    Subject: [
      [adjustment({ subject: undefined }), "Missing value - 'entry/0/resource/subject/reference'"],
      [
        adjustment({ subject: { reference: 'Patient/1' } }),
        "Invalid value - '1' in field 'entry/0/resource/subject/reference'",
      ],
    ],
    Status: [
      [adjustment({ status: undefined }), "Missing value - 'entry/0/resource/status'"],
      [adjustment({ status: 'inactive' }), "Invalid value - 'inactive' in field 'entry/0/resource/status'"],
      [condition({ clinicalStatus: undefined }), "Missing value - 'entry/0/resource/clinicalStatus'"],
    ],
    Code: [
      [adjustment({ code: undefined }), "Missing value - 'entry/0/resource/code'"],
      [top('other'), "Invalid value - 'other' in field 'entry/0/resource/code/coding/0/code'"],
      [
        condition({ code: coded(`${england}ConditionCodeRA`, 'other-thing') }),
        "Invalid value - 'other-thing' in field 'entry/0/resource/code/coding/0/code'",
      ],
      [
        adjustment({ code: coded('http://snomed.info/sct', 'x') }),
        "Invalid value - 'x' in field 'entry/0/resource/code/coding/0/code'",
      ],
    ],
    'Child protection': [[top(cpis), 'Forbidden update with error - this flag is read only']],
    'Kind of flag': [
      [adjustment({ category: undefined }), "Missing value - 'entry/0/resource/category'"],
      [
        condition({ category: [patientFlag(fgm)] }),
        'Forbidden update with error - this flag has no supporting resources',
      ],
      [condition({ category: [patientFlag('other')] }), "Invalid value - 'other' in field 'entry/0/resource/category'"],
    ],
    'Category of the adjustment': [
      [adjustment({ category: [patientFlag(nraf)] }), "Missing value - 'entry/0/resource/category'"],
      [
        adjustment({ category: [patientFlag(nraf), coded(`${england}FlagCategoryRA`, 'x')] }),
        "Invalid value - 'x' in field 'entry/0/resource/category'",
      ],
    ],
  }
  assert.deepEqual(Object.keys(refused).sort(), flagResourceChecks.map(({ name }) => name).sort())
  for (const [name, cases] of Object.entries(refused))
    for (const [resource, diagnostics] of cases) {
      const answer = await post('', transaction(resource as { resourceType: string }))
      assert.equal(json(answer).issue[0].diagnostics, diagnostics, name)
      const [record] = await service.platform.audit.find({ event: 'adjustments.request', limit: 1 })
      assert.equal(record?.facts['check'], name)
    }
  const wrong: readonly (readonly [unknown, string])[] = [
    ['{', 'VALIDATION_ERROR'],
    ['', 'VALIDATION_ERROR'],
    [{ resourceType: 'Flag', colour: 1 }, 'VALIDATION_ERROR'],
    [top(), 'INVALID_VALUE'],
    [{ resourceType: 'Bundle', type: 'batch', entry: [] }, 'INVALID_VALUE'],
    [{ resourceType: 'Bundle', type: 'transaction' }, 'MISSING_VALUE'],
    [
      { ...transaction(top()), entry: [{ resource: top(), request: { method: 'DELETE', url: 'Flag' } }] },
      'INVALID_VALUE',
    ],
    [
      { ...transaction(top()), entry: [{ resource: top(), request: { method: 'POST', url: 'Condition' } }] },
      'INVALID_VALUE',
    ],
    [{ ...transaction(top()), entry: [{ request: { method: 'POST', url: 'Flag' } }] }, 'MISSING_VALUE'],
    [transaction(top(), top(fgm, numbers.other)), 'VALIDATION_ERROR'],
  ]
  for (const [body, code] of wrong) assert.equal(problem(await post('', body))[1], code, JSON.stringify(body))
  assert.equal(problem(await post('', transaction(top()), { 'content-type': 'text/plain' }))[1], 'UNSUPPORTED_SERVICE')
})

test('headers, paths, patients and modes, as PDS has them', async () => {
  const url = `${bases.flags}/Flag?patient=${one}`
  const cases: readonly (readonly [Asked, number, string, string])[] = [
    [{ url: `${bases.flags}/HelloWorld` }, 400, 'UNSUPPORTED_REQUEST', "Unsupported path - '/HelloWorld'"],
    [{ method: 'PUT', url: `${bases.flags}/Flag/1` }, 400, 'UNSUPPORTED_REQUEST', "Unsupported path - '/Flag/1'"],
    [{ url, headers: { 'x-request-id': 'x' } }, 400, 'INVALID_VALUE', "Invalid value - 'x' in header 'X-Request-ID'"],
    [
      { url, headers: { 'x-request-id': undefined } },
      400,
      'MISSING_VALUE',
      'Invalid request with error - X-Request-ID header must be supplied to access this resource',
    ],
    [
      { url, headers: { 'nhsd-session-urid': 'x' } },
      400,
      'INVALID_VALUE',
      "Invalid value - 'x' in header 'NHSD-Session-URID'",
    ],
    [{ url: `${bases.flags}/Flag` }, 400, 'MISSING_VALUE', "Missing value - 'patient'"],
    [
      { url: `${bases.flags}/Flag?patient=9990548600` },
      404,
      'RESOURCE_NOT_FOUND',
      'No patient found with identifier 9990548600',
    ],
    [
      { url: `${bases.flags}/Flag?patient=${numbers.absent}` },
      404,
      'RESOURCE_NOT_FOUND',
      `No patient found with identifier ${numbers.absent}`,
    ],
    [{ url: `${url}&code=other` }, 404, 'RESOURCE_NOT_FOUND', 'No PatientFlag found for given patient and code'],
    [
      { url: `${bases.flags}/Flag?patient=${numbers.veryRestricted}` },
      403,
      'ACCESS_DENIED',
      'The record of this patient is very restricted',
    ],
  ]
  for (const [asked, status, code, diagnostics] of cases)
    assert.deepEqual(problem(await ask(asked)), [status, code, diagnostics], asked.url)
  assert.equal(problem(await post('/Flag', top(nraf, numbers.merged)))[1], 'FORBIDDEN_UPDATE')
  const bearer = { authorization: `Bearer ${await service.token('patient-flags')}` }
  assert.equal((await ask({ url, headers: bearer })).status, 200)
  const refused = await ask({ url, headers: { authorization: 'Bearer abc' } })
  assert.deepEqual(problem(refused), [401, 'ACCESS_DENIED', 'Invalid Access Token'])
  const application = await service.token(
    'patient-flags',
    {},
    {
      type: 'app',
      grantType: 'client_credentials',
      level: 'level3',
      provider: 'apim',
      scopes: ['urn:nhsd:apim:app:level3:patient-flags'],
      identity: {},
    },
  )
  const byItself = { authorization: `Bearer ${application}`, 'nhsd-session-urid': undefined }
  assert.equal((await ask({ url, headers: byItself })).status, 200)
  assert.deepEqual(problem(await post('/Flag', top(), byItself)).slice(0, 2), [403, 'INVALID_METHOD'])
  // Of restricted people nobody learns who recorded something, and where.
  const hidden = await post('/Flag', top(nraf, numbers.restricted))
  assert.equal(hidden.status, 201)
  assert.doesNotMatch(hidden.text, /Provenance|A20047|Fairweather/)
})
