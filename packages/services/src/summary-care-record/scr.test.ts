import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import { alertChecks } from './alert.ts'
import { arrivalChecks, retrieveChecks, type ScrCheck, searchChecks } from './checks.ts'
import { accessControlText, scrOutcomes } from './outcomes.ts'
import { permissionChecks } from './permission.ts'
import {
  type Answer,
  type Asked,
  isRefusal,
  numbers,
  nurse,
  patient,
  retrieving,
  roleId,
  searching,
  sent,
  startScr,
} from './testing.ts'
import { uploadChecks } from './upload.ts'

let scr: Awaited<ReturnType<typeof startScr>>
before(async () => {
  scr = await startScr()
})
after(() => scr.close())

const post = (url: string, body: unknown, headers: Asked['headers'] = {}) =>
  scr.ask({ method: 'POST', url, body, headers })
const newId = () => randomUUID().toUpperCase()
const made = (answer: Answer) => assert.deepEqual([answer.status, answer.text], [201, ''])

test('the life of a summary: uploaded, found, retrieved, replaced; nothing of it is lost', async () => {
  const { one } = numbers
  const none = await scr.ask({ url: searching(one) })
  assert.deepEqual([none.status, none.json().total, none.json().entry], [200, 0, undefined])

  const [first, second] = [newId(), newId()]
  made(await post('/Bundle', sent.summary(one, { id: first.toLowerCase() })))
  const found = await scr.ask({ url: searching(one) })
  assert.deepEqual(r4.check(found.json()), [])
  const [{ resource, search, fullUrl }, subject] = found.json().entry
  assert.equal(search.mode, 'match')
  assert.match(fullUrl, /^https:\/\/[^/]+\/summary-care-record\/FHIR\/R4\/DocumentReference\//)
  assert.equal(resource.masterIdentifier.value, first)
  assert.equal(resource.securityLabel[0].coding[0].code, 'Ask')
  assert.equal(subject.resource.identifier[0].value, one)
  assert.equal(resource.subject.reference, `Patient/${subject.fullUrl}`)

  // The address that the reference names is one that can be asked for.
  const { url } = resource.content[0].attachment
  const document = await scr.ask({ url: url.slice(url.indexOf('/Bundle?')) })
  const shown = document.json()
  assert.deepEqual([document.status, shown.type, shown.total], [200, 'searchset', 3])
  assert.deepEqual(r4.check(shown), [])
  assert.deepEqual(
    shown.entry.map((entry: { resource: { resourceType: string } }) => entry.resource.resourceType),
    ['Composition', 'PractitionerRole', 'Patient'],
  )
  assert.match(shown.entry[0].fullUrl, /^https:\/\/[^/]+\/summary-care-record\/FHIR\/R4\/Composition\//)
  assert.match(shown.entry[0].resource.section[0].text.div, /none known/)

  made(await post('/Bundle', sent.summary(one, { id: second, replaces: first })))
  assert.equal((await scr.ask({ url: searching(one) })).json().entry[0].resource.masterIdentifier.value, second)
  assert.equal((await scr.ask({ url: retrieving(one, second.toLowerCase()) })).json().total, 3)
  for (const id of [first, newId(), ''])
    assert.deepEqual((await scr.ask({ url: retrieving(one, id) })).json().total, 0, id)
  const history = await scr.contract.history(one)
  assert.deepEqual(
    history.map(({ id, version, replaces }) => [id, version, replaces]),
    [
      [second, 2, first],
      [first, 1, undefined],
    ],
  )
  assert.equal(history[0]?.uploaded.odsCode, 'X26')
  assert.equal((await scr.contract.document(one, first))?.['type'], 'document')
  assert.equal(await scr.contract.count(), 1)
})

test('documents as published examples have them are taken, whatever FHIR would say of them', async () => {
  const { one } = numbers
  const body: Body = sent.summary(one, { replaces: 'D18B57ED-992E-45A2-A6AF-55200D20F48E' })
  const [composition] = body.entry
  Object.assign(composition.resource, { title: undefined, meta: { lastUpdated: '2020-11-17T01:00:00' } })
  composition.resource.section[0].text.div =
    '<div xmlns="http://www.w3.org/1999/xhtml">\n<table><tr><td/></tr></table></div>'
  const condition = { resourceType: 'Condition', id: 'c1', identifier: [{ value: 'c1' }], onsetDateTime: '2020-05' }
  body.entry.push(
    { fullUrl: 'urn:uuid:c1', resource: condition },
    { fullUrl: 'urn:x', resource: { resourceType: 'Device' } },
  )
  made(await post('/Bundle', { ...body, timestamp: '2026-11-26T11:00:00' }))
  const shown = (await scr.ask({ url: retrieving(one, composition.resource.identifier.value) })).json()
  assert.deepEqual([shown.total, shown.entry[3].resource, shown.entry[4].fullUrl], [5, condition, 'urn:x'])
})

test('an opt-out is recorded, shown and honoured, and can be taken back', async () => {
  const { other } = numbers
  const id = newId()
  made(await post('/Bundle', sent.summary(other, { id })))
  made(await post('/$setPermission', sent.permission(other, 'No')))
  isRefusal(await post('/Bundle', sent.summary(other)), 403, 'forbidden', accessControlText)
  isRefusal(await scr.ask({ url: retrieving(other, id) }), 403, 'forbidden', accessControlText)
  const label = async () =>
    (await scr.ask({ url: searching(other) })).json().entry[0].resource.securityLabel[0].coding[0].code
  assert.equal(await label(), 'No')
  for (const code of ['Yes', 'Ask']) {
    made(await post('/%24setPermission', sent.permission(other, code.toLowerCase())))
    assert.equal(await label(), code)
    assert.equal((await scr.ask({ url: retrieving(other, id) })).json().total, 3)
  }
  assert.deepEqual(
    (await scr.contract.permissions(other)).map(({ permission }) => permission),
    ['Ask', 'Yes', 'No'],
  )
})

test('privacy alerts are kept for whoever has to look into them', async () => {
  const { one, other } = numbers
  made(await post('/AuditEvent', sent.alert(one)))
  const type = {
    system: 'https://fhir.nhs.uk/CodeSystem/SCR-AlertType',
    code: '1',
    display: 'Create LR (Self Claimed)',
  }
  made(await post('/AuditEvent', sent.alert(other, { type })))
  const [latest, ...more] = await scr.contract.alerts({ nhsNumber: one, limit: 10 })
  assert.equal(more.length, 0)
  assert.deepEqual(
    { ...latest, id: '', sent: undefined },
    {
      id: '',
      nhsNumber: one,
      reason: { code: '1', display: 'Access made in the public interest' },
      message: 'Viewed without permission: the patient was unconscious',
      recorded: '2026-11-26T11:30:00+00:00',
      organisation: 'X26',
      person: '555100000001',
      summary: '1C03CF4F-D404-4D76-B192-4F81727059F6',
      sent: undefined,
    },
  )
  assert.equal((await scr.contract.alerts({ organisation: 'X26', limit: 10 })).length, 2)
  assert.equal((await scr.contract.alerts({ organisation: 'X27', limit: 10 })).length, 0)
  assert.equal((await scr.contract.alerts({ since: scr.clock.now() + 1, limit: 10 })).length, 0)
  assert.equal((await scr.contract.alerts({ limit: 1 })).length, 1)
})

test('a write that is sent again is done once, by whoever sent it', async () => {
  const { one } = numbers
  const key = { 'x-request-id': randomUUID() }
  const body = sent.summary(one)
  made(await post('/Bundle', body, key))
  made(await post('/Bundle', body, { 'x-request-id': key['x-request-id'].toUpperCase() }))
  const id = String(body.entry[0]?.resource.id)
  isRefusal(
    await post('/Bundle', body),
    400,
    'value',
    `[PSIS-30134] - Duplicate event with eventId ${id} and nhsNumber ${one}.`,
  )
  // Somebody else with the same id is told nothing of it, and without an id every request stands for itself.
  const authorization = `Bearer ${await scr.token()}`
  isRefusal(
    await post('/Bundle', body, { ...key, authorization, 'nhsd-session-urid': roleId }),
    400,
    'value',
    /PSIS-30134/,
  )
  const before = (await scr.contract.permissions(one)).length
  for (const headers of [key, key, { 'x-request-id': undefined }, { 'x-request-id': undefined }])
    made(await post('/$setPermission', sent.permission(one, 'Ask'), headers))
  assert.equal((await scr.contract.permissions(one)).length, before + 3)
})

test('restricted people have no summary; merged and unknown ones are answered as the other services do', async () => {
  const { one, merged, restricted, veryRestricted, invalidated, absent } = numbers
  for (const nhsNumber of [restricted, veryRestricted]) {
    for (const url of [searching(nhsNumber), retrieving(nhsNumber, newId())])
      isRefusal(await scr.ask({ url }), 403, 'forbidden', accessControlText)
    isRefusal(await post('/Bundle', sent.summary(nhsNumber)), 403, 'forbidden', accessControlText)
    made(await post('/$setPermission', sent.permission(nhsNumber, 'No')))
  }
  for (const nhsNumber of [invalidated, absent]) {
    for (const url of [searching(nhsNumber), retrieving(nhsNumber, newId())])
      assert.equal((await scr.ask({ url })).json().total, 0)
    for (const [url, body] of [
      ['/Bundle', sent.summary(nhsNumber)],
      ['/$setPermission', sent.permission(nhsNumber, 'No')],
      ['/AuditEvent', sent.alert(nhsNumber)],
    ] as const)
      isRefusal(await post(url, body), 400, 'value', 'Patient not found')
  }
  const [latest] = await scr.contract.history(one)
  assert.ok(latest)
  const found = (await scr.ask({ url: searching(merged) })).json()
  assert.equal(found.entry[0].resource.masterIdentifier.value, latest.id)
  assert.equal(found.entry[1].resource.identifier[0].value, one)
  for (const [url, body] of [
    ['/Bundle', sent.summary(merged)],
    ['/$setPermission', sent.permission(merged, 'No')],
  ] as const)
    isRefusal(await post(url, body), 403, 'forbidden', /superseded in a merge/)
  made(await post('/AuditEvent', sent.alert(merged)))
  assert.equal((await scr.contract.alerts({ nhsNumber: one, limit: 10 })).length, 2)
})

test('an access token of a user, or of an application by itself', async () => {
  const { one } = numbers
  const users = { authorization: `Bearer ${await scr.token({ asid: '200000100202' })}`, 'nhsd-session-urid': roleId }
  const id = newId()
  made(await post('/Bundle', sent.summary(one, { id }), users))
  const [uploaded] = await scr.contract.history(one)
  const { application, ...actor } = uploaded?.uploaded ?? { at: 0 }
  assert.ok(application)
  assert.deepEqual({ ...actor, at: 0 }, { at: 0, user: nurse.uid, role: roleId, odsCode: 'X26', asid: '200000100202' })
  const read = await scr.ask({ url: retrieving(one, id), headers: users })
  assert.deepEqual([read.status, read.headers['nhsd-session-urid']], [200, undefined])

  // A user with several roles has to say which, and it must be one of theirs.
  for (const role of [undefined, '1', 'x'])
    isRefusal(
      await scr.ask({ url: searching(one), headers: { ...users, 'nhsd-session-urid': role } }),
      401,
      'forbidden',
      /NHSD-Session-URID/,
    )

  const alone = await scr.token(
    {},
    {
      scopes: ['urn:nhsd:apim:app:level3:summary-care-record'],
      type: 'app',
      grantType: 'client_credentials',
      level: 'level3',
    },
  )
  const application3 = { authorization: `Bearer ${alone}`, 'nhsd-session-urid': '555254242102' }
  assert.equal((await scr.ask({ url: searching(one), headers: application3 })).json().total, 1)
  assert.equal((await scr.ask({ url: retrieving(one, id), headers: application3 })).json().total, 3)
  made(await post('/Bundle', sent.summary(one), application3))
  for (const [url, body] of [
    ['/$setPermission', sent.permission(one, 'No')],
    ['/AuditEvent', sent.alert(one)],
  ] as const) {
    const refused = await post(url, body, application3)
    isRefusal(refused, 401, 'forbidden', 'Application-restricted access is not available on this POST request')
    assert.match(refused.json().issue[0].diagnostics, /insufficient permissions/)
  }

  for (const [authorization, text] of [
    ['invalid_token', 'Invalid access token'],
    ['', 'Invalid access token'],
    ['Bearer unknown', 'Invalid Access Token'],
  ] as const)
    isRefusal(await scr.ask({ url: searching(one), headers: { authorization } }), 401, 'forbidden', text)
  const other = await scr.token({}, { scopes: ['urn:nhsd:apim:user-nhs-login:P9:summary-care-record'] })
  isRefusal(await scr.ask({ url: searching(one), headers: { authorization: `Bearer ${other}` } }), 403, 'forbidden')
  assert.deepEqual((await scr.ask({ url: '/healthcheck', headers: users })).json(), { status: 'UP' })
})

test('what a role may do is asked for each operation, and refused where the rules are enforced', async (t) => {
  const asked: unknown[] = []
  const ruled = await startScr({
    config: { rbac: 'enforce' },
    access: {
      decide({ need }) {
        asked.push(need.all?.[0] ?? need.any?.[0])
        return { allowed: false, version: '1', reason: 'not-permitted', explanation: 'The selected role lacks it.' }
      },
    },
  })
  t.after(() => ruled.close())
  const headers = { authorization: `Bearer ${await ruled.token()}`, 'nhsd-session-urid': roleId }
  const { one } = numbers
  for (const request of [
    { url: searching(one) },
    { url: retrieving(one, newId()) },
    { method: 'POST', url: '/Bundle', body: sent.summary(one) },
    { method: 'POST', url: '/%24setPermission', body: sent.permission(one, 'No') },
    { method: 'POST', url: '/AuditEvent', body: sent.alert(one) },
  ] as const)
    isRefusal(await ruled.ask({ ...request, headers }), 403, 'forbidden', 'The selected role lacks it.')
  assert.deepEqual(asked, ['B0064', 'B0064', 'B0380', 'B0020', 'B0064'])
  assert.equal((await ruled.ask({ url: '/healthcheck', headers })).status, 200)
})

test('without a token nothing is answered in the profile strict, and the latest summary is replaced', async (t) => {
  const strict = await startScr({ profile: 'strict', config: { accessWithoutToken: 'user-restricted' } })
  t.after(() => strict.close())
  isRefusal(await strict.ask({ url: searching(numbers.one) }), 401, 'forbidden', 'Invalid access token')
  const headers = { authorization: `Bearer ${await strict.token()}`, 'nhsd-session-urid': roleId }
  const upload = (body: object) => strict.ask({ method: 'POST', url: '/Bundle', body, headers })
  const [first, second] = [newId(), newId()]
  made(await upload(sent.summary(numbers.one, { id: first, replaces: newId() })))
  for (const replaces of [undefined, newId()])
    isRefusal(
      await upload(sent.summary(numbers.one, replaces === undefined ? {} : { replaces })),
      400,
      'value',
      /latest summary/,
    )
  made(await upload(sent.summary(numbers.one, { id: second, replaces: first.toLowerCase() })))
})

test('every request is in the audit before it is answered, a read with what was shown', async () => {
  const { one } = numbers
  const trace = randomUUID()
  const [latest] = await scr.contract.history(one)
  const answer = await scr.ask({ url: retrieving(one, latest?.id ?? ''), headers: { 'x-request-id': trace } })
  assert.equal(answer.headers['x-request-id'], trace)
  const refused = randomUUID()
  await scr.ask({ url: searching('1'), headers: { 'x-request-id': refused } })
  const [read] = await records(trace)
  assert.deepEqual(
    [read?.['operation'], read?.['nhsNumber'], read?.['shown'], read?.['status']],
    ['retrieve', one, latest?.id, 200],
  )
  const [no] = await records(refused)
  assert.deepEqual([no?.['check'], no?.['status'], no?.['code']], ['NHS number', 400, 'value'])
})

async function records(trace: string): Promise<Record<string, unknown>[]> {
  const found = await scr.platform.audit.find({ trace, limit: 100 })
  return found.filter(({ event }) => event === 'scr.request').map(({ facts }) => facts as Record<string, unknown>)
}

/** Name of a check → a request that fails it alone, and what is said. */
type Failing = Readonly<Record<string, readonly [Asked, string | RegExp]>>

async function failEach<Subject>(checks: readonly ScrCheck<Subject>[], failing: Failing): Promise<void> {
  assert.deepEqual(
    checks.map(({ name }) => name),
    Object.keys(failing),
    'each check has its request, in order',
  )
  for (const { name, outcome } of checks) {
    const [asked, text] = failing[name] ?? []
    assert.ok(asked && text)
    const { status, issue } = scrOutcomes[outcome]
    isRefusal(await scr.ask(asked), status, issue, text)
  }
}

test('each check of a request fails with its own words', async () => {
  const { one } = numbers
  const url = searching(one)
  const alone = await scr.token({}, { scopes: ['urn:nhsd:apim:app:level3:summary-care-record'], type: 'app' })
  await failEach(arrivalChecks, {
    Mode: [
      {
        method: 'POST',
        url: '/AuditEvent',
        body: {},
        headers: { authorization: `Bearer ${alone}`, 'x-request-id': 'x' },
      },
      /Application-restricted/,
    ],
    'X-Correlation-ID': [
      { url, headers: { 'x-correlation-id': '1', 'x-request-id': '2' } },
      'Invalid X-Correlation-ID. Should be a UUIDv4 matching "^[0-9a-fA-F]{8}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{12}+$"',
    ],
    'X-Request-ID': [
      { url: '/Nothing', headers: { 'x-request-id': 'x' } },
      /^Invalid X-Request-ID\. Should be a UUIDv4/,
    ],
    Path: [{ url: '/Patient/1' }, '/Patient/1 not found'],
    Method: [
      { method: 'PUT', url: '/Bundle', body: 'x', headers: { 'content-type': 'x/y' } },
      "Request method 'PUT' not supported",
    ],
    'Content-Type': [
      { method: 'POST', url: '/Bundle', body: '<a/>', headers: { 'content-type': 'text/plain', accept: 'text/html' } },
      "Content type 'text/plain' not supported",
    ],
    Accept: [{ url: '/DocumentReference', headers: { accept: 'application/fhir+xml' } }, /acceptable/],
  })
  assert.equal((await scr.ask({ method: 'PUT', url: '/Bundle' })).headers['allow'], 'GET,POST')
  const search = (query: string) => ({ url: `/DocumentReference?${query}` })
  const right = `patient=${patient(one)}`
  await failEach(searchChecks, {
    'patient is there': [search('type=x'), "Required String parameter 'patient' is not present"],
    'NHS number': [search(`patient=${one}&type=x`), `Invalid value - ${one} in field 'patient'`],
    type: [search(`${right}&type=x&_sort=x`), "Invalid value - x in field 'type'"],
    _sort: [search(`${right}&_sort=-date&_count=2`), "Invalid value - -date in field '_sort'"],
    _count: [search(`${right}&_count=2`), "Invalid value - 2 in field '_count'"],
  })
  assert.equal((await scr.ask(search(right))).status, 200)
  const retrieve = (query: string) => ({ url: `/Bundle?${query}` })
  const subject = 'composition.subject:Patient.identifier'
  await failEach(retrieveChecks, {
    'composition.identifier is there': [
      retrieve('x=1'),
      "Required String parameter 'composition.identifier' is not present",
    ],
    [`${subject} is there`]: [
      retrieve('composition.identifier=1'),
      `Required String parameter '${subject}' is not present`,
    ],
    'NHS number': [retrieve(`composition.identifier=1&${subject}=${patient('9990548600')}`), /in field 'patient'$/],
  })
})

// biome-ignore lint/suspicious/noExplicitAny: bodies are spoilt in every way
type Body = any

const spoilt = (url: string, body: Body, spoil: (body: Body) => void): Asked => {
  const copy = structuredClone(body)
  spoil(copy)
  return { method: 'POST', url, body: copy }
}

test('each check of a document fails with its own words', async () => {
  const system = 'https://tools.ietf.org/html/rfc4122'
  const spoil = (change: (composition: Body, bundle: Body) => void) =>
    spoilt('/Bundle', sent.summary(numbers.one, { replaces: newId() }), (bundle) =>
      change(bundle.entry[0].resource, bundle),
    )
  const patientOf = (bundle: Body) => bundle.entry[2].resource
  await failEach(uploadChecks, {
    Bundle: [
      { method: 'POST', url: '/Bundle', body: sent.permission(numbers.one, 'No') },
      /expected "Bundle" but found "Parameters"/,
    ],
    Document: [
      spoil((_, bundle) => Object.assign(bundle, { type: 'searchset', timestamp: undefined })),
      'Unsupported Bundle.type: SEARCHSET',
    ],
    Timestamp: [
      spoil((_, bundle) => Object.assign(bundle, { timestamp: '2026', identifier: undefined })),
      'bundle.timestamp must not be empty',
    ],
    Identifier: [
      spoil((_, bundle) => Object.assign(bundle.identifier, { system: 'x' })),
      `bundle.identifier.system must be ${system}`,
    ],
    'One Composition': [spoil((_, bundle) => bundle.entry.shift()), 'Composition missing from payload'],
    'Category is there': [spoil((it) => delete it.category), 'Composition.category element is missing'],
    Category: [
      spoil((it) => Object.assign(it.category[0].coding[0], { code: '1' })),
      'Composition.category.coding.code not supported: 1',
    ],
    'Type is there': [spoil((it) => delete it.type), 'Composition.type element is missing'],
    Type: [
      spoil((it) => Object.assign(it.type.coding[0], { display: 'x' })),
      'Composition.type.coding.display not supported: x',
    ],
    Status: [
      spoil((it) => Object.assign(it, { status: 'entered-in-error' })),
      'Invalid composition.status: ENTEREDINERROR',
    ],
    Replaces: [
      spoil((it) => Object.assign(it.relatesTo[0], { code: 'appends' })),
      'Unsupported Composition.relatesTo.code element: APPENDS',
    ],
    'Id of the summary': [spoil((it) => delete it.identifier), `Missing Composition.identifier for system: ${system}`],
    Date: [spoil((it) => delete it.date), 'Composition Date Element missing from payload'],
    Sections: [spoil((it) => delete it.section), 'Missing mandatory Composition.section'],
    'One Patient': [
      spoil((_, bundle) => bundle.entry.push(bundle.entry[2])),
      'There is more than 1 resource of type Patient',
    ],
    'NHS number is there': [
      spoil((_, bundle) => Object.assign(patientOf(bundle).identifier[0], { system: 'x' })),
      'patient.identifier[] for system https://fhir.nhs.uk/Id/nhs-number must not be empty',
    ],
    'NHS number': [
      spoil((_, bundle) => Object.assign(patientOf(bundle).identifier[0], { value: '9990548600' })),
      /9990548600/,
    ],
    Subject: [
      spoil((it) => Object.assign(it.subject, { reference: 'Patient/x' })),
      'Composition.subject reference is missing or invalid',
    ],
  })
})

test('each check of a permission and of an alert fails with its own words', async () => {
  const permission = (change: (parameter: Body) => void) =>
    spoilt('/$setPermission', sent.permission(numbers.one, 'No'), (body) => change(body.parameter[0]))
  await failEach(permissionChecks, {
    Parameters: [{ method: 'POST', url: '/$setPermission', body: sent.summary(numbers.one) }, /expected "Parameters"/],
    setPermissions: [
      permission((it) => Object.assign(it, { name: 'x' })),
      "Parameter named 'setPermissions' name not found",
    ],
    nhsNumber: [permission((it) => it.part.shift()), "Missing value for Parameter.Part 'nhsNumber'"],
    permissionCode: [permission((it) => it.part.pop()), /'permissionCode' with valueCoding.system \S+ not found$/],
    Code: [
      permission((it) => Object.assign(it.part[1].valueCoding, { code: 'Maybe' })),
      "Invalid value - Maybe in field 'valueCoding.code'",
    ],
    'NHS number': [
      permission((it) => Object.assign(it.part[0], { valueString: '1' })),
      "Invalid value - 1 in field 'nhsNumber'",
    ],
  })
  const alert = (change: (event: Body) => void) => spoilt('/AuditEvent', sent.alert(numbers.one), change)
  const missing = (system: string) =>
    `Missing 'agent' entry with 'who.identifier.system' 'https://fhir.nhs.uk/Id/${system}' and non-empty 'value'`
  await failEach(alertChecks, {
    AuditEvent: [{ method: 'POST', url: '/AuditEvent', body: sent.summary(numbers.one) }, /expected "AuditEvent"/],
    Id: [alert((it) => delete it.id), "'id' element is missing'"],
    Message: [alert((it) => delete it.extension), /^Expecting exactly one 'extension' element with URL/],
    Type: [alert((it) => Object.assign(it.type, { system: 'x' })), /^'Type' element for '\S+' system missing$/],
    Reason: [
      alert((it) => Object.assign(it.subtype[0], { code: '7' })),
      "Invalid or missing value in field 'subtype.code'. Supported values are: 1, 2, 3, 4, 5, 6",
    ],
    Time: [alert((it) => delete it.recorded), "'recorded' element missing"],
    Summary: [alert((it) => delete it.entity), "Expecting exactly one 'entity' element"],
    Patient: [alert((it) => it.agent.shift()), missing('nhs-number')],
    Organisation: [alert((it) => it.agent.splice(1, 1)), missing('ods-organization-code')],
    Person: [
      alert((it) => Object.assign(it.agent[2], { requestor: true })),
      /^Missing or unsupported 'requestor' value/,
    ],
    Role: [alert((it) => delete it.agent[2].role), /^Expecting at least one 'role'/],
    'NHS number': [alert((it) => Object.assign(it.agent[0].who.identifier, { value: '2' })), /^Invalid value - 2/],
  })
})
